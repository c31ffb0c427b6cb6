"""Adapters by the names that saved programs use."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from telic.errors import AdapterError

_BUILT_IN = {
    "chat": "telic.adapters.chat:ChatAdapter",
    "json": "telic.adapters.json_adapter:JSONAdapter",
    "xml": "telic.adapters.xml_adapter:XMLAdapter",
    "baml": "telic.adapters.baml:BAMLAdapter",
    "completion": "telic.adapters.completion:CompletionAdapter",
    "two_step": "telic.adapters.two_step:TwoStepAdapter",
}


def adapter_by_name(name: str, **options: Any) -> Any:
    """The adapter of that name, with the options of its constructor.

    Raises:
        AdapterError: there is no such adapter, or it has no such option.
    """
    place = _BUILT_IN.get(name)
    if place is None:
        raise AdapterError(f"There is no adapter {name!r}. There are: {', '.join(_BUILT_IN)}.")
    module, _, attribute = place.partition(":")
    made = getattr(import_module(module), attribute)
    try:
        return made(**options)
    except TypeError as error:
        raise AdapterError(f"The adapter {name!r} does not take these options: {error}.") from error
