"""What a workflow has done, where its exit code does not say it.

The package ends with 0 after data tests that failed, after usage that read no query log, and as long as a step's
failures stay below `successThreshold`. Here the results are counted while it runs, and judged by what the task demands.
"""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from penstock_runtime import contract
from penstock_runtime.container.environment import read_json, refuse

_LOGGER = "metadata"
"""The parent of all loggers of the package."""
_SHOWN = 5
"""How many names a message shows."""
_LONGEST = 300
"""Characters of a logged error in a message."""
_HARMLESS = (
    "Unknown error getting service connection",
    "Error trying to get or create the Ingestion Pipeline due to [Cannot find Pipeline Type",
)
"""What logged errors begin with that say nothing of the results. A dbt workflow asks the server for the warehouse's
connection, and goes on without; where it cannot, it fails by itself. The pipeline of an autoClassification workflow is
one that the package cannot create: its runs are seen in OpenMetadata only where the pipeline is there."""
_PASSED = "Success"
"""The package's status of a data test that has passed; others: Failed, Aborted, Queued."""


@dataclass(frozen=True)
class Demands:
    """What a task's settings ask for, besides the workflow's own `successThreshold`."""

    fail_on_warnings: bool = False
    min_success_percent: int | None = None
    """1 to 100, of each step's records and of the data tests; None: no demand."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Demands:
        """Those of `PENSTOCK_DEMANDS`; none where it is not set.

        Raises:
            RunError: it holds something else.
        """
        if not environ.get(contract.DEMANDS):
            return cls()
        data = read_json(environ, contract.DEMANDS, dict)
        percent, strict = data.get("min_success_percent"), data.get("fail_on_warnings", False)
        if (
            not data.keys() <= asdict(cls()).keys()
            or type(strict) is not bool
            or type(percent) not in (int, type(None))
        ):
            refuse(contract.DEMANDS, "holds something else than fail_on_warnings and min_success_percent")
        return cls(strict, percent)

    def to_json(self) -> str:
        """As `read` reads it: only what is demanded."""
        return json.dumps({key: value for key, value in asdict(self).items() if value}, separators=(",", ":"))


@dataclass
class Results:
    """What was seen of one workflow."""

    kind: str
    """Its workflow type."""
    tests: dict[str, str] = field(default_factory=dict)
    """Full name of each data test that ran → its status."""
    queries: int = 0
    """Queries that came out of the query log."""
    errors: list[str] = field(default_factory=list)
    """What the package logged as an error, the first few."""
    error_count: int = 0

    def record(self, given: Any, made: Any) -> None:
        """See what a step was given, and what it made of that."""
        self.queries += len(getattr(given, "queries", None) or ())
        for one in getattr(made, "test_results", None) or ():
            name = one.testCase.fullyQualifiedName
            status = one.testCaseResult.testCaseStatus
            self.tests[str(getattr(name, "root", name))] = str(getattr(status, "value", status))

    @property
    def failed_tests(self) -> list[str]:
        """The data tests that did not pass, by name."""
        return sorted(name for name, status in self.tests.items() if status != _PASSED)

    @property
    def unread(self) -> bool:
        """Whether it was to read a query log, and read no query."""
        return self.kind == "usage" and not self.queries

    def findings(self) -> list[str]:
        """What is not as it should be, besides what the package itself counts: a sentence each."""
        found = []
        if failed := self.failed_tests:
            more = f" and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
            found.append(f"{len(failed)} of {len(self.tests)} data tests failed: {', '.join(failed[:_SHOWN])}{more}")
        if self.kind == "TestSuite" and not self.tests:
            found.append("no data test ran")
        if self.unread:
            found.append("no query came out of the query log: it is empty, or cannot be read")
        if self.error_count:
            errors = "1 error was" if self.error_count == 1 else f"{self.error_count} errors were"
            found.append(f"{errors} logged; the first: {self.errors[0]}")
        return found

    def warnings(self) -> int:
        """How many warnings all this is, besides the steps' own."""
        return len(self.failed_tests) + self.error_count + (self.kind == "TestSuite" and not self.tests) + self.unread


def listen(kind: str) -> Results:
    """Hear what the package logs as errors from now on, for a workflow that is about to be created."""
    results = Results(kind)
    logging.getLogger(_LOGGER).addHandler(_Errors(results))
    return results


def watch(results: Results, workflow: Any) -> None:
    """Count the results of a workflow that is about to be executed; what was logged when it was created is over."""
    results.errors.clear()
    results.error_count = 0
    for step in getattr(workflow, "steps", None) or ():
        # A bulk sink gets no records: it reads the stage's file.
        if callable(getattr(step, "run", None)):
            step.run = _watched(step.run, results)
            # Only the first one sees a record as it came out of the source.
            break


def _watched(run: Callable[..., Any], results: Results) -> Callable[..., Any]:
    @functools.wraps(run)
    def watched(*records: Any) -> Any:
        made = run(*records)
        results.record(records[0] if records else None, made)
        return made

    return watched


class _Errors(logging.Handler):
    def __init__(self, results: Results) -> None:
        super().__init__(logging.ERROR)
        self._results = results

    def emit(self, record: logging.LogRecord) -> None:
        text = " ".join(record.getMessage().split())[:_LONGEST]
        if text.startswith(_HARMLESS):
            return
        self._results.error_count += 1
        if len(self._results.errors) < _SHOWN:
            self._results.errors.append(text)


def demand(workflow: Any, seen: Results, demands: Demands) -> None:
    """Let the workflow fail by the task's demands as it does by its own threshold: OpenMetadata shows it as failed."""
    if demands == Demands():
        return
    from metadata.config.common import WorkflowExecutionError

    by_itself = workflow.raise_from_status_internal

    def raise_from_status(raise_warnings: bool = False) -> None:
        by_itself(raise_warnings)
        if missed := broken(workflow, seen, demands):
            raise WorkflowExecutionError(missed)

    workflow.raise_from_status_internal = raise_from_status


def broken(workflow: Any, results: Results, demands: Demands) -> str | None:
    """What of a task's demands a workflow has not met; None: it has met them."""
    statuses = {str(step.name): step.get_status() for step in workflow.workflow_steps()}
    if demands.fail_on_warnings:
        own = sum(len(status.warnings) for status in statuses.values())
        said = [f"the steps report {own} warning{'s' if own > 1 else ''}"] if own else []
        if said := [*said, *results.findings()]:
            return f"fail_on_warnings: {'; '.join(said)}"
    if (least := demands.min_success_percent) is not None:
        shares = {f"step {name}": status.calculate_success() for name, status in statuses.items()}
        if results.tests:
            passed = len(results.tests) - len(results.failed_tests)
            shares["the data tests"] = round(100 * passed / len(results.tests), 2)
        if results.unread or (results.kind == "TestSuite" and not results.tests):
            shares[results.findings()[0]] = 0.0
        if low := {name: share for name, share in shares.items() if share < least}:
            return f"min_success_percent {least}: " + ", ".join(
                f"{name} has {share:g} %" for name, share in low.items()
            )
    return None
