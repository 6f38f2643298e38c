"""Parts of the study of representation quality: its shelf of encoders, its measures on halves of items."""
