"""Large projects stay under the limits of CloudFormation and IAM, and projects side by side stay apart."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.bundle.build import build_bundle
from penstock.compile import mwaa
from penstock.compile.compiler import compile_plan
from penstock.compile.task_definitions import CHARACTERS_OF_ONE, MOST_IN_A_SPREAD_STACK
from penstock.project.load import load
from penstock_runtime.plan.plan import Plan
from stacks.build import Files, build_stacks
from tests.golden.service_models import walked
from tests.stacks import plans
from tests.stacks.conftest import Templates

SCHEDULES, JOBS = 2_000, 420
"""Each job has a secret that no other has, and so a task definition of its own."""
MAX_RESOURCES, MAX_TEMPLATE, MAX_OUTPUTS = 500, 1_000_000, 200
"""AWS CloudFormation User Guide, "Understand CloudFormation quotas": resources and bytes of a template, outputs."""
MAX_INLINE, MAX_MANAGED = 10_240, 6_144
"""AWS IAM User Guide, "IAM and AWS STS quotas": characters of a role's inline policies, of a managed policy."""
SIZES = Path(__file__).with_name("scale.json")
"""What the sizes were when somebody last looked at them."""

_NAMES = {"RoleName", "ClusterName", "LogGroupName", "Family", "BucketName", "FunctionName", "TopicName", "QueueName"}
_NAMES |= {"AlarmName", "DashboardName", "EcrRepositoryPrefix", "GroupName", "ManagedPolicyName", "AliasName"}
_NAMED_BY_NAME = {"AWS::MWAA::Environment", "AWS::Events::Rule", "AWS::SecretsManager::Secret", "AWS::SSM::Parameter"}


def large_project(folder: Path) -> tuple[Plan, Path | None]:
    """A project of 2,000 schedules, compiled, and the files of its MWAA environment."""
    # With the runtime, whose text takes most of a task definition's room.
    image = {"image": "acme/x:1", "python": True}
    jobs = {
        f"job-{n}": {"tasks": [{"name": "run", "command": "true", **image, "secrets": [f"S{n}"]}]} for n in range(JOBS)
    }
    schedules = [{"name": f"s{n}", "job": f"job-{n % JOBS}", "interval": f"{n % 60} * * * *"} for n in range(SCHEDULES)]
    project: dict[str, Any] = {
        "name": "large",
        "environments": {"dev": {"region": "eu-west-1"}},
        "network": {"create": {}},
        "airflow": {"create": {"version": "3.0.6", "class": "mw1.large"}},
        "secrets": {f"S{n}": f"secretsmanager:acme/{n}" for n in range(JOBS)},
        "jobs": jobs,
        "schedules": schedules,
    }
    (folder / "penstock.yaml").write_text(yaml.safe_dump(project, sort_keys=False))
    return compiled(folder)


def compiled(folder: Path) -> tuple[Plan, Path | None]:
    """The plan of the project in a folder, and the files of its MWAA environment."""
    project = load(folder / "penstock.yaml")
    plan = compile_plan(project)
    return plan, mwaa.write(mwaa.files(plan, project), folder / "environment")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assembly of the large project: the files as they go to CloudFormation."""
    folder = tmp_path_factory.mktemp("large")
    plan, environment = large_project(folder)
    built = build_bundle(plan, dags_folder=plans.ROOT / "dags")
    built.write(folder / "out")
    out = folder / "out"
    files = Files(out / "dags" / plan.prefix, out / "artifacts", built.runtime_sha256, folder, environment)
    app = plans.application(folder / "cdk.out")
    build_stacks(app, plan, files, account=plans.ACCOUNT)
    app.synth()
    return folder / "cdk.out"


def templates_of(assembly: Path) -> dict[str, str]:
    """Stack name → the template's text."""
    return {one.name.partition(".")[0]: one.read_text() for one in sorted(assembly.glob("*.template.json"))}


def test_two_thousand_schedules_fit_into_templates(large: Path) -> None:
    """Every template is under CloudFormation's limits, with room for what is to come."""
    templates = templates_of(large)
    definitions = 0
    for name, text in templates.items():
        template = json.loads(text)
        kinds = Counter(resource["Type"] for resource in template["Resources"].values())
        definitions += kinds["AWS::ECS::TaskDefinition"]
        assert sum(kinds.values()) <= MAX_RESOURCES * 0.8, name
        assert len(text.encode()) <= MAX_TEMPLATE * 0.8, name
        assert len(template.get("Outputs", {})) <= MAX_OUTPUTS, name

        if "-tasks-" in name:
            assert len(text.encode()) / kinds["AWS::ECS::TaskDefinition"] <= CHARACTERS_OF_ONE, name

    assert CHARACTERS_OF_ONE * MOST_IN_A_SPREAD_STACK <= MAX_TEMPLATE * 0.9
    assert definitions == JOBS
    assert len([name for name in templates if name.startswith("large-dev-tasks-")]) == 16


