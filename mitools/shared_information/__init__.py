"""What two views share, and how much of it is about the label, before anyone trains on them."""
