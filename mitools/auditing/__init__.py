"""The audit: frozen encoders on labelled data."""
