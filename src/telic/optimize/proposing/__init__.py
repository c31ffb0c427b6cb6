"""Proposing instructions: what a model is told of a task, and asked to write for it."""
