"""Removing a folder whatever a program made of it."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import count
from uuid import uuid4


def remove_folder(folder: str) -> None:
    """Remove `folder` and all in it, as far as this user can.

    Folders may be nested so deep that their paths are too long for the system, and a walk down too deep for
    Python: so each is moved up before it is looked into.
    """
    unused = (os.path.join(folder, f"{uuid4().hex}-{number}") for number in count())
    pending = [folder]
    with suppress(OSError):
        while pending:
            current = pending.pop()
            with os.scandir(current) as entries:
                children = list(entries)
            for child in children:
                if child.is_dir(follow_symlinks=False):
                    os.chmod(child.path, 0o700)
                    moved = next(unused)
                    os.rename(child.path, moved)
                    pending.append(moved)
                else:
                    os.unlink(child.path)
            if current != folder:
                os.rmdir(current)
        os.rmdir(folder)
