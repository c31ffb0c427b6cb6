"""Files that are not what was written are named, and never searched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from telic.errors import IndexFileError
from telic.retrieval.late_interaction.retriever import LateInteraction
from telic.testing.encoder import HashEncoder

ENCODER = HashEncoder(16)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("telic.retrieval.late_interaction.writing.PLAIN_TOKENS", 100)
    built = LateInteraction.build(
        [f"word{n} here" for n in range(60)], encoder=ENCODER, path=tmp_path, rescore_bits=8
    )
    built.delete(["7"])
    return tmp_path


def data_files(path: Path) -> list[Path]:
    return [file for file in sorted(path.iterdir()) if file.name.startswith("telic-")]


def test_a_changed_bit_in_any_file_is_found(index: Path) -> None:
    files = data_files(index)
    assert len(files) > 15
    for file in files:
        whole = file.read_bytes()
        spoilt = bytearray(whole)
        spoilt[len(spoilt) // 2] ^= 1
        file.write_bytes(spoilt)
        with pytest.raises(IndexFileError, match=file.name):
            LateInteraction.open(index, ENCODER)
        file.write_bytes(whole)
    LateInteraction.open(index, ENCODER, verify=True)


def test_a_cut_file_is_found_even_when_contents_are_not_read(index: Path) -> None:
    for file in data_files(index):
        whole = file.read_bytes()
        file.write_bytes(whole[:-1])
        with pytest.raises(IndexFileError, match=file.name):
            LateInteraction.open(index, ENCODER, verify=False)
        file.write_bytes(whole)


def test_a_missing_file_is_named(index: Path) -> None:
    for file in data_files(index):
        whole = file.read_bytes()
        file.unlink()
        with pytest.raises(IndexFileError, match=f"{file.name}.*missing"):
            LateInteraction.open(index, ENCODER)
        file.write_bytes(whole)


def test_large_files_are_read_at_the_first_search(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telic.retrieval.late_interaction.opened.VERIFY_BYTES", 0)
    LateInteraction.open(index, ENCODER).search("word3")
    for kind in ("residuals", "rescoring", "records"):
        (file,) = index.glob(f"*.{kind}")
        whole = file.read_bytes()
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        opened = LateInteraction.open(index, ENCODER)
        for _ in range(2):
            with pytest.raises(IndexFileError, match=file.name):
                opened.search("word3")
        with pytest.raises(IndexFileError, match=file.name):
            opened.verify()
        with pytest.raises(IndexFileError, match=file.name):
            LateInteraction.open(index, ENCODER, verify=True)
        file.write_bytes(whole)


def test_damage_is_not_copied(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telic.retrieval.late_interaction.opened.VERIFY_BYTES", 0)
    (file,) = index.glob("*.residuals")
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    opened = LateInteraction.open(index, ENCODER)
    for change in (lambda: opened.compact(), lambda: opened.add([f"more{n}" for n in range(70)])):
        with pytest.raises(IndexFileError, match=file.name):
            change()
    opened.add(["a segment of its own copies nothing"])
    assert {file.name for file in data_files(index)} == set(opened._opened.manifest.names())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda body: body.update(dim=17), "checksum"),
        (lambda body: body["segments"][0].update(passages=3), "checksum"),
        (lambda body: body.update(version=99), "version 99"),
        (lambda body: body.update(format="other"), "'other'"),
    ],
)
def test_a_changed_manifest_is_found(index: Path, change: object, said: str) -> None:
    manifest = index / "manifest.json"
    body = json.loads(manifest.read_text(encoding="utf-8"))
    change(body)  # type: ignore[operator]
    manifest.write_text(json.dumps(body), encoding="utf-8")
    with pytest.raises(IndexFileError, match=said):
        LateInteraction.open(index, ENCODER)


def test_a_manifest_that_is_no_json_is_found(index: Path) -> None:
    for text in ("", "{", "[]"):
        (index / "manifest.json").write_text(text, encoding="utf-8")
        with pytest.raises(IndexFileError, match="manifest"):
            LateInteraction.open(index, ENCODER)


def test_there_may_be_no_index(tmp_path: Path) -> None:
    with pytest.raises(IndexFileError, match="no index here"):
        LateInteraction.open(tmp_path, ENCODER)
    with pytest.raises(IndexFileError, match="no index here"):
        LateInteraction.open(tmp_path / "nowhere", ENCODER)


def test_another_encoder_is_refused(index: Path) -> None:
    other = HashEncoder(16, seed=1)
    with pytest.raises(IndexFileError, match=other.fingerprint):
        LateInteraction.open(index, other)
    with pytest.raises(IndexFileError, match="encoder"):
        LateInteraction.open(index, HashEncoder(8))


def test_files_of_others_are_left_alone(index: Path) -> None:
    for name in ("notes.txt", "telic.residuals", "manifest.json.bak"):
        (index / name).write_text("mine", encoding="utf-8")
    opened = LateInteraction.open(index, ENCODER)
    opened.compact(retrain=True)
    assert {"notes.txt", "telic.residuals", "manifest.json.bak"} <= {file.name for file in index.iterdir()}
