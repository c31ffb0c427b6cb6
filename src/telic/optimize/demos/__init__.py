"""Demonstrations: sampled from labelled examples, or made by a teacher."""
