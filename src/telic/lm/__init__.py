"""Language models: by name, or your own."""
