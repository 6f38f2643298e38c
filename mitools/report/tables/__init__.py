"""Tables, written and read."""
