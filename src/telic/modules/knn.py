"""`KNN`: the examples of a trainset whose inputs are nearest to those at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from telic._lazy import require
from telic.errors import DataError


class KNN:
    """Finds training examples by the similarity of their inputs.

    Args:
        k: how many to find.
        trainset: examples with their inputs set.
        vectorizer: an `Embedder`, or any function from a list of texts to an array of shape `(n, d)`.

    Raises:
        DataError: the trainset is empty, or `k` is not positive.
    """

    def __init__(self, k: int, trainset: Sequence[Any], vectorizer: Callable[[list[str]], Any]) -> None:
        if k < 1 or not trainset:
            raise DataError(
                f"KNN needs at least one example and k of at least 1, not {len(trainset)} and {k}."
            )
        self.k = k
        self.trainset = list(trainset)
        self.embedding = vectorizer
        self.trainset_vectors = self._unit([_text(example.inputs()) for example in self.trainset])

    def __call__(self, **kwargs: Any) -> list[Any]:
        """The `k` examples nearest to these inputs, the nearest first."""
        numpy = _numpy()
        scores = self.trainset_vectors @ self._unit([_text(kwargs)])[0]
        nearest = numpy.argsort(-scores, kind="stable")[: self.k]
        return [self.trainset[int(index)] for index in nearest]

    def _unit(self, texts: list[str]) -> Any:
        numpy = _numpy()
        vectors = numpy.asarray(self.embedding(texts), dtype=numpy.float32)
        lengths = numpy.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / numpy.maximum(lengths, 1e-12)


def _text(inputs: Mapping[str, Any]) -> str:
    return " | ".join(f"{name}: {value}" for name, value in inputs.items())


def _numpy() -> Any:
    return require("numpy", extra="retrieval", purpose="the similarity of texts")
