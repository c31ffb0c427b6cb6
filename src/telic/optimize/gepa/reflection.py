"""Reflecting on runs: what a model is shown of them, and asked to make of a text."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from telic._json import dumps
from telic.lm.base import BaseLM
from telic.optimize.strategy import Ask, Outcome
from telic.program.predict import Predict
from telic.program.text import Text
from telic.program.tool_texts import named_tools
from telic.program.tree import named_parts
from telic.signatures import InputField, OutputField, Signature
from telic.signatures.validation import to_jsonable

Record = dict[str, Any]
"""A run of one component: `Inputs`, `Generated Outputs` and `Feedback`."""

_LONGEST_VALUE = 4000
"""Characters of one value that are shown."""


class RewriteText(Signature):
    """A text steers a language model in one part of a program. Improve the text.

    Look at the runs made with it: what was given, what came out, and the feedback on that. Work out what the
    task is, which rules and facts the feedback gives away, and what goes wrong. Then write the new text. Keep
    what already works. State every rule, fact and format that is needed, because whoever follows the text
    sees none of these runs. Do not copy single runs; say what holds for new inputs too.
    """

    purpose: str = InputField(desc="what the text is for")
    current_text: str = InputField()
    runs: list[str] = InputField(desc="runs made with the current text, with feedback")
    new_instruction: str = OutputField(desc="the complete new text, and nothing else")


def purposes(student: Any) -> dict[str, str]:
    """Component name to what its text is for."""
    found: dict[str, str] = {}
    for path, predictor in student.named_predictors():
        given = ", ".join(predictor.signature.input_fields)
        wanted = ", ".join(predictor.signature.output_fields)
        found[path] = f"instructions for a step that is given {given}, and produces {wanted}"
    for path, text in named_parts(student, Text):
        found[path] = text.desc or "a text shown to the model by the program"
    for path, tool in named_tools(student):
        found[f"{path}.desc"] = f"tells an agent what its tool '{tool.name}' does and when to use it"
        for name in tool.args or {}:
            found[f"{path}.args['{name}']"] = (
                f"tells an agent what to give as the argument '{name}' of its tool '{tool.name}'"
            )
    return found


def records(
    name: str,
    inputs: Sequence[str] | None,
    runs: Sequence[tuple[Any, Outcome]],
    random_: random.Random,
    *,
    failures: bool,
) -> list[Record]:
    """What the runs of a minibatch show of a component.

    Args:
        name: the component.
        inputs: names of what the predictor is given, where it is the instructions of one.
        runs: examples with what became of them.
        random_: which call is shown where a predictor was called several times in a run.
        failures: also show answers that could not be read.
    """
    found = []
    for example, outcome in runs:
        record: Record | None
        if inputs is None:
            record = _whole_run(example, outcome)
        elif outcome.unread is not None and outcome.unread[0] == name:
            record = _unread(example, outcome) if failures else None
        else:
            record = _call(name, inputs, outcome, random_)
        found += [] if record is None else [record]
    return found


def reflect(
    name: str, text: str, purpose: str, shown: Sequence[Record], lm: BaseLM | None, rollout: int
) -> Ask:
    """Ask a model for a better text.

    Args:
        name: the component.
        text: its text.
        purpose: what it is for.
        shown: runs of it.
        lm: the model.
        rollout: which sample of its answers.
    """
    return Ask(
        Predict(RewriteText),
        {"purpose": purpose, "current_text": text, "runs": [_shown(record) for record in shown]},
        lm=lm,
        rollout=rollout,
        like={"new_instruction": text + " Mind the feedback."},
        why=f"reflect on {name}",
    )


def proposed_text(value: Any) -> str | None:
    """The new text in a reply, without a fence around it; `None` where there is none."""
    text = (value or {}).get("new_instruction")
    if not isinstance(text, str):
        return None
    text = text.strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        text = text[:-3].partition("\n")[2].strip()
    return text or None


def _call(name: str, inputs: Sequence[str], outcome: Outcome, random_: random.Random) -> Record | None:
    calls = [values for path, values in outcome.steps if path == name]
    if not calls:
        return None
    # The last of several calls has seen the most; the others have their turn too.
    values = calls[-1] if len(calls) == 1 or random_.random() < 0.5 else random_.choice(calls[:-1])
    return {
        "Inputs": {key: value for key, value in values.items() if key in inputs},
        "Generated Outputs": {key: value for key, value in values.items() if key not in inputs},
        "Feedback": feedback_text(outcome.feedback_by.get(name, outcome.feedback), outcome),
    }


def _whole_run(example: Any, outcome: Outcome) -> Record:
    steps = [{"step": path, **values} for path, values in outcome.steps]
    made = outcome.output if outcome.failure is None else outcome.failure
    return {
        "Inputs": to_jsonable(dict(example.inputs().items())),
        "Generated Outputs": {"steps": steps, "result": made},
        "Feedback": feedback_text(outcome.feedback, outcome),
    }


def _unread(example: Any, outcome: Outcome) -> Record:
    assert outcome.unread is not None
    why = (outcome.failure or "").partition("The model wrote:")[0].strip()
    return {
        "Inputs": to_jsonable(dict(example.inputs().items())),
        "Generated Outputs": outcome.unread[1],
        "Feedback": f"This answer could not be read, so it counts as wrong. {why}",
    }


def feedback_text(said: Any, outcome: Outcome) -> str:
    """Feedback as text; where a metric only scores, the score."""
    if said is not None and str(said).strip():
        return str(said)
    return f"This run scored {0.0 if outcome.score is None else outcome.score:g}."


def _shown(record: Record) -> str:
    return (
        f"given: {_value(record['Inputs'])}\n"
        f"came out: {_value(record['Generated Outputs'])}\n"
        f"feedback: {_clipped(record['Feedback'])}"
    )


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name} = {_value(part)}" for name, part in value.items())
    return _clipped(value if isinstance(value, str) else dumps(value))


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
