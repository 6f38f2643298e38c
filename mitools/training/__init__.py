"""Training an encoder under a controlled objective."""
