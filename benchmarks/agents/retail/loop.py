"""A task as a conversation between a customer and the agent at the desk, and what must be so afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import telic
from benchmarks.agents.retail.changes import Changes
from benchmarks.agents.retail.enquiries import Enquiries
from benchmarks.agents.retail.shop import Shop, ShopError, policy
from benchmarks.agents.scripted import Call, Calls, Mind, Minds, Outputs, Way

MOST_TURNS = 40
YES = "Yes, please."


def desk(shop: Shop) -> dict[str, Callable[..., Any]]:
    """The tools of the desk, by name."""
    return {
        name: getattr(holder, name)
        for holder in (Enquiries(shop), Changes(shop))
        for name in vars(type(holder))
        if not name.startswith("_")
    }


CHANGES = frozenset(name for name in vars(Changes) if not name.startswith("_"))
"""Actions that the user has to agree to beforehand."""


@dataclass
class Customer:
    """Says at once what is wanted, agrees to what is asked, and leaves when nothing is."""

    instruction: str

    def answer(self, reply: str) -> str | None:
        """What the customer says next; `None` ends the conversation."""
        return YES if reply.rstrip().endswith("?") else None


@dataclass
class Talk:
    """What was said at the desk, and whether the customer was done."""

    messages: list[str] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    ended: bool = False


def converse(agent: telic.Module, customer: Customer) -> Talk:
    """Let the two talk until the customer leaves; turns go on in one `History`."""
    talk, history = Talk(), telic.History(messages=[])
    message: str | None = customer.instruction
    while message is not None and len(talk.replies) < MOST_TURNS:
        prediction = agent(message=message, history=history)
        talk.messages.append(message)
        talk.replies.append(prediction.reply)
        history = _longer(history, message, prediction)
        message = customer.answer(prediction.reply)
    talk.ended = message is None
    return talk


def _longer(history: telic.History, message: str, prediction: Any) -> telic.History:
    if "history" in prediction.keys():  # noqa: SIM118 - a prediction is iterated over by other things
        longer: telic.History = prediction.history
        return longer
    return telic.History(messages=[*history.messages, {"message": message, "reply": prediction.reply}])


@dataclass(frozen=True)
class Outcome:
    """What came of a task.

    Attributes:
        state: the records are as the gold actions leave them.
        told: the customer was told what had to be told.
        changed: the gold actions change the records at all.
        talk: what was said.
    """

    state: bool
    told: bool
    changed: bool
    talk: Talk

    @property
    def right(self) -> bool:
        """All is as it must be."""
        return self.state and self.told and self.talk.ended


def rows(limit: int | None = None) -> list[telic.Example]:
    """Tasks of all splits, those of τ-bench's test set first."""
    found = [row for split in ("test", "dev", "train") for row in telic.datasets.load("tau_retail", split)]
    return found[:limit]


def scripted(way: Way, given: Sequence[telic.Example]) -> list[Outcome]:
    """Tasks with a model that wants the gold actions, each with a shop of its own."""
    with Minds(way) as minds:
        return [
            served(row, way.agent, {"lm": minds.lm(gold_mind(row)), "adapter": way.adapter}) for row in given
        ]


def served(row: telic.Example, agent: Callable[..., telic.Module], settings: Mapping[str, Any]) -> Outcome:
    """A task from its beginning, and what came of it."""
    shop = Shop.opened()
    signature = telic.Signature("history: telic.History, message: str -> reply: str").with_instructions(
        policy()
    )
    with telic.context(**settings):
        talk = converse(agent(signature, tools=list(desk(shop).values())), Customer(row.instruction))
    expected = after_gold(row)
    said = " ".join(talk.replies).replace(",", "").lower()
    return Outcome(
        state=shop.records == expected.records,
        told=all(output.replace(",", "").lower() in said for output in row.outputs),
        changed=expected.records != Shop.opened().records,
        talk=talk,
    )


def after_gold(row: telic.Example) -> Shop:
    """A shop in which the gold actions were done directly; those that the desk refuses change nothing."""
    shop = Shop.opened()
    tools = desk(shop)
    for action in row.actions:
        try:
            tools[action["name"]](**action["kwargs"])
        except ShopError:
            continue  # some tasks contain a wrong first attempt
    return shop


def gold_mind(row: telic.Example) -> Mind:
    """Looks things up, asks before each change, and says at the end what has to be said."""
    for action in row.actions:
        call = Call(action["name"], action["kwargs"])
        if call.name in CHANGES:
            said = ", ".join(f"{name}: {value}" for name, value in call.args.items())
            yield Outputs({"reply": f"I would {call.name.replace('_', ' ')} ({said}). Is that right?"})
        yield Calls([call])
    told = f" {'; '.join(row.outputs)}." if row.outputs else ""
    yield Outputs({"reply": f"Thank you; that is all.{told}"})
