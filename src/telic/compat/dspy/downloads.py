"""`download`: a file from the web into the working directory."""

from __future__ import annotations

import os
from pathlib import Path


def download(url: str) -> None:
    """Fetch `url` into the working directory, under its own name; nothing where it is there in full size."""
    from urllib.request import Request, urlopen

    target = Path(os.path.basename(url))
    with urlopen(Request(url, method="HEAD")) as head:
        size = int(head.headers.get("Content-Length") or 0)
    if target.exists() and size and target.stat().st_size == size:
        return
    part = target.with_name(f"{target.name}.part")
    with urlopen(url) as source, part.open("wb") as sink:
        while block := source.read(1 << 20):
            sink.write(block)
    part.replace(target)
