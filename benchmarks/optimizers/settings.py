"""What is equal for both sides: the optimizers with their parameters, and how the model is asked."""

from __future__ import annotations

from typing import Any

MODEL = "local/smollm2-135m"
THREADS = 8
REFLECTION_TOKENS = 200
"""Most tokens where a model proposes or reflects, with temperature 1."""

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "random-search": {
        "class": "BootstrapFewShotWithRandomSearch",
        "parameters": {"max_bootstrapped_demos": 4, "max_labeled_demos": 8},
        "proposes": None,
    },
    "miprov2": {
        "class": "MIPROv2",
        "parameters": {"auto": "light", "max_bootstrapped_demos": 4, "max_labeled_demos": 4},
        "proposes": "prompt_model",
    },
    "gepa": {
        "class": "GEPA",
        "parameters": {"max_metric_calls": 240, "reflection_minibatch_size": 3},
        "proposes": "reflection_lm",
        # It spends what it is given. So the question is whether telic gets as far with less than half of it.
        "telic": {"max_metric_calls": 100},
    },
}
"""What is not named is at its default, which is the same in both libraries, but for telic's racing.

`proposes` is the parameter that takes the model which writes instructions; `telic` has parameters of that
side.
"""
NEVER = 10_000
"""Errors after which to stop, on both sides: DSPy counts unreadable answers among them."""


def parameters(optimizer: str, side: str) -> dict[str, Any]:
    """The parameters of an optimizer on a side."""
    made = OPTIMIZERS[optimizer]
    return {**made["parameters"], **made.get(side, {})}
