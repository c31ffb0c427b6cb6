"""What a program printed, in bounded memory: the beginning and the end."""

from __future__ import annotations

FLOOD = 20
"""A program that prints more than so many times what is kept is stopped."""

_PROBLEM = 5_000
_OUTPUT = 2_000
"""Characters shown of an error, and of the output before it."""


class OutputFloodError(Exception):
    """A program prints without end."""


class Printed:
    """Text that is added bit by bit.

    Args:
        limit: characters to keep; half from the beginning, half from the end.
    """

    def __init__(self, limit: int) -> None:
        self._half = max(limit // 2, 1)
        self._head: list[str] = []
        self._tail: list[str] = []
        self._head_size = 0
        self._tail_size = 0
        self.total = 0
        self.flooded = False
        """Whether it was far more than is kept."""

    def add(self, text: str) -> None:
        """Take note of more text.

        Raises:
            OutputFloodError: it is far more than is kept.
        """
        self.total += len(text)
        if self.total > 2 * FLOOD * self._half:
            self.flooded = True
            raise OutputFloodError
        room = self._half - self._head_size
        if room > 0:
            self._head.append(text[:room])
            self._head_size += min(len(text), room)
            text = text[room:]
        if text:
            self._tail.append(text)
            self._tail_size += len(text)
            if self._tail_size > 4 * self._half:
                self._tail = [self._end()]
                self._tail_size = len(self._tail[0])

    def text(self) -> str:
        """What was printed, less what is left out of the middle."""
        left_out = self.total - 2 * self._half
        middle = f"\n… ({left_out:,} characters left out) …\n" if left_out > 0 else ""
        return "".join(self._head) + middle + self._end()

    def _end(self) -> str:
        return "".join(self._tail)[-self._half :]


def shortened(text: str, limit: int) -> str:
    """`text`, or its beginning and end where it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    half = max(limit // 2, 1)
    return f"{text[:half]}\n… ({len(text) - 2 * half:,} characters left out) …\n{text[-half:]}"


def explained(problem: str, printed: Printed) -> str:
    """What a model is told of code that failed: the problem, and what was printed before it."""
    problem = shortened(problem, _PROBLEM)
    output = printed.text().strip()
    return f"{problem}\nPrinted before that:\n{shortened(output, _OUTPUT)}" if output else problem
