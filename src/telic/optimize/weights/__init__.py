"""Optimizers that train the models of a program: from runs, and by rewarding them."""
