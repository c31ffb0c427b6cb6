"""Weights on this machine: `catalogue`, `installed`, `terms`, `pull`, `add`, `remove`, `resolve`, `facts`."""

from telic.lm.weights.catalogue import CATALOGUE, Piece, Weights, catalogue
from telic.lm.weights.facts import Facts, facts
from telic.lm.weights.folder import Installed, add, folder, installed, remove, resolve
from telic.lm.weights.pull import pull, terms

__all__ = [
    "CATALOGUE",
    "Facts",
    "Installed",
    "Piece",
    "Weights",
    "add",
    "catalogue",
    "facts",
    "folder",
    "installed",
    "pull",
    "remove",
    "resolve",
    "terms",
]
