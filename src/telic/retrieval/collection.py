"""The passages of an index, by id and by place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from telic.errors import DataError, InputError
from telic.retrieval.passage import Passage


class Collection:
    """Passages in the order they came in, each id once.

    Args:
        given: what to begin with.

    Raises:
        DataError: two passages have one id; says which.
    """

    def __init__(self, given: Iterable[Passage] = ()) -> None:
        self._passages: list[Passage] = []
        self._places: dict[str, int] = {}
        self.extend(given)

    def extend(self, given: Iterable[Passage]) -> list[Passage]:
        """Add passages, all of them or, where an id is there already, none; returns them.

        Raises:
            DataError: an id is there already; says which.
        """
        fresh = list(given)
        self.check(fresh)
        for passage in fresh:
            self._places[passage.id] = len(self._passages)
            self._passages.append(passage)
        return fresh

    def check(self, given: Iterable[Passage]) -> None:
        """Make sure that passages can be added.

        Raises:
            DataError: two have one id, or an id is there already; says which.
        """
        fresh: set[str] = set()
        for passage in given:
            if passage.id in self._places or passage.id in fresh:
                raise DataError(
                    f"Two passages have the id {passage.id!r}. Give each its own, or delete the one that is "
                    "there first."
                )
            fresh.add(passage.id)

    def without(self, ids: Iterable[str]) -> tuple[Collection, list[int]]:
        """A collection without some passages, and the places that these had, in rising order.

        Raises:
            InputError: there is no passage of an id, says which; or `ids` is one text.
        """
        if isinstance(ids, str):
            raise InputError(f"Passages are deleted by a list of ids, not by {ids!r}: write [{ids!r}].")
        wanted = set(ids)
        unknown = sorted(wanted - self._places.keys())
        if unknown:
            raise InputError(f"There is no passage with the id {unknown[0]!r} to delete.")
        gone = sorted(self._places[identity] for identity in wanted)
        return Collection(passage for passage in self._passages if passage.id not in wanted), gone

    @property
    def next_number(self) -> int:
        """The first number above all ids that are numbers: where passages without an id go on."""
        numbers = (int(identity) for identity in self._places if identity.isdecimal() and len(identity) < 19)
        return max(numbers, default=-1) + 1

    def by_id(self, identity: str) -> Passage:
        """The passage of an id.

        Raises:
            InputError: there is none.
        """
        return self._passages[self.place(identity)]

    def place(self, identity: str) -> int:
        """Where the passage of an id stands.

        Raises:
            InputError: there is none.
        """
        place = self._places.get(identity)
        if place is None:
            raise InputError(f"There is no passage with the id {identity!r}.")
        return place

    def best(
        self,
        scores: Any,
        k: int,
        admitted: Callable[[Mapping[str, Any]], bool] | None = None,
        above: float | None = None,
        exact: Callable[[Any], Any] | None = None,
    ) -> list[Passage]:
        """The `k` passages of the highest scores, best first, equal scores by id.

        Args:
            scores: a numpy array with one number for each passage, in the order of the places.
            k: at most how many.
            admitted: a test of the metadata.
            above: leave out what does not score more.
            exact: the scores of some places, where `scores` are near them (to a hundred-thousandth).
        """
        import numpy as np

        rows = np.arange(len(scores)) if above is None else np.flatnonzero(scores > above)
        reach = k
        slack = 0.0 if exact is None or not len(rows) else 1e-5 * (1.0 + float(np.abs(scores[rows]).max()))
        while True:
            # Everything that scores as the last one does is looked at, so that ids decide and not chance.
            near = rows if len(rows) <= reach else rows[scores[rows] >= _nth(scores[rows], reach) - slack]
            values = scores[near] if exact is None else exact(near)
            found = [self._passages[row].scored(v) for row, v in zip(near.tolist(), values, strict=True)]
            if admitted is not None:
                found = [passage for passage in found if admitted(passage.metadata)]
            if len(found) >= k or len(near) == len(rows):
                return sorted(found, key=lambda passage: (-passage.score, passage.id))[:k]
            reach *= 4

    def __len__(self) -> int:
        return len(self._passages)

    def __iter__(self) -> Iterator[Passage]:
        return iter(self._passages)

    def __contains__(self, identity: object) -> bool:
        return identity in self._places

    def __getitem__(self, place: int) -> Passage:
        return self._passages[place]

    @property
    def texts(self) -> Sequence[str]:
        """The texts, in order."""
        return [passage.text for passage in self._passages]


def _nth(scores: Any, n: int) -> Any:
    """The `n`-th highest of more than `n` scores."""
    import numpy as np

    return np.partition(scores, len(scores) - n)[len(scores) - n]
