"""Checkpoint files: which project wrote them, and how they are loaded whole or not at all."""
