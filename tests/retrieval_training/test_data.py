"""Examples, passes, mined negatives and teachers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import telic
from telic.errors import DataError, InputError
from telic.retrieval.filters import Filter
from telic.retrieval.late_interaction.training.batches import batch_of_pass, examples_of_pass, make_batch
from telic.retrieval.late_interaction.training.examples import TrainingExample, data_hash, training_examples
from telic.retrieval.late_interaction.training.mining import mine_negatives
from telic.retrieval.late_interaction.training.settings import RetrievalSettings
from telic.retrieval.late_interaction.training.teaching import teach
from telic.retrieval.passage import Passage
from telic.retrieval.retriever import Retriever
from telic.testing import DummyLM

E = TrainingExample


class Words(Retriever):
    """Ranks by the number of shared words."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts

    def _search(self, queries: Sequence[str], k: int, wanted: Filter | None) -> list[list[Passage]]:
        return [self._one(set(query.lower().split()), k) for query in queries]

    def _one(self, words: set[str], k: int) -> list[Passage]:
        found = [
            Passage(str(place), text, len(words & set(text.lower().split())))
            for place, text in enumerate(self.texts)
        ]
        return sorted(found, key=lambda passage: (-passage.score, passage.id))[:k]


def test_every_form_of_example_is_read() -> None:
    made = training_examples([
        ("q", "right", "wrong"),
        ("q", "right"),
        ["q", ["right", "also right", "right"], [Passage("1", "wrong")]],
        {"question": "q", "positive": "right", "negatives": ["wrong"], "teacher": [2, 1]},
        E("q", ("right",)),
    ])  # fmt: skip
    assert made == [
        E("q", ("right",), ("wrong",)),
        E("q", ("right",)),
        E("q", ("right", "also right"), ("wrong",)),
        E("q", ("right",), ("wrong",), (2.0, 1.0)),
        E("q", ("right",)),
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "empty"),
        ([("q", [])], "Example 0 .*no positive"),
        ([("q", "p"), (" ", "p")], "Example 1 has no query"),
        ([("q", "same", "same")], "both|same passage"),
        ([{"positive": "p"}], "no 'query'"),
        (["text"], "triple"),
        ([("q", 3)], "text is needed"),
        ([{"query": "q", "positive": "p", "teacher": [1, 2]}], "2 scores"),
    ],
)
def test_what_is_wrong_with_examples_is_said(data: list[Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        training_examples(data)


def test_the_hash_is_of_all_that_is_learnt_from() -> None:
    base = [E("q", ("p",), ("n",), (1.0, 0.0))]
    others = [
        [E("r", ("p",), ("n",), (1.0, 0.0))],
        [E("q", ("x",), ("n",), (1.0, 0.0))],
        [E("q", ("p",), ("x",), (1.0, 0.0))],
        [E("q", ("p",), ("n",), (1.0, 0.5))],
        base * 2,
    ]
    assert data_hash(base) == data_hash([E("q", ("p",), ("n",), (1.0, 0.0))])
    assert len({data_hash(base), *map(data_hash, others)}) == 6


def test_each_epoch_takes_every_example_in_its_own_order() -> None:
    epochs = [
        [i for n in range(4 * e, 4 * e + 4) for i in examples_of_pass(n, 12, 3, seed=1)] for e in range(2)
    ]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(12))
    assert epochs[0] != epochs[1]
    assert examples_of_pass(2, 12, 3, seed=1) == epochs[0][6:9]
    assert examples_of_pass(0, 12, 3, seed=2) != epochs[0][:3]


def test_a_pass_has_no_example_twice_even_over_the_end_of_an_epoch() -> None:
    for number in range(20):
        taken = examples_of_pass(number, 5, 4, seed=0)
        assert len(taken) == len(set(taken))


def test_passages_of_a_pass_are_columns_once_and_positives_never_negatives() -> None:
    examples = [E("a", ("x", "y"), ("n",)), E("b", ("y",), ("n", "x")), E("c", ("z",), ())]
    for number in range(8):
        batch = make_batch(examples, RetrievalSettings(negatives=2), number)
        assert len(set(batch.passages)) == len(batch.passages)
        for row, example in enumerate(examples):
            compared = set(range(len(batch.passages))) - batch.left_out[row] - {batch.positive[row]}
            assert batch.passages[batch.positive[row]] in example.positives
            assert not {batch.passages[column] for column in compared} & set(example.positives)
            assert {batch.passages[c] for c in batch.own[row][1:]} <= set(example.negatives)


def test_without_in_batch_negatives_only_its_own_passages_are_compared() -> None:
    examples = [E("a", ("x",), ("n",)), E("b", ("y",), ("m",))]
    batch = make_batch(examples, RetrievalSettings(in_batch=False))
    assert [batch.passages[c] for c in sorted(batch.left_out[0])] == ["y", "m"]
    assert [batch.passages[c] for c in sorted(batch.left_out[1])] == ["x", "n"]


def test_a_pass_is_a_function_of_seed_and_number() -> None:
    examples = [E(str(i), (f"p{i}", f"r{i}"), tuple(f"n{i}{j}" for j in range(5))) for i in range(9)]
    settings = RetrievalSettings(batch_size=4)
    assert batch_of_pass(examples, 3, settings) == batch_of_pass(examples, 3, settings)
    assert batch_of_pass(examples, 3, settings) != batch_of_pass(examples, 4, settings)
    other = RetrievalSettings(batch_size=4, seed=1)
    assert batch_of_pass(examples, 3, settings) != batch_of_pass(examples, 3, other)


def test_a_teachers_scores_go_with_their_passages() -> None:
    example = E("q", ("p",), ("m", "n"), (3.0, 2.0, 1.0))
    for number in range(6):
        batch = make_batch([example], RetrievalSettings(negatives=1), number)
        told = {batch.passages[column]: score for column, score in batch.teacher[0].items()}
        assert told in ({"p": 3.0, "m": 2.0}, {"p": 3.0, "n": 1.0})


TEXTS = ["the red fox", "The red  fox!", "a red hen", "red red wine", "blue sea", "red fox den"]


def test_mined_negatives_are_never_a_positive() -> None:
    examples = [E("red fox", ("The Red Fox",)), E("blue sea", ("blue sea", "red red wine"))]
    for seed in range(5):
        mined = mine_negatives(Words(TEXTS), examples, count=4, depth=6, seed=seed)
        assert set(mined[0].negatives) == {"a red hen", "red red wine", "blue sea", "red fox den"}
        assert not set(mined[1].negatives) & {"blue sea", "red red wine"}
        assert [e.positives for e in mined] == [e.positives for e in examples]


def test_mining_looks_as_deep_as_it_is_told_and_passes_over_the_top() -> None:
    example = [E("red fox", ("blue sea",))]
    top = mine_negatives(Words(TEXTS), example, count=9, depth=3)[0].negatives
    later = mine_negatives(Words(TEXTS), example, count=9, depth=3, skip=1)[0].negatives
    assert (set(top), set(later)) == ({"the red fox", "red fox den"}, {"The red  fox!", "red fox den"})
    kept = mine_negatives(
        Words(TEXTS), example, count=9, depth=6, excluded=lambda _, passage: "fox" in passage.text
    )
    assert set(kept[0].negatives) == {"a red hen", "red red wine"}


def test_drawn_negatives_differ_by_seed_and_keep_the_order_of_the_ranking() -> None:
    texts = [f"red {i:02d}" for i in range(30)]
    drawn = [mine_negatives(Words(texts), [E("red", ("x",))], count=5, seed=s)[0].negatives for s in range(3)]
    assert len(set(drawn)) == 3
    order = [passage.text for passage in Words(texts).search("red", 30)]
    assert all(len(one) == 5 and list(one) == sorted(one, key=order.index) for one in drawn)


@pytest.mark.parametrize("wrong", [{"count": 0}, {"depth": 2, "skip": 2}, {"skip": -1}])
def test_mining_that_can_find_nothing_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match="depth"):
        mine_negatives(Words(TEXTS), [E("q", ("p",))], **wrong)


