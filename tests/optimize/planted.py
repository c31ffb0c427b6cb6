"""A planted problem: a scripted LM that gives only labels it was shown, and a metric that checks them."""

from __future__ import annotations

import re
from typing import Any, Literal

import telic
from tests.scripted import RecordedLM, chat

LABELS = ("red", "green", "blue", "gold")


class Colour(telic.Signature):
    """Name the colour of the word."""

    word: str = telic.InputField()
    colour: Literal["red", "green", "blue", "gold"] = telic.OutputField()


def rows(count: int, offset: int = 0) -> list[telic.Example]:
    made = []
    for i in range(offset, offset + count):
        label = LABELS[i % 4]
        made.append(telic.Example(word=f"{label}-{i}", colour=label).with_inputs("word"))
    return made


def exact(example: Any, pred: Any, trace: Any = None) -> bool:
    return bool(example.colour == pred.colour)


def planted_lm(always: str = "red") -> RecordedLM:
    """Knows `always` by itself, and every other label only from a demo."""

    lm: RecordedLM

    def reply(text: str) -> str:
        messages = lm.asked[-1]
        shown = {m["content"].split("]]\n")[1].split("\n")[0] for m in messages if m["role"] == "assistant"}
        label = re.findall(r"(\w+)-\d+", text)[-1]
        return chat(colour=label if label in shown or label == always else always)

    lm = RecordedLM(reply)
    return lm
