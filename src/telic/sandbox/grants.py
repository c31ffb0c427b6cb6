"""What a sandbox may reach: named files, folders and environment variables."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from telic.errors import CodeInterpreterError

Paths = Sequence[os.PathLike[str] | str] | None


class Grants:
    """Answers what a sandbox asks of the system, and refuses all that was not granted.

    Args:
        read_paths: files and folders that may be read.
        write_paths: files and folders that may be written too; a file need not exist yet.
        env_vars: names of environment variables.
        sync: whether writes reach the disk.
        max_bytes: size of the largest file that is read or written.

    Raises:
        CodeInterpreterError: a path does not exist, or a folder lies in another with other rights.
    """

    def __init__(
        self,
        read_paths: Paths,
        write_paths: Paths,
        env_vars: Sequence[str] | None,
        sync: bool,
        max_bytes: int,
    ) -> None:
        self._env = tuple(env_vars or ())
        self._sync = sync
        self._max_bytes = max_bytes
        self._kept: dict[Path, bytes] = {}
        self._mounts: list[Any] | None = None
        self._folders: dict[Path, bool] = {}
        self._files: dict[str, tuple[Path, bool]] = {}
        for paths, writable in ((write_paths, True), (read_paths, False)):
            for path in paths or ():
                self._grant(Path(path).absolute(), writable)

    def _grant(self, path: Path, writable: bool) -> None:
        if path.is_dir():
            for other, other_writable in self._folders.items():
                if path == other or other in path.parents:
                    if other_writable == writable or path == other:
                        return
                    raise CodeInterpreterError(f"{path} lies in {other}, which is granted with other rights.")
                if path in other.parents:
                    raise CodeInterpreterError(
                        f"{other} lies in {path}, which is granted too: name one of them."
                    )
            self._folders[path] = writable
        elif path.exists() or (writable and path.parent.is_dir()):
            for name in (path.as_posix(), f"/sandbox/{path.name}"):
                self._files.setdefault(name, (path, writable))
        else:
            raise CodeInterpreterError(f"{path} was granted to an interpreter, and does not exist.")

    def mounts(self, monty: Any) -> list[Any] | None:
        """The folders, for a run."""
        if self._mounts is None:
            modes = {False: "read-only", True: "read-write" if self._sync else "overlay"}
            self._mounts = [
                monty.MountDir(host_path=path, virtual_path=path.as_posix(), mode=modes[writable])
                for path, writable in self._folders.items()
            ]
        return self._mounts or None

    def handler(self, monty: Any) -> Callable[..., Any] | None:
        """Answers calls to the system that the folders do not; `None` where there is nothing to answer."""
        if not self._files and not self._env:
            return None
        refused = monty.NOT_HANDLED

        def answer(*, name: str, args: tuple[Any, ...], **_: Any) -> Any:
            if name == "os.getenv":
                key, default = (*args, None)[:2]
                return os.environ.get(key, default) if key in self._env else default
            if name == "os.environ":
                return {key: os.environ[key] for key in self._env if key in os.environ}
            if not args or (file := self._files.get(_asked(args[0]))) is None:
                return refused
            if name == "open":
                return self._opened(monty, file, *args)
            action = _FILE_ACTIONS.get(name)
            return refused if action is None else action(self, file, *args[1:])

        return answer

    def close(self) -> None:
        """Let go of the folders."""
        for mount in self._mounts or ():
            mount.close()
        self._mounts = None

    def _opened(self, monty: Any, file: tuple[Path, bool], path: Any, mode: str = "r", *_: Any) -> Any:
        handle = monty.MontyFileHandle(str(path), mode)
        if handle.writable:
            _require_writable(file)
        if handle.mode[0] == "w" or (handle.mode[0] == "a" and not self._there(file[0])):
            self._write(file, b"")
        elif not self._there(file[0]):
            raise FileNotFoundError(f"[Errno 2] No such file or directory: {str(path)!r}")
        return handle

    def _there(self, path: Path) -> bool:
        return path in self._kept or path.is_file()

    def _read(self, file: tuple[Path, bool]) -> bytes:
        path = file[0]
        if path in self._kept:
            return self._kept[path]
        if path.stat().st_size > self._max_bytes:
            raise MemoryError(f"{path.name} is larger than the memory of the interpreter")
        return path.read_bytes()

    def _write(self, file: tuple[Path, bool], data: bytes) -> int:
        _require_writable(file)
        if len(data) > self._max_bytes:
            raise MemoryError("the file would be larger than the memory of the interpreter")
        if self._sync:
            file[0].write_bytes(data)
        else:
            self._kept[file[0]] = data
        return len(data)

    def _append(self, file: tuple[Path, bool], data: bytes) -> int:
        self._write(file, (self._read(file) if self._there(file[0]) else b"") + data)
        return len(data)

    def _write_text(self, file: tuple[Path, bool], text: str) -> int:
        self._write(file, text.encode())
        return len(text)

    def _append_text(self, file: tuple[Path, bool], text: str) -> int:
        self._append(file, text.encode())
        return len(text)


def _asked(path: Any) -> str:
    """The path that a call is about: it has a path, or an open file."""
    return str(getattr(path, "path", path))


def _require_writable(file: tuple[Path, bool]) -> None:
    if not file[1]:
        raise PermissionError(f"[Errno 13] Permission denied: '{file[0]}'")


_FILE_ACTIONS: dict[str, Callable[..., Any]] = {
    "Path.exists": lambda grants, file: grants._there(file[0]),
    "Path.is_file": lambda grants, file: grants._there(file[0]),
    "Path.is_dir": lambda grants, file: False,
    "Path.is_symlink": lambda grants, file: False,
    "Path.read_text": lambda grants, file: grants._read(file).decode(),
    "Path.read_bytes": Grants._read,
    "Path.write_text": Grants._write_text,
    "Path.write_bytes": Grants._write,
    "Path.append_text": Grants._append_text,
    "Path.append_bytes": Grants._append,
}
