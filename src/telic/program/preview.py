"""What would be sent, seen before a call is made."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from typing import Any

from telic.lm.call import PreviewEnd
from telic.lm.transcript import content_text
from telic.runtime import scope as scopes
from telic.types import Request


@dataclass(frozen=True)
class PreviewedCall:
    """One request that would be sent.

    Attributes:
        request: the request itself.
        tokens: prompt tokens.
        exact: whether `tokens` was counted by the model's tokenizer, or is an estimate at 4 characters a
            token.
    """

    request: Request
    tokens: int
    exact: bool

    @property
    def text(self) -> str:
        """What the model would read, message by message."""
        if self.request.prompt is not None:
            return self.request.prompt
        parts = [f"[{m.get('role')}]\n{content_text(m.get('content'))}" for m in self.request.messages or ()]
        return "\n\n".join(parts)


@dataclass(frozen=True)
class Preview:
    """The requests a program would make, in order, as far as the record knows the answers in between.

    Attributes:
        calls: the requests.
        complete: whether the program would run to its end on recorded answers alone.
    """

    calls: tuple[PreviewedCall, ...]
    complete: bool

    @property
    def tokens(self) -> int:
        """Prompt tokens of all requests shown."""
        return sum(call.tokens for call in self.calls)

    def __str__(self) -> str:
        out = StringIO()
        for number, call in enumerate(self.calls, 1):
            about = "" if call.exact else "about "
            out.write(
                f"── call {number}: {call.request.model}, {about}{call.tokens} prompt tokens "
                f"──\n{call.text}\n\n"
            )
        if not self.complete:
            out.write("(what follows depends on the answer)\n")
        return out.getvalue()

    __repr__ = __str__


def preview(program: Any, inputs: dict[str, Any]) -> Preview:
    """Run `program` on `inputs` without sending anything, collecting the requests it would make."""
    would: list[tuple[Request, Any]] = []
    complete = True
    with scopes.within(preview=would):
        try:
            program(**inputs)
        except PreviewEnd:
            complete = False
    return Preview(tuple(_counted(request, lm) for request, lm in would), complete)


def _counted(request: Request, lm: Any) -> PreviewedCall:
    exact = lm.count_tokens(request)
    if exact is not None:
        return PreviewedCall(request, exact, True)
    text = PreviewedCall(request, 0, False).text
    return PreviewedCall(request, max(1, len(text) // 4), False)
