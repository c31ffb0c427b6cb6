"""Where an encoder's folder is: on the disk, among telic's weights, or on the model hub."""

from __future__ import annotations

import re
from pathlib import Path

from telic.errors import MissingExtraError, ModelWeightsError, redact
from telic.lm.weights import CATALOGUE, pull, resolve_folder

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_NEEDED = ["*.json", "*.safetensors", "vocab.txt", "artifact.metadata", "*/*.json", "*/*.safetensors"]
"""What is fetched of a repository: no pickles, no exports for other engines."""


def find(source: str | Path) -> Path:
    """The folder that `source` stands for.

    Raises:
        ModelWeightsError: there is none, or it cannot be fetched.
        MissingExtraError: it is on the hub, and the extra `hub` is not installed.
    """
    if isinstance(source, str):
        name = source.removeprefix("local/")
        if name in CATALOGUE:
            return resolve_folder(name, fetch=pull)
    path = Path(source).expanduser()
    if path.is_dir():
        return path
    if isinstance(source, str) and _HUB_NAME.fullmatch(source):
        return _from_hub(source)
    encoders = ", ".join(f"'{name}'" for name, known in CATALOGUE.items() if known.files)
    raise ModelWeightsError(
        f"There is no encoder '{source}': give a folder, {encoders}, or 'owner/name' on the model hub."
    )


def _from_hub(name: str) -> Path:
    try:
        import huggingface_hub
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"There is no folder '{name}', and the package 'huggingface_hub' is needed to look for it on the "
            "model hub. Install it with: pip install 'telic[hub]'"
        ) from error
    try:
        return Path(huggingface_hub.snapshot_download(name, allow_patterns=_NEEDED))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        said = redact(str(error).strip().splitlines()[0])[:300]
        raise ModelWeightsError(
            f"There is no folder '{name}', and the model hub did not give it: {said}"
        ) from error
