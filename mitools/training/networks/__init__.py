"""Networks that are trained: encoders with their heads."""
