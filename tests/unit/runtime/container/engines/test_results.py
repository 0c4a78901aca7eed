"""What a workflow has done, where upstream's exit code does not say it: with stand-ins for the package's steps."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from penstock_runtime import contract
from penstock_runtime.container.engines import results
from penstock_runtime.container.engines.results import Demands, Results
from penstock_runtime.errors import RunError

STRICT = Demands(fail_on_warnings=True)


class Step:
    """A step that passes its records on, as the package's do."""

    def __init__(self, name: str, made: Any = None, success: float = 100.0, warnings: int = 0) -> None:
        self.name, self._made = name, made
        self._status = SimpleNamespace(warnings=["w"] * warnings, calculate_success=lambda: success)

    def run(self, record: Any) -> Any:
        return self._made if self._made is not None else record

    def get_status(self) -> Any:
        return self._status


def workflow(*steps: Step) -> Any:
    source = Step("Postgres")
    return SimpleNamespace(source=source, steps=steps, workflow_steps=lambda: [source, *steps])


def watched(kind: str, made: Any) -> Results:
    """What `execute` does around the creation of a workflow."""
    seen = results.listen(kind)
    logging.getLogger("metadata.Ingestion").error("a step of the connection's test failed")
    results.watch(seen, made)
    return seen


def outcome(**tests: str) -> Any:
    """What the package's test runner returns."""
    return SimpleNamespace(
        test_results=[
            SimpleNamespace(
                testCase=SimpleNamespace(fullyQualifiedName=SimpleNamespace(root=f"warehouse.{name}")),
                testCaseResult=SimpleNamespace(testCaseStatus=SimpleNamespace(value=status)),
            )
            for name, status in tests.items()
        ]
    )


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """No handler stays at the package's logger."""
    logger = logging.getLogger("metadata")
    before = list(logger.handlers)
    yield
    logger.handlers[:] = before


def test_data_tests_are_counted_by_their_results() -> None:
    """Upstream ends with 0 whatever they say; aborted ones have not passed either."""
    runner, sink = Step("Data Quality", made=outcome(a="Success", b="Failed", c="Aborted")), Step("OpenMetadata")
    made = workflow(runner, sink)
    seen = watched("TestSuite", made)

    sink.run(runner.run(SimpleNamespace(table="t")))

    assert seen.findings() == ["2 of 3 data tests failed: warehouse.b, warehouse.c"]
    assert seen.warnings() == 2
    assert results.broken(made, seen, Demands()) is None
    assert results.broken(made, seen, STRICT) == f"fail_on_warnings: {seen.findings()[0]}"
    assert results.broken(made, seen, Demands(min_success_percent=30)) is None
    assert results.broken(made, seen, Demands(min_success_percent=34)) == (
        "min_success_percent 34: the data tests has 33.33 %"
    )


def test_suite_without_a_test_is_found() -> None:
    """A misspelt table or an empty suite: nothing was tested."""
    made = workflow(Step("Data Quality"))
    seen = watched("TestSuite", made)

    assert seen.findings() == ["no data test ran"]
    assert (
        results.broken(made, seen, Demands(min_success_percent=1)) == "min_success_percent 1: no data test ran has 0 %"
    )


def test_usage_without_a_query_log_is_found() -> None:
    """The package logs an error, counts nothing, and ends with 0."""
    made = workflow(Step("query-parser"))
    seen = watched("usage", made)
    logging.getLogger("metadata.Ingestion").error("Source usage processing error - relation does\nnot exist")

    assert seen.findings() == [
        "no query came out of the query log: it is empty, or cannot be read",
        "1 error was logged; the first: Source usage processing error - relation does not exist",
    ]
    assert results.broken(made, seen, Demands()) is None
    assert "no query came out" in (results.broken(made, seen, STRICT) or "")
    assert "0 %" in (results.broken(made, seen, Demands(min_success_percent=1)) or "")


def test_queries_of_the_log_are_counted() -> None:
    """One record holds many."""
    parser = Step("query-parser")
    made = workflow(parser)
    seen = watched("usage", made)

    parser.run(SimpleNamespace(queries=["SELECT 1", "SELECT 2"]))

    assert (seen.queries, seen.findings()) == (2, [])
    assert results.broken(made, seen, Demands(fail_on_warnings=True, min_success_percent=100)) is None


def test_a_server_that_holds_no_connection_is_no_error() -> None:
    """A dbt workflow asks for the warehouse's, and goes on without."""
    seen = watched("dbt", workflow(Step("OpenMetadata")))
    logging.getLogger("metadata.Ingestion").error("Unknown error getting service connection for service name [w] …")

    assert (seen.findings(), seen.warnings()) == ([], 0)


def test_steps_are_held_to_the_demanded_share() -> None:
    """The workflow's own threshold is 90 by default; a task may ask for more."""
    made = workflow(Step("OpenMetadata", success=93.33, warnings=2))
    seen = Results("metadata")

    assert results.broken(made, seen, Demands(min_success_percent=93)) is None
    assert results.broken(made, seen, Demands(min_success_percent=95)) == (
        "min_success_percent 95: step OpenMetadata has 93.33 %"
    )
    assert results.broken(made, seen, STRICT) == "fail_on_warnings: the steps report 2 warnings"


@pytest.mark.parametrize(
    ("text", "demands"),
    [
        ("", Demands()),
        ('{"fail_on_warnings":true}', Demands(fail_on_warnings=True)),
        ('{"min_success_percent":95}', Demands(min_success_percent=95)),
    ],
)
def test_reads_what_the_task_demands(text: str, demands: Demands) -> None:
    """And writes it as short as it goes, for it is in RunTask's overrides."""
    assert Demands.read({contract.DEMANDS: text}) == demands
    assert json.loads(demands.to_json()) == json.loads(text or "{}")


@pytest.mark.parametrize(
    "text", ["[]", '{"min_success_percent":"95"}', '{"fail_on_warnings":1}', '{"strict":true}', "{"]
)
def test_refuses_other_demands(text: str) -> None:
    """A setting that is not understood is never passed over."""
    with pytest.raises(RunError, match="PENSTOCK_DEMANDS"):
        Demands.read({contract.DEMANDS: text})
