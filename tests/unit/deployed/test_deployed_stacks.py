"""Which stacks of an account belong to a project and environment, and which of them were ever made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import botocore.exceptions
import pytest

from penstock.compile.compiler import compile_plan
from penstock.deployed import stacks, state
from penstock.deployed.account import Account
from penstock.project.environments import prefix_of
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan.plan import Plan
from tests.unit import project_files


class CloudFormation:
    """Its answers, as AWS gives them."""

    def __init__(self, *found: dict[str, Any]) -> None:
        self._found = {one["StackName"]: one for one in found}

    def get_paginator(self, _name: str) -> Any:
        return self

    def paginate(self) -> Iterator[dict[str, Any]]:
        for stack in self._found.values():
            yield {"Stacks": [stack]}

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        if StackName not in self._found:
            error = {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}
            raise botocore.exceptions.ClientError({"Error": error}, "DescribeStacks")
        return {"Stacks": [self._found[StackName]]}

    def get_template(self, StackName: str, TemplateStage: str) -> dict[str, Any]:
        assert TemplateStage == "Original"
        return {"TemplateBody": json.dumps({"Description": StackName})}


def stack(name: str, owner: tuple[str, str] | None = None, status: str = "CREATE_COMPLETE", **more: Any) -> Any:
    tags = zip(("penstock:project", "penstock:environment"), owner or (), strict=False)
    return {
        "StackName": name,
        "StackStatus": status,
        "Tags": [{"Key": key, "Value": value} for key, value in tags],
        **more,
    }


def account(monkeypatch: pytest.MonkeyPatch, *found: dict[str, Any]) -> Account:
    monkeypatch.setattr(Account, "client", lambda _self, _service: CloudFormation(*found))
    return Account("eu-west-1")


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return compile_plan(project_files.loaded(tmp_path_factory.mktemp("project")))


IN_ONE_ACCOUNT = (
    stack("acme-dev-airflow", ("acme", "dev")),
    stack("acme-dev-network", ("acme", "dev")),
    stack("acme-dev-x-airflow", ("acme-dev", "x")),
    stack("acme--dev-x-airflow", ("acme", "dev-x")),
    stack("acme-dev-theirs"),
    stack("bill", ("acme", "dev")),
)


@pytest.mark.parametrize(
    ("project", "environment", "names"),
    [
        ("acme", "dev", {"acme-dev-airflow", "acme-dev-network"}),
        ("acme-dev", "x", {"acme-dev-x-airflow"}),
        ("acme", "dev-x", {"acme--dev-x-airflow"}),
        ("acme", "de", set()),
    ],
)
def test_projects_and_environments_whose_names_begin_alike_are_kept_apart(
    monkeypatch: pytest.MonkeyPatch, plan: Plan, project: str, environment: str, names: set[str]
) -> None:
    """By the tags of their stacks; a stack of somebody else is not ours for its name."""
    read_state = account(monkeypatch, *IN_ONE_ACCOUNT)
    own = replace(plan, project=project, environment=environment, prefix=prefix_of(project, environment))

    held = stacks.templates(read_state, stacks.of_plan(read_state, own, [f"{own.prefix}-airflow"]))
    assert {name: one["Description"] for name, one in held.items()} == {name: name for name in names}


def test_stacks_without_tags_are_known_by_name_alone(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    """An older Penstock made none: what the plan's own stacks are called is theirs, and nothing that begins alike."""
    read_state = account(monkeypatch, stack("acme-dev-airflow"), stack("acme-dev-x-airflow"))
    assert [one["StackName"] for one in stacks.of_plan(read_state, plan, ["acme-dev-airflow"])] == ["acme-dev-airflow"]


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS", "DELETE_COMPLETE"])
def test_a_stack_that_was_never_made_is_not_deployed(monkeypatch: pytest.MonkeyPatch, plan: Plan, status: str) -> None:
    """Neither to a push nor to a comparison; what is left of a first deploy is reported, with what becomes of it."""
    read_state = account(monkeypatch, stack("acme-dev-airflow", ("acme", "dev"), status))
    (one,) = stacks.of_plan(read_state, plan, [])
    assert stacks.templates(read_state, [one]) == {}

    with pytest.raises(state.NotDeployedError) as caught:
        state.find(read_state, plan)
    assert caught.value.what.startswith("acme-dev is not deployed in eu-west-1")
    assert caught.value.fix == "deploy it first: npx cdk deploy --all -c environment=dev"
    refusal = f"the first deploy of stack acme-dev-airflow failed ({status}); cdk deploy deletes it and makes it anew"
    assert (stacks.remnant(one) == (refusal, "")) == status.startswith("ROLLBACK")
    assert (refusal in caught.value.what) == status.startswith("ROLLBACK")


def test_a_protected_remnant_must_be_freed_first(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    """The CDK CLI protects a stack before it makes it, and fails to delete it."""
    left = stack("acme-dev-airflow", ("acme", "dev"), "ROLLBACK_COMPLETE", EnableTerminationProtection=True)
    with pytest.raises(state.NotDeployedError, match="once its termination protection is off") as caught:
        state.find(account(monkeypatch, left), plan)
    command = "aws cloudformation update-termination-protection --no-enable-termination-protection"
    assert caught.value.fix.startswith(f"{command} --stack-name acme-dev-airflow; then deploy it first: npx cdk")


@pytest.mark.parametrize(
    ("status", "what", "fix"),
    [
        ("CREATE_IN_PROGRESS", "is being deployed or deleted", "wait for its end"),
        ("ROLLBACK_IN_PROGRESS", "is being deployed or deleted", "wait for its end"),
        ("CREATE_FAILED", "did not end well", "npx cdk deploy"),
        ("CREATE_COMPLETE", "does not say where its DAGs are", "--to s3://"),
    ],
)
def test_a_stack_without_outputs_says_why(
    monkeypatch: pytest.MonkeyPatch, plan: Plan, status: str, what: str, fix: str
) -> None:
    """`--to` helps only where the deploy is done."""
    with pytest.raises(PenstockError, match=what) as caught:
        state.find(account(monkeypatch, stack("acme-dev-airflow", ("acme", "dev"), status)), plan)
    assert not isinstance(caught.value, state.NotDeployedError)
    assert fix in caught.value.fix


def test_a_project_that_is_nowhere_is_not_deployed(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    """The error says how to begin."""
    with pytest.raises(state.NotDeployedError, match="acme-dev is not deployed in eu-west-1"):
        state.find(account(monkeypatch), plan)


def test_termination_protection_is_read_of_the_stacks_that_are_there() -> None:
    """One whose first deploy failed is made anew, whatever it has."""
    deployed = [
        stack("net", EnableTerminationProtection=True),
        stack("airflow", EnableTerminationProtection=False),
        stack("nested"),
        stack("failed", status="ROLLBACK_COMPLETE", EnableTerminationProtection=True),
    ]

    assert stacks.protection(deployed) == {"net": True, "airflow": False, "nested": False}
