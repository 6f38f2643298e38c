"""Encoders of views that share too little, just the task, or more (Sec. 3.2, Proposition 3.1)."""
