"""How good the encoders of single views are: by views, by method, by layer, by negatives (Tian et al. 2020)."""
