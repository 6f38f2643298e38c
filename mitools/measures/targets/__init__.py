"""Measures of features against continuous targets, and against several labels an item."""
