"""Encoders written into the files of other libraries, each read back before it is kept."""
