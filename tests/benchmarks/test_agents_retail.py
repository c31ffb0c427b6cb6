"""The shop's desk: what its tools do to the records, and tasks from the first word to the last."""

from __future__ import annotations

import copy
import logging

import pytest

import telic
from benchmarks.agents.retail.loop import CHANGES, Customer, desk, gold_mind, rows, scripted, served
from benchmarks.agents.retail.shop import Shop, ShopError, policy
from benchmarks.agents.scripted import WAYS, Call, Calls, Minds, Outputs
from telic.datasets import folder

needs_data = pytest.mark.skipif(
    folder.data_folder() is None or not (folder.data_folder() / "tau_retail").is_dir(),
    reason="the data folder is not here (TELIC_DATA)",
)
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def order(number, status, method="gift_card_1"):
    items = [
        {"name": "Mug", "product_id": "p1", "item_id": "i1", "price": 10.0, "options": {"color": "red"}},
        {"name": "Mug", "product_id": "p1", "item_id": "i1", "price": 10.0, "options": {"color": "red"}},
    ]
    paid = {"transaction_type": "payment", "amount": 20.0, "payment_method_id": method}
    return {
        "order_id": number, "user_id": "u", "address": {"zip": "1"}, "items": items, "fulfillments": [],
        "status": status, "payment_history": [paid],
    }  # fmt: skip


@pytest.fixture
def shop():
    methods = {
        "gift_card_1": {"source": "gift_card", "id": "gift_card_1", "balance": 5.0},
        "gift_card_2": {"source": "gift_card", "id": "gift_card_2", "balance": 50.0},
        "paypal_1": {"source": "paypal", "id": "paypal_1"},
        "credit_card_1": {"source": "credit_card", "id": "credit_card_1"},
    }
    user = {
        "name": {"first_name": "Ada", "last_name": "King"}, "address": {"zip": "12345"},
        "email": "ada@example.com", "payment_methods": methods, "orders": ["#P", "#D"],
    }  # fmt: skip
    variants = {
        key: {"item_id": key, "options": {"color": color}, "available": there, "price": price}
        for key, color, there, price in [
            ("i1", "red", True, 10.0), ("i2", "blue", True, 12.5),
            ("i3", "grey", False, 9.0), ("i4", "tan", True, 8.0),
        ]
    }  # fmt: skip
    return Shop(
        {
            "users": {"u": user},
            "products": {"p1": {"name": "Mug", "product_id": "p1", "variants": variants}},
            "orders": {"#P": order("#P", "pending"), "#D": order("#D", "delivered", "paypal_1")},
        }
    )


def done(shop, name, **arguments):
    """What an action changed: new values by their place in the records."""
    before = copy.deepcopy(shop.records)
    desk(shop)[name](**arguments)
    return dict(_changes(before, shop.records, ()))


def _changes(before, after, place):
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            yield from _changes(before.get(key), after.get(key), (*place, key))
    elif before != after:
        yield ".".join(place[1:]), after


def refund(amount, method):
    return {"transaction_type": "refund", "amount": amount, "payment_method_id": method}


def payment(amount, method):
    return {"transaction_type": "payment", "amount": amount, "payment_method_id": method}


PAID = payment(20.0, "gift_card_1")


def test_a_cancelled_order_is_refunded_to_what_paid_it(shop):
    assert done(shop, "cancel_pending_order", order_id="#P", reason="no longer needed") == {
        "#P.status": "cancelled",
        "#P.cancel_reason": "no longer needed",
        "#P.payment_history": [PAID, refund(20.0, "gift_card_1")],
        "u.payment_methods.gift_card_1.balance": 25.0,
    }


def test_another_method_pays_an_order_and_the_first_one_is_refunded(shop):
    assert done(shop, "modify_pending_order_payment", order_id="#P", payment_method_id="gift_card_2") == {
        "#P.payment_history": [PAID, payment(20.0, "gift_card_2"), refund(20.0, "gift_card_1")],
        "u.payment_methods.gift_card_1.balance": 25.0,
        "u.payment_methods.gift_card_2.balance": 30.0,
    }


def test_changed_items_cost_or_give_back_the_difference(shop):
    arguments = {"order_id": "#P", "item_ids": ["i1", "i1"], "payment_method_id": "gift_card_1"}
    changed = done(shop, "modify_pending_order_items", new_item_ids=["i2", "i2"], **arguments)
    assert (
        changed.pop("#P.items")
        == [{"name": "Mug", "product_id": "p1", "item_id": "i2", "price": 12.5, "options": {"color": "blue"}}]
        * 2
    )
    assert changed == {
        "#P.status": "pending (items modified)",
        "#P.payment_history": [PAID, payment(5.0, "gift_card_1")],
        "u.payment_methods.gift_card_1.balance": 0.0,
    }


def test_cheaper_items_are_refunded(shop):
    arguments = {"order_id": "#P", "item_ids": ["i1"], "payment_method_id": "gift_card_1"}
    changed = done(shop, "modify_pending_order_items", new_item_ids=["i4"], **arguments)
    assert [item["item_id"] for item in changed["#P.items"]] == ["i4", "i1"]
    assert changed["u.payment_methods.gift_card_1.balance"] == 7.0
    assert changed["#P.payment_history"][-1] == refund(2.0, "gift_card_1")


