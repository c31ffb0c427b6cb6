"""What the embedded engine does to the process around it, seen from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = [pytest.mark.model, pytest.mark.skipif(sys.platform == "win32", reason="uses fork and /proc")]

ASK = """
import os, sys, threading
from telic.lm.embedded.engine import EmbeddedEngine
from telic.types import Request
engine = EmbeddedEngine("smollm2-135m", n_ctx=512)
def ask(n=1, **params):
    params = {"max_tokens": n, **params}
    return engine.complete(Request(model="local/smollm2-135m", prompt="One two", params=params))
"""


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ASK + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="needs /proc")
def test_nothing_listens_on_the_network_nothing_is_printed_and_nothing_is_left(tmp_path: Path):
    done = run(
        """
        from pathlib import Path
        ask(2)
        mine = {os.readlink(f) for f in Path("/proc/self/fd").iterdir() if os.path.lexists(f)}
        lines = [l for t in ("tcp", "tcp6") for l in open(f"/proc/self/net/{t}").read().splitlines()[1:]]
        listening = {f"socket:[{l.split()[9]}]" for l in lines if l.split()[3] == "0A"}
        (folder,) = Path(os.environ["TMPDIR"]).glob("telic-*")
        print(len(mine & listening), oct(folder.stat().st_mode & 0o777))
        print(os.environ.get("GOMP_SPINCOUNT"))
        """,
        TMPDIR=str(tmp_path),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["0", "0o700", "None"]
    assert list(tmp_path.iterdir()) == []


def test_the_interpreter_ends_in_the_midst_of_an_answer():
    done = run(
        """
        ask(1)
        import contextlib, time
        def write():
            with contextlib.suppress(BaseException):
                ask(400, ignore_eos=True)
        for _ in range(3):
            threading.Thread(target=write, daemon=True).start()
        time.sleep(0.3)
        print("end")
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


def test_an_interrupt_stops_the_answer():
    done = run(
        """
        import signal, _thread, time
        ask(1)
        threading.Timer(0.5, _thread.interrupt_main).start()
        began = time.monotonic()
        try:
            ask(450, ignore_eos=True, temperature=0.0)
        except KeyboardInterrupt:
            print("interrupted")
        ask(1)
        """
    )
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr


def test_a_forked_child_is_told_and_both_processes_end():
    done = run(
        """
        import warnings; warnings.simplefilter("ignore")
        ask(1)
        child = os.fork()
        if child == 0:
            try:
                ask(1)
            except Exception as error:
                print(type(error).__name__, "spawn" in str(error), flush=True)
            engine.close()
            os._exit(7)  # as multiprocessing does; llama.cpp's own clean-up would wait for its threads
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), ask(1).usage.completion_tokens)
        """
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\n")[:2] == ["LMConfigurationError True", "7 1"]
