"""What the discrete variables of an encoder are like, as a folder of pictures and a page."""
