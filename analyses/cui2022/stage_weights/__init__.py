"""The weights of CTC's stages: what they mend and what they cost (Cui et al. 2022, Figs. 6, 7)."""
