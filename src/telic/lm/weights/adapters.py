"""LoRA adapters in GGUF: where one lies, what it says of itself, and whether it belongs on a base."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from telic.errors import ModelWeightsError
from telic.lm.weights.facts import facts
from telic.lm.weights.folder import folder
from telic.lm.weights.gguf import read_head

FILE = "adapter.gguf"
"""Name of the adapter inside a trained model's folder."""

BASE_HASH, BASE_NAME, FORMAT = "telic.base.sha256", "telic.base.name", "telic.format"
"""Metadata that telic writes into the adapters it trains: the weights it was trained on, their name, and the
format of the training data.
"""


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA on disk.

    Attributes:
        path: the GGUF file.
        sha256: of its bytes.
        architecture: family of the base.
        base_sha256: hash of the base's weights file; `None` where the file does not say.
        base_name: the base's name, likewise.
        format: `chat` or `completion`, likewise.
    """

    path: Path
    sha256: str
    architecture: str
    base_sha256: str | None = None
    base_name: str | None = None
    format: str | None = None


def find_adapter(given: str | Path) -> Adapter:
    """The adapter at a path: a GGUF file, or the folder of a trained model.

    Raises:
        ModelWeightsError: there is none, or it is not a LoRA in GGUF.
    """
    path = Path(given).expanduser().absolute()
    if path.is_dir():
        path = path / FILE
    if not path.is_file():
        raise ModelWeightsError(
            f"There is no adapter {path}. Give a LoRA in GGUF, or the folder of a trained model, which holds "
            f"{FILE}. A LoRA that peft wrote is converted by telic.finetune.export.adapter_to_gguf."
        )
    head = read_head(path)
    if head.get("general.type") != "adapter" or head.get("adapter.type") != "lora":
        raise ModelWeightsError(
            f"{path} is not a LoRA adapter (its general.type is {head.get('general.type')!r}). "
            f"A whole model is used by LM('local/{path}')."
        )
    told = (head.get(key) for key in (BASE_HASH, BASE_NAME, FORMAT))
    return Adapter(path, facts(path, folder()).sha256, str(head.get("general.architecture")), *told)


def trained_format(path: Path) -> str | None:
    """The format of the data that a whole model was trained on by telic, where its file says so."""
    if not path.is_file():
        return None
    told: str | None = read_head(path).get(FORMAT)
    return told


def check_base(adapter: Adapter, base: Path, sha256: str, architecture: str) -> None:
    """Refuse an adapter that was made for another model.

    Args:
        adapter: as found.
        base: the file it shall be put on.
        sha256: of that file.
        architecture: of that file.

    Raises:
        ModelWeightsError: it was trained on other weights, or belongs to another family.
    """
    if adapter.architecture != architecture:
        raise ModelWeightsError(
            f"The adapter {adapter.path} belongs to a model of the family '{adapter.architecture}', but "
            f"{base} is of '{architecture}'."
        )
    if adapter.base_sha256 not in (None, sha256):
        named = f" ({adapter.base_name})" if adapter.base_name else ""
        raise ModelWeightsError(
            f"The adapter {adapter.path} was trained on the weights {str(adapter.base_sha256)[:16]}{named}, "
            f"but {base} is {sha256[:16]}. Use it with the base it was trained on; on others it does not do "
            "what it learnt."
        )
