"""What is trained: one method a file."""