def test_policies_of_a_large_project_fit(large: Path) -> None:
    """No policy is longer than IAM takes, and no role has more than ten managed ones."""
    for name, text in templates_of(large).items():
        template = json.loads(text)
        inline: Counter[str] = Counter()
        for logical_id, resource in template["Resources"].items():
            properties = resource.get("Properties", {})
            if resource["Type"] == "AWS::IAM::Role":
                documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
                inline[logical_id] += sum(len(json.dumps(document)) for document in documents)
                assert len(properties.get("ManagedPolicyArns", [])) <= 10
            elif resource["Type"] == "AWS::IAM::Policy":
                for role in properties["Roles"]:
                    inline[str(role["Ref"])] += len(json.dumps(properties["PolicyDocument"]))
            elif resource["Type"] == "AWS::IAM::ManagedPolicy":
                assert len(json.dumps(properties["PolicyDocument"])) <= MAX_MANAGED, (name, logical_id)
        assert max(inline.values(), default=0) <= MAX_INLINE, name


def test_no_service_refuses_a_name_of_a_large_project(large: Path) -> None:
    """Names, descriptions and policies made of many jobs are what the services' models take."""
    walk = walked(json.loads(text) for text in templates_of(large).values())

    assert {kind: one.refused[:3] for kind, one in walk.items() if one.refused} == {}
    assert [f"{kind} {path}" for kind, one in walk.items() for path, why in one.unknown.items() if not why] == []


def test_whoever_starts_tasks_is_deployed_after_all_of_them(large: Path) -> None:
    """The stack with MWAA waits for each stack of task definitions; these wait for the cluster's."""
    manifest = json.loads((large / "manifest.json").read_text())["artifacts"]
    spread = {name for name in manifest if name.startswith("large-dev-tasks-") and "assets" not in name}

    assert spread <= set(manifest["large-dev-airflow"]["dependencies"])
    assert all("large-dev-ingestion" in manifest[name]["dependencies"] for name in spread)


def test_sizes_are_those_that_were_looked_at(large: Path) -> None:
    """Resources and kilobytes of each template, to a tenth. If they should change: write the new ones into the file."""
    found = {
        name: {"resources": len(json.loads(text)["Resources"]), "kilobytes": round(len(text) / 1000)}
        for name, text in templates_of(large).items()
    }
    expected = json.loads(SIZES.read_text())

    assert found.keys() == expected.keys(), json.dumps(found)
    for name, sizes in found.items():
        for unit, size in sizes.items():
            assert size == pytest.approx(expected[name][unit], rel=0.1, abs=2), json.dumps(found)


def names(templates: Templates) -> list[tuple[str, str]]:
    """Everything that has a name in the account: kind and name; exports and stacks as well."""
    found = []
    for stack, template in templates.items():
        found.append(("stack", stack))
        found += [
            ("export", str(output["Export"]["Name"]))
            for output in template.get("Outputs", {}).values()
            if "Export" in output
        ]
        for resource in template["Resources"].values():
            keys = _NAMES | ({"Name"} if resource["Type"] in _NAMED_BY_NAME else set())
            properties = resource.get("Properties", {})
            found += [(resource["Type"], value) for key in keys if isinstance(value := properties.get(key), str)]
    return found


def test_projects_and_environments_side_by_side_share_no_name(tmp_path: Path) -> None:
    """Two projects of two environments in one account and region, their names alike on purpose."""
    found: list[tuple[str, str]] = []
    pairs = [("acme", "dev"), ("acme", "dev-x"), ("acme-dev", "x"), ("acme-dev", "dev")]
    for number, (project, environment) in enumerate(pairs):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "penstock.yaml").write_text(SMALL.format(name=project, environment=environment))
        plan, files = compiled(folder)
        plan = dataclasses.replace(plan, account=plans.ACCOUNT)
        found += names(plans.synthesize(plan, folder, environment=files))

    twice = {one: count for one, count in Counter(found).items() if count > 1}
    assert len(found) > 60
    assert twice == {}


SMALL = """\
name: {name}
environments: {{{environment}: {{region: eu-west-1}}}}
network: {{create: {{}}}}
airflow: {{create: {{version: 3.0.6}}}}
iam: {{role_name_prefix: dp-}}
images: {{command: {{pull_through: {{upstream: quay.io}}}}}}
jobs:
  j:
    tasks:
      - {{name: a, command: ls, image: quay.io/a/b:1}}
      - {{name: b, command: ls, image: quay.io/a/b:2}}
schedules: [{{name: s, job: j, interval: "@daily"}}]
"""
