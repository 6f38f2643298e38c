"""Views: what a network sees of an item, drawn as a pure function of the item and of random numbers."""
