"""What comes before an estimate: validation, duplicates, splits, folds, scaling."""
