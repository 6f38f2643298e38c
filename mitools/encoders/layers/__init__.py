"""The layers inside a network: reading them on the way, and listing them."""
