"""Estimators: pairs of arrays in, an Estimate out."""
