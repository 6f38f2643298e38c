"""Mutual information of many columns by pairs of components of either side."""
