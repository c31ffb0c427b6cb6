"""From `provider/name` to the engine that serves it over HTTP, if one does."""

from __future__ import annotations

import os
from typing import Any

from telic.errors import LMConfigurationError
from telic.lm.http.dialect import DIALECTS, Dialect
from telic.lm.http.engine import HttpEngine
from telic.lm.http.table import PROVIDERS, Provider


def http_engine_for(
    model: str, *, api_base: str | None = None, dialect: str | Dialect | None = None, **options: Any
) -> HttpEngine | None:
    """Make the engine of `provider/name`, if the provider speaks OpenAI's protocol.

    Args:
        model: `provider/name`; the rest after the first slash goes to the server as it is.
        api_base: base URL; by default the provider's own, or what its environment variable says.
        dialect: what the server understands, by name (see `DIALECTS`), where it is not the provider's usual.
        **options: of `HttpEngine`: `api_key`, `num_retries`, `timeout`, `headers`, …

    Returns:
        The engine, or `None` where the provider has a protocol of its own.

    Raises:
        LMConfigurationError: the provider needs a base URL and there is none, or it is not a URL.
    """
    prefix, _, name = model.partition("/")
    provider = PROVIDERS.get(prefix)
    if provider is None:
        return None
    return HttpEngine(
        name, base_of(provider, api_base), provider=provider, dialect=dialect_of(dialect), **options
    )


def base_of(provider: Provider, api_base: str | None) -> str:
    """The base URL to use: the given one, the environment's, or the provider's usual one."""
    base = api_base or next(
        (os.environ[name] for name in provider.base_env if os.environ.get(name)), provider.base
    )
    if base is None:
        names = " or ".join(provider.base_env)
        raise LMConfigurationError(
            f"{provider.name} has no base URL of its own: pass api_base=… or set {names}."
        )
    return base


def dialect_of(dialect: str | Dialect | None) -> Dialect | None:
    """A dialect by name."""
    if not isinstance(dialect, str):
        return dialect
    if dialect not in DIALECTS:
        raise LMConfigurationError(f"There is no dialect {dialect!r}; known: {', '.join(sorted(DIALECTS))}.")
    return DIALECTS[dialect]
