"""A data set of the hub, through the hub's own client, from a local server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from tests.datasets.hub_server import hub

PROGRAM = """
import json, sys
from telic import datasets
rows = {split: [e.toDict() for e in datasets.load(sys.argv[1], split)] for split in ("train", "dev", "test")}
print(json.dumps(rows))
"""


def run(address: str, folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    # In a process of its own: the client reads its address once.
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    environment |= {"HF_ENDPOINT": address, "HF_HOME": str(folder / "hf"), "TELIC_HOME": str(folder / "home")}
    environment |= {
        "TELIC_DATA": str(folder / "empty"),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    (folder / "empty").mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, name],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def parquet(pyarrow: Any, rows: list[dict[str, Any]], metadata: dict[str, Any] | None = None) -> bytes:
    table = pyarrow.Table.from_pylist(rows)
    out = BytesIO()
    notes = {"huggingface": json.dumps(metadata)} if metadata else None
    pyarrow.parquet.write_table(table.replace_schema_metadata(notes), out)
    return out.getvalue()


def test_a_set_of_the_hub(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet")
    pytest.importorskip("huggingface_hub")
    names = {"info": {"features": {"intent": {"names": ["hello", "bye"], "_type": "ClassLabel"}}}}
    files = {
        f"small/{split}/{shard}.parquet": parquet(
            pyarrow, [{"text": f"{split} {shard} {i}", "intent": i % 2} for i in range(3)], names
        )
        for split in ("train", "validation", "test")
        for shard in ("0000", "0001")
    }
    with hub(files, "clinc/clinc_oos") as address:
        done = run(address, tmp_path, "clinc150_small")
        assert done.returncode == 0, done.stderr[-2_000:]
        rows = json.loads(done.stdout)
    assert [row["text"] for row in rows["dev"]] == [
        f"validation {shard} {i}" for shard in ("0000", "0001") for i in range(3)
    ]
    assert [row["label"] for row in rows["test"]][:2] == ["hello", "bye"]
    assert len(rows["train"]) == 6


def test_a_set_the_hub_does_not_have(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("huggingface_hub")
    with hub({}, "other/set") as address:
        done = run(address, tmp_path, "banking77")
    assert done.returncode == 1
    assert "DataError: The data set 'mteb/banking77' cannot be fetched from the hub" in done.stderr
