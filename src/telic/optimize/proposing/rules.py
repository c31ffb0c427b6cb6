"""Rules that a model reads off examples, and how an instruction takes them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from telic.lm.base import BaseLM
from telic.optimize.proposing.showing import clipped, example_text
from telic.optimize.strategy import Ask
from telic.program.predict import Predict
from telic.signatures import InputField, OutputField, Signature

_LONGEST = 4000
"""Characters of rules that are kept."""


class FindRules(Signature):
    """Examples of a task were solved rightly. Find the rules by which the outputs follow from the inputs, so
    that somebody who knows the rules alone can do the task. Write at most as many rules as asked for, one a
    line, each short and exact, and true of all examples.
    """

    examples: list[str] = InputField()
    most: int = InputField(desc="rules at most")
    rules: str = OutputField(desc="one a line")


def find_rules(
    rows: Sequence[Mapping[str, Any]], *, most: int, lm: BaseLM | None, rollout: int, why: str
) -> Ask:
    """Ask for rules.

    Args:
        rows: examples, the most valuable first: where the model's window is small, the last are left out.
        most: rules wanted at most.
        lm: the model to ask; `None` for `settings.lm`.
        rollout: which sample; others than 0 are drawn anew.
        why: for the journal.
    """
    return Ask(
        Predict(FindRules),
        {"examples": [example_text(row) for row in rows], "most": most},
        lm=lm,
        rollout=rollout,
        like={"rules": "\n".join(f"- Where the input says so, answer in form {n}." for n in range(most))},
        why=why,
    )


def rules_in(value: Any, most: int) -> str:
    """The rules in a reply, at most so many lines; `""` where there are none."""
    text = str((value or {}).get("rules") or "").strip()
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return clipped("\n".join(lines[:most]), _LONGEST)


def with_rules(instruction: str, rules: str) -> str:
    """An instruction with rules."""
    return f"{instruction}\n\nFollow these rules:\n{rules}"
