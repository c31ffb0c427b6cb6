"""Baleen: multi-hop search that goes on with a few facts in place of whole passages."""

from telic._lazy import exports

_TABLE = {
    "Baleen": "telic.systems.baleen.program",
    "CondensedRetrieval": "telic.systems.baleen.hops",
    "Condenser": "telic.systems.baleen.condensing",
    "FLIPR": "telic.systems.baleen.flipr",
    "Fact": "telic.systems.baleen.facts",
    "FusedHops": "telic.systems.baleen.fused",
    "GoldQuestion": "telic.systems.baleen.ordering",
    "HopExample": "telic.systems.baleen.ordering",
    "HopSearch": "telic.systems.baleen.fused",
    "LateInteractionCondenser": "telic.systems.baleen.condensing",
    "ProgramCondenser": "telic.systems.baleen.condensing",
    "SimplifiedBaleen": "telic.systems.baleen.simplified",
    "Titles": "telic.systems.baleen.titles",
    "Weights": "telic.systems.baleen.fused",
    "focused_scores": "telic.systems.baleen.flipr",
    "hop_examples": "telic.systems.baleen.ordering",
    "order_hops": "telic.systems.baleen.ordering",
}

__getattr__, __dir__ = exports(__name__, _TABLE)
__all__ = sorted(_TABLE)
