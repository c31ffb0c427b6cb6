"""Types and signatures that the tests of adapters share."""

import dataclasses
import datetime
import enum
from typing import Any, Literal

import pydantic
from typing_extensions import TypedDict

from telic.signatures import InputField, OutputField, Signature


class Color(enum.Enum):
    RED = "red"
    BLUE = "dark blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Address(pydantic.BaseModel):
    street: str
    zip: str = pydantic.Field(default="00000", min_length=3, max_length=6)


class Person(pydantic.BaseModel):
    name: str
    age: int | None = None
    kind: Literal["guest", 'the "boss"'] = "guest"
    address: Address | None = None
    tags: list[str] = []


class Tree(pydantic.BaseModel):
    value: int
    kids: list["Tree"] = []


class Cat(pydantic.BaseModel):
    animal: Literal["cat"]
    lives: int


class Dog(pydantic.BaseModel):
    animal: Literal["dog"]
    good: bool


class Row(TypedDict):
    a: int
    b: str


@dataclasses.dataclass
class Point:
    x: float
    day: datetime.date = datetime.date(2020, 1, 1)


class Everything(Signature):
    """Answer the question.

    Be brief.
    """

    question: str = InputField(desc="what is asked")
    passages: list[str] = InputField()
    person: Person = InputField()
    when: datetime.date = InputField()
    note: str | None = InputField()
    answer: str = OutputField()
    label: Literal["billing", "refund request", "other"] = OutputField(desc="what it is about")
    color: Color = OutputField()
    count: int = OutputField(ge=1, le=5)
    share: float = OutputField()
    sure: bool = OutputField()
    people: list[Person] = OutputField()
    maybe: int | None = OutputField()
    day: datetime.date = OutputField()


INPUTS: dict[str, Any] = {
    "question": "What?\nReally?",
    "passages": ["one", "two\nlines"],
    "person": Person(name="Zoë"),
    "when": datetime.date(2020, 1, 2),
    "note": None,
}
OUTPUTS: dict[str, Any] = {
    "answer": "Yes",
    "label": "refund request",
    "color": Color.BLUE,
    "count": 3,
    "share": 1.5,
    "sure": True,
    "people": [Person(name="Åsa", tags=["a"])],
    "maybe": None,
    "day": datetime.date(2024, 2, 29),
}


def signature_of(outputs: dict[str, Any], *, instructions: str = "Do it.", **inputs: Any) -> Any:
    """A signature with these output types (or `(type, options)`), and by default one input `question`."""
    namespace: dict[str, Any] = {"__annotations__": {}, "__doc__": instructions, "__module__": __name__}
    for name, kind in (inputs or {"question": str}).items():
        namespace["__annotations__"][name] = kind
        namespace[name] = InputField()
    for name, kind in outputs.items():
        kind, options = kind if isinstance(kind, tuple) else (kind, {})
        namespace["__annotations__"][name] = kind
        namespace[name] = OutputField(**options)
    return type(Signature)("Made", (Signature,), namespace)
