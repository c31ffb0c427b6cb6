"""Hard negatives from the index itself: what the present encoder ranks high and should not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from telic._text import normalize_text
from telic.errors import InputError
from telic.retrieval.late_interaction.training.examples import TrainingExample
from telic.retrieval.passage import Passage
from telic.retrieval.retriever import Retriever
from telic.runtime.rng import rng

Excluded = Callable[[TrainingExample, Passage], bool]
"""Whether a passage that was found must not count as a negative of an example."""


def mine_negatives(
    retriever: Retriever,
    examples: Sequence[TrainingExample],
    *,
    count: int = 8,
    depth: int = 50,
    skip: int = 0,
    excluded: Excluded | None = None,
    seed: int = 0,
    batch_size: int = 256,
) -> list[TrainingExample]:
    """Give each example negatives that the retriever finds for its query.

    A passage whose text is that of a positive, but for case, punctuation and spaces, is never a negative;
    others that answer the query too, and are not known to, may be: `skip` and `excluded` keep them out.

    Args:
        retriever: any; the very index whose encoder is trained finds what that encoder gets wrong.
        examples: with their positives; negatives that they have are replaced.
        count: negatives of an example at most, drawn from those found.
        depth: how many passages are looked at for a query.
        skip: so many of the best ranked are passed over.
        excluded: keeps further passages out, e.g. those with the answer in them.
        seed: of the draw.
        batch_size: queries that are searched together.

    Raises:
        InputError: `count` is not positive, or `depth` not above `skip`.
    """
    if count < 1 or depth <= skip or skip < 0:
        raise InputError(f"count={count} must be positive, and depth={depth} above skip={skip}.")
    mined: list[TrainingExample] = []
    for begin in range(0, len(examples), batch_size):
        part = examples[begin : begin + batch_size]
        rankings = retriever.search([example.query for example in part], depth)
        for example, ranking in zip(part, rankings, strict=True):
            left = negatives_among(example, ranking[skip:], excluded)
            random = rng(seed, "negatives", len(mined))
            places = sorted(random.sample(range(len(left)), min(count, len(left))))
            mined.append(replace(example, negatives=tuple(left[i] for i in places), teacher=None))
    return mined


def negatives_among(
    example: TrainingExample, ranking: Sequence[Passage], excluded: Excluded | None = None
) -> list[str]:
    """Texts of a ranking that are no positive of the example, best first, each once."""
    right = {normalize_text(text) for text in example.positives}
    left: dict[str, str] = {}
    for passage in ranking:
        key = normalize_text(passage.text)
        if key not in right and not (excluded is not None and excluded(example, passage)):
            left.setdefault(key, passage.text)
    return list(left.values())