def test_a_return_and_an_exchange_are_only_requested(shop):
    assert done(
        shop, "return_delivered_order_items", order_id="#D", item_ids=["i1"], payment_method_id="paypal_1"
    ) == {
        "#D.status": "return requested",
        "#D.return_items": ["i1"],
        "#D.return_payment_method_id": "paypal_1",
    }
    shop.records["orders"]["#D"]["status"] = "delivered"
    changed = done(
        shop, "exchange_delivered_order_items",
        order_id="#D", item_ids=["i1", "i1"], new_item_ids=["i4", "i2"], payment_method_id="credit_card_1",
    )  # fmt: skip
    assert changed == {
        "#D.status": "exchange requested",
        "#D.exchange_items": ["i1", "i1"],
        "#D.exchange_new_items": ["i2", "i4"],
        "#D.exchange_payment_method_id": "credit_card_1",
        "#D.exchange_price_difference": 0.5,
    }


def test_addresses_of_an_order_and_of_a_user_are_apart(shop):
    parts = {
        "address1": "1 Elm",
        "address2": "",
        "city": "Ulm",
        "state": "BW",
        "country": "DE",
        "zip": "89073",
    }
    order_only = done(shop, "modify_pending_order_address", order_id="#P", **parts)
    assert {name.partition(".")[0] for name in order_only} == {"#P"}
    user_only = done(shop, "modify_user_address", user_id="u", **parts)
    assert {name.partition(".")[0] for name in user_only} == {"u"}
    assert shop.records["users"]["u"]["address"] == shop.records["orders"]["#P"]["address"] == parts


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("cancel_pending_order", {"order_id": "#D", "reason": "no longer needed"}, "#D is delivered"),
        ("cancel_pending_order", {"order_id": "#X", "reason": "no longer needed"}, "no order #X"),
        ("modify_pending_order_payment", {"order_id": "#P", "payment_method_id": "gift_card_1"}, "already"),
        (
            "modify_pending_order_payment",
            {"order_id": "#P", "payment_method_id": "cash"},
            "no payment method",
        ),
        ("modify_pending_order_items", {"new_item_ids": ["i3"]}, "not available"),
        ("modify_pending_order_items", {"new_item_ids": ["i1"]}, "not another variant"),
        ("modify_pending_order_items", {"new_item_ids": ["x"]}, "not another variant"),
        ("modify_pending_order_items", {"new_item_ids": ["i2", "i2"]}, "one is needed for each"),
        ("modify_pending_order_items", {"item_ids": ["i2"], "new_item_ids": ["i4"]}, "no .*item i2"),
        ("modify_pending_order_items", {"item_ids": ["i1"] * 3, "new_item_ids": ["i2"] * 3}, "no .*item i1"),
        ("modify_pending_order_items", {"item_ids": [], "new_item_ids": []}, "no item is named"),
        (
            "return_delivered_order_items",
            {"order_id": "#D", "item_ids": ["i1"], "payment_method_id": "credit_card_1"},
            "method that paid",
        ),
        (
            "return_delivered_order_items",
            {"order_id": "#P", "item_ids": ["i1"], "payment_method_id": "gift_card_1"},
            "#P is pending",
        ),
        ("get_user_details", {"user_id": "x"}, "no user x"),
        ("get_product_details", {"product_id": "i1"}, "no product i1"),
        ("find_user_id_by_email", {"email": "x"}, "no user"),
        ("find_user_id_by_name_zip", {"first_name": "Ada", "last_name": "King", "zip": "1"}, "no user"),
    ],
)
def test_what_is_refused_changes_nothing(shop, name, arguments, words):
    if name == "modify_pending_order_items":
        arguments = {"order_id": "#P", "item_ids": ["i1"], "payment_method_id": "paypal_1", **arguments}
    before = copy.deepcopy(shop.records)
    with pytest.raises(ShopError, match=words):
        desk(shop)[name](**arguments)
    assert shop.records == before


def test_a_gift_card_pays_what_it_holds_and_no_more(shop):
    shop.records["products"]["p1"]["variants"]["i2"]["price"] = 15.01
    before = copy.deepcopy(shop.records)
    for name, number in (("modify_pending_order_items", "#P"), ("exchange_delivered_order_items", "#D")):
        with pytest.raises(ShopError, match=r"holds 5\.0"):
            desk(shop)[name](
                order_id=number, item_ids=["i1"], new_item_ids=["i2"], payment_method_id="gift_card_1"
            )
    assert shop.records == before


