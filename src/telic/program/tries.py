"""One module run several times on the same inputs, each as another sample, with a trace of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from telic.errors import BudgetExceededError, LMConfigurationError, TelicError
from telic.runtime import scope as scopes
from telic.runtime.settings import settings
from telic.runtime.steps import Do


@dataclass
class Try:
    """What one run came to.

    Attributes:
        prediction: what the module returned.
        trace: its predictor calls, as `(predictor, inputs, prediction)`.
        error: what it raised, where it could not answer.
        paths: predictor path by the identity of the predictor that ran.
    """

    prediction: Any
    trace: list[Any]
    error: Exception | None
    paths: Mapping[int, str]

    def keep_trace(self) -> None:
        """Give this run's trace to whoever collects one, as if it had been the only run."""
        for collected in (scopes.current().trace, settings.trace):
            if collected is not None:
                collected.extend(self.trace)


class Tries:
    """Runs of one module.

    Args:
        module: what is run.
    """

    def __init__(self, module: Any) -> None:
        self._module = module

    def attempt(
        self, number: int, inputs: Mapping[str, Any], prepare: Callable[[Any], Any] | None = None
    ) -> Do:
        """The step that makes run `number`, from 0; its outcome is a `Try`.

        Run 0 is the module as it is; later ones ask for other samples at temperature 1, as does run 0 with
        the setting `first_try_sampled`.

        Args:
            number: which run.
            inputs: keywords of the module.
            prepare: changes the copy of the module that is run.
        """
        module = self._sampled(number)
        if prepare is not None:
            module = prepare(module) or module
        trace: list[Any] = []
        paths = {id(p): path for path, p in module.named_predictors()}

        forgiven = Exception if settings.forgive_any_error else TelicError

        def run() -> Try:
            try:
                with _apart(number, trace):
                    return Try(module(**inputs), trace, None, paths)
            except forgiven as error:
                return _failed(error, trace, paths)

        async def arun() -> Try:
            try:
                with _apart(number, trace):
                    return Try(await module.acall(**inputs), trace, None, paths)
            except forgiven as error:
                return _failed(error, trace, paths)

        return Do(run, arun)

    def _sampled(self, number: int) -> Any:
        made = self._module.deepcopy()
        if number or settings.first_try_sampled:
            for _, predictor in made.named_predictors():
                predictor.config = {**predictor.config, "temperature": 1.0}
        stream = scopes.current().stream
        if stream is not None:
            originals = self._module.named_predictors()
            for (_, copy), (_, predictor) in zip(made.named_predictors(), originals, strict=True):
                stream.same(copy, predictor)
        return made


@contextmanager
def _apart(number: int, trace: list[Any]) -> Iterator[None]:
    """Run as sample `number`, with a trace of its own that nobody else collects."""
    token = scopes.enter(_scope(number, trace))
    try:
        with settings.context(trace=None):
            yield
    finally:
        scopes.leave(token)


def _scope(number: int, trace: list[Any]) -> scopes.Scope:
    outer = scopes.current()
    rollout = outer.rollout_id
    if number:
        rollout = number if rollout is None else f"{rollout}.{number}"
    return replace(outer, trace=trace, rollout_id=rollout)


def _failed(error: Exception, trace: list[Any], paths: Mapping[int, str]) -> Try:
    if isinstance(error, (BudgetExceededError, LMConfigurationError)):
        raise error  # the next try would end in the same way
    return Try(None, trace, error, paths)
