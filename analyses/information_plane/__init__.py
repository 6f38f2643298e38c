"""The toy networks of the information-plane literature."""
