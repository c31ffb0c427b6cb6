"""The corpus of hostile programs against both interpreters: nothing read, written, sent or left behind, and
the interpreter goes on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from telic.errors import CodeExecutionError
from telic.sandbox import monty_session, worker_process
from telic.sandbox.local_interpreter import LocalInterpreter
from telic.sandbox.python_interpreter import PythonInterpreter
from tests.sandbox.hostile import CORPUS
from tests.sandbox.places import TOKEN, Place

pytest.importorskip("pydantic_monty")
pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the walls of the local interpreter are Linux's"
)

SECONDS = 0.3
TOOLS = {"ping": lambda *args: len(args)}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TELIC_TEST_SECRET", TOKEN)
        patch.setattr(monty_session, "GRACE", 0.25)
        patch.setattr(worker_process, "GRACE", 0.25)
        made = Place(tmp_path_factory.mktemp("place"))
        yield made
        made.require_untouched()
        made.listener.close()


@pytest.fixture(scope="module")
def sandbox(place: Place) -> Iterator[PythonInterpreter]:
    """One for the whole corpus."""
    with PythonInterpreter(tools=TOOLS, timeout=SECONDS, max_memory=128 * 2**20) as made:
        yield made


@pytest.fixture
def local(place: Place) -> Iterator[LocalInterpreter]:
    """One for each program: what one leaves open must not stand in for the walls that the next is to meet."""
    env = {"MARK": place.mark}
    with LocalInterpreter(TOOLS, execution_timeout=SECONDS, max_memory=512 * 2**20, env=env) as made:
        yield made
        folder = made._process.folder if made._process else ""
    assert not folder or not Path(folder).exists()
    assert place.processes() == []


def test_the_corpus_is_large() -> None:
    assert len(CORPUS) >= 60


@pytest.mark.parametrize("name", CORPUS)
def test_the_sandbox_survives(name: str, sandbox: PythonInterpreter, place: Place) -> None:
    require_survival(sandbox, CORPUS[name], place)
    assert place.processes() == []


@pytest.mark.parametrize("name", CORPUS)
def test_the_local_interpreter_survives(name: str, local: LocalInterpreter, place: Place) -> None:
    require_survival(local, CORPUS[name], place)
    assert len(place.processes()) <= 1
    assert {"limits", "files", "calls"} <= set(local.confined)


def require_survival(interpreter: Any, code: str, place: Place) -> None:
    code = place.filled(code)
    try:
        seen = str(interpreter.execute(code))
    except CodeExecutionError as error:
        seen = str(error)
        assert seen.strip(), "the model must be told something"
    assert TOKEN not in seen
    assert "root:x:0:0" not in seen
    assert not seen.startswith(("listening", "priority taken"))
    assert len(seen) < 1_100_000
    place.require_untouched()
    # The interpreter goes on.
    assert interpreter.execute("print(6 * 7)") == "42"


def test_the_listener_would_have_noticed(tmp_path: Path) -> None:
    """The same programs, run freely, do arrive: that nothing did is no fault of the listener's."""
    free = Place(tmp_path)
    for name in ("connect", "datagram", "unix socket"):
        with suppress(OSError):  # it hangs up before it has heard all
            exec(free.filled(CORPUS[f"sending: {name}"]), {})
    for _ in range(100):
        if free.listener.arrived >= 3:
            break
        time.sleep(0.02)
    assert free.listener.arrived == 3
    free.listener.close()
