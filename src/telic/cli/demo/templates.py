"""What word problems are made of. Letters are explained at `telic.cli.demo.word_problems.RANGES`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple


class Template(NamedTuple):
    """A problem with holes.

    Attributes:
        text: `{n}` and `{o}` are names, `{items}` and `{others}` things, `{place}` a place, letters numbers.
        equation: over the letters of the text.
    """

    text: str
    equation: str

    @property
    def steps(self) -> int:
        """How many operations it takes."""
        return sum(self.equation.count(f" {sign} ") for sign in "+-*/")


NAMES = (
    "Amara", "Ben", "Chidi", "Dora", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Keiko", "Liam",
    "Maya", "Nils", "Olga", "Pablo", "Quinn", "Rosa", "Samir", "Tess", "Umar", "Vera", "Wei", "Ximena",
    "Yusuf", "Zoe",
)  # fmt: skip
ITEMS = (
    "apples", "marbles", "stickers", "postcards", "pencils", "seashells", "buttons", "coins", "muffins",
    "books", "balloons", "beads", "candles", "cookies", "crayons", "eggs", "flowers", "keys", "lemons",
    "magnets", "notebooks", "oranges", "pebbles", "plums", "ribbons", "stamps", "tickets", "toy cars",
    "badges", "walnuts",
)  # fmt: skip
PLACES = (
    "the market", "the school fair", "the library", "the beach", "the village hall", "the bakery",
    "the museum", "the harbour", "the bus station", "the farm", "the sports club", "the camp",
)  # fmt: skip

ASIDES = (
    "It was {d} degrees outside.",
    "{o} is {d} years old.",
    "The walk to {place} took {d} minutes.",
    "There were {d} people waiting at {place}.",
    "{o} lives at number {d}.",
    "The radio had been playing for {d} minutes.",
    "{n} had also seen {d} pigeons on the way.",
    "The bus to {place} is number {d}.",
    "{o} owns {d} {others}.",
    "A sign on the wall said that {place} is {d} years old.",
)
"""Sentences with a number that has nothing to do with the question."""


@cache
def templates() -> tuple[Template, ...]:
    """Every template, one-step problems first."""
    text = Path(__file__).with_name("problem_templates.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines()[1:])
    return tuple(Template(question, equation) for question, equation in rows)
