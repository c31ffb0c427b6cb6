"""Test doubles (scripted LMs, a scripted local server), contracts of what users write themselves, and a way
back to a fresh process.
"""

from telic._lazy import exports

_TABLE = {
    "DummyLM": "telic.testing.dummy",
    "DummyVectorizer": "telic.testing.dummy",
    "Faults": "telic.testing.faults",
    "Finetuning": "telic.testing.finetuning",
    "HashEncoder": "telic.testing.encoder",
    "LocalServer": "telic.testing.server",
    "ScriptedBackend": "telic.testing.scripted_backend",
    "ScriptedModel": "telic.testing.scripted_backend",
    "allow_model_calls": "telic.testing.forbid",
    "check_backend": "telic.testing.backends",
    "check_deterministic": "telic.testing.strategies",
    "check_retriever": "telic.testing.retrievers",
    "check_resume": "telic.testing.strategies",
    "forbid_model_calls": "telic.testing.forbid",
    "dummy_rm": "telic.testing.dummy",
    "reset": "telic.testing.reset",
}

__getattr__, __dir__ = exports(__name__, _TABLE)
__all__ = sorted(_TABLE)
