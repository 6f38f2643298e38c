"""What goes into an encoder: decoding, preprocessing, tokens."""
