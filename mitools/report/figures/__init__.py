"""Figures: every function draws on axes."""
