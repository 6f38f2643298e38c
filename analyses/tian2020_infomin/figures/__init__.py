"""Figures of the studies of Tian et al. 2020, What makes for good views."""
