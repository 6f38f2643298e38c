"""What comes before an estimate: validation, groups, splits, folds, scaling."""
