"""What matters in IMSVD: batch size, depth, width, terms, units of a variable (Niu et al., Tables V to IX)."""
