"""Training data: examples of a prompt and the answer wanted to it, and the sets that they make.

One shape serves every format: a prompt of messages and a completion. What a file or a server wants of it
(a chat, two texts, a pair of answers) is made at the edge, by `to_row`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from telic._json import canonical, dumps, stable_hash, write_atomic
from telic.errors import DataError

Format: TypeAlias = Literal["chat", "completion", "seq2seq", "preference", "reinforce"]
"""How a set is trained on: chat turns; a text and how it goes on; a source and its target text; a prompt
with a preferred and a rejected answer; sampled answers with the advantage of each.
"""

FORMATS: tuple[str, ...] = get_args(Format)

Turn: TypeAlias = Mapping[str, Any]
"""`{"role": …, "content": …}`."""


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """A prompt, and the answer to learn. Only the answer's tokens are learnt from, never the prompt's.

    Attributes:
        prompt: the messages before the answer; a plain text is one message of the user.
        completion: the answer's text.
        rejected: an answer that is worse, in sets of preferences.
        advantage: how much better than its group a sampled answer was (mean 0, spread 1), in sets to
            reinforce.
        from_text: the prompt is plain text that the model continues, not a turn of a chat.
    """

    prompt: tuple[Turn, ...]
    completion: str
    rejected: str | None = None
    advantage: float | None = None
    from_text: bool = False

    @classmethod
    def of_text(cls, prompt: str, completion: str) -> TrainingExample:
        """An example of two texts."""
        return cls(({"role": "user", "content": prompt},), completion, from_text=True)

    @property
    def prompt_text(self) -> str:
        """The messages' texts, one below the other: what a model without turns reads."""
        return "\n\n".join(str(turn["content"]) for turn in self.prompt)

    def to_row(self, format: Format) -> dict[str, Any]:
        """The example as one line of a file."""
        turns = [dict(turn) for turn in self.prompt]
        if format == "completion":
            return {"prompt": self.prompt_text, "completion": self.completion}
        if format == "seq2seq":
            return {"source": self.prompt_text, "target": self.completion}
        if format == "preference":
            return {
                "input": {"messages": turns},
                "preferred_output": [_answer(self.completion)],
                "non_preferred_output": [_answer(self.rejected or "")],
            }
        row: dict[str, Any] = {"messages": [*turns, _answer(self.completion)]}
        return row if format == "chat" else {**row, "advantage": self.advantage}

    @classmethod
    def from_row(cls, row: Mapping[str, Any], format: Format) -> TrainingExample:
        """The inverse of `to_row`.

        Raises:
            DataError: the row is not of the format.
        """
        try:
            if format == "completion":
                return cls.of_text(row["prompt"], row["completion"])
            if format == "seq2seq":
                return cls.of_text(row["source"], row["target"])
            if format == "preference":
                preferred, rejected = row["preferred_output"], row["non_preferred_output"]
                return cls(tuple(row["input"]["messages"]), preferred[0]["content"], rejected[0]["content"])
            *turns, answer = row["messages"]
            return cls(tuple(turns), answer["content"], advantage=row.get("advantage"))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise DataError(
                f"This is no row of the format '{format}' ({type(error).__name__}: {error}): "
                f"{dumps(row)[:200]}"
            ) from error


@dataclass(frozen=True)
class TrainingSet:
    """Rows of one format.

    Attributes:
        format: how they are trained on.
        rows: the examples, in order.
        about: where they come from, for the provenance of what is trained: program, metric, counts.
    """

    format: Format
    rows: tuple[TrainingExample, ...]
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise DataError(f"There is no training format '{self.format}'; there are {', '.join(FORMATS)}.")
        object.__setattr__(self, "rows", tuple(self.rows))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[TrainingExample]:
        return iter(self.rows)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of format and rows, in order; where they come from does not count."""
        return stable_hash([self.format, [row.to_row(self.format) for row in self.rows]])

    def to_jsonl(self) -> str:
        """One JSON object a line, as `write` writes it and servers take it."""
        return "".join(f"{dumps(row.to_row(self.format))}\n" for row in self.rows)

    def write(self, path: str | Path) -> Path:
        """Write the rows as JSONL, to be read before anything is spent on them. Returns the path."""
        write_atomic(path, self.to_jsonl())
        return Path(path)

    @classmethod
    def read(cls, path: str | Path, format: Format | None = None) -> TrainingSet:
        """Read what `write` wrote, or any JSONL of a format; the format is told by the first row.

        Raises:
            DataError: a line is no JSON, or not of the format; names the line.
        """
        rows = []
        for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                format = format or format_of(row)
                rows.append(TrainingExample.from_row(row, format))
            except (json.JSONDecodeError, DataError) as error:
                raise DataError(f"{path}, line {number}: {error}") from error
        if format is None:
            raise DataError(f"{path} is empty: there is nothing to train on.")
        return cls(format, tuple(rows), {"file": Path(path).name})

    def without_repeats(self) -> TrainingSet:
        """The set with equal rows only once, in the order of their first."""
        kept: dict[str, TrainingExample] = {}
        for row in self.rows:
            kept.setdefault(canonical(row.to_row(self.format)), row)
        return TrainingSet(self.format, tuple(kept.values()), self.about)


def format_of(row: Any) -> Format:
    """What a row of a file is.

    Raises:
        DataError: it is of no format.
    """
    marks: Sequence[tuple[str, Format]] = (
        ("preferred_output", "preference"),
        ("advantage", "reinforce"),
        ("messages", "chat"),
        ("target", "seq2seq"),
        ("completion", "completion"),
    )
    for mark, format in marks:
        if isinstance(row, Mapping) and mark in row:
            return format
    raise DataError(f"This row is of no training format ({', '.join(FORMATS)}): {dumps(row)[:200]}")


def _answer(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}
