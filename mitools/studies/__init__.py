"""Studies: encoders x data x pairings x estimators x metrics x seeds, one kept cell after another."""
