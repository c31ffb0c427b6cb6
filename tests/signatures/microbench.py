"""What signatures and examples cost, in microseconds; by hand: `python -m tests.signatures.microbench`."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from typing import Literal

from telic.data import Example, Prediction
from telic.signatures import Field, InputField, OutputField, Signature, check_inputs, grammar, make, validate
from telic.signatures.types_in_text import free_names

TEXT = "question, context: list[str] -> answer: int, confidence: float"
BASE = Signature(TEXT)
EXAMPLE = Example(question="q", answer="a").with_inputs("question")


def new_string() -> None:
    """A signature string never seen before; its types have been."""
    for cache in (grammar.parse, make._free_names, make._build):
        cache.cache_clear()
    Signature(TEXT)


def first_string() -> None:
    """A signature string never seen before, nor its types."""
    free_names.cache_clear()
    new_string()


def new_class() -> None:
    """A signature written as a class."""

    class Sort(Signature):
        """Sort it."""

        message: str = InputField()
        intent: int = OutputField(desc="which")


def show(name: str, call: Callable[[], object], number: int = 2000) -> None:
    """Print the best of five runs."""
    best = min(timeit.repeat(call, number=number, repeat=5)) / number
    print(f"{name:34s}{best * 1e6:9.2f} µs")


def main() -> None:
    """Print everything."""
    show("signature, first of its types", first_string)
    show("signature, new text", new_string)
    show("signature, same text again", lambda: Signature(TEXT))
    show("signature, class", new_class)
    show("append", lambda: BASE.append("why", OutputField()))
    show("with_instructions", lambda: BASE.with_instructions("Do it."))
    show("check_inputs", lambda: check_inputs(BASE, {"question": 1, "context": 2}))
    kinds = {"str": str, "int": int, "bool": bool, "list[str]": list[str], "Literal": Literal["yes", "no"]}
    texts = {"str": "x", "int": "42", "bool": "yes", "list[str]": '["a", "b"]', "Literal": "Yes."}
    for name, kind in kinds.items():
        field = Field("output", "x", kind)
        show(f"validate {name}", lambda field=field, name=name: validate(field, texts[name]))
    show("Example", lambda: Example(question="q", answer="a"))
    show("Prediction", lambda: Prediction({"answer": "a"}))
    show("example.answer", lambda: EXAMPLE.answer)
    show("example.inputs()", EXAMPLE.inputs)
    show("example.copy()", lambda: EXAMPLE.copy(answer="b"))


if __name__ == "__main__":
    main()
