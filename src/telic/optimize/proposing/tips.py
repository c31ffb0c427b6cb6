"""Tips: what kind of instruction to write. A different one for each proposal makes proposals differ.

From MIPRO (Opsahl-Ong et al., 2024, arXiv:2406.11695, section 3.1: grounding), where a tip is drawn for each
proposal.
"""

from __future__ import annotations

import random

TIPS = {
    "none": "",
    "short": "Be brief: one plain sentence.",
    "complete": "Be thorough: name every rule and every form of output that matters.",
    "unusual": "Look at the task from an angle nobody would expect.",
    "expert": "Begin by saying who the model is, an expert of just this kind of task.",
    "stakes": "Make clear that a mistake here would be serious.",
    "steps": "Say in which order to go about it.",
}
"""Name to what the proposing model is told."""


def draw_tips(count: int, random_: random.Random) -> list[str]:
    """`count` tips by name, each as often as any other, in random order."""
    drawn: list[str] = []
    while len(drawn) < count:
        names = list(TIPS)
        random_.shuffle(names)
        drawn += names
    return drawn[:count]
