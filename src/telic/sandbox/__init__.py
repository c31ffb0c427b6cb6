"""Interpreters for code that an LM wrote.

    PythonInterpreter   the default: a Python of its own that has no files, network, environment or processes
    LocalInterpreter    the opt-in for all of CPython: a process of its own, with limits

Others plug in through the `CodeInterpreter` protocol.
"""

from telic._lazy import exports

_TABLE = {
    "CodeInterpreter": "telic.sandbox.interpreter",
    "FinalOutput": "telic.sandbox.interpreter",
    "LocalInterpreter": "telic.sandbox.local_interpreter",
    "PythonInterpreter": "telic.sandbox.python_interpreter",
    "REPLEntry": "telic.sandbox.repl",
    "REPLHistory": "telic.sandbox.repl",
    "REPLVariable": "telic.sandbox.repl",
    "SandboxSerializable": "telic.sandbox.serializable",
    "resolve_interpreter_factory": "telic.sandbox.factory",
}

__getattr__, __dir__ = exports(__name__, _TABLE)
__all__ = sorted(_TABLE)
