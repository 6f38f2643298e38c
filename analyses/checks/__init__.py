"""Checks of the estimators themselves, run as studies."""
