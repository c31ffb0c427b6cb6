"""One prediction from inputs to typed outputs: render, ask, read, repair. Written once for both drivers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telic.data.prediction import Prediction
from telic.errors import AdapterParseError, LMNotConfiguredError
from telic.lm.call import call
from telic.program.adapting import adapter_for
from telic.runtime import scope as scopes
from telic.runtime.events import active_callbacks, notify_around
from telic.runtime.settings import DEFAULTS, settings
from telic.runtime.steps import Steps
from telic.types import Request, Response

if TYPE_CHECKING:
    from telic.adapters.base import Adapter, Rendered
    from telic.runtime.scope import AnswerStream


@dataclass(slots=True)
class Ask:
    """Everything one prediction needs, gathered from the predictor, the call and the settings."""

    predictor: Any
    signature: Any
    demos: Sequence[Any]
    inputs: Mapping[str, Any]
    config: Mapping[str, Any]
    lm: Any
    adapter: Adapter


def resolve_lm(*choices: Any) -> Any:
    """The first LM that is set: of the call, of the predictor, of the settings.

    Raises:
        LMNotConfiguredError: none is, or what is set is not an LM.
    """
    for lm in (*choices, settings.lm):
        if lm is None:
            continue
        if not hasattr(lm, "asking"):
            raise LMNotConfiguredError(
                f"{lm!r} is not an LM. Use telic.LM('provider/model'), or derive your own class from "
                "telic.BaseLM."
            )
        return lm
    raise LMNotConfiguredError(
        "No LM is set. Write telic.configure(lm=telic.LM('openai/gpt-4o-mini')) for a hosted model, or "
        "telic.configure(lm=telic.LM('local/smollm2-135m')) for one that runs here without a key."
    )


def predict(ask: Ask) -> Steps[Prediction]:
    """Answer one question with typed outputs, one completion per choice."""
    rendered = _render(ask)
    heard = _heard(ask, rendered)
    response = yield from call(ask.lm, _request(ask, rendered), heard)
    completions = []
    for choice in response.choices:
        completions.append((yield from _read(ask, rendered, choice, heard)))
        heard = None  # of several answers to one question the first is streamed
    prediction = Prediction.from_completions(completions, signature=ask.signature)
    _trace(ask, prediction)
    return prediction


def build_request(ask: Ask) -> Request:
    """The request `predict` would send first."""
    return _request(ask, _render(ask))


def _render(ask: Ask) -> Rendered:
    callbacks = active_callbacks(getattr(ask.adapter, "callbacks", ()))
    if callbacks:
        inputs = {"signature": ask.signature, "demos": ask.demos, "inputs": ask.inputs}
        with notify_around(callbacks, "adapter_format", ask.adapter, inputs) as done:
            rendered = ask.adapter.render(ask.signature, ask.demos, ask.inputs, ask.lm.capabilities)
            done(rendered.messages if rendered.messages is not None else rendered.prompt)
        return rendered
    return ask.adapter.render(ask.signature, ask.demos, ask.inputs, ask.lm.capabilities)


def _request(ask: Ask, rendered: Rendered) -> Request:
    params = {**rendered.params, **ask.config} if rendered.params else ask.config
    if params.get("n", 1) not in (None, 1) and not params.get(
        "temperature", ask.lm.kwargs.get("temperature")
    ):
        # Several samples of a greedy answer would be one answer, paid for several times.
        params = {**params, "temperature": 0.7}
    request: Request = ask.lm.request(
        messages=rendered.messages, prompt=rendered.prompt, constraint=rendered.constraint, params=params
    )
    return request


def _heard(ask: Ask, rendered: Rendered) -> AnswerStream | None:
    """Who hears the answer while it is written."""
    stream = scopes.current().stream
    return None if stream is None else stream.begin(ask.predictor, ask.signature, ask.adapter, rendered)


def _read(ask: Ask, rendered: Rendered, choice: Any, heard: AnswerStream | None) -> Steps[dict[str, Any]]:
    """Read one answer; where it does not fit, show the model its answer and the error, and ask again."""
    repairs = settings.max_repairs
    while True:
        text = choice.text or ""
        try:
            fields = _parse(ask, text)
            if heard is not None:
                heard.read(fields)
            return fields
        except AdapterParseError as error:
            if choice.finish_reason == "length":
                error.message += "\nThe answer was cut at max_tokens: raise max_tokens, or ask for less."
            if repairs <= 0:
                raise
            repairs -= 1
            again = ask.adapter.repair(ask.signature, rendered, text, error)
        heard = heard and _heard(ask, again)
        response: Response = yield from call(ask.lm, _request(ask, again), heard)
        choice = response.choices[0]


def _parse(ask: Ask, text: str) -> dict[str, Any]:
    callbacks = active_callbacks(getattr(ask.adapter, "callbacks", ()))
    if callbacks:
        inputs = {"signature": ask.signature, "completion": text}
        with notify_around(callbacks, "adapter_parse", ask.adapter, inputs) as done:
            fields = ask.adapter.read(ask.signature, text)
            done(fields)
        return fields
    return ask.adapter.read(ask.signature, text)


def _trace(ask: Ask, prediction: Prediction) -> None:
    scope = scopes.current()
    if scope.trace is not None:
        scope.trace.append((ask.predictor, ask.inputs, prediction))
    shared = settings.trace
    if shared is not None and shared is not DEFAULTS["trace"] and len(shared) < settings.max_trace_size:
        shared.append((ask.predictor, ask.inputs, prediction))


def gather(predictor: Any, kwargs: dict[str, Any]) -> Ask:
    """Sort a call's keywords into inputs and one-off overrides (`signature`, `demos`, `config`, `lm`)."""
    signature = predictor.signature
    demos, config, lm = predictor.demos, predictor.config, predictor.lm
    fields = signature.input_fields
    if not (kwargs.keys() <= fields.keys()):
        overrides = {k: kwargs.pop(k) for k in _OVERRIDES if k in kwargs}
        if overrides:
            from telic.signatures import ensure_signature

            signature = ensure_signature(overrides.get("signature") or signature)
            demos = demos if overrides.get("demos") is None else overrides["demos"]
            config = {**config, **(overrides.get("config") or {})}
            lm = overrides.get("lm") or lm
    lm = resolve_lm(lm)
    return Ask(predictor, signature, demos, kwargs, config, lm, adapter_for(predictor.adapter, lm))


_OVERRIDES = ("signature", "demos", "config", "lm")
