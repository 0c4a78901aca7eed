"""Which fault befalls a call, and how often each call was made."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from penstock.local.faults.calls import Call
from penstock.local.faults.rules import Faults, Origin, Rule


class Injector:
    """The rules that hold, and counts since they do."""

    def __init__(self, faults: Faults | None = None) -> None:
        self.replace(faults or Faults())

    def replace(self, faults: Faults) -> None:
        """Take other rules; every count starts at nothing again."""
        self._faults = faults
        # A generator of its own for each rule: what one of them decides depends on nobody else's calls.
        seeds = [None if faults.seed is None else f"{faults.seed}:{index}" for index in range(len(faults.faults))]
        self._random = [random.Random(seed) for seed in seeds]
        self._seen, self._hits = [0] * len(seeds), [0] * len(seeds)
        self._calls: dict[str, Counter[str]] = {}

    @property
    def desk(self) -> bool:
        """Whether the commands and the deploy are to go through the proxy, too."""
        return self._faults.desk

    def take(self, call: Call, origin: Origin) -> Rule | None:
        """Count a call; the rule that it falls to, if any.

        Rules are asked in order, and one that takes the call hides it from those behind it.
        """
        self._calls.setdefault(origin, Counter())[call.name] += 1
        for index, rule in enumerate(self._faults.faults):
            if _matches(rule, call, origin) and self._takes(index, rule):
                self._hits[index] += 1
                return rule
        return None

    def _takes(self, index: int, rule: Rule) -> bool:
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
