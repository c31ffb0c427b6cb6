"""`telic demo`: measure, compile, measure again, and say what came of it."""

from __future__ import annotations

from time import monotonic
from typing import Any

from telic.cli.demo.cases import MODEL, Case, Entry, case
from telic.cli.demo.finding import Finding
from telic.cli.demo.report import Screen
from telic.evaluate.comparison import compare
from telic.evaluate.evaluate import Evaluate
from telic.evaluate.result import EvaluationResult
from telic.lm.base import BaseLM
from telic.lm.model import LM
from telic.optimize.labeled import LabeledFewShot
from telic.program.module import Module
from telic.runtime.settings import settings
from telic.store.home import home

THREADS = 8
"""Calls under way at once. The model answers one after the other; it only likes to see what comes next."""


def run(name: str = "messages", *, as_json: bool = False) -> None:
    """Run a demo. Everything is recorded as it happens: run again after a kill, it goes on where it was.

    Args:
        name: `"messages"` or `"math"`.
        as_json: print the numbers as JSON instead of a screen.
    """
    chosen = case(name)
    play(chosen, LM(MODEL, temperature=0.0, max_tokens=chosen.max_tokens), as_json=as_json)


def play(chosen: Case, lm: BaseLM, *, as_json: bool = False) -> list[Finding]:
    """Measure, compile and measure again each program of a demo with some LM, and show what came of it."""
    screen = Screen(chosen, as_json=as_json)
    began = monotonic()
    with settings.context(lm=lm, num_threads=THREADS):
        screen.opening()
        findings = [_find(chosen, entry, screen) for entry in chosen.entries]
        screen.closing(findings, monotonic() - began)
    return findings


def _find(chosen: Case, entry: Entry, screen: Screen) -> Finding:
    test = chosen.splits.test
    screen.step(f"{entry.label}: as declared, on {len(test)} unseen examples")
    before = _measure(chosen, entry.program)
    screen.step(
        f"{entry.label}: compiling with {len(chosen.splits.train)} examples, "
        f"choosing with {len(chosen.splits.dev)}"
    )
    compiled = _compile(chosen, entry)
    screen.step(f"{entry.label}: compiled, on the same {len(test)} unseen examples")
    after = _measure(chosen, compiled)
    file = home() / "demo" / f"{type(entry.program).__name__.lower()}.json"
    compiled.save(file)
    return Finding(entry, before, compiled, after, compare(before, after), file)


def _compile(chosen: Case, entry: Entry) -> Module:
    if isinstance(entry.optimizer, LabeledFewShot):
        made = entry.optimizer.compile(entry.program, trainset=chosen.splits.train)
    else:
        made = entry.optimizer.compile(entry.program, trainset=chosen.splits.train, valset=chosen.splits.dev)
    assert isinstance(made, Module)
    return made


def _measure(chosen: Case, program: Any) -> EvaluationResult:
    evaluate = Evaluate(
        devset=chosen.splits.test,
        metric=chosen.metric,
        num_threads=THREADS,
        display_progress=True,
        max_errors=len(chosen.splits.test),
    )
    return evaluate(program)
