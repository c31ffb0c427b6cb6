"""Tries that learn from each other: advice from a try that was not good enough reaches the next one.

After Self-Refine (Madaan et al., 2023, arXiv:2303.17651), with blame given to the parts of the program.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from telic._json import dumps
from telic.errors import AdapterParseError
from telic.program.module import Module
from telic.program.predict import Predict
from telic.program.stepped import Call, SteppedModule
from telic.program.tries import Tries, Try
from telic.runtime.settings import settings
from telic.runtime.steps import Steps
from telic.signatures import InputField, OutputField, Signature
from telic.signatures.validation import to_jsonable

HINT = "hint_"
"""The input that carries advice to a predictor."""


class OfferFeedback(Signature):
    """Review one run of a program whose reward was below the target, and advise each module for the next run.

    Say for each module what it did that kept the reward down on these inputs, and what it should do instead,
    concretely enough to act on without seeing this review. Write N/A for a module that is not to blame.
    """

    program_code: str = InputField(desc="source of the program")
    modules_defn: str = InputField(desc="the program's modules, with their inputs and outputs")
    program_inputs: str = InputField(desc="what the program was given")
    program_trajectory: str = InputField(desc="what each module was given and gave, in order")
    program_outputs: str = InputField(desc="what the program returned, or how it failed")
    reward_code: str = InputField(desc="source of the function that gives the reward")
    target_threshold: float = InputField(desc="reward to reach")
    reward_value: float = InputField(desc="reward of this run")
    module_names: list[str] = InputField(desc="the modules to advise")
    discussion: str = OutputField(desc="which module went wrong where, if any")
    advice: dict[str, str] = OutputField(desc="advice by module name")


class Refine(SteppedModule):
    """Run a module up to `N` times; after a try below the threshold, advise its predictors for the next.

    The advice is an extra input, `hint_`, of each predictor in the next try's copy of the module, so it works
    through whatever adapter the predictor speaks.

    Args:
        module: the program to run.
        N: most tries.
        reward_fn: `reward_fn(inputs, prediction) -> float`, higher is better.
        threshold: reward at which to stop trying.
        fail_count: tries that may raise before the last error is raised; `N` by default.
    """

    def __init__(
        self,
        module: Module,
        N: int,
        reward_fn: Callable[[Mapping[str, Any], Any], float],
        threshold: float,
        fail_count: int | None = None,
    ) -> None:
        self.module = module
        self.N = N
        self.reward_fn = reward_fn
        self.threshold = threshold
        self.fail_count = N if fail_count is None else fail_count
        self.module_code = _source(type(module))
        self.reward_fn_code = _source(reward_fn)

    def steps(self, **kwargs: Any) -> Steps[Any]:
        """Try, learn, try again.

        Raises:
            TelicError: more than `fail_count` tries raised, or all of them.
        """
        tries = Tries(self.module)
        best: Any = None
        best_reward = float("-inf")
        failures: list[Exception] = []
        advice: dict[str, str] = {}
        for number in range(self.N):
            attempt: Try = yield tries.attempt(number, kwargs, partial(_advised, advice))
            reward = float("-inf")
            if attempt.error is not None:
                failures.append(attempt.error)
                if len(failures) > self.fail_count:
                    raise attempt.error
            else:
                reward = float(self.reward_fn(kwargs, attempt.prediction))
            if attempt.error is None and reward > best_reward:
                best, best_reward = attempt, reward
            if reward >= self.threshold or number == self.N - 1:
                break
            if attempt.error is None or not settings.forgive_any_error:
                advice = yield from self._review(attempt, kwargs, reward)
        if best is None:
            raise failures[-1]
        best.keep_trace()
        return best.prediction

    def _review(self, attempt: Try, inputs: Mapping[str, Any], reward: float) -> Steps[dict[str, str]]:
        names = [path for path, _ in self.module.named_predictors()]
        outcome = (
            _shown(dict(attempt.prediction.items()))
            if attempt.error is None
            else f"It failed: {attempt.error}"
        )
        facts = {
            "program_code": self.module_code,
            "modules_defn": _definitions(self.module),
            "program_inputs": _shown(dict(inputs)),
            "program_trajectory": _trajectory(attempt),
            "program_outputs": outcome,
            "reward_code": self.reward_fn_code,
            "target_threshold": self.threshold,
            "reward_value": reward if reward != float("-inf") else 0.0,
            "module_names": names,
        }
        try:
            review = yield Call(Predict(OfferFeedback), **facts)
        except AdapterParseError:
            return {}  # an unreadable review is no advice; the next try is then another sample
        return {
            k: v for k, v in review.advice.items() if v.strip().rstrip(".").upper() not in ("N/A", "NA", "")
        }


def _advised(advice: Mapping[str, str], module: Any) -> Any:
    for path, predictor in module.named_predictors():
        hint = advice.get(path)
        if not hint:
            continue
        field = InputField(desc="advice from an earlier try at this", default=hint)
        predictor.signature = predictor.signature.append(HINT, field, str)
    return module


def _definitions(module: Module) -> str:
    lines = []
    for path, predictor in module.named_predictors():
        lines.append(f"{path}: {predictor.signature.signature}\n    {predictor.signature.instructions}")
    return "\n".join(lines)


def _trajectory(attempt: Try) -> str:
    lines = []
    for predictor, inputs, prediction in attempt.trace:
        path = attempt.paths.get(id(predictor), type(predictor).__name__)
        lines.append(f"{path}\n  given: {_shown(dict(inputs))}\n  gave: {_shown(dict(prediction.items()))}")
    return "\n".join(lines) or "(no module was called to its end)"


def _shown(values: Mapping[str, Any]) -> str:
    return dumps({k: to_jsonable(v) for k, v in values.items() if k != HINT})


def _source(value: Any) -> str:
    try:
        return inspect.getsource(value)
    except (OSError, TypeError):
        return f"(source of {getattr(value, '__qualname__', value)} is not available)"
