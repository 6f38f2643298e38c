"""Estimators that train a network."""
