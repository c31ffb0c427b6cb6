"""A model whose answers are right as often as its prompt deserves: to prove the benchmark, not to measure by.

It knows the rows. Of 100 it gives the right answer to 20 by itself, to 40 more where it is shown four
demonstrations (10 for each), and to 35 more under the planted instruction; 5 it answers in no form at all.
Which ones these are depends on the row alone. Asked for an instruction, it gives the planted one, each time
in other words.

As a program (`python -m benchmarks.optimizers.scripted --knowledge FILE`) it serves as `benchmarks.served`
does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from telic._json import stable_hash
from telic.types import Choice, Request, Response, Usage

PROGRAM = "benchmarks.optimizers.scripted"
GOOD = "Weigh every word before you answer."
BASE, EACH_DEMO, DEMOS, INSTRUCTED, READABLE = 20, 10, 4, 35, 95
_MARKED = re.compile(r"`\[\[ ## (\w+) ## \]\]`")
_NAMED = re.compile(r"`(\w+)`")
_WRONG = {"intents": ("GetWeather", "RateBook"), "slots": ("{}",), "equations": ("0 + 0",)}


def skill(demos: int, *, instructed: bool) -> int:
    """How many rows of 100 are answered rightly."""
    return BASE + EACH_DEMO * min(demos, DEMOS) + INSTRUCTED * instructed


def planted(optimizer: str, texts: Sequence[str]) -> float:
    """The share of inputs that are answered rightly once an optimizer has found what is in its reach."""
    reached = {
        "random-search": skill(DEMOS, instructed=False),
        "miprov2": skill(DEMOS, instructed=True),
        "gepa": skill(0, instructed=True),
    }[optimizer]
    return sum(luck(text) < min(reached, READABLE) for text in texts) / len(texts)


def luck(text: str) -> int:
    """The place of an input among 100."""
    return int(stable_hash(text), 16) % 100


def knowledge(task: Any, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """What the model knows: the input's and output's names, wrong answers, and the right ones by input."""
    source, target = task.source[0], task.target[0]
    right = {
        row[source]: row[target] if isinstance(row[target], str) else json.dumps(row[target])
        for split in rows.values()
        for row in split
    }
    return {"source": source, "target": target, "wrong": _WRONG[task.name], "right": right}


class ScriptedEngine:
    """Answers by the request alone.

    Args:
        known: see `knowledge`.
    """

    endpoint = "scripted"

    def __init__(self, known: Mapping[str, Any]) -> None:
        self.known = known

    async def acomplete(self, request: Request) -> Response:
        """Answer one request."""
        choice = Choice(self.answer([dict(message) for message in request.messages or ()]))
        return Response((choice,), Usage(prompt_tokens=100, completion_tokens=10), "scripted")

    def answer(self, messages: Sequence[Mapping[str, Any]]) -> str:
        """The answer to a conversation."""
        last = messages[-1]["content"].rstrip()
        # The last line says which fields are wanted; where something is asked again, it is further up.
        said = next((text for text in (last.rpartition("\n")[2], last) if "`" in text), "")
        as_json = "JSON object" in said
        wanted = [name for name in (_NAMED if as_json else _MARKED).findall(said) if name != "completed"]
        if self.known["target"] in wanted:
            found = self._row(messages)
        else:
            new = f"{GOOD} (Version {stable_hash(messages)[:6]}.)"
            found = {name: new if "instruction" in name else "Short requests." for name in wanted}
        if not found:
            return "I would rather not say."
        return json.dumps(found) if as_json else _marked(found)

    def _row(self, messages: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        mark = f"[[ ## {self.known['source']} ## ]]\n"
        asked = [m["content"] for m in messages if m["role"] == "user" and mark in m["content"]]
        after = asked[-1].rpartition(mark)[2]
        text = next(known for known in self.known["right"] if after.startswith(f"{known}\n"))
        place = luck(text)
        if place >= READABLE:
            return {}
        demos = sum(message["role"] == "assistant" for message in messages)
        right = place < skill(demos, instructed=any(GOOD in message["content"] for message in messages))
        return {self.known["target"]: self.known["right"][text] if right else self._wrong(text)}

    def _wrong(self, text: str) -> str:
        right = self.known["right"][text]
        return next(str(wrong) for wrong in self.known["wrong"] if wrong != right)


def _marked(texts: Mapping[str, str]) -> str:
    parts = [f"[[ ## {name} ## ]]\n{text}" for name, text in texts.items()]
    return "\n\n".join([*parts, "[[ ## completed ## ]]"])


def main() -> None:
    """Serve."""
    from benchmarks.served import Front, serve

    parser = argparse.ArgumentParser(prog=f"python -m {PROGRAM}", description=__doc__)
    parser.add_argument("--knowledge", type=Path, required=True)
    known = json.loads(parser.parse_args().knowledge.read_text(encoding="utf-8"))
    asyncio.run(serve(Front("scripted", ScriptedEngine(known))))


if __name__ == "__main__":
    main()
