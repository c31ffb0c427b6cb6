"""`BM25`: passages by the words they share with a query."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from telic._lazy import require
from telic.errors import InputError
from telic.retrieval.filters import Filter, admits
from telic.retrieval.lexical.weights import Weights
from telic.retrieval.lexical.words import Words
from telic.retrieval.passage import Corpus, Passage, passages
from telic.retrieval.saved import SavedRetriever

Tokenizer = Callable[[str], Sequence[str]]


class BM25(SavedRetriever):
    """Scores passages by the words they share with a query (Robertson and Zaragoza 2009, in Lucene's form).

    A passage that shares no word with the query is not found. The weight of a word depends on the whole
    collection: after `add` or `delete` the next search makes all weights anew, from words already cut; so add
    many passages at once. Safe to search from several threads.

    Args:
        corpus: texts, mappings with `text` (and `id`, `metadata`), or passages.
        k: how many passages a search gives where it is not told.
        k1: how much it counts that a word comes again; 0 counts it once.
        b: how much long passages are held back, 0 to 1.
        language: whose common words and endings are taken off (see `Words`); `None` takes words of any
            language as they are.
        tokenizer: cuts a text into words instead; it must be given to `open` again.

    Raises:
        DataError: two passages have one id; says which.
        InputError: a parameter is out of range, or there are no lists for the language.
        MissingExtraError: the extra `retrieval` is not installed.
    """

    kind: ClassVar[str] = "bm25"

    def __init__(
        self,
        corpus: Corpus = (),
        *,
        k: int = 3,
        k1: float = 1.5,
        b: float = 0.75,
        language: str | None = "english",
        tokenizer: Tokenizer | None = None,
    ) -> None:
        if k1 < 0 or not 0 <= b <= 1:
            raise InputError(f"BM25: k1={k1!r} must not be negative, and b={b!r} must be from 0 to 1.")
        super().__init__(k)
        self.k1 = k1
        self.b = b
        self.language = None if tokenizer is not None else language
        self._own = tokenizer is not None
        self._cut: Tokenizer = tokenizer if tokenizer is not None else Words(language)
        self._weights = Weights(k1, b)
        self.add(corpus)

    def add(self, corpus: Corpus) -> list[str]:
        """Add passages, all or none; returns their ids. Those without an id are numbered on.

        Raises:
            DataError: an id is there already; says which.
        """
        with self._lock:
            fresh = self._collection.extend(passages(corpus, self._collection.next_number))
            if fresh:
                self._weights.extend([self._cut(passage.text) for passage in fresh])
        return [passage.id for passage in fresh]

    def delete(self, ids: Iterable[str]) -> int:
        """Take passages out, all or none; returns how many.

        Raises:
            InputError: there is no passage of an id; says which.
        """
        with self._lock:
            gone = self._without(ids)
            if gone:
                self._weights.remove(gone)
        return len(gone)

    def word_scores(self, query: str, ids: Sequence[str]) -> Any:
        """What each word of a query adds to the scores of given passages: float32 `(len(ids), words)`.

        Words that come again in the query count once; words that are in no passage are left out.

        Raises:
            InputError: there is no passage of an id; says which.
        """
        numpy = require("numpy", extra="retrieval", purpose="finding passages by their words")
        with self._lock:
            index, places = self._weights.built(), [self._collection.place(identity) for identity in ids]
            words = self._weights.known(list(dict.fromkeys(self._cut(query))))
        columns = [index.get_scores_from_ids([word])[places] for word in words]
        return numpy.stack(columns, axis=1) if columns else numpy.zeros((len(ids), 0), numpy.float32)

    def stats(self) -> dict[str, Any]:
        """What it holds, and its settings."""
        return {
            "kind": self.kind,
            "passages": len(self),
            "words": self._weights.count,
            "different words": len(self._weights.vocabulary),
            "language": self.language,
            "k1": self.k1,
            "b": self.b,
        }

    @classmethod
    def open(cls, path: str | Path, *, tokenizer: Tokenizer | None = None) -> Self:
        """The index that was saved in the folder `path`.

        Raises:
            DataError: there is none, or it is damaged; says which file.
            InputError: it was made with a tokenizer of one's own, which is not given.
        """
        found = cls._kept(path)
        settings = dict(found.settings)
        vocabulary = settings.pop("vocabulary")
        if settings.pop("own_tokenizer") != (tokenizer is not None):
            raise InputError(
                f"BM25.open({str(path)!r}): the tokenizer it was made with must be given, and no other."
            )
        made = cls(**settings, tokenizer=tokenizer)
        made._take(found, path)
        made._weights.take(vocabulary, found.arrays)
        return made

    def _state(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        settings = {
            "k": self.k,
            "k1": self.k1,
            "b": self.b,
            "language": self.language,
            "own_tokenizer": self._own,
            "vocabulary": self._weights.vocabulary,
        }
        return settings, self._weights.arrays()

    def _search(self, queries: Sequence[str], k: int, wanted: Filter | None) -> list[list[Passage]]:
        admitted = None if wanted is None else admits(wanted)
        cut = [self._cut(query) for query in queries]
        with self._lock:
            index, collection = self._weights.built(), self._collection
            asked = [self._weights.known(words) for words in cut]
        return [
            collection.best(index.get_scores_from_ids(words), k, admitted, above=0.0) if words else []
            for words in asked
        ]
