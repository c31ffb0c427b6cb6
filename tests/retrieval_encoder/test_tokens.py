"""Which tokens are read and which give rows: lengths, marks, markers, windows, and texts at the edge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from telic.errors import InputError, ModelWeightsError
from telic.retrieval.late_interaction.encoder import Encoder
from tests.retrieval_encoder import tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_plain(tmp_path_factory.mktemp("model"))


SIZES: dict[str, Any] = {
    "passage_length": 32,
    "query_length": 16,
    "special_in_queries": True,
    "special_in_passages": True,
}


def load(folder: Path, **changes: Any) -> Encoder:
    return Encoder.load(folder, **{**SIZES, **changes})


EDGES = ["", "   \n\t", "?!...,", "😀 😀", "שלום עולם", "\x00", "\ud800 half", "x" * 100_000, "a. " * 30_000]


@pytest.mark.parametrize("text", EDGES, ids=range(len(EDGES)))
@pytest.mark.parametrize("special", [True, False])
def test_no_text_is_without_a_finite_row(folder: Path, text: str, special: bool) -> None:
    encoder = load(folder, special_in_passages=special, special_in_queries=special)
    for rows, names, longest in (
        (encoder.encode_passages([text])[0], encoder.passage_tokens(text), 32),
        (encoder.encode_queries([text])[0], encoder.query_tokens(text), 16),
    ):
        assert 1 <= len(rows) == len(names) <= longest
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_a_passage_of_marks_alone_keeps_its_first_token(folder: Path) -> None:
    assert load(folder).passage_tokens("?!") == ["[CLS]", "[SEP]"]
    assert load(folder, special_in_passages=False).passage_tokens("?!") == ["[CLS]"]


def test_marks_count_in_queries_and_not_in_passages(folder: Path) -> None:
    encoder = load(folder, skip_in_queries=False)
    assert encoder.query_tokens("cat, mat!") == ["[CLS]", "cat", ",", "mat", "!", "[SEP]"]
    assert encoder.passage_tokens("cat, mat!") == ["[CLS]", "cat", "mat", "[SEP]"]
    assert load(folder, skip_in_queries=True).query_tokens("cat, mat!") == ["[CLS]", "cat", "mat", "[SEP]"]
    assert load(folder, skipped=("cat",)).passage_tokens("cat, mat") == ["[CLS]", ",", "mat", "[SEP]"]


def test_rows_of_marks_are_left_out_after_the_model_has_read_them(folder: Path) -> None:
    text = "cat, mat!"
    (kept,), (every,) = load(folder).encode_passages([text]), load(folder, skipped=()).encode_passages([text])
    np.testing.assert_allclose(kept, every[[0, 1, 3, 5]], atol=1e-6)


def test_rows_of_special_tokens_can_be_left_out(folder: Path) -> None:
    encoder = load(folder, special_in_queries=False, special_in_passages=False, query_marker="[unused0]")
    assert encoder.query_tokens("cat mat") == ["cat", "mat"]
    assert encoder.passage_tokens("cat mat") == ["cat", "mat"]
    filled = load(folder, special_in_queries=False, augment=True, query_length=6)
    assert filled.query_tokens("cat mat") == ["cat", "mat", "[MASK]", "[MASK]"]


def test_long_texts_end_at_their_length_with_the_closing_token(folder: Path) -> None:
    encoder = load(folder, passage_marker="[unused1]", query_marker="[unused0]")
    passage, query = encoder.passage_tokens("cat " * 99), encoder.query_tokens("cat " * 99)
    assert (len(passage), len(query)) == (32, 16)
    assert passage[:3] == ["[CLS]", "[unused1]", "cat"]
    assert (passage[-1], query[-1]) == ("[SEP]", "[SEP]")
    np.testing.assert_allclose(
        encoder.encode_passages(["cat " * 99])[0], encoder.encode_passages(["cat " * 29])[0], atol=1e-6
    )


@pytest.mark.parametrize("overlap", [0, 1, 4, 7])
@pytest.mark.parametrize("length", [1, 16, 17, 18, 30, 31, 95])
def test_windows_give_each_token_one_row(folder: Path, overlap: int, length: int) -> None:
    letters = [chr(97 + n * 7 % 26) for n in range(length)]
    encoder = load(folder, passage_length=18, overlap=overlap)
    tokens = encoder.passage_tokens(" ".join(letters))
    assert [token for token in tokens if len(token) == 1] == letters
    windows = 1 if length <= 16 else 1 + -(-(length - 16) // (16 - overlap))
    assert tokens.count("[CLS]") == tokens.count("[SEP]") == windows
    assert len(encoder.encode_passages([" ".join(letters)])[0]) == len(tokens)


def test_a_windows_rows_come_from_where_the_token_stands_further_from_the_edge(folder: Path) -> None:
    letters = [chr(97 + n) for n in range(24)]
    encoder = load(folder, passage_length=18, overlap=6)
    (rows,) = encoder.encode_passages([" ".join(letters)])
    first, second = encoder.encode_passages([" ".join(letters[:16]), " ".join(letters[10:])])
    # [CLS] a..m [SEP] of the first window, then [CLS] n..x [SEP] of the second.
    np.testing.assert_allclose(rows[:14], first[:14], atol=1e-5)
    np.testing.assert_allclose(rows[16:], second[4:], atol=1e-5)


def test_windows_do_not_change_what_fits(folder: Path) -> None:
    plain, windows = load(folder), load(folder, overlap=8)
    np.testing.assert_array_equal(*(one.encode_passages(["the cat sat"])[0] for one in (plain, windows)))


@pytest.mark.parametrize("wrong", ["a text", [3], [None], ["fine", b"bytes"]])
def test_what_is_no_list_of_texts_is_refused(folder: Path, wrong: Any) -> None:
    encoder = load(folder)
    for way in (encoder.encode_queries, encoder.encode_passages, encoder.pooled):
        with pytest.raises(InputError, match="text"):
            way(wrong)


def test_no_texts_no_rows(folder: Path) -> None:
    assert load(folder).encode_queries([]) == load(folder).encode_passages([]) == []


def test_an_encoder_that_is_not_there_is_named_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(ModelWeightsError, match="'minilm'"):
        Encoder.load(tmp_path / "nothing")


def test_a_plain_models_rows_are_those_of_words(folder: Path) -> None:
    encoder = Encoder.load(folder)
    assert encoder.query_tokens("Who sat, on the mat?") == ["who", "sat", "on", "the", "mat"]
    assert encoder.passage_tokens("The cat sat.") == ["the", "cat", "sat"]
    assert encoder.query_tokens("?!") == encoder.passage_tokens("") == ["[CLS]"]
    assert (encoder.settings.query_length, encoder.settings.passage_length) == (40, 40)
