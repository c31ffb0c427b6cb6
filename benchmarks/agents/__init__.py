"""Agents on public data: which calls are made, and what the world looks like afterwards."""
