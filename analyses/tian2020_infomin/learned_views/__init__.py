"""Views from invertible generators, learned with and without labels (Sec. 4.2, B.5)."""
