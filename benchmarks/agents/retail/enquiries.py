"""What the desk can look up; nothing here changes a record."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from benchmarks.agents.retail.shop import Shop, ShopError
from telic.cli.demo.calculator import calculate


class Enquiries:
    """Tools that only read."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def find_user_id_by_email(self, email: str) -> str:
        """Find a user's id by email.

        Args:
            email: the user's address, such as name@example.com
        """
        for user_id, user in self._shop.records["users"].items():
            if user["email"].casefold() == email.strip().casefold():
                return str(user_id)
        raise ShopError(f"there is no user with the email {email}")

    def find_user_id_by_name_zip(self, first_name: str, last_name: str, zip: str) -> str:
        """Find a user's id by name and zip code; to be used where the email is not known.

        Args:
            first_name: the user's first name
            last_name: the user's last name
            zip: the zip code of the user's address, such as 12345
        """
        wanted = (first_name.casefold(), last_name.casefold(), zip)
        for user_id, user in self._shop.records["users"].items():
            name = user["name"]
            if (
                name["first_name"].casefold(),
                name["last_name"].casefold(),
                user["address"]["zip"],
            ) == wanted:
                return str(user_id)
        raise ShopError(f"there is no user {first_name} {last_name} with the zip code {zip}")

    def get_user_details(self, user_id: str) -> dict[str, Any]:
        """Get a user's address, email, payment methods and orders.

        Args:
            user_id: such as mia_li_1234
        """
        return deepcopy(self._shop.user(user_id))

    def get_order_details(self, order_id: str) -> dict[str, Any]:
        """Get the items, status, address and payments of an order.

        Args:
            order_id: begins with #, such as #W0000000
        """
        return deepcopy(self._shop.order(order_id))

    def get_product_details(self, product_id: str) -> dict[str, Any]:
        """Get all variants of a product, with their options, prices and whether they are available.

        Args:
            product_id: the product's id, which is not an item's
        """
        return deepcopy(self._shop.product(product_id))

    def list_all_product_types(self) -> dict[str, str]:
        """List the name and the id of every product."""
        products = self._shop.records["products"].values()
        return {
            product["name"]: product["product_id"] for product in sorted(products, key=lambda p: p["name"])
        }

    def calculate(self, expression: str) -> str:
        """Work out an arithmetic expression, rounded to cents.

        Args:
            expression: numbers, + - * / and brackets
        """
        return f"{float(calculate(expression)):.2f}"

    def think(self, thought: str) -> str:
        """Note a thought; nothing else happens.

        Args:
            thought: what to note
        """
        return ""

    def transfer_to_human_agents(self, summary: str) -> str:
        """Hand the user over to a person, where the desk cannot do what is asked.

        Args:
            summary: what the user wants
        """
        return "The user is handed over."
