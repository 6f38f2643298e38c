"""Measures of representation quality that an audit has where they are asked for, ``--measures``."""
