"""The two demos: which programs, which data, which optimizer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from telic.cli.demo.data import Splits, messages, word_problems
from telic.cli.demo.programs import FIELDS, Answerer, Calculator, Desk, solved, values_found
from telic.errors import InputError
from telic.optimize.labeled import LabeledFewShot
from telic.optimize.random_search import BootstrapFewShotWithRandomSearch
from telic.program.module import Module

MODEL = "local/smollm2-135m"


@dataclass(frozen=True)
class Entry:
    """A program to be measured, compiled and measured again.

    Attributes:
        label: what it is called in the table.
        program: as declared, nothing learnt.
        optimizer: makes the compiled one.
    """

    label: str
    program: Module
    optimizer: LabeledFewShot | BootstrapFewShotWithRandomSearch


@dataclass(frozen=True)
class Case:
    """A demo.

    Attributes:
        name: what the user typed.
        story: what is shown, in a sentence.
        entries: programs, the one that the story is about last.
        splits: the data.
        metric: scores an answer.
        max_tokens: most tokens of an answer.
        parts: fields of an answer that are counted one by one as well.
    """

    name: str
    story: str
    entries: tuple[Entry, ...]
    splits: Splits
    metric: Callable[..., Any]
    max_tokens: int
    parts: tuple[str, ...] = ()


def case(name: str) -> Case:
    """The demo of a name.

    Raises:
        InputError: there is none.
    """
    made = {"messages": _messages, "math": _math}.get(name)
    if made is None:
        raise InputError(f"There is no demo '{name}': choose 'messages', 'math' or 'finetune'.")
    return made()


def _messages() -> Case:
    search = BootstrapFewShotWithRandomSearch(
        metric=values_found,
        max_bootstrapped_demos=0,
        max_labeled_demos=16,
        num_candidate_programs=4,
        num_threads=8,
    )
    return Case(
        "messages",
        "Customer messages: what is wanted, and the order, date and product that are named",
        (Entry("message -> intent, record", Desk(), search),),
        messages(),
        values_found,
        max_tokens=60,
        parts=FIELDS,
    )


def _math() -> Case:
    # Demos do not teach so small a model arithmetic, so one draw of them is enough to show that.
    direct = LabeledFewShot(k=8)
    search = BootstrapFewShotWithRandomSearch(
        metric=solved,
        max_bootstrapped_demos=0,
        max_labeled_demos=16,
        num_candidate_programs=4,
        num_threads=8,
    )
    return Case(
        "math",
        "Word problems: a program that answers outright, and one that writes an equation for a calculator",
        (
            Entry("question -> answer", Answerer(), direct),
            Entry("question -> equation, calculated", Calculator(), search),
        ),
        word_problems(),
        solved,
        max_tokens=32,
    )
