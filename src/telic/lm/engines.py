"""Which engine serves a model, by the part of its name before the slash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from telic.errors import LMConfigurationError
from telic.lm.engine import Engine


def engine_for(
    model: str,
    *,
    num_retries: int = 3,
    engine_options: dict[str, Any] | None = None,
    adapter: str | Path | None = None,
    **connection: Any,
) -> Engine:
    """Make (or share) the engine of `model`.

    Args:
        model: `provider/name`.
        num_retries: tries after a passing failure.
        engine_options: options of the embedded engine.
        adapter: a LoRA for the embedded engine.
        **connection: `api_base`, `api_key`, `headers`, `timeout`, …, for engines over HTTP.

    Raises:
        LMConfigurationError: an adapter for a model that does not run in this process.
    """
    provider, _, name = model.partition("/")
    if provider == "local":
        from telic.lm.embedded.engine import EmbeddedEngine

        return EmbeddedEngine.shared(name, adapter=adapter, **(engine_options or {}))
    if adapter is not None:
        raise LMConfigurationError(
            f"{model}: adapter= is for models that run in this process (local/…). A server is told of its "
            "adapters when it starts, and gives each a model name of its own: use that name.",
            model=model,
        )
    from telic.lm.http.providers import http_engine_for

    if "base_url" in connection:
        connection.setdefault("api_base", connection.pop("base_url"))
    engine = http_engine_for(model, num_retries=num_retries, **connection)
    if engine is not None:
        return engine
    from telic.lm.bridge.engine import BridgeEngine

    connection.pop("dialect", None)  # of OpenAI-compatible servers only
    return BridgeEngine(model, num_retries=num_retries, **connection)
