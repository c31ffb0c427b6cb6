"""What both sides answer with in process: one OpenAI-shaped response, and the examples asked about."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

ANSWER = "[[ ## answer ## ]]\nParis\n\n[[ ## completed ## ]]"
SIGNATURE = "question -> answer"


def response() -> Any:
    """A chat completion as a user's own LM class returns it."""
    message = SimpleNamespace(content=ANSWER, tool_calls=None)
    choice = SimpleNamespace(message=message, finish_reason="stop")
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    return SimpleNamespace(choices=[choice], usage=usage, model="stub")


def questions(n: int) -> list[str]:
    """`n` different questions."""
    return [f"What is the capital of country number {i}?" for i in range(n)]


def demos(n: int) -> list[dict[str, str]]:
    """`n` worked questions."""
    return [{"question": q, "answer": "Paris"} for q in questions(n)]


def resident_mb() -> float:
    """Resident memory of this process, in MB (10^6 bytes)."""
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[1])
    import resource

    return pages * resource.getpagesize() / 1e6
