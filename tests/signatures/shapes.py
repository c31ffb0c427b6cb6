"""Types that the tests of this folder give to fields."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, NotRequired

from pydantic import BaseModel, Field
from typing_extensions import TypedDict


class Mood(enum.Enum):
    GOOD = "good"
    QUITE_BAD = "quite bad"


class Rank(enum.IntEnum):
    FIRST = 1
    SECOND = 2


@dataclass
class Point:
    x: int
    y: float = 0.0
    tags: list[str] = field(default_factory=list)


class Row(TypedDict):
    name: str
    size: NotRequired[int]


class Pair(NamedTuple):
    left: int
    right: str


class Person(BaseModel):
    name: str
    age: int = Field(ge=0)
    mood: Literal["good", "bad"] = "good"
    friend: Person | None = None
