"""Listeners and the predictors of a program: who hears whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from telic.errors import InputError
from telic.program.tree import is_module, named_sub_modules
from telic.streaming.listener import StreamListener


@dataclass(frozen=True, slots=True)
class Bound:
    """A listener with the predictor it hears.

    Attributes:
        listener: what is wanted.
        predictor: of whom.
        name: the predictor's path.
    """

    listener: StreamListener
    predictor: Any
    name: str


def predictors_of(program: Any) -> list[tuple[str, Any]]:
    """Every predictor of a program with its path, those in compiled parts too."""
    if not is_module(program):
        return []
    known = [(path, p) for path, p in program.named_parameters() if _is_predictor(p)]
    seen = {id(predictor) for _, predictor in known}
    for path, module in named_sub_modules(program):
        if _is_predictor(module) and id(module) not in seen:
            known.append((path.removeprefix("self."), module))
    return known


def bind(program: Any, listeners: Sequence[StreamListener]) -> list[Bound]:
    """Find the predictor of each listener.

    Raises:
        InputError: none has the field, or several have it and the listener does not say which one is meant.
    """
    predictors = predictors_of(program)
    return [_bound(listener, predictors) for listener in listeners]


def _bound(listener: StreamListener, predictors: list[tuple[str, Any]]) -> Bound:
    field = listener.signature_field_name
    having = [(path, p) for path, p in predictors if field in p.signature.output_fields]
    if listener.predict is not None:
        return _given(listener, predictors)
    if listener.predict_name is not None:
        wanted = listener.predict_name.removeprefix("self.") or "self"
        named = [(path, p) for path, p in having if path == wanted]
        if not named:
            raise InputError(
                f"The program has no predictor '{listener.predict_name}' with an output field '{field}'. "
                f"{_listed(predictors)}"
            )
        having = named
    if not having:
        raise InputError(f"No predictor of the program has an output field '{field}'. {_listed(predictors)}")
    if len(having) > 1:
        raise InputError(
            f"Signature field {field} is not unique in the program: {', '.join(path for path, _ in having)} "
            f"have it. Say which one is meant: StreamListener('{field}', predict_name='{having[0][0]}')."
        )
    path, predictor = having[0]
    return Bound(listener, predictor, path)


def _given(listener: StreamListener, predictors: list[tuple[str, Any]]) -> Bound:
    predictor, field = listener.predict, listener.signature_field_name
    if field not in predictor.signature.output_fields:
        raise InputError(
            f"The predictor that is to be listened to has no output field '{field}'; it has "
            f"{', '.join(predictor.signature.output_fields)}."
        )
    path = next((path for path, known in predictors if known is predictor), None)
    return Bound(listener, predictor, listener.predict_name or path or type(predictor).__name__)


def _listed(predictors: list[tuple[str, Any]]) -> str:
    rows = [f"{path} ({', '.join(p.signature.output_fields)})" for path, p in predictors]
    return f"There are: {'; '.join(rows)}." if rows else "It has no predictors."


def _is_predictor(value: Any) -> bool:
    return hasattr(value, "signature") and hasattr(value, "demos")
