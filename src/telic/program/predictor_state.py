"""A predictor's learnable state, to and from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic.data.example import Example
from telic.errors import ProgramFileError
from telic.lm.base import BaseLM
from telic.program.criteria import set_criteria
from telic.runtime.settings import settings
from telic.signatures.validation import to_jsonable


def dump_predictor(predictor: Any, *, json_mode: bool = True) -> dict[str, Any]:
    """State as JSON: `traces`, `train`, `demos`, `signature`, `lm`, and `config` and `adapter` where set.

    Without `json_mode`, demos stay the objects they are. Under `settings.state_layout = "dspy"`, the
    signature's fields are written as DSPy writes them.
    """
    state: dict[str, Any] = {
        "traces": [],
        "train": [],
        "demos": [demo_to_json(demo) for demo in predictor.demos] if json_mode else list(predictor.demos),
        "signature": _signature_state(predictor.signature),
        "lm": predictor.lm.dump_state() if predictor.lm is not None else None,
    }
    if predictor.criteria:
        state["fields"] = {name: {"criteria": told} for name, told in predictor.criteria.items()}
    if predictor.config:
        state["config"] = to_jsonable(predictor.config)
    if predictor.adapter is not None:
        adapter = predictor.adapter
        state["adapter"] = {"name": adapter} if isinstance(adapter, str) else adapter.to_json()
    return state


def load_predictor(predictor: Any, state: Mapping[str, Any], *, allow_unsafe_lm_state: bool = False) -> None:
    """Set a predictor to a state; it is checked whole before anything is set."""
    if not isinstance(state, Mapping) or "signature" not in state or "demos" not in state:
        raise ProgramFileError("The state of a predictor needs 'signature' and 'demos'; this is not one.")
    signature = predictor.signature.load_state(state["signature"])
    demos = [demo if isinstance(demo, Example) else demo_from_json(demo) for demo in state["demos"]]
    adapter = _adapter(state.get("adapter"))
    lm = _lm(predictor.lm, state["lm"], allow_unsafe_lm_state) if state.get("lm") else None
    predictor.signature, predictor.demos, predictor.adapter, predictor.lm = signature, demos, adapter, lm
    for name, told in (state.get("fields") or {}).items():
        set_criteria(predictor, name, told["criteria"])
    if "config" in state:
        predictor.config = dict(state["config"])


def _signature_state(signature: Any) -> dict[str, Any]:
    state: dict[str, Any] = signature.dump_state()
    if settings.state_layout == "dspy":
        rows = (
            {"prefix": row["prefix"], "description": row["desc"] or f"${{{row['name']}}}"}
            for row in state["fields"]
        )
        state["fields"] = list(rows)
    return state


def demo_to_json(demo: Any) -> dict[str, Any]:
    """A demo as a JSON object."""
    items = demo.toDict() if hasattr(demo, "toDict") else dict(demo)
    return {str(key): to_jsonable(value) for key, value in items.items()}


def demo_from_json(row: Any) -> Example:
    """The inverse of `demo_to_json`; typed values stay JSON, which renders the same."""
    if not isinstance(row, Mapping):
        raise ProgramFileError(f"A demo must be a JSON object, got {type(row).__name__}.")
    return Example(dict(row))


def _adapter(state: Any) -> Any:
    if state is None:
        return None
    from telic.adapters import adapter_by_name

    options = {k: v for k, v in state.items() if k != "name"}
    return adapter_by_name(state["name"], **options) if options else state["name"]


def _lm(mine: Any, state: Mapping[str, Any], unsafe: bool) -> Any:
    """The LM of a state: the one that is set already where it is that one, with its address and key, which a
    saved state has not.
    """
    known = None if mine is None else mine.dump_state()
    if known == state:  # a class of the user's own need not be made anew
        return mine
    lm = BaseLM.load_state(state, allow_custom_lm_class=unsafe)
    if known is not None and known == lm.dump_state():
        return mine
    # A finetuned model is where its base is; of any other, the reader of a file cannot know that.
    return lm.reached_as(mine or settings.lm) if lm.trained else lm
