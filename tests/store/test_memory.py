"""The store in memory."""

from __future__ import annotations

import pytest

from telic.store.base import Store
from telic.store.memory import MemoryStore
from tests.store.contract import StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()
