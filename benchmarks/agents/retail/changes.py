"""What the desk can change, within the shop's policy. A change that is refused changes nothing.

What is returned is a copy: a later change does not rewrite what was shown of an earlier one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Literal

from benchmarks.agents.retail.shop import Shop, ShopError

Reason = Literal["no longer needed", "ordered by mistake"]


class Changes:
    """Tools that write; the user must have said yes to what they do."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def cancel_pending_order(self, order_id: str, reason: Reason) -> dict[str, Any]:
        """Cancel a pending order and refund it.

        Args:
            order_id: begins with #
            reason: as the user says
        """
        order = self._shop.order(order_id, "pending")
        for payment in list(order["payment_history"]):
            self._refund(order, payment["payment_method_id"], payment["amount"])
        order.update(status="cancelled", cancel_reason=reason)
        return deepcopy(order)

    def modify_pending_order_address(
        self, order_id: str, address1: str, address2: str, city: str, state: str, country: str, zip: str
    ) -> dict[str, Any]:
        """Change where a pending order is sent.

        Args:
            order_id: begins with #
            address1: the first line, such as 123 Main Street
            address2: the second line, such as Apt 1, or nothing
            city: such as Chicago
            state: such as IL
            country: such as USA
            zip: such as 12345
        """
        order = self._shop.order(order_id, "pending")
        order["address"] = _address(address1, address2, city, state, country, zip)
        return deepcopy(order)

    def modify_user_address(
        self, user_id: str, address1: str, address2: str, city: str, state: str, country: str, zip: str
    ) -> dict[str, Any]:
        """Change a user's own address; orders keep theirs.

        Args:
            user_id: whose address
            address1: the first line, such as 123 Main Street
            address2: the second line, such as Apt 1, or nothing
            city: such as Chicago
            state: such as IL
            country: such as USA
            zip: such as 12345
        """
        user = self._shop.user(user_id)
        user["address"] = _address(address1, address2, city, state, country, zip)
        return deepcopy(user)

    def modify_pending_order_payment(self, order_id: str, payment_method_id: str) -> dict[str, Any]:
        """Have a pending order paid in another way; what was paid is refunded.

        Args:
            order_id: begins with #
            payment_method_id: one of the user's methods, not the one that paid
        """
        order = self._shop.order(order_id, "pending")
        if [payment["transaction_type"] for payment in order["payment_history"]] != ["payment"]:
            raise ShopError(f"order {order_id} was not paid in one single payment")
        paid = order["payment_history"][0]
        if paid["payment_method_id"] == payment_method_id:
            raise ShopError(f"order {order_id} is paid by {payment_method_id} already")
        self._pay(order, payment_method_id, paid["amount"])
        self._refund(order, paid["payment_method_id"], paid["amount"])
        return deepcopy(order)

    def modify_pending_order_items(
        self, order_id: str, item_ids: list[str], new_item_ids: list[str], payment_method_id: str
    ) -> dict[str, Any]:
        """Change items of a pending order to other variants of the same products; works once only.

        Args:
            order_id: begins with #
            item_ids: the items to change, each as often as there are pieces
            new_item_ids: the variant that takes the place of each, in the same order
            payment_method_id: pays the difference in price, or is refunded it
        """
        order = self._shop.order(order_id, "pending")
        swaps = self._shop.swaps(order, item_ids, new_item_ids)
        self._shop.payment_method(order["user_id"], payment_method_id)
        difference = _difference(swaps)
        if difference > 0:
            self._pay(order, payment_method_id, difference)
        elif difference < 0:
            self._refund(order, payment_method_id, -difference)
        for item, variant in swaps:
            item.update(item_id=variant["item_id"], price=variant["price"], options=dict(variant["options"]))
        order["status"] = "pending (items modified)"
        return deepcopy(order)

    def return_delivered_order_items(
        self, order_id: str, item_ids: list[str], payment_method_id: str
    ) -> dict[str, Any]:
        """Take back items of a delivered order.

        Args:
            order_id: begins with #
            item_ids: the items, each as often as there are pieces
            payment_method_id: is refunded: the method that paid, or a gift card
        """
        order = self._shop.order(order_id, "delivered")
        self._shop.items(order, item_ids)
        method = self._shop.payment_method(order["user_id"], payment_method_id)
        paid = {payment["payment_method_id"] for payment in order["payment_history"]}
        if payment_method_id not in paid and method["source"] != "gift_card":
            raise ShopError("a return is refunded to the method that paid, or to a gift card")
        order.update(
            status="return requested",
            return_items=sorted(item_ids),
            return_payment_method_id=payment_method_id,
        )
        return deepcopy(order)

    def exchange_delivered_order_items(
        self, order_id: str, item_ids: list[str], new_item_ids: list[str], payment_method_id: str
    ) -> dict[str, Any]:
        """Exchange items of a delivered order for other variants of the same products; works once only.

        Args:
            order_id: begins with #
            item_ids: the items to exchange, each as often as there are pieces
            new_item_ids: the variant that takes the place of each, in the same order
            payment_method_id: will pay the difference in price, or be refunded it
        """
        order = self._shop.order(order_id, "delivered")
        swaps = self._shop.swaps(order, item_ids, new_item_ids)
        difference = _difference(swaps)
        self._able(order, payment_method_id, difference)
        order.update(
            status="exchange requested",
            exchange_items=sorted(item_ids),
            exchange_new_items=sorted(new_item_ids),
            exchange_payment_method_id=payment_method_id,
            exchange_price_difference=difference,
        )
        return deepcopy(order)

    def _able(self, order: Mapping[str, Any], payment_method_id: str, amount: float) -> dict[str, Any]:
        """The method, where it can pay so much."""
        method = self._shop.payment_method(order["user_id"], payment_method_id)
        if method["source"] == "gift_card" and method["balance"] < amount:
            raise ShopError(f"{payment_method_id} holds {method['balance']}, which does not pay {amount}")
        return method

    def _pay(self, order: dict[str, Any], payment_method_id: str, amount: float) -> None:
        method = self._able(order, payment_method_id, amount)
        if method["source"] == "gift_card":
            method["balance"] = round(method["balance"] - amount, 2)
        _note(order, "payment", payment_method_id, amount)

    def _refund(self, order: dict[str, Any], payment_method_id: str, amount: float) -> None:
        method = self._shop.payment_method(order["user_id"], payment_method_id)
        if method["source"] == "gift_card":  # the others take days, and are none of our books
            method["balance"] = round(method["balance"] + amount, 2)
        _note(order, "refund", payment_method_id, amount)


def _note(order: dict[str, Any], kind: str, payment_method_id: str, amount: float) -> None:
    order["payment_history"].append(
        {"transaction_type": kind, "amount": amount, "payment_method_id": payment_method_id}
    )


def _difference(swaps: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> float:
    return round(sum(variant["price"] - item["price"] for item, variant in swaps), 2)


def _address(address1: str, address2: str, city: str, state: str, country: str, zip: str) -> dict[str, str]:
    return {
        "address1": address1,
        "address2": address2,
        "city": city,
        "state": state,
        "country": country,
        "zip": zip,
    }
