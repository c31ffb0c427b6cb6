"""Which adapter a predictor speaks through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telic.runtime.settings import settings

if TYPE_CHECKING:
    from telic.adapters.base import Adapter

_shared: dict[str, Any] = {}


def adapter_for(own: Any, lm: Any) -> Adapter:
    """The predictor's own adapter, else the settings', else the one measured to suit the LM, else chat."""
    chosen = own or settings.adapter
    if chosen is None:
        chosen = lm.preferred_adapter or ("chat" if lm.capabilities.chat else "completion")
    if isinstance(chosen, str):
        return named_adapter(chosen)
    adapter: Adapter = chosen
    return adapter


def named_adapter(name: str) -> Adapter:
    """The shared instance of an adapter with default options."""
    found: Adapter | None = _shared.get(name)
    if found is None:
        from telic.adapters import adapter_by_name

        found = _shared[name] = adapter_by_name(name)
    return found
