"""The temporal analysis and over-compression of Cui et al. (2022)."""
