"""Whole published systems, as programs."""
