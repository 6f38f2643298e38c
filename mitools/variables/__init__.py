"""Discrete variables of a representation: their distributions, entropies and dependence, computed."""
