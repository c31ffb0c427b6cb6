"""One prediction from inputs to typed outputs: render, ask, read, repair. Written once for both drivers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telic.adapters import exchange
from telic.adapters.base import Adapter
from telic.data.prediction import Prediction
from telic.errors import LMNotConfiguredError
from telic.lm.call import call
from telic.program.adapting import adapter_for
from telic.runtime import scope as scopes
from telic.runtime.events import active_callbacks, notify_around
from telic.runtime.settings import settings
from telic.runtime.steps import Do, Step, Steps
from telic.types import Capabilities, Choice, Request, Response

if TYPE_CHECKING:
    from telic.adapters.rendered import Rendered
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
    kind = type(ask.adapter)
    if kind.__call__ is Adapter.__call__ and kind.acall is Adapter.acall:
        completions = yield from _converse(ask)
    else:  # a user's adapter that does it all by itself
        completions = yield _own_way(ask)
    prediction = Prediction.from_completions(completions, signature=ask.signature)
    trace(ask.predictor, ask.inputs, prediction)
    return prediction


def build_request(ask: Ask) -> Request:
    """The request `predict` would send first."""
    turn = next(_exchange(ask))
    return _request(turn)


class Desk(exchange.Desk):
    """Calls the adapter's pieces; callbacks hear of it."""

    def render(
        self,
        adapter: Any,
        signature: Any,
        demos: Sequence[Any],
        inputs: Mapping[str, Any],
        capabilities: Capabilities,
        lm: Any,
        params: Mapping[str, Any],
    ) -> Rendered:
        """What to send."""
        callbacks = active_callbacks(adapter.callbacks)
        rendered: Rendered
        if not callbacks:
            rendered = adapter.render(signature, demos, inputs, capabilities, lm, params)
            return rendered
        told = {"signature": signature, "demos": demos, "inputs": inputs}
        with notify_around(callbacks, "adapter_format", adapter, told) as done:
            rendered = adapter.render(signature, demos, inputs, capabilities, lm, params)
            done(rendered.messages if rendered.messages is not None else rendered.prompt)
        return rendered

    def read(self, adapter: Any, signature: Any, rendered: Rendered, choice: Choice) -> dict[str, Any]:
        """The output fields of an answer."""
        callbacks = active_callbacks(adapter.callbacks)
        fields: dict[str, Any]
        if not callbacks:
            fields = adapter.read_choice(signature, rendered, choice)
            return fields
        told = {"signature": signature, "completion": choice.text or ""}
        with notify_around(callbacks, "adapter_parse", adapter, told) as done:
            fields = adapter.read_choice(signature, rendered, choice)
            done(fields)
        return fields

    def policy(self, adapter: Any) -> str:
        """As the adapter says, else the settings."""
        return adapter.on_parse_failure or ("json" if settings.json_fallback else "repair")

    def repairs(self) -> int:
        """As the settings say."""
        repairs: int = settings.max_repairs
        return repairs


_DESK = Desk()


def _exchange(ask: Ask) -> exchange.Exchange:
    params = _params(ask)
    return exchange.exchange(ask.adapter, ask.signature, ask.demos, ask.inputs, ask.lm, params, _DESK)


def _converse(ask: Ask) -> Steps[list[dict[str, Any]]]:
    """Ask whatever the adapter wants asked."""
    turns = _exchange(ask)
    turn = next(turns)
    stream = scopes.current().stream
    listener: AnswerStream | None = None
    while True:
        heard = None
        if stream is not None and turn.first:  # of several answers to one question the first is streamed
            heard = listener = stream.begin(ask.predictor, turn.signature, turn.adapter, turn.rendered)
        response: Response = yield from call(turn.lm, _request(turn), heard)
        try:
            turn = turns.send(response.choices)
        except StopIteration as end:
            rows: list[dict[str, Any]] = end.value
            break
    if listener is not None:
        listener.read(rows[0])
    return rows


def _own_way(ask: Ask) -> Step:
    """The step that leaves the exchange to the adapter."""
    adapter, lm, params = ask.adapter, ask.lm, dict(_params(ask))
    demos, inputs = list(ask.demos), dict(ask.inputs)
    return Do(
        lambda: adapter(lm, params, ask.signature, demos, inputs),
        lambda: adapter.acall(lm, params, ask.signature, demos, inputs),
    )


def _params(ask: Ask) -> Mapping[str, Any]:
    params = ask.config
    if params and params.get("n") not in (None, 1) and (_temperature(ask) or 0.0) <= _NEARLY_GREEDY:
        # Several samples of a greedy answer would be one answer, paid for several times.
        return {**params, "temperature": 0.7}
    return params


_NEARLY_GREEDY = 0.15


def _temperature(ask: Ask) -> Any:
    return ask.config.get("temperature", ask.lm.kwargs.get("temperature"))


def _request(turn: exchange.Turn) -> Request:
    rendered = turn.rendered
    params = {**rendered.params, **turn.params} if rendered.params else turn.params
    request: Request = turn.lm.request(
        messages=rendered.messages, prompt=rendered.prompt, constraint=rendered.constraint, params=params
    )
    return request


def traced() -> bool:
    """Whether anybody collects the calls of predictors."""
    return scopes.current().trace is not None or (settings.trace is not None and settings.max_trace_size > 0)


def trace(predictor: Any, inputs: Mapping[str, Any], prediction: Prediction) -> None:
    """Note a call of a predictor for those who collect them."""
    scope = scopes.current()
    if scope.trace is not None:
        scope.trace.append((predictor, inputs, prediction))
    shared = settings.trace
    if shared is not None and settings.max_trace_size > 0:
        if len(shared) >= settings.max_trace_size:
            del shared[0]
        shared.append((predictor, inputs, prediction))


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
    if "cache" in config:
        lm = lm.caching(config["cache"])
        config = {name: value for name, value in config.items() if name != "cache"}
    return Ask(predictor, signature, demos, kwargs, config, lm, adapter_for(predictor.adapter, lm))


_OVERRIDES = ("signature", "demos", "config", "lm")
