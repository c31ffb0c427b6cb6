"""Weights on this machine: what there is, fetching, adding, removing, and where a name's files lie."""

from telic.lm.weights.catalogue import CATALOGUE, File, Piece, Weights, catalogue
from telic.lm.weights.facts import Facts, facts
from telic.lm.weights.folder import Installed, add, folder, installed, remove, resolve, resolve_folder
from telic.lm.weights.pull import pull, terms

__all__ = [
    "CATALOGUE",
    "Facts",
    "File",
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
    "resolve_folder",
    "terms",
]
