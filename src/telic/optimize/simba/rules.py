"""A rule from comparing a good run of the program with a bad one of the same example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic._json import dumps
from telic.lm.base import BaseLM
from telic.optimize.simba.buckets import Bucket, score_of
from telic.optimize.strategy import Ask, Outcome
from telic.program.predict import Predict
from telic.program.state import ProgramState
from telic.signatures import InputField, OutputField, make_signature

_LONGEST_RUN = 6000
"""Characters of a run that are shown."""

_INSTRUCTIONS = """\
A program was run twice on the same inputs. One run went better than the other. Compare them, and find the
step and the habit that made the difference. Then write advice for each step of the program: one to three
sentences that would have turned the worse run into the better one, in words that fit other inputs of the
same kind as well. Leave the advice for a step empty where it did nothing wrong."""


def rule_ask(bucket: Bucket, example: Any, state: ProgramState, lm: BaseLM | None) -> Ask:
    """Ask a model what made the best run of a bucket better than its worst.

    Args:
        bucket: the runs.
        example: what was run on.
        state: the program that will be given the advice.
        lm: the model; `settings.lm` where there is none.
    """
    fields: dict[str, Any] = {
        "steps": (str, InputField(desc="the steps of the program, with their instructions")),
        "example": (str, InputField(desc="the inputs, and what is known of the right answer")),
        "better_run": (str, InputField()),
        "worse_run": (str, InputField()),
    }
    for number, path in enumerate(state.paths, 1):
        fields[f"advice_{number}"] = (str, OutputField(desc=f"advice for the step {path}"))
    return Ask(
        Predict(make_signature(fields, _INSTRUCTIONS)),
        {
            "steps": "\n\n".join(f"{path}: {state.instructions(path)}" for path in state.paths),
            "example": _shortened(dumps(example.toDict())),
            "better_run": _run(bucket.best),
            "worse_run": _run(bucket.worst),
        },
        lm=lm,
        like={f"advice_{n}": "Look twice before you answer." for n in range(1, len(state.paths) + 1)},
        why="compare a good and a bad run",
    )


def with_rules(state: ProgramState, value: Mapping[str, Any] | None) -> ProgramState:
    """The state with the advice of a reply at the end of its instructions."""
    advice = {
        path: text
        for number, path in enumerate(state.paths, 1)
        if (text := str((value or {}).get(f"advice_{number}") or "").strip())
        and text not in state.instructions(path)
    }
    return state.with_instructions(
        {path: f"{state.instructions(path)}\n\n{text}" for path, text in advice.items()}
    )


def _run(run: Outcome) -> str:
    steps = [f"{path}: {dumps(dict(values))}" for path, values in run.steps]
    if run.failure is not None:
        steps.append(f"it ended with an answer that could not be read: {run.failure}")
    said = "" if run.feedback is None else f"\nfeedback: {run.feedback}"
    return _shortened("\n".join(steps)) + f"\nscore: {score_of(run):g}{said}"


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_RUN else f"{text[: _LONGEST_RUN - 1]}…"
