"""What tokens cost, by the kept price tables of genai-prices, from its own copy on this machine.

An unknown price is `None`, never 0. Models that run in this process cost 0.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

from telic.types import Usage

_LOCAL = "local/"
_CONDITIONAL = ()


def cost(model: str, usage: Usage) -> float | None:
    """US dollars of these tokens at the list price of `model` (`provider/name`); `None` where unknown."""
    if model.startswith(_LOCAL):
        return 0.0
    rates = _rates(model)
    if rates is None:
        return None
    if rates == _CONDITIONAL:
        found = _calculate(model, usage)
        return None if found is None else float(found.total_price)
    read, again, written = rates
    cached = min(usage.cached_tokens or 0, usage.prompt_tokens)
    return (usage.prompt_tokens - cached) * read + cached * again + usage.completion_tokens * written


def price_known(model: str) -> bool:
    """Whether `cost` can tell for this model."""
    return model.startswith(_LOCAL) or _rates(model) is not None


@lru_cache(maxsize=1024)
def _rates(model: str) -> tuple[float, ...] | None:
    """Dollars per token read, read from the provider's cache, and written; `None` where unknown.

    The library takes 50 µs for a price with all its conditions, which most models do not have; for those
    that do it is `_CONDITIONAL`.
    """
    found = _calculate(model, Usage(1, 1))
    if found is None:
        return None
    prices = {name: value for name, value in vars(found.model_price).items() if value is not None}
    read, written = prices.get("input_mtok"), prices.get("output_mtok")
    again = prices.get("cache_read_mtok", read)
    if found.model_price is not found.model.prices or "requests_kcount" in prices:
        return _CONDITIONAL
    if not (isinstance(read, Decimal) and isinstance(again, Decimal) and isinstance(written, Decimal)):
        return _CONDITIONAL
    return float(read) / 1e6, float(again) / 1e6, float(written) / 1e6


def _calculate(model: str, usage: Usage) -> Any:
    """The library's full answer, or `None` where it does not know provider, model or price."""
    from genai_prices import Usage as Amount, calc_price

    provider, _, name = model.partition("/")
    if not name:
        return None
    amount = Amount(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cache_read_tokens=min(usage.cached_tokens or 0, usage.prompt_tokens) or None,
    )
    try:
        found = calc_price(amount, name, provider_id=provider)
    except LookupError:
        return None
    return found if any(value is not None for value in vars(found.model_price).values()) else None
