"""One file a question of the papers."""
