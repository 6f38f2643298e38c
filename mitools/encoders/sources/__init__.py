"""One file a source of encoders: the part of a spec before the colon."""
