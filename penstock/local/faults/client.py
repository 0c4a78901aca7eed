"""Setting rules and reading counts of a running proxy, from tests and scripts."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock_runtime.errors import InputError, PenstockError

SECONDS = 10


@dataclass(frozen=True)
class Counts:
    """What the proxy has seen since its rules were set."""

    calls: dict[str, int]
    """How often each operation was called, as `ecs:RunTask`; one that was not is missing."""
    by_origin: dict[str, dict[str, int]]
    """`calls`, by `airflow`, `tasks` and `desk`."""
    seen: list[int]
    """Of each rule: calls that match it and came as far as it."""
    hits: list[int]
    """Of each rule: how often its fault happened."""
    problem: str | None
    """What is wrong with the file of rules, while older rules hold."""


class Faults:
    """A running proxy, by its address of rules and counts."""

    def __init__(self, url: str) -> None:
        """
        Args:
            url: `http://127.0.0.1:PORT/_penstock/faults`.
        """
        self._url = url

    def set(self, rules: Sequence[Mapping[str, Any]], *, seed: int | None = None, desk: bool = False) -> None:
        """Take these rules instead of those that hold, and count from nothing.

        Args:
            rules: as in the file, with the key `from` for the origin.
            seed: makes `chance` repeatable.
            desk: allows rules with `from: desk`. Whether the desk's calls come here was settled at the start.

        Raises:
            InputError: a rule is wrong; the rules from before hold.
            PenstockError: the proxy does not answer.
        """
        faults = {"faults": [dict(rule) for rule in rules], "desk": desk}
        self._call("PUT", faults if seed is None else {**faults, "seed": seed})

    def add(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Take more rules, behind those that hold, which go on counting.

        Args:
            rules: as in the file.

        Raises:
            InputError: a rule is wrong; the rules from before hold.
            PenstockError: the proxy does not answer.
        """
        self._call("POST", {"faults": [dict(rule) for rule in rules]})

    def clear(self) -> None:
        """Let every call pass, and count from nothing.

        Raises:
            PenstockError: the proxy does not answer.
        """
        self.set([])

    def counts(self) -> Counts:
        """What was called, and which rules have hit, since the rules were set.

        Raises:
            PenstockError: the proxy does not answer.
        """
        found = self._call("GET")
        rules = found["rules"]
        return Counts(
            calls=found["calls"],
            by_origin=found["from"],
            seen=[one["seen"] for one in rules],
            hits=[one["hits"] for one in rules],
            problem=found["problem"],
        )

    def _call(self, method: str, body: Any = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._url, data=data, method=method, headers={"content-type": "application/json"}
        )
        # No proxy of the machine's: it does not lead to 127.0.0.1.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=SECONDS) as answer:
                found: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise InputError(_error(error.read()), fix="correct the rules", where=self._url) from None
        except OSError as error:
            raise PenstockError(
                f"the fault proxy does not answer: {error}", fix="start it with penstock up --faults", where=self._url
            ) from error
        return found


def _error(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")
