"""Critics f(x, y): networks, and closed forms that a network may correct."""
