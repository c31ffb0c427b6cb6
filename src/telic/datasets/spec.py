"""What is known of a data set: its fields, its licence, and where it lives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Shape = Callable[[Mapping[str, Any]], dict[str, Any] | None]
"""Brings a row of the original into our fields; `None` leaves the row out."""


@dataclass(frozen=True, slots=True)
class Hub:
    """A data set on the Hugging Face hub, read from its Parquet form.

    Attributes:
        repo: `owner/name`.
        splits: our split to theirs. A `dev` that is not named is cut out of theirs for `train`; where `test`
            is not named either, both are.
        shape: brings their rows into our fields.
        config: their name of the subset.
    """

    repo: str
    splits: Mapping[str, str]
    shape: Shape
    config: str = "default"

    @property
    def where(self) -> str:
        """For people."""
        return f"https://huggingface.co/datasets/{self.repo}"


@dataclass(frozen=True, slots=True)
class Web:
    """A data set in files on the web, pinned to a version.

    Attributes:
        splits: our split to the addresses of its files; what is not named is cut out of `train`, as in `Hub`.
        read: text of a file to rows of the original.
        shape: brings their rows into our fields.
        errors: what to do with bytes that are not UTF-8: `"strict"`, or `"replace"` where some are known.
    """

    splits: Mapping[str, tuple[str, ...]]
    read: Callable[[str], list[Mapping[str, Any]]]
    shape: Shape
    errors: str = "strict"

    @property
    def where(self) -> str:
        """For people."""
        return next(iter(self.splits.values()))[0]


@dataclass(frozen=True, slots=True)
class Spec:
    """A data set by name.

    Attributes:
        name: as in `load(name)`.
        about: what it is, in a sentence.
        inputs: fields that are inputs of a program.
        answer: the field that a program should find.
        licence: of the data.
        source: where it comes from.
        home: where it is fetched from if no data folder has it; `None` if it must be there.
        corpus: file of its passages in the data folder.
        passage: field of an example that names its passages in the corpus.
        key: field of a passage that `passage` refers to.
        context: passages are put into every example as an input named `context`.
    """

    name: str
    about: str
    inputs: tuple[str, ...]
    answer: str
    licence: str
    source: str
    home: Hub | Web | None = None
    corpus: str | None = None
    passage: str | None = None
    key: str = "title"
    context: bool = False
