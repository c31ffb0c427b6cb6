"""Whole programs written for DSPy, through `telic run --dspy`: what they ask has the structure that DSPy's
requests have (dspy_programs.json, which `make bench-dspy-programs ARGS=--save` writes), and they print the same.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.dspy_programs.__main__ import RECORDED
from benchmarks.dspy_programs.sides import TELIC, names, run
from benchmarks.dspy_programs.structure import structure, structures
from tests.compat import target

pytestmark = pytest.mark.skipif(target.REAL, reason="is about telic")


def _recorded() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RECORDED.read_text("utf-8"))
    return found


def test_every_program_is_recorded() -> None:
    assert sorted(_recorded()) == names()
    assert len(names()) >= 10


@pytest.mark.parametrize("name", names())
def test_program(name: str) -> None:
    mine = json.loads(json.dumps(run(name, TELIC).as_json()))
    theirs = _recorded()[name]
    assert len(mine["requests"]) == len(theirs["requests"])
    for number, (ours, wanted) in enumerate(zip(mine["requests"], theirs["requests"], strict=True)):
        assert ours == wanted, f"request {number}"
    assert mine["output"] == theirs["output"]


def _body(content: str, **parameters: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content}], **parameters}


@pytest.mark.parametrize(
    "other",
    [
        _body("[[ ## b ## ]]\nx\n\nWrite `[[ ## c ## ]]`."),
        _body("[[ ## a ## ]]\ny\n\nWrite `[[ ## c ## ]]`."),
        _body("[[ ## a ## ]]\nx\n\nWrite `[[ ## d ## ]]`."),
        _body("[[ ## a ## ]]\nx\n\nWrite `[[ ## c ## ]]`.", temperature=0.5),
    ],
)
def test_a_structure_tells_what_matters(other: dict[str, Any]) -> None:
    first = _body("[[ ## a ## ]]\nx\n\nWrite `[[ ## c ## ]]`.")
    assert structure(first, []) == structure(_body("[[ ## a ## ]]\nx\n\nNow `[[ ## c ## ]]`, please."), [])
    assert structure(first, []) != structure(other, [])


def test_one_request_for_several_choices_counts_as_several() -> None:
    body = _body("[[ ## a ## ]]\nx")
    assert structures([{**body, "n": 3}], []) == structures([body] * 3, [])
