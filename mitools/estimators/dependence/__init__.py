"""Rows that are not independent, looked for and told: copies, near copies and series."""
