"""`telic.compile`: one call that looks at budget, data and model, and chooses what to try."""
