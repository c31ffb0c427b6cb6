"""The demo's data as examples: customer messages, hand-written, and word problems, generated."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from telic.cli.demo.word_problems import problems
from telic.data.example import Example

INTENTS = (
    "log in or profile",
    "payment or invoice",
    "make an appointment",
    "cancel the order",
    "where is my order",
    "it is broken",
    "question about a product",
    "send it back",
)
"""What a customer may want, in words that a small model makes something of: it reads them as text."""
RECORD = ("product", "order", "amount", "date", "contact")
"""What may be extracted from a message, word for word; `None` where the message does not say."""


@dataclass(frozen=True, slots=True)
class Splits:
    """Examples to compile on, to choose with, and to report on."""

    train: list[Example]
    dev: list[Example]
    test: list[Example]


def messages() -> Splits:
    """200 messages to shops and services, each with its `intent` and the fields of `RECORD`.

    The intents are balanced in every split: 8, 6 and 11 messages of each.
    """
    parts: dict[str, list[Example]] = {"train": [], "dev": [], "test": []}
    text = Path(__file__).with_name("messages.jsonl").read_text(encoding="utf-8")
    for line in text.splitlines():
        row = json.loads(line)
        record = {name: value or None for name, value in row["record"].items()}
        example = Example(message=row["message"], intent=row["intent"], **record)
        parts[row["split"]].append(example.with_inputs("message"))
    return Splits(**parts)


def word_problems(train: int = 64, dev: int = 48, test: int = 100, *, seed: int = 0) -> Splits:
    """Word problems with `question`, `equation` and `answer`: no problem is in two splits, each with names,
    things, numbers and asides of its own, but all splits have all kinds of problems.
    """
    rows = [
        Example(question=p.question, equation=p.equation, answer=p.answer).with_inputs("question")
        for p in problems(train + dev + test, seed)
    ]
    return Splits(rows[:train], rows[train : train + dev], rows[train + dev :])
