"""Exact RGB-D scenes: one object on a floor before a wall."""
