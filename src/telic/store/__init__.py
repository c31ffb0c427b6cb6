"""The record of what was paid for: calls, runs and their journals, with cache and single flight before it."""

from telic._lazy import exports

_TABLE = {
    "Store": "telic.store.base",
    "SqliteStore": "telic.store.sqlite",
    "MemoryStore": "telic.store.memory",
    "CallRecord": "telic.store.cache",
    "SingleFlight": "telic.store.flight",
    "call_record": "telic.store.default",
    "configure_cache": "telic.store.default",
    "default_store": "telic.store.default",
}

__getattr__, __dir__ = exports(__name__, _TABLE)
__all__ = sorted(_TABLE)
