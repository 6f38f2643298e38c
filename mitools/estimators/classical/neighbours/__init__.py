"""Nearest neighbours: of all rows, and of rows in other groups."""
