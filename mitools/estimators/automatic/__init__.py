"""How ``auto`` chooses: for labels, symbols, series and numbers, and how far the readings agree."""
