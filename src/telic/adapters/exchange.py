"""The exchange of an adapter with a model, as questions that someone else asks: no I/O in it.

turns = exchange(adapter, signature, demos, inputs, lm)
turn = next(turns)                   # what to ask first
turn = turns.send(choices)           # … the next, until StopIteration brings the output fields
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from telic.adapters.rendered import (
    DEFAULT_CAPABILITIES,
    NOTHING,
    AdapterObject,
    Fields,
    Rendered,
    SignatureClass,
)
from telic.adapters.unmarked import Bare, unmarked
from telic.errors import AdapterParseError
from telic.types import Capabilities, Choice


@dataclass(frozen=True, slots=True)
class Turn:
    """One question.

    Attributes:
        adapter: who asks.
        signature: whose outputs the answer gives.
        rendered: what to send.
        lm: who is asked.
        params: what the caller sets in the request.
        first: whether what it is about is the first answer (or the only one).
    """

    adapter: AdapterObject
    signature: SignatureClass
    rendered: Rendered
    lm: Any
    params: Fields
    first: bool = True


Exchange: TypeAlias = Generator[Turn, Sequence[Choice], list[dict[str, Any]]]
Mending: TypeAlias = Generator[Turn, Sequence[Choice], dict[str, Any]]


class Desk:
    """How the pieces of an adapter are called in an exchange; derive from it to watch."""

    def render(
        self,
        adapter: AdapterObject,
        signature: SignatureClass,
        demos: Sequence[Fields],
        inputs: Fields,
        capabilities: Capabilities,
        lm: Any,
        params: Fields,
    ) -> Rendered:
        """What to send."""
        rendered: Rendered = adapter.render(signature, demos, inputs, capabilities, lm, params)
        return rendered

    def read(
        self, adapter: AdapterObject, signature: SignatureClass, rendered: Rendered, choice: Choice
    ) -> dict[str, Any]:
        """The output fields of an answer."""
        fields: dict[str, Any] = adapter.read_choice(signature, rendered, choice)
        return fields

    def policy(self, adapter: AdapterObject) -> str:
        """What is done about an answer that cannot be read; see `Adapter.on_parse_failure`."""
        return adapter.on_parse_failure or "repair"

    def repairs(self) -> int:
        """How often a model is asked again about one answer that cannot be read."""
        return 1


DESK = Desk()


def exchange(
    adapter: AdapterObject,
    signature: SignatureClass,
    demos: Sequence[Fields],
    inputs: Fields,
    lm: Any,
    params: Fields = NOTHING,
    desk: Desk = DESK,
) -> Exchange:
    """Ask, read each answer, and do about those that cannot be read what the adapter says.

    Args:
        adapter: who asks.
        signature: what is asked.
        demos: examples shown before the question.
        inputs: the input fields.
        lm: who is asked; its `capabilities` decide about the form.
        params: what the caller sets in the request.
        desk: calls the adapter's pieces.

    Raises:
        AdapterParseError: an answer cannot be read, after all that.
    """
    capabilities = getattr(lm, "capabilities", DEFAULT_CAPABILITIES)
    adapter = adapter.speaker(capabilities)
    rendered = desk.render(adapter, signature, demos, inputs, capabilities, lm, params)
    choices = yield Turn(adapter, signature, rendered, lm, params)
    rows: list[dict[str, Any]] = []
    for choice in choices:
        try:
            if adapter.two_steps:
                turn = Turn(adapter, signature, rendered, lm, params, not rows)
                rows.append((yield from _read_by_another(turn, choice, desk)))
            else:
                fields = desk.read(adapter, signature, rendered, choice)
                if type(fields) is Bare and desk.policy(adapter) != "repair":
                    raise unmarked(adapter, signature, choice.text or "")
                rows.append(fields)
        except AdapterParseError as error:
            _explain(error, choice)
            policy = desk.policy(adapter)
            if policy == "json" and (other := adapter.fallback()) is not None:
                return (yield from exchange(other, signature, demos, inputs, lm, params, desk))
            if policy == "none" or adapter.two_steps:
                raise
            turn = Turn(adapter, signature, rendered, lm, params, not rows)
            rows.append((yield from _mended(turn, choice, error, desk)))
    return rows


def _mended(turn: Turn, choice: Choice, error: AdapterParseError, desk: Desk) -> Mending:
    """Show the model its answer and what was wrong with it, as often as may be, until it is readable."""
    adapter, rendered = turn.adapter, turn.rendered
    repairs = desk.repairs()
    while repairs > 0:
        repairs -= 1
        asked = rendered.asked or turn.signature
        again = adapter.repair(asked, rendered, choice.text or "", error)
        (choice, *_) = yield Turn(adapter, turn.signature, again, turn.lm, turn.params, turn.first)
        try:
            return desk.read(adapter, turn.signature, rendered, choice)
        except AdapterParseError as wrong:
            _explain(wrong, choice)
            error = wrong
    raise error


def _read_by_another(turn: Turn, choice: Choice, desk: Desk) -> Mending:
    """Have the answer read by the second model; what came natively needs no reading."""
    asked, text = turn.rendered.asked or turn.signature, choice.text or ""
    fields: dict[str, Any] = {}
    if asked.output_fields and (text or not choice.tool_calls):
        fields = yield from _second(turn, asked, text, desk)
    if not turn.adapter.layout(turn.signature).natives:
        return fields
    from telic.adapters.native import merged

    return merged(turn.adapter, turn.signature, choice, fields)


def _second(turn: Turn, asked: SignatureClass, text: str, desk: Desk) -> Mending:
    step = turn.adapter.follow_up(asked, text)
    inner = exchange(step.adapter, step.signature, (), step.inputs, step.lm, NOTHING, desk)
    try:
        question = next(inner)
        while True:
            question = inner.send((yield replace(question, first=turn.first)))
    except StopIteration as end:
        row: dict[str, Any] = end.value[0]
        return row
    except AdapterParseError as error:
        raise AdapterParseError(
            type(turn.adapter).__name__,
            asked,
            text,
            f"the fields could not be extracted from it: {error.detail}",
            error.parsed_result,
            missing=error.missing,
        ) from error


def _explain(error: AdapterParseError, choice: Choice) -> None:
    if choice.finish_reason == "length":
        error.message += "\nThe answer was cut at max_tokens: raise max_tokens, or ask for less."
