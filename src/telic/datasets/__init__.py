"""Data sets by name, and examples from files."""

from telic._lazy import exports

_TABLE = {
    "available": "telic.datasets.catalogue",
    "info": "telic.datasets.catalogue",
    "load": "telic.datasets.loading",
    "load_corpus": "telic.datasets.loading",
    "path": "telic.datasets.loading",
    "from_records": "telic.datasets.records",
    "from_csv": "telic.datasets.records",
    "from_json": "telic.datasets.records",
    "from_jsonl": "telic.datasets.records",
    "from_parquet": "telic.datasets.records",
    "from_pandas": "telic.datasets.records",
    "gsm8k_metric": "telic.datasets.gsm8k",
    "parse_integer_answer": "telic.datasets.gsm8k",
}

__getattr__, __dir__ = exports(__name__, _TABLE)
__all__ = sorted(_TABLE)
