"""What is granted to an interpreter it can reach, and nothing beside."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from telic.errors import CodeExecutionError, CodeInterpreterError
from telic.sandbox import LocalInterpreter, PythonInterpreter

pytest.importorskip("pydantic_monty")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("alpha")
    (tmp_path / "out").mkdir()
    (tmp_path / "one.txt").write_text("one")
    (tmp_path / "other.txt").write_text("other")
    return tmp_path


def refused(box: Any, code: str) -> bool:
    with pytest.raises(CodeExecutionError) as caught:
        box.execute(code)
    return any(word in str(caught.value) for word in ("Permission denied", "not permitted", "Read-only"))


def test_files_and_folders_of_the_sandbox(folder: Path) -> None:
    new = folder / "new.txt"
    box = PythonInterpreter(
        enable_read_paths=[folder / "in", str(folder / "one.txt")], enable_write_paths=[folder / "out", new]
    )
    with box:
        assert box.execute(f"open('{folder}/in/a.txt').read()") == "alpha"
        assert box.execute(f"open('{folder}/one.txt').read() + open('/sandbox/one.txt').read()") == "oneone"
        box.execute("with open('/sandbox/new.txt', 'w') as f: f.write('fresh')")
        box.execute(f"with open('{new}', 'a') as f: f.write(' air')")
        box.execute(f"with open('{folder}/out/b.txt', 'w') as f: f.write('beta')")
        for code in (
            f"open('{folder}/other.txt').read()",
            f"open('{folder}/one.txt', 'w').write('x')",
            f"open('{folder}/in/a.txt', 'w').write('x')",
            f"open('{folder}/in/../other.txt').read()",
            "open('/sandbox/other.txt').read()",
        ):
            assert refused(box, code), code
    assert new.read_text() == "fresh air"
    assert (folder / "out" / "b.txt").read_text() == "beta"
    assert (folder / "one.txt").read_text() == "one"


def test_writes_can_be_kept_from_the_disk(folder: Path) -> None:
    one = folder / "one.txt"
    with PythonInterpreter(enable_write_paths=[one, folder / "out"], sync_files=False) as box:
        box.execute("from pathlib import Path\nPath('/sandbox/one.txt').write_text('two')")
        assert box.execute("Path('/sandbox/one.txt').read_text()") == "two"
        box.execute(f"with open('{folder}/out/b.txt', 'w') as f: f.write('beta')")
    assert one.read_text() == "one"
    assert not list((folder / "out").iterdir())


def test_environment_variables_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELIC_SEEN", "yes")
    monkeypatch.setenv("TELIC_HIDDEN", "no")
    with PythonInterpreter(enable_env_vars=["TELIC_SEEN", "TELIC_MISSING"]) as box:
        code = (
            "import os\n[os.getenv('TELIC_SEEN'), os.getenv('TELIC_HIDDEN'), os.getenv('TELIC_MISSING', 'd')]"
        )
        assert box.execute(code) == ["yes", None, "d"]
        assert box.execute("dict(os.environ)") == {"TELIC_SEEN": "yes"}


def test_what_cannot_be_granted(folder: Path) -> None:
    with pytest.raises(CodeInterpreterError, match="LocalInterpreter"):
        PythonInterpreter(enable_network_access=["example.org"])
    with pytest.raises(CodeInterpreterError, match="does not exist"):
        PythonInterpreter(enable_read_paths=[folder / "nowhere"])
    with pytest.raises(CodeInterpreterError, match="lies in"):
        PythonInterpreter(enable_read_paths=[folder / "in"], enable_write_paths=[folder])
    PythonInterpreter(["deno", "run"])  # accepted, as it only says what should run the sandbox


def test_without_monty_the_hint_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from telic.errors import MissingExtraError

    monkeypatch.setitem(sys.modules, "pydantic_monty", None)
    with pytest.raises(MissingExtraError, match=r"telic\[sandbox\]"):
        PythonInterpreter().start()


def test_nothing_heavy_is_imported() -> None:
    heavy = ("pydantic_monty", "pydantic", "asyncio", "subprocess", "ctypes")
    code = f"import sys, telic.modules.rlm; print([m for m in {heavy} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


linux = pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")


@linux
def test_paths_of_the_local_interpreter(folder: Path) -> None:
    with LocalInterpreter(read_paths=[folder / "in"], write_paths=[folder / "out"], env={"KEY": "v"}) as box:
        assert box.execute(f"open('{folder}/in/a.txt').read()") == "alpha"
        box.execute(f"open('{folder}/out/b.txt', 'w').write('beta')")
        assert box.execute("import os\nos.environ['KEY']") == "v"
        assert refused(box, f"open('{folder}/in/a.txt', 'w')")
        assert refused(box, f"open('{folder}/other.txt')")
        home = box.execute("open('kept.txt', 'w').write('x')\nos.getcwd()")
        assert box.execute(
            "import tempfile\nopen('kept.txt').read(), tempfile.mkdtemp()[: len(os.getcwd())]"
        ) == [
            "x",
            home,
        ]
    assert (folder / "out" / "b.txt").read_text() == "beta"
    assert not os.path.exists(home)


@linux
def test_network_and_processes_can_be_allowed() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    code = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 2).close()\n'sent'"
    with LocalInterpreter() as box:
        assert refused(box, code)
    with LocalInterpreter(network=True, processes=True) as box:
        assert box.execute(code) == "sent"
        assert (
            box.execute("import subprocess\nsubprocess.run(['echo', 'hi'], capture_output=True).stdout")
            == "b'hi\\n'"
        )
        assert refused(box, "open('/etc/shadow').read()")
        shell = "subprocess.run('cat /etc/shadow', shell=True, capture_output=True, text=True).stderr"
        assert "denied" in box.execute(shell)
        left = box.execute("subprocess.Popen(['sleep', '98765']).pid")
    server.close()
    for _ in range(100):
        if not Path(f"/proc/{left}").exists() or "Z (" in Path(f"/proc/{left}/status").read_text():
            break
        time.sleep(0.02)
    else:
        pytest.fail("a process was left behind")


def test_the_packages_of_this_python_can_be_imported() -> None:
    with LocalInterpreter(execution_timeout=20) as box:
        assert box.execute("import pydantic\nclass M(pydantic.BaseModel):\n    x: int\nM(x='3').x") == 3
        assert box.execute(
            "from concurrent.futures import ThreadPoolExecutor\n"
            "with ThreadPoolExecutor(4) as pool: r = list(pool.map(abs, [-1, -2]))\nr"
        ) == [1, 2]


def test_the_process_ends_with_its_host() -> None:
    code = (
        "from telic.sandbox import LocalInterpreter\nimport os\nbox = LocalInterpreter()\n"
        "print(box.execute('import os; os.getpid()'), box._process.folder, flush=True)\nos._exit(9)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    pid, home = ran.stdout.split()
    for _ in range(250):
        status = Path(f"/proc/{pid}/status")
        if not status.exists() or "State:\tZ" in status.read_text():
            break
        time.sleep(0.02)
    else:
        pytest.fail("the process outlived its host")
    import shutil

    shutil.rmtree(home)


def test_an_interpreter_that_is_forgotten_is_ended() -> None:
    box = LocalInterpreter()
    pid, home = box.execute("import os\nos.getpid()"), box._process.folder  # type: ignore[union-attr]
    del box
    import gc

    gc.collect()
    assert not os.path.exists(home)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_fork_of_the_host_leaves_the_process_alone() -> None:
    code = (
        "from telic.sandbox import LocalInterpreter\nimport os, sys\nbox = LocalInterpreter()\nbox.start()\n"
        "pid = os.fork()\nif pid == 0: sys.exit(0)\nos.waitpid(pid, 0)\nprint(box.execute('6 * 7'))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == "42", ran.stderr


def test_a_sandbox_that_is_forgotten_is_ended() -> None:
    box = PythonInterpreter()
    box.execute("1")
    pid = box._session._pid
    assert pid is not None
    del box
    import gc

    gc.collect()
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.02)
    pytest.fail("the worker outlived its interpreter")


def test_a_process_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    from telic.sandbox import worker_process

    monkeypatch.setattr(worker_process, "_BOOT", "raise SystemExit('no way')")
    with pytest.raises(CodeInterpreterError, match="no way"):
        LocalInterpreter().start()


GUARDED = """
import sys
sys.path.insert(0, {root!r})
from telic.sandbox.inside import confine, guard
guard.watch([*confine.code_paths()], [{home!r}], network=False, processes=False)
refused = 0
for code in {programs!r}:
    try:
        exec(code, {{}})
    except (PermissionError, OSError, ImportError) as error:
        refused += "sandbox does not allow" in str(error) or "sandbox does not allow" in str(error.__cause__)
open({home!r} + "/own.txt", "w").write("x")
import json, collections, dataclasses, decimal
print(refused)
"""


def test_the_guard_of_other_systems(folder: Path) -> None:
    home = folder / "home"
    home.mkdir()
    programs = [
        f"open('{folder}/one.txt').read()",
        f"import os; os.listdir('{folder}')",
        f"import os; os.remove('{folder}/one.txt')",
        f"open('{folder}/x', 'w')",
        f"import os; os.rename('{folder}/one.txt', '{folder}/x')",
        "import socket; socket.socket()",
        "import subprocess; subprocess.run(['ls'])",
        "import os; os.system('ls')",
        "import os; os.fork()",
        "import ctypes; ctypes.CDLL(None)",
        "import os; os.posix_spawn('/bin/ls', ['ls'], {})",
    ]
    root = str(Path(__file__).resolve().parents[2] / "src")
    script = GUARDED.format(root=root, home=str(home), programs=programs)
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == str(len(programs)), ran.stderr
    assert (folder / "one.txt").read_text() == "one"
