"""Answers to word problems: read a number, compare two."""

from __future__ import annotations

import re
from typing import Any

_NUMBER = re.compile(r"[-−]?\$?\d[\d,]*(?:\.\d+)?|[-−]?\$?\.\d+")


def parse_number(text: str) -> int | float | None:
    """The last number in a text, whole where it is; thousands separators and currency signs do not count."""
    found = _NUMBER.findall(text)
    if not found:
        return None
    number = float(found[-1].replace(",", "").replace("$", "").replace("−", "-"))
    return int(number) if number.is_integer() else number


def parse_integer_answer(answer: Any, only_first_line: bool = True) -> int:
    """The last whole number in an answer; 0 where there is none.

    Args:
        answer: a text, or a number.
        only_first_line: read no further than the first line that is not empty.
    """
    text = str(answer).strip()
    if only_first_line:
        text = text.split("\n", 1)[0]
    words = [word for word in text.split() if any(character.isdigit() for character in word)]
    if not words:
        return 0
    digits = "".join(character for character in words[-1].partition(".")[0] if character.isdigit())
    return int(digits or 0)


def gsm8k_metric(gold: Any, pred: Any, trace: Any = None) -> bool:
    """Whether the number in `pred.answer` is the one in `gold.answer`.

    Of a text, the first line's last number counts. An answer without a number is wrong.
    """
    wanted, given = (_as_number(answer) for answer in (gold.answer, pred.answer))
    return wanted is not None and wanted == given


def _as_number(answer: Any) -> int | float | None:
    if isinstance(answer, (int, float)) and not isinstance(answer, bool):
        return answer
    return parse_number(str(answer).strip().split("\n", 1)[0])
