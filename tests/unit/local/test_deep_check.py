"""`validate --deep`: what the package answers becomes errors and warnings at their places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from penstock.local import deep
from penstock.project.load import load
from penstock.project.openmetadata.shapes import ask
from penstock_runtime.errors import PenstockError
from tests.unit.project.openmetadata.openmetadata_models import Workflow
from tests.unit.project_files import write

PASSWORD = ["source", "serviceConnection", "config", "authType", "password"]
DATABASE = [*PASSWORD[:3], "database"]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> tuple[list[list[dict[str, Any]]], list[deep.Asked]]:
    """What the package is to answer, and what it was asked."""
    given: list[list[dict[str, Any]]] = []
    asked: list[deep.Asked] = []

    def answer(_environment: Path, workflows: list[deep.Asked]) -> list[list[dict[str, Any]]]:
        asked.extend(workflows)
        return [*given, *([] for _ in workflows[len(given) :])]

    monkeypatch.setattr(deep, "ask", answer)
    monkeypatch.setattr(deep, "_environment", lambda *_: (Path("/"), "1.12.14.2"))
    return given, asked


def _check(folder: Path, *edits: tuple[str, str]) -> list[tuple[str, str, bool]]:
    project = load(write(folder, *edits))
    found = deep.check(project, list(project.environments), lambda _: None)
    return [(one.where.removeprefix(f"{folder}/"), one.what, one.is_error) for one in found]


def test_answer_is_an_error_at_the_line_of_the_file(tmp_path: Path, answers: Any) -> None:
    """A path that goes on where the file ends is that of the last value there is."""
    answers[0].append([{"at": DATABASE, "what": "no such thing"}, {"at": ["sink", "config", "x"], "what": "nor this"}])

    assert _check(tmp_path) == [
        ("warehouse.yaml:5:116", "no such thing (OpenMetadata 1.12.14.2 itself)", True),
        ("warehouse.yaml:7:37", "nor this (OpenMetadata 1.12.14.2 itself)", True),
    ]


def test_completed_workflows_are_asked_about_with_the_values_of_their_environment(tmp_path: Path, answers: Any) -> None:
    """Variables are filled; what only the run knows is a text that becomes most things; each environment once."""
    _check(tmp_path)
    configs = [one.data["source"]["serviceConnection"]["config"] for one in answers[1]]

    assert [config["hostPort"] for config in configs] == ["dev.acme.internal:5432", "prod.acme.internal:5432"]
    assert {config["authType"]["password"] for config in configs} == {"1"}
    assert answers[1][0].data["workflowConfig"]["openMetadataServerConfig"]["hostPort"] == "https://catalog.acme.io/api"


def test_answer_about_a_value_of_the_run_is_dropped(tmp_path: Path, answers: Any) -> None:
    """It was asked about a text that stands for another."""
    answers[0].append([{"at": PASSWORD, "what": "must be longer"}])

    assert _check(tmp_path) == []


@pytest.mark.parametrize(
    ("version", "driver", "said"), [("1.12.3", False, "; the server is 1.12.3"), ("1.12.14", True, "itself)")]
)
def test_another_version_and_a_missing_driver_only_warn(
    tmp_path: Path, answers: Any, version: str, driver: bool, said: str
) -> None:
    """The server's own package, or the stock image, may have it."""
    answers[0].append(
        [{"at": ["source", "type"], "what": "cannot be imported", **({"driver": True} if driver else {})}]
    )
    ((where, what, is_error),) = _check(tmp_path, ("1.12.14", version))

    assert (where, is_error) == ("warehouse.yaml:2:9", False)
    assert what.endswith(said)


def test_version_without_a_lock_cannot_be_asked(tmp_path: Path) -> None:
    """And says which can."""
    with pytest.raises(PenstockError, match=r"no lock for OpenMetadata 0\.13\.1"):
        _check(tmp_path, ("1.12.14", "0.13.1"))


GOOD: dict[str, Any] = {
    "source": {"type": "pond", "serviceConnection": {"config": {"type": "Pond", "hostPort": "h:1", "threads": 2}}},
    "workflowConfig": {"openMetadataServerConfig": {"hostPort": "http://o/api"}},
}


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("threads", "two", [["source", "serviceConnection", "config", "threads"]]),
        ("colour", "red", [["source", "serviceConnection", "config", "colour"]]),
        ("login", {"password": "x", "more": 1}, [["source", "serviceConnection", "config", "login", "more"]]),
    ],
)
def test_words_of_pydantic_lead_to_the_value(key: str, value: Any, found: list[list[str]]) -> None:
    """Of the models that a connection may be, only the one that was meant is reported."""
    data = {**GOOD, "source": {**GOOD["source"]}}
    data["source"]["serviceConnection"] = {"config": {**GOOD["source"]["serviceConnection"]["config"], key: value}}
    with pytest.raises(ValidationError) as caught:
        Workflow.model_validate(data)

    assert [one["at"] for one in ask._of_validation(data, caught.value)] == found


def test_missing_key_is_named(tmp_path: Path) -> None:
    """At the mapping that lacks it."""
    data = {**GOOD, "workflowConfig": {"openMetadataServerConfig": {}}}
    with pytest.raises(ValidationError) as caught:
        Workflow.model_validate(data)

    assert ask._of_validation(data, caught.value) == [
        {"at": ["workflowConfig", "openMetadataServerConfig"], "what": "Field required: hostPort"}
    ]
