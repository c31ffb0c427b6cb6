"""Several tries, the best of which is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from telic.program.module import Module
from telic.program.stepped import SteppedModule
from telic.program.tries import Tries, Try
from telic.runtime.steps import Steps


class BestOfN(SteppedModule):
    """Run a module up to `N` times, as other samples at temperature 1, and return the best prediction.

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

    def steps(self, **kwargs: Any) -> Steps[Any]:
        """Try until a prediction is good enough.

        Raises:
            TelicError: more than `fail_count` tries raised, or all of them.
        """
        tries = Tries(self.module)
        best: Any = None
        best_reward = float("-inf")
        failures: list[Exception] = []
        for number in range(self.N):
            attempt: Try = yield tries.attempt(number, kwargs)
            if attempt.error is not None:
                failures.append(attempt.error)
                if len(failures) > self.fail_count:
                    raise attempt.error
                continue
            reward = float(self.reward_fn(kwargs, attempt.prediction))
            if reward > best_reward:
                best, best_reward = attempt, reward
            if reward >= self.threshold:
                break
        if best is None:
            raise failures[-1]
        best.keep_trace()
        return best.prediction