def test_enquiries_find_and_change_nothing(shop):
    before = copy.deepcopy(shop.records)
    tools = desk(shop)
    assert tools["find_user_id_by_email"](email=" ADA@example.com") == "u"
    assert tools["find_user_id_by_name_zip"](first_name="ada", last_name="KING", zip="12345") == "u"
    assert tools["get_order_details"](order_id="#P")["status"] == "pending"
    assert tools["list_all_product_types"]() == {"Mug": "p1"}
    assert tools["calculate"](expression="256.67 - 226.49") == "30.18"
    tools["get_order_details"](order_id="#P")["status"] = "lost"
    tools["get_user_details"](user_id="u")["email"] = ""
    tools["think"](thought="hm")
    tools["transfer_to_human_agents"](summary="hm")
    assert shop.records == before


def test_the_desk_has_sixteen_tools_that_say_what_they_take(shop):
    tools = {name: telic.Tool(function) for name, function in desk(shop).items()}
    assert len(tools) == 16
    assert len(CHANGES) == 7
    for tool in tools.values():
        assert tool.desc
        assert all("description" in schema for schema in tool.args.values())


def test_a_customer_says_yes_to_questions_and_leaves_at_the_end():
    customer = Customer("Cancel it.")
    assert customer.answer("I would cancel #P. Is that right? ") == "Yes, please."
    assert customer.answer("Done.") is None


# Whole tasks


@needs_data
def test_tasks_end_with_the_records_of_the_gold_actions():
    given = rows(78)
    found = scripted(WAYS["native"], given)
    assert [outcome.right for outcome in found] == [True] * 78
    assert sum(outcome.changed for outcome in found) >= 50
    assert sum(len(outcome.talk.replies) > 1 for outcome in found) >= 50


@needs_data
@pytest.mark.parametrize("name", ["text", "react"])
def test_tasks_end_so_in_text_too(name):
    found = scripted(WAYS[name], rows(15))
    assert [outcome.right for outcome in found] == [True] * 15


def changed_task():
    return next(
        row for row in rows() if [action["name"] for action in row.actions] == ["cancel_pending_order"]
    )


@needs_data
@every_way
@pytest.mark.parametrize("wrong", ["other reason", "not done", "done twice over"])
def test_another_action_is_another_state(way, wrong):
    task = changed_task()
    cancel = Call("cancel_pending_order", dict(task.actions[0]["kwargs"]))
    if wrong == "other reason":
        reasons = {"no longer needed", "ordered by mistake"}
        cancel.args["reason"] = (reasons - {cancel.args["reason"]}).pop()
    parts = {"address1": "1", "address2": "", "city": "U", "state": "B", "country": "D", "zip": "8"}
    moved = Call("modify_user_address", {"user_id": task.user_id, **parts})

    def mind():
        if wrong != "not done":
            yield Calls([cancel] if wrong == "other reason" else [cancel, moved])
        yield Outputs({"reply": "Done."})

    with Minds(way) as minds:
        outcome = served(task, way.agent, {"lm": minds.lm(mind()), "adapter": way.adapter})
    assert outcome.talk.ended
    assert not outcome.state
    assert not outcome.right


@needs_data
def test_what_has_to_be_told_must_be_told():
    task = next(row for row in rows(78) if row.outputs and not any(a["name"] in CHANGES for a in row.actions))

    def silent():
        yield Outputs({"reply": "Thank you."})

    with Minds(WAYS["native"]) as minds:
        for mind, told in ((gold_mind(task), True), (silent(), False)):
            outcome = served(task, telic.ReActV2, {"lm": minds.lm(mind), "adapter": None})
            assert (outcome.state, outcome.told, outcome.right) == (True, told, told)


@needs_data
@every_way
def test_what_the_desk_refuses_is_shown_to_the_model_and_logged(way, caplog):
    task = changed_task()
    shown = []

    def mind():
        shown.append((yield Calls([Call("get_order_details", {"order_id": "#W0"})])))
        shown.append(
            (
                yield Calls(
                    [
                        Call(
                            "cancel_pending_order",
                            {"order_id": task.actions[0]["kwargs"]["order_id"], "reason": "bored"},
                        )
                    ]
                )
            )
        )
        yield from gold_mind(task)

    with Minds(way) as minds, caplog.at_level(logging.WARNING, "telic"):
        outcome = served(task, way.agent, {"lm": minds.lm(mind()), "adapter": way.adapter})
    assert "ShopError: there is no order #W0" in shown[0]
    assert "'reason' is not valid" in shown[1]
    assert outcome.right  # it went on, and did what was to be done
    assert [record.exc_info[0].__name__ for record in caplog.records if record.exc_info] == [
        "ShopError", "InputError",
    ]  # fmt: skip


@needs_data
@every_way
def test_the_policy_is_the_instructions_and_turns_go_on_in_one_conversation(way):
    task = changed_task()
    with Minds(way) as minds:
        outcome = served(task, way.agent, {"lm": minds.lm(gold_mind(task)), "adapter": way.adapter})
        bodies = minds.server.bodies
    assert policy().splitlines()[2] in bodies[0]["messages"][0]["content"]
    assert outcome.talk.messages == [task.instruction, "Yes, please."]
    last = "\n".join(str(message.get("content")) for message in bodies[-1]["messages"])
    assert task.instruction.strip() in last
    assert "Yes, please." in last
    assert "Is that right?" in str(bodies[-1]["messages"])
