"""Niu et al. 2024/2025: information-maximized soft variable discretization."""
