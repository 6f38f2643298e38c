"""What the front door's functions return: numbers that show, draw and save themselves."""
