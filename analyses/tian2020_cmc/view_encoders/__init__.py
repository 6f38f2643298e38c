"""How good the encoders of single views are, by what they were trained with (Tian et al. 2020, Sec. 4.3)."""
