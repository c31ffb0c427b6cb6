"""The shop's records, and what is looked up in them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import telic


class ShopError(Exception):
    """The desk refuses; says why, for whoever asked."""


class Shop:
    """Users, products and orders, each by id.

    Args:
        records: as `db.json.gz` of the data set holds them; changed in place.
    """

    def __init__(self, records: dict[str, dict[str, Any]]) -> None:
        self.records = records

    @classmethod
    def opened(cls) -> Shop:
        """A shop of its own, as it is before any task."""
        return cls(json.loads(_text()))

    def user(self, user_id: str) -> dict[str, Any]:
        """Raises ShopError where there is no such user."""
        return self._one("users", "user", user_id)

    def product(self, product_id: str) -> dict[str, Any]:
        """Raises ShopError where there is no such product."""
        return self._one("products", "product", product_id)

    def order(self, order_id: str, status: str | None = None) -> dict[str, Any]:
        """Raises ShopError where there is no such order, or it is in another status than it must be."""
        found = self._one("orders", "order", order_id)
        if status is not None and found["status"] != status:
            raise ShopError(f"order {order_id} is {found['status']}; this is only done with {status} orders")
        return found

    def payment_method(self, user_id: str, payment_method_id: str) -> dict[str, Any]:
        """Raises ShopError where the user has no such method."""
        methods: dict[str, dict[str, Any]] = self.user(user_id)["payment_methods"]
        if payment_method_id not in methods:
            raise ShopError(f"the user has no payment method {payment_method_id}; there are: {_ids(methods)}")
        return methods[payment_method_id]

    def swaps(
        self, order: Mapping[str, Any], item_ids: Sequence[str], new_item_ids: Sequence[str]
    ) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Items of an order, each with the variant that takes its place.

        Raises:
            ShopError: an item is not in the order (as often), there is not one new item for each, or a new
                item is not of the same product, not another one, or not available.
        """
        items = self.items(order, item_ids)
        if len(new_item_ids) != len(items):
            raise ShopError(f"{len(items)} items, but {len(new_item_ids)} new ones: one is needed for each")
        pairs = []
        for item, new_id in zip(items, new_item_ids, strict=True):
            variant = self.product(item["product_id"])["variants"].get(new_id)
            if variant is None or new_id == item["item_id"]:
                raise ShopError(f"item {new_id} is not another variant of what {item['item_id']} is")
            if not variant["available"]:
                raise ShopError(f"item {new_id} is not available")
            pairs.append((item, variant))
        return pairs

    def items(self, order: Mapping[str, Any], item_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Items of an order; an id that is given twice means two pieces.

        Raises:
            ShopError: one is not in the order (as often), or none is named.
        """
        if not item_ids:
            raise ShopError("no item is named")
        left = list(order["items"])
        found = []
        for item_id in item_ids:
            place = next((n for n, item in enumerate(left) if item["item_id"] == item_id), None)
            if place is None:
                raise ShopError(f"order {order['order_id']} has no (further) item {item_id}")
            found.append(left.pop(place))
        return found

    def _one(self, table: str, what: str, key: str) -> dict[str, Any]:
        if key not in self.records[table]:
            raise ShopError(f"there is no {what} {key}")
        found: dict[str, Any] = self.records[table][key]
        return found


def _ids(methods: Mapping[str, Any]) -> str:
    return ", ".join(methods) or "none"


@cache
def _text() -> bytes:
    return gzip.decompress(telic.datasets.path("tau_retail", "db.json.gz").read_bytes())


def policy() -> str:
    """What the desk may do, in words."""
    return telic.datasets.path("tau_retail", "policy.md").read_text(encoding="utf-8")
