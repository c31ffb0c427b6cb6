"""The body with a head that points at an answer's first and last token; and what it learns by.

Weights have the names of `BertForQuestionAnswering`, so that other software opens the folder. This module
needs PyTorch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from telic.retrieval.late_interaction.training.body import BertShape, hidden_rows, torch
from telic.systems.colbert_qa.reader.windows import Window, padded

Tensor = Any
HEAD = "qa_outputs"


def with_head(weights: dict[str, Tensor], shape: BertShape, seed: int) -> dict[str, Tensor]:
    """The weights with a head: their own, or a new one drawn by the seed."""
    if f"{HEAD}.weight" in weights:
        return weights
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(2, shape.hidden, generator=generator) * 0.02
    return {**weights, f"{HEAD}.weight": drawn, f"{HEAD}.bias": torch.zeros(2)}


def span_logits(
    weights: Mapping[str, Tensor], shape: BertShape, windows: Sequence[Window], dropout: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Logits of an answer's first and last token, each `(windows, tokens)`; -inf outside the passage."""
    rows, kinds, lengths = padded(windows)
    where = weights[f"{HEAD}.bias"].device
    ids, segments = torch.tensor(rows, device=where), torch.tensor(kinds, device=where)
    places = torch.arange(ids.shape[1], device=where)[None, :]
    ends = torch.tensor(lengths, device=where)[:, None]
    hidden = hidden_rows(weights, shape, ids, places < ends, segments, dropout)
    both = torch.nn.functional.linear(hidden, weights[f"{HEAD}.weight"], weights[f"{HEAD}.bias"]).float()
    firsts = torch.tensor([window.first for window in windows], device=where)[:, None]
    # The last token of a window is its end mark.
    inside = (places >= firsts) & (places < ends - 1)
    both = both.masked_fill(~inside[:, :, None], float("-inf"))
    return both[..., 0], both[..., 1]


def marginal_loss(
    begins: Tensor, ends: Tensor, groups: Sequence[Sequence[int]], spans: Sequence[Sequence[tuple[int, int]]]
) -> Tensor:
    """Negative log-likelihood of the answer, over every place that it may come from.

    Begin and end are made probabilities over all tokens of a question's windows together, and all spans that
    read as an answer count (Clark and Gardner 2018, arXiv:1710.10723, "shared normalisation").

    Args:
        begins: logits, `(windows, tokens)`.
        ends: the same of last tokens.
        groups: windows of each question.
        spans: of each window, first and last tokens that are an answer; a question has at least one.
    """
    losses = []
    for group in groups:
        chosen = list(group)
        begin = begins[chosen].flatten().log_softmax(0).view(len(chosen), -1)
        end = ends[chosen].flatten().log_softmax(0).view(len(chosen), -1)
        right = [
            begin[row, first] + end[row, last]
            for row, window in enumerate(chosen)
            for first, last in spans[window]
        ]
        losses.append(-torch.stack(right).logsumexp(0))
    return torch.stack(losses).mean()
