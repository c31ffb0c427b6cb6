"""Which engine serves a model, by the part of its name before the slash."""

from __future__ import annotations

from typing import Any

from telic.lm.engine import Engine


def engine_for(
    model: str, *, num_retries: int = 3, engine_options: dict[str, Any] | None = None, **connection: Any
) -> Engine:
    """Make (or share) the engine of `model`.

    Args:
        model: `provider/name`.
        num_retries: tries after a passing failure.
        engine_options: options of the embedded engine.
        **connection: `api_base`, `api_key`, `headers`, `timeout`, …, for engines over HTTP.
    """
    provider, _, name = model.partition("/")
    if provider == "local":
        from telic.lm.embedded.engine import EmbeddedEngine

        return EmbeddedEngine.shared(name, **(engine_options or {}))
    from telic.lm.http.providers import http_engine_for

    if "base_url" in connection:
        connection.setdefault("api_base", connection.pop("base_url"))
    engine = http_engine_for(model, num_retries=num_retries, **connection)
    if engine is not None:
        return engine
    from telic.lm.bridge.engine import BridgeEngine

    connection.pop("dialect", None)  # of OpenAI-compatible servers only
    return BridgeEngine(model, num_retries=num_retries, **connection)
