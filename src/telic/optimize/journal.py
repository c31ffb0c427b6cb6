"""The journal of a run: what was begun, proposed, scored and chosen, each written before it is used.

Resuming is folding: the strategy runs again from its beginning, and every score and reply it asks for that
stands in the journal is taken from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from telic._json import stable_hash
from telic.errors import RunMismatchError
from telic.optimize.strategy import Ask, Outcome, Reply, Trial
from telic.program.state import ProgramState
from telic.store.base import Store

ScoreKey = tuple[str, str, bool, int, bool, int, tuple[str, ...] | None]
"""`(candidate hash, pool, teacher, rollout, keep_steps, example, feedback_for)`: what a score is the score
of.
"""


class Journal:
    """One run in the store.

    Args:
        store: where it is written.
        run_id: its name.

    Attributes:
        resumed: scores and replies that were there when the run was opened.
    """

    def __init__(self, store: Store, run_id: str) -> None:
        self.store = store
        self.run_id = run_id
        self.resumed = 0
        self._scores: dict[ScoreKey, Outcome] = {}
        self._replies: dict[str, Mapping[str, Any]] = {}
        self._states: set[str] = set()
        self._proposed: set[tuple[Any, ...]] = set()
        self._told: set[int] = set()
        self._row: dict[str, Any] = {}

    def open(self, fingerprints: Mapping[str, str], about: Mapping[str, Any]) -> None:
        """Begin the run, or go on with it.

        Args:
            fingerprints: what the run depends on, by part.
            about: shown by `telic runs`: optimizer, program, sizes, budget, command.

        Raises:
            RunMismatchError: the record holds this run for another program, data set or metric.
        """
        known = self.store.get("runs", self.run_id)
        if known is None:
            self._row = {
                "id": self.run_id,
                "kind": "compile",
                "state": "running",
                "started": _now(),
                "fingerprints": dict(fingerprints),
                **about,
            }
            self.store.put("runs", self.run_id, self._row)
            self.store.append(self.run_id, [{"type": "started", "time": _now(), **self._row}])
            return
        _check_same(self.run_id, known["fingerprints"], fingerprints)
        self._row = known
        for event in self.store.read(self.run_id):
            self._fold(event)
        self.resumed = len(self._scores) + len(self._replies)
        self._set_state("running")

    def score(self, key: ScoreKey) -> Outcome | None:
        """The recorded outcome, if there is one."""
        return self._scores.get(key)

    def reply(self, ask: Ask) -> Reply | None:
        """The recorded reply, if there is one."""
        row = self._replies.get(ask.key)
        if row is None:
            return None
        told = (row["value"], row.get("failure"), row["calls"], row["tokens"], row["cost"], row.get("note"))
        return Reply(ask, *told)

    def replied(self, reply: Reply) -> None:
        """Write down a reply; durable when this returns."""
        row = reply.to_json()
        event = {"type": "replied", "ask": reply.ask.key, "why": reply.ask.why, **row}
        self.store.append(self.run_id, [event])
        self._replies[reply.ask.key] = row

    def unanswered(self, ask: Ask, error: str) -> None:
        """Write down an error of an ask; it is tried again when the run goes on."""
        event = {"type": "error", "ask": ask.key, "why": ask.why, "error": error}
        self.store.append(self.run_id, [event])

    def proposed(self, step: int, trials: Iterator[Trial] | list[Trial]) -> None:
        """Write down what is asked for, where that is new; a candidate's state only the first time."""
        events = []
        for trial in trials:
            digest = trial.candidate.hash
            event = {"type": "proposed", "step": step, "candidate": digest, "why": trial.why}
            event |= {"pool": trial.pool, "examples": len(trial.examples)}
            if _proposal(event) in self._proposed:
                continue
            self._proposed.add(_proposal(event))
            if digest not in self._states:
                self._states.add(digest)
                event["state"] = trial.candidate.to_json()
            events.append(event)
        if events:
            self.store.append(self.run_id, events)

    def scored(self, key: ScoreKey, outcome: Outcome) -> None:
        """Write down a score; durable when this returns."""
        candidate, pool, teacher, rollout, keep_steps, _, feedback_for = key
        event = {"type": "scored", "candidate": candidate, "pool": pool, **outcome.to_json()}
        how = {"teacher": teacher, "rollout": rollout, "keep_steps": keep_steps}
        event |= {name: value for name, value in how.items() if value}
        if feedback_for is not None:
            event["feedback_for"] = list(feedback_for)
        self.store.append(self.run_id, [event])
        self._scores[key] = outcome

    def failed(self, key: ScoreKey, error: str) -> None:
        """Write down an error; it is not a score, and is tried again when the run goes on."""
        event = {"type": "error", "candidate": key[0], "pool": key[1], "example": key[5], "error": error}
        self.store.append(self.run_id, [event])

    def told(self, step: int) -> None:
        """Write down that the strategy was given the results of a step, where that is new."""
        if step in self._told:
            return
        self._told.add(step)
        self.store.append(self.run_id, [{"type": "told", "step": step, "time": _now()}])

    def finish(self, state: str, result: Mapping[str, Any]) -> None:
        """End the run: `finished`, `stopped` (a cap was reached) or `failed`."""
        self.store.append(self.run_id, [{"type": state, "time": _now(), **result}])
        self._row = {**self._row, "result": dict(result)}
        self._set_state(state)

    def outcomes(self) -> Iterator[tuple[str, Outcome]]:
        """`(candidate hash, outcome)` of every run of the student on a validation example."""
        for (digest, pool, teacher, rollout, *_), outcome in self._scores.items():
            if pool == "val" and not teacher and not rollout:
                yield digest, outcome

    def candidate(self, digest: str) -> ProgramState | None:
        """The state of a candidate by its hash, from the journal."""
        for event in self.store.read(self.run_id):
            if event["type"] == "proposed" and event["candidate"] == digest and "state" in event:
                return ProgramState.from_json(event["state"])
        return None

    def _fold(self, event: Mapping[str, Any]) -> None:
        if event["type"] == "scored":
            key = (
                event["candidate"],
                event["pool"],
                event.get("teacher", False),
                event.get("rollout", 0),
                event.get("keep_steps", False),
                event["example"],
                tuple(event["feedback_for"]) if "feedback_for" in event else None,
            )
            self._scores[key] = Outcome.from_json(event)
        elif event["type"] == "replied":
            self._replies[event["ask"]] = event
        elif event["type"] == "told":
            self._told.add(event["step"])
        elif event["type"] == "proposed":
            self._proposed.add(_proposal(event))
            if "state" in event:
                self._states.add(event["candidate"])

    def _set_state(self, state: str) -> None:
        self._row = {**self._row, "state": state, "updated": _now()}
        self.store.put("runs", self.run_id, self._row)


def _proposal(event: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(event[name] for name in ("step", "candidate", "pool", "examples", "why"))


def score_key(trial: Trial, example: int) -> ScoreKey:
    """What a trial's score of one example is the score of."""
    return (
        trial.candidate.hash,
        trial.pool,
        trial.teacher,
        trial.rollout,
        trial.keep_steps,
        example,
        trial.feedback_for,
    )


def free_run_id(store: Store, parts: Mapping[str, Any]) -> str:
    """The name of the run that these parts belong to: the unfinished one to go on with, else a new one."""
    base = stable_hash(parts)[:12]
    number = 1
    while True:
        run_id = base if number == 1 else f"{base}-{number}"
        row = store.get("runs", run_id)
        if row is None or row["state"] != "finished":
            return run_id
        number += 1


def _check_same(run_id: str, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    if changed:
        raise RunMismatchError(
            f"The run '{run_id}' cannot go on: {', '.join(changed)} changed since it began, so its scores "
            "would be "
            f"mixed with others. Undo the change, or start a new run (leave run_id out, or give another)."
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
