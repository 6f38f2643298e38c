"""Over-compression of several networks, on any list of targets (Cui et al. 2022, A.2, A.3)."""
