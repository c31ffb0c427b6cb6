"""Scores of late interaction with gradients, and what is made small.

Shapes: `q` queries of up to `t` tokens, `p` passages of up to `s` tokens, rows of `d` numbers. Masks are true
where a row counts. PyTorch is asked for at use only.
"""

from __future__ import annotations

from typing import Any

Tensor = Any
"""A `torch.Tensor`; torch is an optional part."""


def maxsim_scores(queries: Tensor, query_rows: Tensor, passages: Tensor, passage_rows: Tensor) -> Tensor:
    """MaxSim of each query with each passage, `(q, p)` (ColBERT, arXiv:2004.12832, eq. 3).

    Args:
        queries: unit rows, `(q, t, d)`.
        query_rows: `(q, t)`.
        passages: unit rows, `(p, s, d)`.
        passage_rows: `(p, s)`, at least one row true in each passage.
    """
    count, length, dim = queries.shape
    # One product for all: (q*t, d) x (d, p*s); then the rows that do not count are out of the running.
    products = queries.reshape(count * length, dim) @ passages.reshape(-1, dim).T
    products = products.reshape(count, length, *passage_rows.shape)
    best = products.masked_fill(~passage_rows, float("-inf")).max(dim=-1).values
    return (best * query_rows[:, :, None]).sum(dim=1)


def contrastive(
    scores: Tensor, positive: Tensor, left_out: Tensor, *, margin: float = 0.0, temperature: float = 1.0
) -> Tensor:
    """Cross-entropy of the positive among all passages that a query is compared with.

    Args:
        scores: `(q, p)`.
        positive: column of each query's positive, `(q,)`.
        left_out: true where a passage says nothing about a query, such as a further positive, `(q, p)`.
        margin: the positive must win by this much: it is taken from its score.
        temperature: scores are divided by it.
    """
    torch = _torch()
    if margin:
        lowered = torch.nn.functional.one_hot(positive, scores.shape[1]) * margin
        scores = scores - lowered
    logits = (scores / temperature).masked_fill(left_out, float("-inf"))
    return torch.nn.functional.cross_entropy(logits, positive)


def hinge(scores: Tensor, positive: Tensor, left_out: Tensor, *, margin: float) -> Tensor:
    """Mean of `max(0, margin - positive + negative)` over all pairs of a query's positive and a negative."""
    torch = _torch()
    won = scores.gather(1, positive[:, None])
    compared = ~left_out & ~torch.nn.functional.one_hot(positive, scores.shape[1]).bool()
    short = torch.relu(margin - won + scores) * compared
    return short.sum() / compared.sum().clamp(min=1)


def distillation(scores: Tensor, teacher: Tensor, judged: Tensor, *, temperature: float = 1.0) -> Tensor:
    """KL divergence of a teacher's distribution over a query's own passages from the student's.

    As in ColBERTv2 (arXiv:2112.01488): both sides' scores are made distributions over the same passages. The
    teacher's scale is its own; queries of which fewer than two passages are judged teach nothing.

    Args:
        scores: `(q, p)`.
        teacher: `(q, p)`, anything where not judged.
        judged: where the teacher has a score, `(q, p)`.
        temperature: both scores are divided by it.
    """
    known = judged.sum(dim=1) > 1
    if not bool(known.any()):
        return scores.sum() * 0.0
    rows, told, mask = scores[known], teacher[known], judged[known]
    student = (rows / temperature).masked_fill(~mask, float("-inf")).log_softmax(dim=1)
    wanted = (told / temperature).masked_fill(~mask, float("-inf")).log_softmax(dim=1)
    # Where there is no judgement both are -inf, of which the difference is no number.
    gap = (wanted - student).masked_fill(~mask, 0.0)
    return (wanted.exp() * gap).sum(dim=1).mean()


def _torch() -> Any:
    import torch

    return torch