def test_a_function_or_a_cross_encoder_teaches() -> None:
    class CrossEncoder:
        def predict(self, pairs: list[tuple[str, str]]) -> list[float]:
            return [float(len(query) + len(text)) for query, text in pairs]

    example = E("ab", ("pp",), ("n", "nnn"))
    assert teach([example], CrossEncoder())[0].teacher == (4.0, 3.0, 5.0)
    assert teach([example], lambda query, texts: [len(text) for text in texts])[0].teacher == (2.0, 1.0, 3.0)
    with pytest.raises(DataError, match="1 scores"):
        teach([example], lambda query, texts: [1.0])
    with pytest.raises(InputError, match="cross-encoder"):
        teach([example], 3)


def test_a_program_teaches() -> None:
    lm = DummyLM([{"score": "0.9"}, {"score": "0.2"}])
    judge = telic.Predict("question, passage -> score: float")
    with telic.context(lm=lm):
        (taught,) = teach([E("q", ("p",), ("n",))], judge)
    assert taught.teacher == (0.9, 0.2)
    with pytest.raises(InputError, match="passage"):
        teach([E("q", ("p",))], telic.Predict("question -> score: float"))


def test_an_output_that_is_no_number_is_said() -> None:
    with telic.context(lm=DummyLM([{"verdict": "good"}])), pytest.raises(InputError, match="verdict"):
        teach([E("q", ("p",))], telic.Predict("query, context -> verdict"), score="verdict")
