"""Learned views: invertible generators of colour spaces, and the channels of what they make."""
