"""The task, the same for both libraries; nothing here needs either of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MODEL = "local/smollm2-135m"
LABELS = (
    *("AddToPlaylist", "BookRestaurant", "GetWeather", "PlayMusic", "RateBook"),
    *("SearchCreativeWork", "SearchScreeningEvent"),
)
INSTRUCTIONS = "Classify the request of a user of a voice assistant by its intent."
SIZES = {"train": 60, "dev": 50, "test": 100}
THREADS = 8
PHASES = ("zero-shot on test", "search", "compiled on test")


def right(example: Any, prediction: Any, trace: Any = None) -> bool:
    """The metric."""
    return bool(example.intent == prediction.intent)


def rows(seed: int) -> dict[str, list[dict[str, str]]]:
    """The rows of each split, drawn by a seed."""
    from telic.datasets import load

    return {
        split: [
            {"text": row.text, "intent": row.intent}
            for row in load("snips_intent_slots", split, limit=size, seed=seed)  # type: ignore[arg-type]
        ]
        for split, size in SIZES.items()
    }


def said(phase: Mapping[str, Any]) -> str:
    """A phase in a line, for the screen."""
    unread = f", {phase['unread']} unreadable" if phase.get("unread") else ""
    score = "" if phase["score"] is None else f"{phase['score']:.0f} %{unread}, "
    return f"{phase['phase']}: {score}{phase['calls']:.0f} calls, {phase['seconds']:.0f} s"
