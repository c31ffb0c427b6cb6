"""Which passages a text names: their titles stand in it, as links do in an encyclopedia."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from telic.retrieval.passage import Corpus, Passage, passages
from telic.systems.baleen.facts import TITLE_MARK, title_of

_WORD = re.compile(r"\w+")
_KIND = re.compile(r"\s*\([^()]*\)$")

_Name = tuple[str, ...]


class Titles:
    """Knows passages by their titles, and which passage names which.

    A title is named where its words stand in the text in the same letter case, without what is in brackets at
    its end ("Musa (film)" is named by "Musa"); of names within names the longest counts. A title of one word
    in lower case is not looked for.

    Args:
        corpus: passages with a title: in their metadata, or before ` | ` in their text. Others are not named.
    """

    def __init__(self, corpus: Corpus) -> None:
        read = list(passages(corpus))
        self._by_name: dict[_Name, list[str]] = defaultdict(list)
        for passage in read:
            name = _name(title_of(passage))
            if name:
                self._by_name[name].append(passage.id)
        self._longest = max(map(len, self._by_name), default=0)
        self._named = {passage.id: self._in_passage(passage) for passage in read}
        self._naming: dict[str, list[str]] = defaultdict(list)
        for identity, named in self._named.items():
            for other in named:
                self._naming[other].append(identity)

    def __deepcopy__(self, memo: object) -> Titles:
        return self  # a collection is shared by the copies of a program

    def in_text(self, text: str) -> list[str]:
        """Ids of the passages that a text names, in its order."""
        found = (identity for name in self._names(text) for identity in self._by_name[name])
        return list(dict.fromkeys(found))

    def named_by(self, identity: str) -> list[str]:
        """Ids of the passages that a passage names, itself left out."""
        return self._named.get(identity, [])

    def naming(self, identity: str) -> list[str]:
        """Ids of the passages that name a passage."""
        return self._naming.get(identity, [])

    def linked(self, identity: str) -> list[str]:
        """Ids of the passages that a passage names, and of those that name it."""
        return list(dict.fromkeys([*self.named_by(identity), *self.naming(identity)]))

    def _in_passage(self, passage: Passage) -> list[str]:
        head, mark, rest = passage.text.partition(TITLE_MARK)
        named = self.in_text(rest if mark else head)
        return [identity for identity in named if identity != passage.id]

    def _names(self, text: str) -> Iterator[_Name]:
        words = _WORD.findall(text)
        start = 0
        while start < len(words):
            for length in range(min(self._longest, len(words) - start), 0, -1):
                name = tuple(words[start : start + length])
                if name in self._by_name:
                    yield name
                    start += length
                    break
            else:
                start += 1


def _name(title: str) -> _Name:
    words = tuple(_WORD.findall(_KIND.sub("", title)))
    return () if len(words) == 1 and words[0].islower() else words
