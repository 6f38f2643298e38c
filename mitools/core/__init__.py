"""What every room stands on: errors, specs, whole files, recipes, the Estimate, the result store."""
