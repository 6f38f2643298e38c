"""Over-compression under AutoAugment, with and without CTC (Cui et al. 2022, Sec. 5.2)."""
