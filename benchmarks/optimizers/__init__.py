"""Three optimizers, telic's and DSPy's side by side: same model behind the same server, rows and settings."""
