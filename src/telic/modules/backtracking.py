"""`Backtracking`: run a program with assertions; what broke one is asked again, and told so."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from telic.modules.assertions import Allowance, AssertionFailedError, allowance
from telic.program.predict import Predict
from telic.program.stepped import SteppedModule
from telic.runtime import scope as scopes
from telic.runtime.steps import Do, Steps
from telic.signatures import InputField

logger = logging.getLogger("telic")

FEEDBACK = "feedback"
_PAST = "past_"


class Backtracking(SteppedModule):
    """Run a program in which `Assert` and `Suggest` are called.

    When one does not hold, the program is run again, and the predictor at fault, where it is asked the same,
    is shown its earlier outputs (`past_…`) and the messages (`feedback`). What comes before it is asked the
    same again, and so comes from the record.

    Args:
        module: the program.
        max_backtracks: how often to go back for one message.
    """

    def __init__(self, module: Any, max_backtracks: int = 2) -> None:
        self.module = module
        self.max_backtracks = max_backtracks

    def steps(self, *args: Any, **inputs: Any) -> Steps[Any]:
        """Run it until nothing fails.

        Raises:
            AssertionFailedError: an `Assert` still does not hold, or no predictor was called before it.
        """
        faults: list[Fault] = []
        counts: dict[str, int] = {}
        allowed = Allowance(self.max_backtracks)
        while True:
            program = self.module.deepcopy() if faults else self.module
            retried = _retrying(program, faults)
            attempt: _Attempt = yield _attempting(program, args, inputs, allowed)
            if attempt.failure is None:
                self._keep_trace(attempt.trace, program, retried)
                return attempt.prediction
            message = str(attempt.failure)
            counts[message] = counts.get(message, 0) + 1
            fault = _fault_of(attempt, program, retried)
            if fault is None or counts[message] > self.max_backtracks:
                raise attempt.failure
            logger.warning("%s is asked again: %s", fault.path, message)
            _note(faults, fault, message)

    def _keep_trace(self, trace: list[Any], program: Any, retried: Mapping[int, str]) -> None:
        collected = scopes.current().trace
        if collected is None:
            return
        own = dict(self.module.named_predictors())
        paths = {**{id(p): path for path, p in program.named_predictors()}, **retried}
        for predictor, inputs, prediction in trace:
            path = paths.get(id(predictor))
            kept = {k: v for k, v in inputs.items() if k != FEEDBACK and not k.startswith(_PAST)}
            collected.append((own.get(path or "", predictor), kept if path in own else inputs, prediction))


@dataclass
class Fault:
    """A predictor call after which something did not hold.

    Attributes:
        path: of the predictor.
        inputs: what it was asked.
        outputs: what it answered last.
        messages: what was wrong, in order.
    """

    path: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    messages: list[str] = field(default_factory=list)


@dataclass
class _Attempt:
    prediction: Any
    trace: list[Any]
    failure: AssertionFailedError | None


class _Retrying(Predict):
    """A predictor that is told what was wrong where it is asked the same again."""

    faults: list[Fault]

    def _steps(self, kwargs: dict[str, Any]) -> Steps[Any]:
        own = {name: kwargs[name] for name in self.signature.input_fields if name in kwargs}
        for fault in self.faults:
            if fault.inputs == own:
                return super()._steps({**kwargs, **_told(self.signature, fault)})
        return super()._steps(kwargs)


def _told(signature: Any, fault: Fault) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    for name, output in signature.output_fields.items():
        if name in fault.outputs:
            about = InputField(desc=f"an earlier {name}, which is not good")
            signature = signature.append(f"{_PAST}{name}", about, output.annotation)
            inputs[f"{_PAST}{name}"] = fault.outputs[name]
    about = InputField(desc="what was wrong with it, and has to be put right")
    inputs[FEEDBACK] = "\n".join(fault.messages)
    return {"signature": signature.append(FEEDBACK, about, str), **inputs}


def _retrying(program: Any, faults: list[Fault]) -> dict[int, str]:
    """Let the predictors at fault know; returns their paths by identity."""
    retried: dict[int, str] = {}
    for path, predictor in program.named_predictors() if faults else ():
        mine = [fault for fault in faults if fault.path == path]
        if mine and isinstance(predictor, Predict):
            told: Any = predictor  # a copy of this run's own
            told.__class__ = _Retrying
            told.faults = mine
            retried[id(predictor)] = path
    return retried


def _attempting(program: Any, args: Any, inputs: Mapping[str, Any], allowed: Allowance) -> Do:
    trace: list[Any] = []

    def enter() -> tuple[Any, Any]:
        return scopes.enter(replace(scopes.current(), trace=trace)), allowance.set(allowed)

    def leave(tokens: tuple[Any, Any]) -> None:
        scopes.leave(tokens[0])
        allowance.reset(tokens[1])

    def run() -> _Attempt:
        tokens = enter()
        try:
            return _Attempt(program(*args, **inputs), trace, None)
        except AssertionFailedError as failure:
            return _Attempt(None, trace, failure)
        finally:
            leave(tokens)

    async def arun() -> _Attempt:
        tokens = enter()
        try:
            return _Attempt(await program.acall(*args, **inputs), trace, None)
        except AssertionFailedError as failure:
            return _Attempt(None, trace, failure)
        finally:
            leave(tokens)

    return Do(run, arun)


def _fault_of(attempt: _Attempt, program: Any, retried: Mapping[int, str]) -> Fault | None:
    """The last call of whoever is at fault; `None` where there was none."""
    assert attempt.failure is not None
    paths = {id(p): path for path, p in program.named_predictors()}
    for predictor, inputs, prediction in reversed(attempt.trace):
        path = paths.get(id(predictor)) or retried.get(id(predictor))
        if path is not None and _is_target(attempt.failure.target, predictor, path, program):
            own = {k: v for k, v in inputs.items() if k != FEEDBACK and not k.startswith(_PAST)}
            return Fault(path, own, dict(prediction.items()))
    return None


def _is_target(target: Any, predictor: Any, path: str, program: Any) -> bool:
    if target is None or target is predictor or target == path:
        return True
    if isinstance(target, str):
        return target in predictor.signature.output_fields
    if hasattr(target, "predictors"):
        return any(part is predictor for part in target.predictors())
    return target is predictor.signature or getattr(target, "equals", lambda _: False)(predictor.signature)


def _note(faults: list[Fault], fault: Fault, message: str) -> None:
    known = next((f for f in faults if f.path == fault.path and f.inputs == fault.inputs), None)
    if known is None:
        fault.messages = [message]
        faults.append(fault)
    else:
        known.outputs = fault.outputs
        if message not in known.messages:
            known.messages.append(message)
