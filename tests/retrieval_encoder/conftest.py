"""Where the weights of the default encoder come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import CHECKOUT_HOME


@pytest.fixture(scope="session")
def minilm(weights: Path) -> Path:
    """The folder of the default encoder, pulled at first use into the weights that tests share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TELIC_HOME", str(CHECKOUT_HOME))
        from telic.lm.weights import pull

        return pull("minilm", progress=False)
