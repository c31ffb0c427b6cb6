"""Prices come from the kept table on this machine; unknown is not 0."""

from __future__ import annotations

from typing import Any

import pytest

from telic.budget import prices
from telic.budget.prices import cost, price_known
from telic.types import Usage


def test_a_known_price() -> None:
    assert cost("openai/gpt-4o-mini", Usage(1_000_000, 0)) == pytest.approx(0.15)
    assert cost("openai/gpt-4o-mini", Usage(0, 1_000_000)) == pytest.approx(0.60)
    assert cost("openai/gpt-4o-mini", Usage(0, 0)) == 0
    assert price_known("openai/gpt-4o-mini")


def test_tokens_read_from_the_providers_cache_are_cheaper() -> None:
    assert cost("openai/gpt-4o-mini", Usage(1_000_000, 0, 1_000_000)) == pytest.approx(0.075)


@pytest.mark.parametrize("model", ["openai/no-such-model", "nowhere/gpt-4o", "gpt-4o", "", "/", "openai/"])
def test_an_unknown_price_is_none(model: str) -> None:
    assert cost(model, Usage(10, 10)) is None
    assert not price_known(model)


def test_what_runs_here_costs_nothing() -> None:
    assert cost("local/smollm2-135m", Usage(10_000, 10_000)) == 0.0
    assert price_known("local/anything.gguf")


MODELS = [
    "openai/gpt-3.5-turbo",
    "openai/gpt-4o",
    "openai/gpt-4.1",
    "openai/o3",
    "anthropic/claude-3-5-sonnet-latest",
    "anthropic/claude-sonnet-4-5",
    "gemini/gemini-2.5-pro",
    "gemini/gemini-2.0-flash",
    "deepseek/deepseek-chat",
    "mistral/mistral-small-latest",
    "groq/llama-3.1-8b-instant",
]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("usage", [Usage(1, 1), Usage(1234, 56, 1000), Usage(300_000, 9_000), Usage(7, 0, 7)])
def test_the_quick_way_says_what_the_library_says(model: str, usage: Usage) -> None:
    full: Any = prices._calculate(model, usage)
    assert full is not None
    assert cost(model, usage) == pytest.approx(float(full.total_price), rel=1e-9)
    assert cost(model, usage) > 0  # type: ignore[operator]
