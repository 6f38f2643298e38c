"""What matters in IMSVD: batch size, depth, width, terms and units (Niu et al., Tables V to IX)."""
