"""Colour spaces of a whole batch of images at once, and their channels as views."""
