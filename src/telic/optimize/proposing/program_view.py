"""A program as a proposing model sees it: its source, its steps, and what a model says they do.

From MIPRO (Opsahl-Ong et al., 2024, arXiv:2406.11695, section 3.1), where proposals are grounded in the
program's code.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any

from telic.lm.base import BaseLM
from telic.optimize.proposing.showing import clipped
from telic.optimize.strategy import Ask, Asking
from telic.program.predict import Predict
from telic.program.tree import named_sub_modules
from telic.signatures import InputField, OutputField, Signature

_LONGEST = 800


class DescribeProgram(Signature):
    """Read a program that asks language models in steps. Say in two or three sentences what task it solves,
    and how.
    """

    program: str = InputField(desc="its steps, and its code where there is any")
    description: str = OutputField()


class DescribeStep(Signature):
    """Say in one or two sentences what one step of a program has to do, and what the rest of the program
    needs it for.
    """

    program: str = InputField()
    step: str = InputField()
    purpose: str = OutputField()


@dataclass(frozen=True, slots=True)
class ProgramView:
    """What is told of a program.

    Attributes:
        description: of the whole; `""` where none could be had.
        purposes: predictor path to what it is for.
    """

    description: str = ""
    purposes: dict[str, str] = field(default_factory=dict)


def program_text(program: Any) -> str:
    """The steps of a program and the source of the classes that a user wrote for it, as far as it can be
    found.
    """
    steps = [f"{path}: {p.signature.typed_signature}" for path, p in program.named_predictors()]
    return "\n\n".join(["Steps:\n" + "\n".join(steps), *_sources(program)])


def describe_program(program: Any, *, lm: BaseLM | None, notes: list[str]) -> Asking[ProgramView]:
    """Have a program described, and, where it has several, each of its steps.

    Args:
        program: what to describe.
        lm: the model to ask; `None` for `settings.lm`.
        notes: what went wrong is added here.
    """
    whole = program_text(program)
    (reply,) = yield [_ask(Predict(DescribeProgram), {"program": whole}, "description", lm)]
    description = _text(reply.value, "description")
    if not description:
        notes.append(f"The program could not be described: {reply.failure or 'the reply was empty'}")
    predictors = program.named_predictors()
    if len(predictors) < 2:
        return ProgramView(description)
    steps = {path: f"{path}: {p.signature.typed_signature}" for path, p in predictors}
    replies = yield [
        _ask(Predict(DescribeStep), {"program": whole, "step": step}, "purpose", lm)
        for step in steps.values()
    ]
    purposes = {path: _text(reply.value, "purpose") for path, reply in zip(steps, replies, strict=True)}
    return ProgramView(description, purposes)


def _ask(predictor: Predict, inputs: dict[str, str], output: str, lm: BaseLM | None) -> Ask:
    like = {
        output: "It answers questions about a text in two steps: it looks facts up, then it answers. " * 2
    }
    return Ask(predictor, inputs, lm=lm, like=like, why="read the program")


def _sources(program: Any) -> list[str]:
    """Source of the classes of the program that are not telic's own, each once."""
    classes = dict.fromkeys(type(module) for _, module in named_sub_modules(program))
    found = []
    for cls in classes:
        if cls.__module__.partition(".")[0] == "telic":
            continue
        try:
            found.append(dedent(inspect.getsource(cls)).rstrip())
        except (OSError, TypeError):
            continue  # typed at a prompt: its steps have to do
    return found


def _text(value: Any, name: str) -> str:
    return clipped(str((value or {}).get(name) or "").strip(), _LONGEST)
