"""The figures of Lee et al. (2023)."""
