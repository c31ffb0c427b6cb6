"""Programs: parameters, modules, predictors, and their state."""
