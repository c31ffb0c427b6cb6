"""Choices made by the tree-structured Parzen estimator of Optuna (Bergstra et al., 2011; Akiba et al., 2019,
arXiv:1907.10902).
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from telic._lazy import require

_STARTUP = 10
"""Random trials before the estimator chooses: Optuna's own default."""


class TPESearch:
    """Proposes combinations, and is told how good they are.

    It is seeded and asked step by step, so the same answers lead to the same proposals in every process: a
    run that goes on tells it again what it was told.

    Args:
        options: name of a choice to the number of its options.
        seed: of the sampler.
        startup: random proposals before the estimator chooses.

    Raises:
        MissingExtraError: Optuna is not installed.
    """

    def __init__(self, options: Mapping[str, int], *, seed: int, startup: int = _STARTUP) -> None:
        optuna = require("optuna", extra="optuna", purpose="search with a Parzen estimator")
        categorical = optuna.distributions.CategoricalDistribution
        # What leaves no choice is no variable: the estimator would only be slowed by it.
        self._space = {name: categorical(range(n)) for name, n in options.items() if n > 1}
        self._fixed = {name: 0 for name, n in options.items() if n <= 1}
        self._complete = optuna.trial.create_trial
        self._study: Any = None
        with _quiet(optuna):
            sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, n_startup_trials=startup)
            self._study = optuna.create_study(direction="maximize", sampler=sampler)

    @property
    def size(self) -> int:
        """How many combinations there are."""
        total = 1
        for distribution in self._space.values():
            total *= len(distribution.choices)
        return total

    def ask(self) -> tuple[Any, dict[str, int]]:
        """A trial to be told about, and its option for each choice."""
        trial = self._study.ask(fixed_distributions=self._space)
        return trial, {**self._fixed, **trial.params}

    def tell(self, trial: Any, value: float) -> None:
        """The score of what was asked."""
        self._study.tell(trial, value)

    def learn(self, options: Mapping[str, int], value: float) -> None:
        """A score of a combination that was not asked for here."""
        known = {name: options[name] for name in self._space}
        self._study.add_trial(self._complete(params=known, distributions=self._space, value=value))


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Without Optuna's greeting, and its warning that multivariate sampling is experimental."""
    logger = logging.getLogger("optuna")
    disabled, logger.disabled = logger.disabled, True
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        logger.disabled = disabled
        logger.setLevel(level)
