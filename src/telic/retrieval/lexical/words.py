"""Texts to the words that are compared: folded, without the commonest ones, reduced to their stems."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Any

from telic._lazy import require
from telic.errors import InputError

_LANGUAGES: tuple[str, ...] = (
    *("english", "danish", "dutch", "french", "german", "italian", "norwegian"),
    *("portuguese", "russian", "spanish", "swedish", "turkish"),
)
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3005\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Scripts that put no spaces between words."""
_RUNS = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_FIRST = re.compile(f"[{_UNSPACED}]")
_DIACRITICS = re.compile("[\u0300-\u036f]")
_POSSESSIVE = re.compile("(?<=\\w)['\u2019]s\\b")


class Words:
    """Cuts texts into words. Equal settings give equal words in every process.

    Letters are folded (case, accents, compatibility forms). A word is a run of letters, digits and the marks
    that belong to them; scripts without spaces (Chinese, Japanese, Thai, …) give overlapping pairs.

    Args:
        language: whose commonest words are left out and whose endings are taken off (Snowball stemmers);
            `None` keeps every word as it is, for texts of other or of several languages.

    Raises:
        InputError: there are no lists for this language; says for which there are.
        MissingExtraError: stems need the extra `retrieval`.
    """

    def __init__(self, language: str | None = "english") -> None:
        if language is not None and language not in _LANGUAGES:
            raise InputError(
                f"language={language!r}: there are word lists for {', '.join(_LANGUAGES)}; None takes words "
                "of any language as they are."
            )
        self.language = language
        self._common = _common(language) if language else frozenset()
        self._stem = _stemmer(language) if language else None
        self._stems: dict[str, str] = {}

    def __call__(self, text: str) -> list[str]:
        """The words of a text, in order."""
        found: list[str] = []
        for word in _pattern().findall(_POSSESSIVE.sub("", fold(text))):
            if word.isascii():
                found.extend(self._kept(word))
                continue
            for run in _RUNS.findall(word):
                found.extend(_pairs(run) if _FIRST.match(run) else self._kept(run))
        return found

    def _kept(self, word: str) -> list[str]:
        return [] if word in self._common else [self._stemmed(word)]

    def _stemmed(self, word: str) -> str:
        if self._stem is None:
            return word
        stem = self._stems.get(word)
        if stem is None:
            stem = self._stems[word] = self._stem(word)
        return stem


def fold(text: str) -> str:
    """Letters that mean the same made the same: case, accents, compatibility forms."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", _DIACRITICS.sub("", apart))


@cache
def _pattern() -> re.Pattern[str]:
    """Letters, digits, and the marks that belong to them, which Python's `\\w` leaves out."""
    marks = [code for code in range(0x300, 0x10000) if unicodedata.category(chr(code))[0] == "M"]
    ranges: list[list[int]] = []
    for code in marks:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    body = "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)
    return re.compile(f"[^\\W_](?:[^\\W_]|[{body}])*")


def _pairs(run: str) -> list[str]:
    return [run] if len(run) == 1 else [run[at : at + 2] for at in range(len(run) - 1)]


@cache
def _common(language: str) -> frozenset[str]:
    lists = require("bm25s.stopwords", extra="retrieval", purpose="finding passages by their words")
    name = "EN" if language == "english" else language.upper()
    words = getattr(lists, f"STOPWORDS_{name}")
    # They are written with apostrophes and accents, which words here do not have.
    return frozenset(part for word in words for part in _pattern().findall(fold(word)))


def _stemmer(language: str) -> Callable[[str], str]:
    stemmers = require("snowballstemmer", extra="retrieval", purpose="the stems of words")
    stem: Callable[[str], str] = stemmers.stemmer(language).stemWord
    return _one_at_a_time(stem)


def _one_at_a_time(stem: Callable[[str], Any]) -> Callable[[str], str]:
    """A stemmer keeps the word it works on in itself, so that two threads would mix theirs up."""
    from threading import Lock

    lock = Lock()

    def locked(word: str) -> str:
        with lock:
            return str(stem(word))

    return locked
