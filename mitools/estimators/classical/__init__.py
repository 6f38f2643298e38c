"""Estimators that train nothing: neighbours, counts, bins, Gaussian formulas."""
