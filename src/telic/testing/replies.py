"""What the local server answers: replies as tests write them, bodies as OpenAI sends them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

Reply: TypeAlias = str | Mapping[str, Any]
"""The text of an answer; a message (`{"content": …, "tool_calls": …}`); or a whole body (with `choices`)."""

Replies: TypeAlias = Reply | Sequence[Reply] | Mapping[str, Reply] | Callable[[dict[str, Any]], Reply]
"""How to answer: always the same; one after the other (the last again and again); by a word in the last
message (`{"capital": "Paris", "": "I do not know."}`, the first that occurs); or a function of the body."""

_MESSAGE = frozenset({"content", "tool_calls", "reasoning_content", "refusal", "role", "choices"})


class Script:
    """Turns `Replies` into one reply a request, in order of arrival; for any number of threads."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self._number = 0
        self._lock = threading.Lock()

    def reply_to(self, body: dict[str, Any]) -> Reply:
        """The reply to one request.

        Raises:
            LookupError: none was written for it.
        """
        replies = self._replies
        if callable(replies):
            return replies(body)
        if isinstance(replies, str):
            return replies
        if isinstance(replies, Mapping):
            return replies if _MESSAGE & replies.keys() else _by_word(replies, last_text(body))
        if not replies:
            raise LookupError("the list of replies is empty")
        with self._lock:
            number, self._number = self._number, self._number + 1
        return replies[min(number, len(replies) - 1)]


def last_text(body: Mapping[str, Any]) -> str:
    """The text that asks: of the last message, or the prompt."""
    if "messages" not in body:
        return str(body.get("prompt", ""))
    content = body["messages"][-1].get("content") or ""
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content)


def _by_word(replies: Mapping[str, Reply], text: str) -> Reply:
    for word, reply in replies.items():
        if word in text:
            return reply
    raise LookupError(f"no reply fits {text[-200:]!r}")


def body_for(
    reply: Reply, asked: Mapping[str, Any], *, chat: bool, most: int | None, usage: bool
) -> dict[str, Any]:
    """The body of an answer.

    Args:
        reply: what is answered.
        asked: the body of the request.
        chat: a chat completion, else a text completion.
        most: most choices the server gives, whatever `n` asks for.
        usage: tell token counts (words, for want of a tokenizer).
    """
    if not isinstance(reply, str) and "choices" in reply:
        return dict(reply)
    wanted = int(asked.get("n") or 1)
    choices = [_choice(number, reply, chat) for number in range(min(wanted, most or wanted))]
    body: dict[str, Any] = {
        "id": "local",
        "object": "chat.completion" if chat else "text_completion",
        "created": 0,
        "model": asked.get("model", "local"),
        "choices": choices,
    }
    if usage:
        body["usage"] = _usage(asked, reply, len(choices))
    return body


def _choice(number: int, reply: Reply, chat: bool) -> dict[str, Any]:
    message: dict[str, Any] = {"content": reply} if isinstance(reply, str) else dict(reply)
    reason = message.pop("finish_reason", "tool_calls" if message.get("tool_calls") else "stop")
    logprobs = message.pop("logprobs", None)
    choice: dict[str, Any] = {"index": number, "finish_reason": reason, "logprobs": logprobs}
    if chat:
        choice["message"] = {"role": "assistant", "content": None, **message}
    else:
        choice["text"] = message.get("content") or ""
    return choice


def _usage(asked: Mapping[str, Any], reply: Reply, choices: int) -> dict[str, int]:
    texts = [str(m.get("content") or "") for m in asked.get("messages", ())] or [str(asked.get("prompt", ""))]
    read = sum(len(text.split()) for text in texts)
    text = reply if isinstance(reply, str) else str(reply.get("content") or "")
    written = len(text.split()) * choices
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
