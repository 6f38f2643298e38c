"""What encoders of frames learn from neighbouring frames and from flow (Tian et al. 2020, Sec. 4.2)."""
