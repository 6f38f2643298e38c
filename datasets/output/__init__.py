"""Data sets written out: exports and preview sheets."""
