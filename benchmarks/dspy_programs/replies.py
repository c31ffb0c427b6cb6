"""What the scripted server answers to each program, request by request."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def chat(**fields: Any) -> str:
    """An answer in the chat adapter's form."""
    parts = [f"[[ ## {name} ## ]]\n{value}" for name, value in fields.items()]
    return "\n\n".join([*parts, "[[ ## completed ## ]]"])


def _move(thought: str, tool: str, **arguments: Any) -> str:
    return chat(next_thought=thought, next_tool_name=tool, next_tool_args=json.dumps(arguments))


def _called(**calls: dict[str, Any]) -> dict[str, Any]:
    """A message with native tool calls."""
    made = [
        {"id": f"c{n}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for n, (name, arguments) in enumerate(calls.items())
    ]
    return {"content": None, "tool_calls": made}


_INVOICE = {
    "number": "A7",
    "day": "2026-05-03",
    "currency": "GBP",
    "lines": [{"what": "lamp", "amount": 2, "price": 12.5}],
    "note": None,
}
_EXTRACTED = {"invoice": _INVOICE, "people": ["Mairi"], "totals": {"GBP": 25.0}}
_AS_TEXT = {name: json.dumps(value) for name, value in _EXTRACTED.items()}
_WRITTEN = {"tool_calls": [{"name": "weather", "args": {"city": "Oban"}}]}
_CODE = "SUBMIT({'answer': sum(i * i for i in range(11))})"
_ADVICE = chat(discussion="It was too long.", advice=json.dumps({"self": "one word", "predict": "one word"}))

REPLIES: dict[str, list[str | dict[str, Any]]] = {
    "rag": [
        chat(reasoning="The name says so.", response="The Ness."),
        chat(reasoning="It is in the passage.", response="In 1822."),
    ],
    "multi_hop": [
        chat(reasoning="Start with the bridge.", query="Forth Bridge engineer"),
        chat(new_notes='["The bridge opened in 1890."]', titles='["Forth Bridge"]'),
        chat(reasoning="Now who built it.", query="engineer of the bridge"),
        chat(new_notes='["Baker worked on both."]', titles='["Benjamin Baker", "Forth Bridge"]'),
        chat(reasoning="Baker did.", supported="True", confidence="0.9"),
    ],
    "react": [
        _move("Look it up.", "lookup_height", mountain="Ben Nevs"),
        _move("A slip of the pen.", "lookup_height", mountain="Ben Nevis"),
        _move("Now feet.", "convert", amount=1345.0, unit="feet"),
        _move("That is it.", "finish"),
        chat(reasoning="Looked up and converted.", answer="4412.7"),
        _move("Look it up.", "lookup_height", mountain="Snowdon"),
        _move("That is it.", "finish"),
        chat(reasoning="Looked up.", answer="1085"),
    ],
    "native_tools": [
        _called(weather={"city": "Oban", "days": 2}, time_in={"city": "Oban"}),
        _called(time_in={"city": "Oban"}),
        chat(outputs=json.dumps(_WRITTEN)),
    ],
    "classification": [
        chat(topic="opening hours", urgent="True"),
        chat(topic="loan", urgent="False"),
        chat(topic="return", urgent="False"),
        chat(topic="loan", urgent="False"),
        chat(topic="return", urgent="True"),
        chat(topic="opening hours", urgent="True"),
        chat(topic="loan", urgent="False"),
        chat(topic="loan", urgent="False"),
    ],
    "extraction": [
        chat(**_AS_TEXT),
        json.dumps(_EXTRACTED),
        "<invoice>\n<number>A7</number><day>2026-05-03</day><currency>GBP</currency>"
        "<lines><what>lamp</what><amount>2</amount><price>12.5</price></lines>\n</invoice>\n"
        "<people>Mairi</people>\n<totals>\n<GBP>25.0</GBP>\n</totals>",
    ],
    "program_of_thought": [
        chat(reasoning="Sum them.", generated_code="```python\nprint(total)\n```"),
        chat(reasoning="Name it.", generated_code=f"```python\n{_CODE}\n```"),
        chat(reasoning="The code says so.", answer="385"),
    ],
    "refine": [
        chat(reasoning="Well known.", answer="It is Edinburgh"),
        _ADVICE,
        chat(reasoning="Well known.", answer="It is Edinburgh, of course"),
        _ADVICE,
        chat(reasoning="Well known.", answer="Edinburgh"),
        chat(reasoning="Well known.", answer="It is Cardiff"),
        chat(reasoning="Well known.", answer="Cardiff"),
    ],
    "chat": [chat(answer="At ten."), chat(answer="At noon."), chat(answer="Safe journey.")],
    "streaming_chat": [
        chat(mood="curious"),
        chat(reasoning="They ask of the sea.", answer="Calm, with a light wind from the west."),
    ],
    "custom_adapter": [
        "gaelic: Tapadh leat\nliteral: thanks with-you",
        chat(gaelic="Tapadh leibh", literal="thanks with-you, politely"),
    ],
}  # fmt: skip
"""Program to answers, one a choice. What a program says is made of them, so both must read them alike."""


def answering(name: str) -> Callable[[dict[str, Any]], str | dict[str, Any]]:
    """A server's script for a program. Several choices of one request are as many answers, so that who asks
    once for three hears what who asks three times hears.
    """
    left = iter(REPLIES[name])

    def reply(body: dict[str, Any]) -> str | dict[str, Any]:
        answers = [next(left) for _ in range(body.get("n") or 1)]
        return answers[0] if len(answers) == 1 else _several(answers, body["model"])

    return reply


def _several(answers: list[str | dict[str, Any]], model: str) -> dict[str, Any]:
    messages = [answer if isinstance(answer, dict) else {"content": answer} for answer in answers]
    choices = [
        {"index": n, "finish_reason": "stop", "message": {"role": "assistant", **message}}
        for n, message in enumerate(messages)
    ]
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {"id": "local", "object": "chat.completion", "model": model, "choices": choices, "usage": usage}
