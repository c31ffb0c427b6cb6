"""Finding passages by one vector each."""
