"""The model's window: what there is room for, and inputs of asks cut to it, least valuable first out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from telic.errors import TelicError
from telic.optimize.strategy import Ask
from telic.program.pipeline import resolve_lm

_ANSWER_TOKENS = 256
"""Room kept for the answer where `max_tokens` is not set."""
_SHORT = 120
"""Characters to which a text is cut at the shortest."""
_CUTS = (0.75, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05, 0.02)
"""Shares of texts that are tried, once lists are down to one item each."""


def room(predictor: Any, lm: Any) -> int | None:
    """Tokens that a prompt of a predictor may have beside its answer; `None` where the window is unknown."""
    window: int | None = lm.context_window
    if window is None:
        return None
    answer = predictor.config.get("max_tokens") or lm.kwargs.get("max_tokens") or _ANSWER_TOKENS
    return int(window - min(answer, window // 2))


def tokens(lm: Any, request: Any) -> int:
    """Tokens of a prompt: exact where the model's tokenizer is at hand, else rather too many."""
    exact: int | None = lm.count_tokens(request)
    if exact is not None:
        return exact
    # About 3 characters a token.
    return len(request.prompt or str(request.messages)) // 3


def fit_ask(ask: Ask) -> tuple[Ask, str | None]:
    """Cut the inputs of an ask until its prompt fits the model's window.

    Lists lose their last items first (put the most valuable first), the longest list before the others; then
    texts are cut at their end. An ask whose prompt cannot be told (a function's, or a module's whose
    predictors take other inputs) is left as it is.

    Returns:
        The ask, and a note where something was cut.
    """
    predictor = _asked_by(ask)
    if predictor is None:
        return ask, None
    lm = resolve_lm(predictor.lm, ask.lm)
    space = room(predictor, lm)
    if space is None or _fits(predictor, lm, ask.inputs, space):
        return ask, None
    removals = _removals(ask.inputs)
    low, high = 1, len(removals)
    while low < high:
        middle = (low + high) // 2
        fits = _fits(predictor, lm, _without(ask.inputs, removals[:middle]), space)
        low, high = (low, middle) if fits else (middle + 1, high)
    inputs = _without(ask.inputs, removals[:low])
    left_out = len(removals[:low])
    shares = iter(_CUTS)
    share = 1.0
    while not _fits(predictor, lm, _cut(inputs, share), space) and (smaller := next(shares, None)):
        share = smaller
    said = [f"{left_out} items left out"] * bool(left_out)
    said += [f"texts cut to {share:.0%}"] * (share < 1.0)
    note = f"{ask.why or 'an ask'}: {' and '.join(said)} to fit the model's window."
    return replace(ask, inputs=_cut(inputs, share)), note


def _asked_by(ask: Ask) -> Any:
    """The predictor that is given the inputs of the ask, where there is one."""
    if not hasattr(ask.program, "named_predictors"):
        return None
    wanted = set(ask.inputs)
    for _, predictor in ask.program.named_predictors():
        if wanted <= set(predictor.signature.input_fields):
            return predictor
    return None


def _fits(predictor: Any, lm: Any, inputs: Mapping[str, Any], space: int) -> bool:
    try:
        request = predictor.request_for(**inputs, **({} if lm is predictor.lm else {"lm": lm}))
    except TelicError:  # running it will say what is wrong
        return True
    return tokens(lm, request) <= space


def _removals(inputs: Mapping[str, Any]) -> list[tuple[str, int]]:
    """`(field, position)` of list items, in the order in which they go; one item of each list stays."""
    sizes = {
        name: [len(str(item)) for item in value]
        for name, value in inputs.items()
        if isinstance(value, Sequence) and not isinstance(value, (str, bytes))
    }
    order: list[tuple[str, int]] = []
    while longest := max((n for n in sizes if len(sizes[n]) > 1), key=lambda n: sum(sizes[n]), default=None):
        sizes[longest].pop()
        order.append((longest, len(sizes[longest])))
    return order


def _without(inputs: Mapping[str, Any], removed: Sequence[tuple[str, int]]) -> dict[str, Any]:
    ends: dict[str, int] = {}
    for name, position in removed:
        ends[name] = min(position, ends.get(name, position))
    return {name: list(value[: ends[name]]) if name in ends else value for name, value in inputs.items()}


def _cut(inputs: Mapping[str, Any], share: float) -> dict[str, Any]:
    if share >= 1.0:
        return dict(inputs)
    return {name: _shorter(value, share) for name, value in inputs.items()}


def _shorter(value: Any, share: float) -> Any:
    if isinstance(value, str):
        size = max(_SHORT, int(share * len(value)))
        return value if len(value) <= size else f"{value[:size].rstrip()} …"
    if isinstance(value, list):
        return [_shorter(item, share) for item in value]
    return value
