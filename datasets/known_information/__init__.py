"""Pairs of random variables whose mutual information is known."""
