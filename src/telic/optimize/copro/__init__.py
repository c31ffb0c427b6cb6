"""`COPRO`: instructions improved step by step."""
