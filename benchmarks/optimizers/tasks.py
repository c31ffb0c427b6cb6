"""The tasks, the same for both libraries; only drawing the rows needs telic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from telic.cli.demo.calculator import calculate

SIZES = {"train": 40, "dev": 50, "test": 100}
INTENTS = (
    *("AddToPlaylist", "BookRestaurant", "GetWeather", "PlayMusic", "RateBook"),
    *("SearchCreativeWork", "SearchScreeningEvent"),
)
SLOTS = {
    "SearchCreativeWork": ("object_name", "object_type"),
    "AddToPlaylist": ("playlist", "playlist_owner", "music_item", "artist", "entity_name"),
}
"""Of the intents whose requests are read for their slots: the two with the fewest names of slots."""

Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """A program in words, its data, and what counts as right.

    Attributes:
        name: for options and files.
        title: for the table.
        data: name of the data set.
        instructions: of the signature.
        source: name and type of the only input.
        target: name and type of the only output of the model.
        measured: the field of a row and of a prediction that is compared.
        max_tokens: most tokens of an answer.
        score: of what should be and what is, from 0 to 1.
        wrong: what is wrong with an answer, in words; GEPA's feedback.
        chosen: whether a row of the data set belongs to the task.
    """

    name: str
    title: str
    data: str
    instructions: str
    source: tuple[str, Any]
    target: tuple[str, Any]
    measured: str
    max_tokens: int
    score: Callable[[Any, Any], float]
    wrong: Callable[[Any, Any], str]
    chosen: Callable[[Mapping[str, Any]], bool] = lambda row: True

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of a row that the task needs."""
        return tuple(dict.fromkeys((self.source[0], self.target[0], self.measured)))

    def rows(self, seed: int, sizes: Mapping[str, int] = SIZES) -> dict[str, list[Row]]:
        """The rows of each split, drawn by a seed."""
        from telic.datasets import load

        found = {}
        for split, size in sizes.items():
            rows = [row for row in load(self.data, split, seed=seed) if self.chosen(row)]
            found[split] = [{name: row[name] for name in self.fields} for row in rows[:size]]
        return found


def _same(expected: Any, given: Any) -> float:
    return float(expected == given)


def _not_the_intent(expected: str, given: Any) -> str:
    return f"The intent is {expected}, not {given}."


def pairs(slots: Any) -> Counter[tuple[str, str]]:
    """Each value with the name of its slot; nothing where it is no mapping of names to values."""
    if not isinstance(slots, Mapping):
        return Counter()
    lists = {name: [v] if isinstance(v, str) else v for name, v in slots.items()}
    return Counter(
        (str(name).strip().lower(), str(value).strip().lower())
        for name, values in lists.items()
        if isinstance(values, Sequence)
        for value in values
    )


def overlap(expected: Any, given: Any) -> float:
    """F1 of the slots with their values, whatever the case of letters."""
    wanted, found = pairs(expected), pairs(given)
    if not wanted and not found:
        return 1.0
    return 2 * (wanted & found).total() / (wanted.total() + found.total())


def _missed_slots(expected: Any, given: Any) -> str:
    wanted, found = pairs(expected), pairs(given)
    missing = [f"{name}: {value}" for name, value in wanted - found]
    surplus = [f"{name}: {value}" for name, value in found - wanted]
    said = [f"missing are {'; '.join(missing)}"] * bool(missing)
    said += [f"wrong are {'; '.join(surplus)}"] * bool(surplus)
    return f"Not the right slots: {' and '.join(said)}."


def answer(equation: Any) -> float | None:
    """What the calculator makes of an equation; `None` where it is none."""
    try:
        return float(calculate(str(equation)))
    except ValueError:
        return None


def _solved(expected: float, given: Any) -> float:
    return float(given is not None and abs(given - expected) < 1e-3)


def _not_the_number(expected: float, given: Any) -> str:
    if given is None:
        return f"That is no equation of numbers; its value should be {expected:g}."
    return f"The equation comes to {given:g}, but the answer is {expected:g}."


TASKS = {
    task.name: task
    for task in (
        Task(
            name="intents",
            title="seven intents (Snips)",
            data="snips_intent_slots",
            instructions="Classify the request of a user of a voice assistant by its intent.",
            source=("text", str),
            target=("intent", Literal[INTENTS]),
            measured="intent",
            max_tokens=40,
            score=_same,
            wrong=_not_the_intent,
        ),
        Task(
            name="slots",
            title="slots of two intents (Snips), F1",
            data="snips_intent_slots",
            instructions="Find the slots of the request to a voice assistant: for each name, its values as "
            f"the request has them. Names are {', '.join(sum(SLOTS.values(), ()))}.",
            source=("text", str),
            target=("slots", dict[str, list[str]]),
            measured="slots",
            max_tokens=80,
            score=overlap,
            wrong=_missed_slots,
            chosen=lambda row: row["intent"] in SLOTS,
        ),
        Task(
            name="equations",
            title="word problems, equation and calculator",
            data="arith_aggregate",
            instructions="Write the equation that solves the word problem.",
            source=("question", str),
            target=("equation", str),
            measured="answer",
            max_tokens=50,
            score=_solved,
            wrong=_not_the_number,
        ),
    )
}
