"""Scores and losses against the same written out by hand."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from telic.retrieval.late_interaction.training.losses import contrastive, distillation, hinge, maxsim_scores  # noqa: E402


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    rows = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(rows, dim=-1)


def masks(*lengths: int, width: int) -> torch.Tensor:
    return torch.arange(width)[None, :] < torch.tensor(lengths)[:, None]


def naive_maxsim(query: torch.Tensor, passage: torch.Tensor) -> float:
    return sum(max(float(q @ p) for p in passage) for q in query)


def test_scores_are_those_of_the_definition() -> None:
    queries, passages = unit(3, 4, 8), unit(5, 6, 8, seed=1)
    asked, kept = masks(4, 2, 3, width=4), masks(6, 1, 3, 5, 2, width=6)
    got = maxsim_scores(queries, asked, passages, kept)
    for i in range(3):
        for j in range(5):
            wanted = naive_maxsim(queries[i][asked[i]], passages[j][kept[j]])
            assert float(got[i, j]) == pytest.approx(wanted, abs=1e-5)


def test_rows_that_do_not_count_have_no_gradient() -> None:
    queries, passages = unit(2, 3, 8).requires_grad_(), unit(2, 4, 8, seed=1).requires_grad_()
    asked, kept = masks(3, 1, width=3), masks(4, 2, width=4)
    maxsim_scores(queries, asked, passages, kept).sum().backward()
    assert float(queries.grad[~asked].abs().sum()) == 0.0
    assert float(passages.grad[~kept].abs().sum()) == 0.0
    assert float(queries.grad[asked].abs().sum()) > 0.0


SCORES = [[3.0, 1.0, 2.0], [0.5, 4.0, 4.5]]
POSITIVE = [0, 1]
LEFT_OUT = [[False, False, False], [True, False, False]]


def naive_contrastive(margin: float, temperature: float) -> float:
    total = 0.0
    for scores, positive, out in zip(SCORES, POSITIVE, LEFT_OUT, strict=True):
        lowered = [s - margin * (place == positive) for place, s in enumerate(scores)]
        powers = [math.exp(s / temperature) for s, gone in zip(lowered, out, strict=True) if not gone]
        total -= math.log(math.exp(lowered[positive] / temperature) / sum(powers))
    return total / len(SCORES)


@pytest.mark.parametrize(("margin", "temperature"), [(0.0, 1.0), (0.7, 1.0), (0.0, 0.2), (0.3, 2.0)])
def test_contrastive_loss(margin: float, temperature: float) -> None:
    got = contrastive(
        torch.tensor(SCORES), torch.tensor(POSITIVE), torch.tensor(LEFT_OUT),
        margin=margin, temperature=temperature,
    )  # fmt: skip
    assert float(got) == pytest.approx(naive_contrastive(margin, temperature), rel=1e-5)


def test_hinge_loss() -> None:
    got = hinge(torch.tensor(SCORES), torch.tensor(POSITIVE), torch.tensor(LEFT_OUT), margin=1.5)
    # Pairs: (3, 1), (3, 2) of the first query, (4, 4.5) of the second; its first column is left out.
    assert float(got) == pytest.approx((0.0 + 0.5 + 2.0) / 3)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_distillation_is_the_divergence_over_judged_passages(temperature: float) -> None:
    scores = torch.tensor([[1.0, 2.0, 9.0], [0.0, 3.0, 1.0]])
    teacher = torch.tensor([[5.0, 4.0, 0.0], [0.0, 0.0, 2.0]])
    judged = torch.tensor([[True, True, False], [False, False, True]])

    def shares(values: list[float]) -> list[float]:
        powers = [math.exp(v / temperature) for v in values]
        return [power / sum(powers) for power in powers]

    wanted, given = shares([5.0, 4.0]), shares([1.0, 2.0])
    expected = sum(p * math.log(p / q) for p, q in zip(wanted, given, strict=True))
    got = distillation(scores, teacher, judged, temperature=temperature)
    assert float(got) == pytest.approx(expected, rel=1e-5)


def test_distillation_is_nothing_where_student_and_teacher_agree_up_to_a_shift() -> None:
    scores = torch.tensor([[1.0, 2.0, 4.0]], requires_grad=True)
    judged = torch.ones(1, 3, dtype=torch.bool)
    loss = distillation(scores, torch.tensor([[11.0, 12.0, 14.0]]), judged)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0.0, abs=1e-6)
    assert float(scores.grad.abs().max()) < 1e-6


def test_distillation_without_judgements_is_zero_with_a_gradient() -> None:
    scores = torch.tensor([[1.0, 2.0]], requires_grad=True)
    loss = distillation(scores, torch.zeros(1, 2), torch.tensor([[True, False]]))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert float(scores.grad.abs().sum()) == 0.0
