"""Data sets by name, and examples from files."""
