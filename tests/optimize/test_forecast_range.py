"""Over all optimizers, and models from hopeless to perfect: what is spent lies within the forecast."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

import telic
from telic._json import stable_hash
from telic.lm.base import BaseLM
from telic.optimize import Auto
from telic.store.memory import MemoryStore
from tests.optimize.planted import LABELS, Colour, exact, rows
from tests.scripted import chat, completion

_NAMES = re.compile(r"\[\[ ## (\w+) ## \]\]")


class SkilledLM(BaseLM):
    """Right on so many percent of words, under some instructions more often; writes prose for the rest."""

    recorded = True

    def __init__(self, skill: int) -> None:
        super().__init__("skilled/model")
        self.skill = skill
        self.calls = 0

    def forward(self, prompt: str | None = None, messages: Any = None, **kwargs: Any) -> Any:
        self.calls += 1
        last = messages[-1]["content"]
        wanted = [name for name in _NAMES.findall(last.rpartition("Now write")[2]) if name != "completed"]
        return completion(chat(**{name: self.field(name, messages) for name in wanted}))

    async def aforward(self, prompt: str | None = None, messages: Any = None, **kwargs: Any) -> Any:
        return self.forward(prompt, messages, **kwargs)

    def field(self, name: str, messages: Any) -> str:
        text = messages[-1]["content"]
        if name != "colour":
            return f"Advice {stable_hash([name, text])[:6]} about colours."
        word = re.findall(r"(\w+)-\d+", text)[-1:]
        chance = int(stable_hash([messages[0]["content"], len(messages), text])[:4], 16) % 100
        return (
            word[0]
            if word and chance < self.skill
            else LABELS[(LABELS.index(word[0]) + 1) % 4]
            if word
            else "red"
        )


class Feedback:
    """A metric for GEPA, with feedback."""

    def __call__(
        self, gold: Any, pred: Any, trace: Any = None, pred_name: Any = None, pred_trace: Any = None
    ) -> Any:
        return telic.Prediction(score=float(gold.colour == pred.colour), feedback=f"It is {gold.colour}.")


Made = Callable[[int, Any], tuple[Any, dict[str, Any]]]
VAL = {"valset": rows(30, 100)}
MADE: dict[str, Made] = {
    "BootstrapFewShot": lambda seed, lm: (telic.BootstrapFewShot(metric=exact, seed=seed), {}),
    "random search": lambda seed, lm: (
        telic.BootstrapRS(metric=exact, num_candidate_programs=5, seed=seed),
        VAL,
    ),
    "MIPROv2": lambda seed, lm: (telic.MIPROv2(metric=exact, auto="light", seed=seed), VAL),
    "GEPA": lambda seed, lm: (
        telic.GEPA(metric=Feedback(), max_metric_calls=150, reflection_lm=lm, seed=seed),
        VAL,
    ),
    "SIMBA": lambda seed, lm: (
        telic.SIMBA(metric=exact, bsize=8, max_steps=2, num_candidates=3),
        {"seed": seed},
    ),
}
MADE |= {
    "BetterTogether": lambda seed, lm: (
        telic.BetterTogether(
            metric=exact,
            p=telic.BootstrapFewShot(metric=exact, seed=seed),
            q=telic.SIMBA(metric=exact, bsize=6, max_steps=1, num_candidates=2),
        ),
        {**VAL, "strategy": "p -> q"},
    ),
    "COPRO": lambda seed, lm: (telic.COPRO(metric=exact, breadth=4, depth=2), {"eval_kwargs": {}}),
    "InferRules": lambda seed, lm: (telic.InferRules(metric=exact, num_candidates=4, seed=seed), VAL),
    "Optuna": lambda seed, lm: (
        telic.BootstrapFewShotWithOptuna(metric=exact, num_candidate_programs=5, seed=seed),
        {**VAL, "max_demos": 3},
    ),
    "Auto": lambda seed, lm: (Auto(metric=exact, budget=200, seed=seed), VAL),
}
SKILLS = (0, 10, 50, 80, 100)


@pytest.mark.parametrize("name", MADE)
def test_what_is_spent_lies_within_the_forecast(name: str) -> None:
    outside = []
    for skill in SKILLS:
        for seed in (0, 1):
            lm = SkilledLM(skill)
            with telic.context(lm=lm, store=MemoryStore()):
                optimizer, more = MADE[name](seed, lm)
                forecast = optimizer.forecast(telic.Predict(Colour), trainset=rows(30), **more)
                assert lm.calls == 0
                optimizer, more = MADE[name](seed, lm)
                optimizer.compile(telic.Predict(Colour), trainset=rows(30), **more)
            if not forecast.calls.low <= lm.calls <= forecast.calls.worst:
                outside.append((skill, seed, lm.calls, forecast.calls))
    assert not outside, outside
