"""How many directions features use: measures of their singular values. No labels are needed."""
