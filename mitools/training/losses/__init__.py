"""The losses that encoders are trained under, each with the mutual information that it bounds."""
