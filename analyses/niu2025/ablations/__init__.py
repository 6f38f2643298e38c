"""What matters in IMSVD: batch size, depth, width, terms, units (Niu et al., Tables V to IX)."""
