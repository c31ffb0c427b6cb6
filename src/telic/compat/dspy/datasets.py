"""`Dataset`: examples in three splits, drawn by seed; the base of DSPy's data sets."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from telic.compat.dspy.dotdicts import dotdict
from telic.data.example import Example


class Dataset:
    """Derive from it and set `self._train`, `self._dev` and `self._test` to lists of mappings.

    Args:
        train_seed: draws the train split.
        train_size: examples in it; all by default.
        eval_seed: draws the other splits.
        dev_size: examples in the dev split.
        test_size: examples in the test split.
        input_keys: fields that are inputs.
    """

    def __init__(
        self,
        train_seed: int = 0,
        train_size: int | None = None,
        eval_seed: int = 0,
        dev_size: int | None = None,
        test_size: int | None = None,
        input_keys: list[str] | None = None,
    ) -> None:
        self.train_size = train_size
        self.train_seed = train_seed
        self.dev_size = dev_size
        self.dev_seed = eval_seed
        self.test_size = test_size
        self.test_seed = eval_seed
        self.input_keys = input_keys or []
        self.do_shuffle = True
        self.name = type(self).__name__
        self._drawn: dict[str, list[Example]] = {}

    def reset_seeds(
        self,
        train_seed: int | None = None,
        train_size: int | None = None,
        eval_seed: int | None = None,
        dev_size: int | None = None,
        test_size: int | None = None,
    ) -> None:
        """Draw anew; what is not given stays."""
        self.train_size = self.train_size if train_size is None else train_size
        self.train_seed = self.train_seed if train_seed is None else train_seed
        self.dev_size = self.dev_size if dev_size is None else dev_size
        self.dev_seed = self.dev_seed if eval_seed is None else eval_seed
        self.test_size = self.test_size if test_size is None else test_size
        self.test_seed = self.test_seed if eval_seed is None else eval_seed
        self._drawn.clear()

    @property
    def train(self) -> list[Example]:
        """To compile on."""
        return self._split("train", self.train_size, self.train_seed)

    @property
    def dev(self) -> list[Example]:
        """To choose with."""
        return self._split("dev", self.dev_size, self.dev_seed)

    @property
    def test(self) -> list[Example]:
        """To report on."""
        return self._split("test", self.test_size, self.test_seed)

    def _split(self, split: str, size: int | None, seed: int) -> list[Example]:
        if split not in self._drawn:
            rows: Sequence[Mapping[str, Any]] = getattr(self, f"_{split}")
            self._drawn[split] = self._shuffle_and_sample(split, rows, size, seed)
        return self._drawn[split]

    def _shuffle_and_sample(
        self, split: str, data: Iterable[Mapping[str, Any]], size: int | None, seed: int = 0
    ) -> list[Example]:
        rows = list(data)
        if self.do_shuffle:
            random.Random(seed).shuffle(rows)
        made = []
        for row in rows[:size]:
            example = Example(**dict(row.items()), dspy_uuid=str(uuid.uuid4()), dspy_split=split)
            made.append(example.with_inputs(*self.input_keys) if self.input_keys else example)
        return made

    @classmethod
    def prepare_by_seed(
        cls,
        train_seeds: list[int] | None = None,
        train_size: int = 16,
        dev_size: int = 1000,
        divide_eval_per_seed: bool = True,
        eval_seed: int = 2023,
        **kwargs: Any,
    ) -> Any:
        """Several train splits of one size, each with a dev split of its own.

        Args:
            train_seeds: a split for each.
            train_size: examples in each.
            dev_size: examples of all dev splits together.
            divide_eval_per_seed: divide the dev split among the seeds; without, each has all of it.
            eval_seed: draws the dev split.
            **kwargs: of the class.

        Returns:
            Something with `train_sets` and `eval_sets`.
        """
        seeds = train_seeds or [1, 2, 3, 4, 5]
        data = cls(train_size=train_size, eval_seed=eval_seed, dev_size=dev_size, test_size=0, **kwargs)
        share = dev_size // len(seeds)
        train_sets, eval_sets = [], []
        for place, seed in enumerate(seeds):
            data.reset_seeds(train_seed=seed)
            train_sets.append(data.train)
            whole = data.dev
            eval_sets.append(whole[place * share : (place + 1) * share] if divide_eval_per_seed else whole)
        return dotdict(train_sets=train_sets, eval_sets=eval_sets)
