"""Can a model that keeps to no format unaided be held to one?

Run: make bench-constrained, or python -m benchmarks.constrained

Asks SmolLM2-135M 100 things through the JSON adapter, over four signatures from one label to nested lists of
objects: constrained by the grammar that telic makes of the signature, and free. Nothing is asked again
(`max_repairs=0`), so every answer counts as the model wrote it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

import telic
from benchmarks import page
from benchmarks.framework.report import machine
from telic.cli.demo.data import messages

COMMAND = "make bench-constrained"
MODEL = "local/smollm2-135m"
EACH = 25
MAX_TOKENS = 200


class Urgency(Enum):
    """How soon somebody should look."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Item(BaseModel):
    """Something that was bought."""

    name: str
    count: int = Field(ge=1, le=99)
    price: float | None = None


class Ticket(BaseModel):
    """What a desk would file."""

    subject: str = Field(max_length=80)
    urgency: Urgency
    tags: list[Literal["order", "payment", "account", "product"]] = Field(max_length=3)
    items: list[Item] = Field(max_length=3)


class Label(telic.Signature):
    """Say what the message is about, and how sure you are."""

    message: str = telic.InputField()
    topic: Literal["order", "payment", "account", "product", "other"] = telic.OutputField()
    sure: bool = telic.OutputField()


class Numbers(telic.Signature):
    """Count and weigh."""

    message: str = telic.InputField()
    words: int = telic.OutputField()
    anger: float = telic.OutputField(ge=0, le=1)
    urgency: Urgency = telic.OutputField()


class Lists(telic.Signature):
    """Find what is named."""

    message: str = telic.InputField()
    nouns: list[str] = telic.OutputField()
    counts: dict[str, int] = telic.OutputField()
    date: str | None = telic.OutputField()


class Filed(telic.Signature):
    """File the message."""

    message: str = telic.InputField()
    ticket: Ticket = telic.OutputField()
    reply: str = telic.OutputField()


SIGNATURES = (Label, Numbers, Lists, Filed)


def questions() -> Iterator[tuple[type[telic.Signature], str]]:
    """100 messages, a quarter for each signature."""
    rows = messages()
    texts = [row.message for row in (*rows.train, *rows.dev, *rows.test)]
    for place, signature in enumerate(SIGNATURES):
        for text in texts[place * EACH : (place + 1) * EACH]:
            yield signature, text


def measure(*, constrained: bool) -> dict[str, Any]:
    """Ask everything once."""
    options = {} if constrained else {"constrain": False}
    lm = telic.LM(MODEL, temperature=0.0, max_tokens=MAX_TOKENS, cache=False)
    began, right, failures = time.perf_counter(), dict.fromkeys((s.__name__ for s in SIGNATURES), 0), []
    with telic.context(lm=lm, adapter=telic.JSONAdapter(**options), max_repairs=0):
        for signature, text in questions():
            try:
                telic.Predict(signature)(message=text)
            except telic.AdapterParseError as error:
                failures.append(str(error)[:300])
            else:
                right[signature.__name__] += 1
    return {"valid": right, "failures": failures, "seconds": round(time.perf_counter() - began, 1)}


def _rows(sides: dict[str, dict[str, Any]]) -> list[Sequence[str]]:
    return [
        [
            name,
            f"{sum(side['valid'].values())} of {EACH * len(SIGNATURES)}",
            *(f"{count} of {EACH}" for count in side["valid"].values()),
            f"{side['seconds']:.0f}",
        ]
        for name, side in sides.items()
    ]


def main() -> int:
    """Measure both sides, write the table down; 1 if a constrained answer was not valid."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, telic.context(store=Path(folder) / "store.db"):
        sides = {"constrained": measure(constrained=True), "free": measure(constrained=False)}
    head = ["", "valid", *(signature.__name__ for signature in SIGNATURES), "s"]
    shown = page.table(head, _rows(sides))
    print(shown)
    when = page.today()
    page.record("constrained", {"date": when, "machine": machine(load), "model": MODEL, **sides})
    page.show("constrained table", f"Measured {when} on {machine(load)} by `{COMMAND}`.\n\n{shown}")
    return 1 if sides["constrained"]["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
