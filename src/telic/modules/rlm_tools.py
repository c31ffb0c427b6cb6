"""The functions that an `RLM`'s code can call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from telic.errors import InputError
from telic.program.pipeline import resolve_lm
from telic.runtime.executor import bounded_map
from telic.runtime.settings import settings

RESERVED = frozenset({"SUBMIT", "print", "llm_query", "llm_query_batched"})
"""Names that neither an input nor a tool may have."""
RESULTS = frozenset({"trajectory", "final_reasoning"})
"""Names that no output may have."""


def require_free_names(signature: Any, tools: Mapping[str, Any]) -> None:
    """Refuse names that mean something else in the code or in the prediction.

    Raises:
        InputError: naming those that collide.
    """
    inputs, outputs = signature.input_fields, signature.output_fields
    for kind, taken in (
        ("Inputs", [name for name in inputs if name in RESERVED]),
        ("Tools", [name for name in tools if name in RESERVED]),
    ):
        if taken:
            raise InputError(f"{kind} may not be called {', '.join(taken)}: RLM has functions of that name.")
    if taken := [name for name in outputs if name in RESULTS]:
        raise InputError(f"Outputs may not be called {', '.join(taken)}: RLM's prediction has that already.")
    if taken := [name for name in tools if name in inputs]:
        raise InputError(f"An input and a tool are both called {', '.join(taken)}.")


def sub_calls(lm: Any, limit: int) -> dict[str, Callable[..., Any]]:
    """`llm_query` and `llm_query_batched`, which share one limit on their calls.

    Args:
        lm: who is asked; `None` for the one in the settings.
        limit: most calls.
    """
    lock = threading.Lock()
    made = 0

    def take(count: int) -> None:
        nonlocal made
        with lock:
            if made + count > limit:
                raise RuntimeError(
                    f"There are {limit - made} of {limit} LLM calls left, and {count} were asked for. "
                    "Use Python for the rest, or SUBMIT what is known."
                )
            made += count

    def ask(prompt: str) -> str:
        answer = resolve_lm(lm)(prompt)[0]
        return str(answer["text"] if isinstance(answer, Mapping) else answer)

    def llm_query(prompt: str) -> str:
        """Ask a language model one thing."""
        _require_prompt(prompt)
        take(1)
        return ask(prompt)

    def llm_query_batched(prompts: list[str]) -> list[str]:
        """Ask a language model many things at once; the answers are in order."""
        for prompt in prompts:
            _require_prompt(prompt)
        take(len(prompts))
        outcome = bounded_map(ask, prompts, num_threads=settings.num_threads, stop=1)
        if outcome.failures:
            raise outcome.failures[0].error
        return list(map(str, outcome.results))

    return {"llm_query": llm_query, "llm_query_batched": llm_query_batched}


def _require_prompt(prompt: Any) -> None:
    if not isinstance(prompt, str) or not prompt.strip():
        raise ValueError(f"a prompt must be a text that says something, not {prompt!r:.80}")
