"""The studies of Lee et al. (2023)."""
