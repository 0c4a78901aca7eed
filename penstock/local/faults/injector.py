"""Which fault befalls a call, and how often each call was made."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from penstock.local.faults.calls import Call
from penstock.local.faults.rules import Faults, Origin, Rule


class Injector:
    """The rules that hold, and counts since they do."""

    def __init__(self, faults: Faults | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.replace(faults or Faults())

    def replace(self, faults: Faults) -> None:
        """Take other rules; every count starts at nothing again."""
        self._faults = faults
        # A generator of its own for each rule: what one of them decides depends on nobody else's calls.
        seeds = [None if faults.seed is None else f"{faults.seed}:{index}" for index in range(len(faults.faults))]
        self._random = [random.Random(seed) for seed in seeds]
        self._seen, self._hits = [0] * len(seeds), [0] * len(seeds)
        self._first: list[float | None] = [None] * len(seeds)
        self._calls: dict[str, Counter[str]] = {}

    def add(self, faults: Faults) -> None:
        """Take more rules, behind the others, which go on counting; the seed and `desk` of `faults` are not used."""
        new = faults.faults
        self._faults = self._faults.model_copy(update={"faults": [*self._faults.faults, *new]})
        self._random += [random.Random() for _ in new]
        self._seen += [0] * len(new)
        self._hits += [0] * len(new)
        self._first += [None] * len(new)

    @property
    def desk(self) -> bool:
        """Whether the commands and the deploy are to go through the proxy, too."""
        return self._faults.desk

    def reads(self, call: Call, origin: Origin) -> bool:
        """Whether a rule asks for the body of such a call."""
        return any(rule.containing is not None and _matches(rule, call, origin) for rule in self._faults.faults)

    def take(self, call: Call, origin: Origin, body: bytes = b"") -> Rule | None:
        """Count a call; the rule that it falls to, if any.

        Rules are asked in order, and one that takes the call hides it from those behind it.
        """
        self._calls.setdefault(origin, Counter())[call.name] += 1
        for index, rule in enumerate(self._faults.faults):
            held = rule.containing is None or rule.containing.encode() in body
            if held and _matches(rule, call, origin) and self._takes(index, rule):
                self._hits[index] += 1
                return rule
        return None

    def _takes(self, index: int, rule: Rule) -> bool:
        now = self._clock()
        first = self._first[index]
        if first is None:
            self._first[index] = first = now
        if rule.lasting is not None and now - first > rule.lasting:
            return False
        self._seen[index] += 1
        if self._seen[index] <= rule.after or (rule.count is not None and self._hits[index] >= rule.count):
            return False
        return rule.chance is None or self._random[index].random() < rule.chance

    def counts(self) -> dict[str, Any]:
        """Calls by operation, all of them and by origin; each rule with the matching calls and its hits."""
        total: Counter[str] = Counter()
        for counted in self._calls.values():
            total.update(counted)
        rules = zip(self._faults.faults, self._seen, self._hits, strict=True)
        return {
            "calls": dict(sorted(total.items())),
            "from": {origin: dict(sorted(counted.items())) for origin, counted in sorted(self._calls.items())},
            "rules": [
                {"rule": rule.model_dump(by_alias=True, exclude_unset=True), "seen": seen, "hits": hits}
                for rule, seen, hits in rules
            ],
        }


def _matches(rule: Rule, call: Call, origin: Origin) -> bool:
    return (
        rule.origin in ("all", origin)
        and rule.service in ("*", call.service)
        and rule.operation in ("*", call.operation)
    )
