"""Measures inside anyone's training loop."""
