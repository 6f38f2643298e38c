"""How alike two encoders see the same items, whatever their bases and dimensions."""
