"""The record of what was paid for: calls, runs and their journals, with cache and single flight before it."""
