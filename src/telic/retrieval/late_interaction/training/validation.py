"""How well an encoder ranks: mean reciprocal rank of the first positive among all passages of a set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from telic.retrieval.late_interaction.training.examples import TrainingExample

if TYPE_CHECKING:
    from telic.retrieval.late_interaction.training.student import Student

_PASSAGES_AT_ONCE = 256


def pool_of(examples: Sequence[TrainingExample], further: Sequence[str] = ()) -> list[str]:
    """The passages that are ranked: every positive and negative of the examples, and further ones."""
    known = (text for example in examples for text in (*example.positives, *example.negatives))
    return list(dict.fromkeys([*known, *further]))


def reciprocal_ranks(
    student: Student, examples: Sequence[TrainingExample], pool: Sequence[str], depth: int
) -> list[float]:
    """For each example one over the rank of its best positive in the pool; 0 beyond `depth`.

    A passage that is as good as the positive counts as better: an encoder that finds all alike has learnt
    nothing.
    """
    scores = _scores(student, [example.query for example in examples], pool)
    places = {text: place for place, text in enumerate(pool)}
    found = []
    for row, example in zip(scores, examples, strict=True):
        right = [places[text] for text in example.positives]
        best = row[right].max()
        rank = 1 + int((row >= best).sum()) - int((row[right] >= best).sum())
        found.append(1.0 / rank if rank <= depth else 0.0)
    return found


def _scores(student: Student, queries: Sequence[str], pool: Sequence[str]) -> Any:
    """MaxSim of each query with each passage, `(queries, pool)`."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    from telic.retrieval.late_interaction.training.losses import maxsim_scores

    asked = student.encode_queries(queries)
    parts = []
    for begin in range(0, len(pool), _PASSAGES_AT_ONCE):
        rows = student.encode_passages(pool[begin : begin + _PASSAGES_AT_ONCE])
        padded = pad_sequence(rows, batch_first=True)
        lengths = torch.tensor([len(one) for one in rows], device=padded.device)
        counted = torch.arange(padded.shape[1], device=padded.device)[None, :] < lengths[:, None]
        part = [
            maxsim_scores(one[None], torch.ones(1, len(one), device=one.device), padded, counted)
            for one in asked
        ]
        parts.append(torch.cat(part))
    return torch.cat(parts, dim=1)
