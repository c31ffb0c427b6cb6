"""Fields on labelled lines, as the completion adapter's answers have them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from telic.adapters.kinds import squeeze
from telic.streaming.fields.base import Emitter, Piece

_ORNAMENT = re.compile(r"[*_#>-]*[ \t]?[*_]*")


@dataclass(frozen=True, slots=True)
class Labelled:
    """One output field.

    Attributes:
        name: of the field.
        labels: how the label may be spelt.
        form: one line; text, whose further lines are indented by two spaces; or data, as it is.
    """

    name: str
    labels: Sequence[str]
    form: Literal["line", "text", "data"] = "text"


class LabelReader:
    """A field goes from its label to the next one; the first may have no label, as the prompt ended with it.

    Args:
        fields: the outputs in order.
        stops: labels of inputs: at one of them, the model went on to another example.
        chatty: the answer may begin with a line of talk that ends in a colon, which is no value.
    """

    def __init__(
        self, fields: Sequence[Labelled], stops: Sequence[str] = (), *, chatty: bool = False
    ) -> None:
        self._fields = fields
        spellings = {squeeze(label): one.name for one in fields for label in one.labels}
        self._names: Mapping[str, str | None] = {**dict.fromkeys(map(squeeze, stops)), **spellings}
        labels = [*stops, *(label for one in fields for label in one.labels)]
        self._begun = [" ".join(label.casefold().split()) for label in labels]
        words = "|".join(
            re.escape(label).replace(r"\ ", r"[ \t]+") for label in sorted(set(labels), key=len, reverse=True)
        )
        self._label = re.compile(rf"{_ORNAMENT.pattern}({words})[*_]*[ \t]*:[*_]*", re.IGNORECASE)
        self._forms = {one.name: one.form for one in fields}
        self._rest = ""
        self._over = self._final = False
        self._at_line_start = True
        self._talk = chatty
        self._indented: bool | None = None
        self._lines = 0
        self._emitter = Emitter()
        self._open(fields[0].name if fields else None)

    def feed(self, text: str) -> list[Piece]:
        """See `FieldReader.feed`."""
        self._take(text.replace("\r\n", "\n"))
        return self._emitter.take()

    def end(self) -> list[Piece]:
        """See `FieldReader.end`."""
        self._final = True
        self._take("")
        if not self._over:
            self._emitter.push(self._rest)
            self._finish()
        return self._emitter.take()

    def _take(self, text: str) -> None:
        if not self._over:
            self._rest += text
        while self._rest and not self._over and self._step():
            pass

    def _step(self) -> bool:
        """Take a part of the rest; whether to go on."""
        if self._at_line_start:
            return self._begin_line()
        end = self._rest.find("\n")
        if end < 0 and self._talk and not self._final:
            return False
        line = self._rest if end < 0 else self._rest[:end]
        self._rest = self._rest[len(line) :]
        if self._talk and line.rstrip().endswith(":"):
            line = ""
        self._talk = False
        self._emitter.push(line)
        self._lines += bool(line.strip())
        if end >= 0:
            self._rest = self._rest[1:]
            self._at_line_start = True
            if self._lines and self._forms.get(self._emitter.field or "") == "line":
                self._emitter.close()
            self._emitter.push("\n")
        return True

    def _begin_line(self) -> bool:
        label = self._label.match(self._rest)
        if label is not None:
            if label.end() == len(self._rest) and not self._final:
                return False  # there may be more to it: `**Label:**`
            self._cross(label)
            return True
        if "\n" not in self._rest and self._may_be_label() and not self._final:
            return False
        if self._lines and self._forms.get(self._emitter.field or "") == "text":
            if self._rest == " " and not self._final:
                return False
            blank = not self._rest.partition("\n")[0].strip()
            if self._indented is None and not blank:
                self._indented = self._rest.startswith("  ")
            if self._indented or blank:
                self._rest = self._rest.removeprefix("  ")
        self._at_line_start = False
        return True

    def _cross(self, label: re.Match[str]) -> None:
        name = self._names[squeeze(label[1])]
        self._rest = self._rest[label.end() :]
        self._at_line_start = self._talk = False
        if name is None:
            self._finish()
        elif name != self._emitter.field or self._lines:
            self._open(name)

    def _may_be_label(self) -> bool:
        ornament = _ORNAMENT.match(self._rest)
        text = self._rest[ornament.end() if ornament else 0 :].casefold()
        words = " ".join(text.rstrip("*_ \t").split())
        return any(label.startswith(words) for label in self._begun)

    def _open(self, name: str | None) -> None:
        self._emitter.open(name)
        self._indented = None
        self._lines = 0

    def _finish(self) -> None:
        self._emitter.close()
        self._over = True
        self._rest = ""
