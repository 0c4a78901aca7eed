"""What a project sets for images, logs, roles, tags and permissions, as the templates have it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from penstock_runtime.plan.plan import Iam
from stacks.build import build_stacks
from tests.stacks import plans, statements
from tests.stacks.conftest import Templates
from tests.stacks.every_setting import (
    BOUNDARY,
    CATALOG,
    COMMAND,
    FAR_KEY,
    IN_REGION,
    KEY,
    MELTANO,
    OPENMETADATA,
    OWN_IMAGE,
    OWN_READ_ONLY,
    PLAN,
    RULE,
    SECRETS_KEY,
)


@pytest.fixture(scope="module")
def all_set(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The templates of `PLAN`; a finding of cdk-nag would have failed the synth."""
    folder = tmp_path_factory.mktemp("settings")
    app = plans.application(folder / "cdk.out")
    build_stacks(app, PLAN, plans.files(folder), account=None)
    plans.judge(app)
    return {stack.stack_name: stack.template for stack in app.synth().stacks}


def container(templates: Templates, family: str) -> dict[str, Any]:
    (found,) = [
        resource["Properties"]["ContainerDefinitions"][0]
        for resource in plans.resources(templates, "AWS::ECS::TaskDefinition")
        if resource["Properties"]["Family"] == family
    ]
    return dict(found)


def test_every_role_has_boundary_path_and_name(all_set: Templates) -> None:
    """MWAA's, the tasks', those of CDK's own Lambdas, the flow log's: all, and each name once."""
    roles = [resource["Properties"] for resource in plans.resources(all_set, "AWS::IAM::Role")]

    assert len(roles) >= 2 * len(PLAN.task_definitions) + 3
    assert {(role["PermissionsBoundary"], role["Path"]) for role in roles} == {(BOUNDARY, "/data/")}
    named = {role["RoleName"] for role in roles}
    assert len(named) == len(roles)
    unprefixed = {
        f"{definition.role_prefix}-{kind}" for definition in PLAN.task_definitions for kind in ("task", "exec")
    }
    assert all(len(name) <= 64 for name in named)
    # The plan has put the prefix into the names of the tasks' roles already.
    assert all(name.startswith("dp-acme-dev-") for name in named - unprefixed)


def test_a_role_of_another_path_has_another_name(all_set: Templates, tmp_path: Path) -> None:
    """CloudFormation makes it beside the old one, and refuses to where that has the name."""
    app = plans.application(tmp_path)
    plan = dataclasses.replace(PLAN, iam=Iam(BOUNDARY, "/other/", "dp-", "acme"))
    build_stacks(app, plan, plans.files(tmp_path), account=None)
    moved = {stack.stack_name: stack.template for stack in app.synth().stacks}
    before, after = (
        {resource["Properties"]["RoleName"] for resource in plans.resources(found, "AWS::IAM::Role")}
        for found in (all_set, moved)
    )

    # Those of tasks get their names from the plan.
    assert {name.rsplit("-", 1)[1] for name in before & after} == {"task", "exec"}


def test_roles_are_handed_over_by_their_path(all_set: Templates) -> None:
    """IAM's ARN of a role holds its path."""
    role = statements.of_role(all_set["acme-dev-airflow"], "ExecutionRole")
    (hand_over,) = statements.that_allow(role, "iam:PassRole")

    name = "dp-acme-dev-????????"
    assert all(f":iam::{plans.ACCOUNT}:role/data/{name}-" in one for one in hand_over["Resource"])


def test_without_settings_roles_are_as_cdk_makes_them(templates: Templates) -> None:
    """No path, no boundary, and no name but where another stack must know it."""
    roles = [resource["Properties"] for resource in plans.resources(templates, "AWS::IAM::Role")]

    assert not [role for role in roles if "Path" in role or "PermissionsBoundary" in role]
    assert len([role for role in roles if "RoleName" in role]) == 2 * len(plans.PLAN.task_definitions)


def test_assets_go_to_the_bootstrap_of_the_qualifier(all_set: Templates) -> None:
    """Bucket and version parameter are those of `cdk bootstrap --qualifier acme`."""
    (version,) = {one["Parameters"]["BootstrapVersion"]["Default"] for one in all_set.values()}
    buckets = {
        statements.text(bucket)
        for resource in plans.resources(all_set, "Custom::CDKBucketDeployment")
        for bucket in resource["Properties"]["SourceBucketNames"]
    }

    assert version == "/cdk-bootstrap/acme/version"
    assert buckets == {f"cdk-acme-assets-{plans.ACCOUNT}-{plans.REGION}"}


def test_tags_are_on_everything(all_set: Templates) -> None:
    """The user's beside ours, on every resource that has tags."""
    tagged = [
        (resource["Type"], resource["Properties"]["Tags"])
        for template in all_set.values()
        for resource in template["Resources"].values()
        if "Tags" in resource.get("Properties", {})
    ]
    wanted = {"team": "data", "cost center": "42", "penstock:project": "acme", "penstock:environment": "dev"}

    assert {"AWS::ECS::TaskDefinition", "AWS::ECS::Cluster", "AWS::IAM::Role", "AWS::MWAA::Environment"} <= {
        kind for kind, _ in tagged
    }
    for kind, tags in tagged:
        by_key = tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}
        assert wanted.items() <= by_key.items(), kind


def test_the_stacks_are_tagged_themselves(tmp_path: Path) -> None:
    """Also those that definitions are spread over: `penstock diff` knows a project's stacks by that."""
    app = plans.application(tmp_path / "cdk.out")
    spread = tuple(dataclasses.replace(definition, stack="a") for definition in PLAN.task_definitions)
    build_stacks(app, dataclasses.replace(PLAN, task_definitions=spread), plans.files(tmp_path), account=None)
    stacks = app.synth().stacks

    assert {stack.stack_name.removeprefix("acme-dev-") for stack in stacks} == {
        "network",
        "ingestion",
        "tasks-a",
        "airflow",
        "observability",
    }
    for one in stacks:
        assert one.tags == {"team": "data", "cost center": "42"} | {
            "penstock:project": "acme",
            "penstock:environment": "dev",
        }


def test_the_log_is_as_the_project_says(all_set: Templates) -> None:
    """Key, mode and buffer; mode is always said, since ECS's default may be changed for an account."""
    (log,) = [
        resource["Properties"]
        for resource in plans.resources(all_set, "AWS::Logs::LogGroup")
        if resource["Properties"].get("LogGroupName") == PLAN.log_group
    ]
    options = container(all_set, COMMAND.family)["LogConfiguration"]["Options"]

    assert log["KmsKeyId"] == KEY
    assert (options["mode"], options["max-buffer-size"]) == ("non-blocking", "25m")


def test_the_cluster_and_its_containers_are_as_the_project_says(all_set: Templates, templates: Templates) -> None:
    """Insights, stop timeout; an init process always."""
    (cluster,) = plans.resources(all_set, "AWS::ECS::Cluster")
    main, plain = container(all_set, COMMAND.family), container(templates, plans.COMMAND.family)

    assert cluster["Properties"]["ClusterSettings"] == [{"Name": "containerInsights", "Value": "enhanced"}]
    assert (main["StopTimeout"], plain["StopTimeout"]) == (30, 120)
    assert {"Name": "PENSTOCK_STOP_TIMEOUT_SECONDS", "Value": "30"} in main["Environment"]
    assert main["LinuxParameters"] == plain["LinuxParameters"] == {"InitProcessEnabled": True}


def test_a_read_only_root_has_a_tmp_that_anybody_may_write(all_set: Templates) -> None:
    """The image's user is not root, and a volume of Fargate's would be root's. The runtime makes it HOME, too.

    HOME itself stays: Python finds the packages of OpenMetadata's image below it. A tmpfs is everybody's to write by
    itself; ECS is not known to take an option `mode=1777`.
    """
    main = container(all_set, OPENMETADATA.family)

    assert main["ReadonlyRootFilesystem"] is True
    assert main["LinuxParameters"]["Tmpfs"] == [{"ContainerPath": "/tmp", "Size": 64}]
    assert {"Name": "PENSTOCK_HOME", "Value": "/tmp"} in main["Environment"]
    assert "HOME" not in {one["Name"] for one in main["Environment"]}
    other = container(all_set, plans.MELTANO.family)
    assert "ReadonlyRootFilesystem" not in other
    assert "PENSTOCK_HOME" not in {one["Name"] for one in other["Environment"]}


def test_nothing_of_ours_is_in_an_image_of_the_user_s_own(all_set: Templates) -> None:
    """Its own entry point, process 1 included, and no variable; secrets, log and stop timeout as everywhere."""
    main, read_only = (container(all_set, one.family) for one in (OWN_IMAGE, OWN_READ_ONLY))

    assert {"EntryPoint", "Command", "Environment", "LinuxParameters"} & main.keys() == set()
    assert [secret["Name"] for secret in main["Secrets"]] == ["OM_JWT"]
    assert (main["StopTimeout"], main["LogConfiguration"]["LogDriver"]) == (30, "awslogs")
    assert read_only["LinuxParameters"].keys() == {"Tmpfs"}
    assert "Environment" not in read_only


def test_the_role_of_such_a_task_may_do_what_the_user_permits_and_no_more(all_set: Templates) -> None:
    """It fetches nothing from the artifacts bucket."""
    roles = {
        resource["Properties"]["RoleName"]: resource["Properties"]
        for resource in plans.resources(all_set, "AWS::IAM::Role")
    }
    own, other = (roles[f"{one.role_prefix}-task"] for one in (OWN_IMAGE, OWN_READ_ONLY))

    (policy,) = own["Policies"]
    assert [one["Action"] for one in policy["PolicyDocument"]["Statement"]] == ["sqs:SendMessage"]
    assert "Policies" not in other


def test_an_image_is_pulled_through_the_cache(all_set: Templates) -> None:
    """The rule is there before the definition; ECS may make that one repository and pull from it."""
    (rule,) = plans.resources(all_set, "AWS::ECR::PullThroughCacheRule")
    role = statements.of_role(all_set["acme-dev-airflow"], f"{OPENMETADATA.role_prefix}-exec")
    repository = f"arn:aws:ecr:{plans.REGION}:{plans.ACCOUNT}:repository/hub/openmetadata/ingestion-base"
    reference = f"{plans.ACCOUNT}.dkr.ecr.{plans.REGION}.amazonaws.com/hub/openmetadata/ingestion-base:1.12.14"

    assert rule["Properties"] == {
        "CredentialArn": RULE.credentials,
        "EcrRepositoryPrefix": "hub",
        "UpstreamRegistryUrl": "registry-1.docker.io",
    }
    image = statements.text(container(all_set, OPENMETADATA.family)["Image"])
    assert image.replace("<AWS::URLSuffix>", "amazonaws.com") == reference
    granted = {
        (action, resource)
        for one in role
        for action in one["Action"]
        if action.startswith("ecr:") and action != "ecr:GetAuthorizationToken"
        for resource in one["Resource"]
    }
    actions = ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer", "BatchImportUpstreamImage")
    assert granted == {(f"ecr:{action}", repository) for action in (*actions, "CreateRepository")}
    # In a stack that comes first.
    assert rule in all_set["acme-dev-ingestion"]["Resources"].values()


def test_a_private_registry_is_logged_in_to(all_set: Templates) -> None:
    """ECS reads that one secret, and the container does not get it."""
    main = container(all_set, COMMAND.family)
    role = statements.of_role(all_set["acme-dev-airflow"], f"{COMMAND.role_prefix}-exec")
    (read,) = statements.that_allow(role, "secretsmanager:GetSecretValue")

    assert main["RepositoryCredentials"] == {"CredentialsParameter": "acme/registry"}
    assert "Secrets" not in main
    arn = f"arn:aws:secretsmanager:{plans.REGION}:{plans.ACCOUNT}:secret:acme/registry"
    assert read["Resource"] == [arn, f"{arn}-??????"]
    assert not [one for one in role if any(action.startswith("ecr:") for action in one["Action"])]


def test_permissions_are_the_task_roles_and_no_other(all_set: Templates) -> None:
    """In a policy of their own; ECS's side of the task and the other tasks do not get them."""
    role = statements.of_role(all_set["acme-dev-airflow"], f"{OPENMETADATA.role_prefix}-task")
    (read,) = statements.that_allow(role, "glue:GetTables")
    (listing,) = statements.that_allow(role, "athena:ListDataCatalogs")

    assert (set(read["Action"]), read["Resource"]) == ({"glue:GetTables", "glue:Get*"}, [CATALOG])
    assert read["Condition"] == IN_REGION
    assert listing["Resource"] == ["*"]
    with_glue = [
        resource["Properties"]["RoleName"]
        for resource in plans.resources(all_set, "AWS::IAM::Role")
        if "glue:" in str(resource["Properties"])
    ]
    assert with_glue == [f"{OPENMETADATA.role_prefix}-task"]


def test_keys_of_secrets_are_for_who_reads_them(all_set: Templates) -> None:
    """ECS's side of the task may decrypt with these keys, by way of the stores that it reads from, and nothing else."""
    stack = all_set["acme-dev-airflow"]
    decrypting = {}
    for one in (OPENMETADATA, MELTANO, COMMAND):
        (decrypt,) = statements.that_allow(statements.of_role(stack, f"{one.role_prefix}-exec"), "kms:Decrypt") or [{}]
        decrypting[one.engine] = (decrypt.get("Action"), decrypt.get("Resource"), decrypt.get("Condition"))
        own = statements.of_role(stack, f"{one.role_prefix}-task")
        assert own
        assert not statements.that_allow(own, "kms:Decrypt")

    def by_way_of(*services: str) -> dict[str, Any]:
        return {"StringEquals": {"kms:ViaService": [f"{service}.amazonaws.com" for service in services]}}

    here = f"secretsmanager.{plans.REGION}"
    assert decrypting == {
        "openmetadata": (None, None, None),
        "meltano": (
            ["kms:Decrypt"],
            [SECRETS_KEY, FAR_KEY],
            by_way_of(here, "secretsmanager.us-east-1", f"ssm.{plans.REGION}"),
        ),
        "command": (["kms:Decrypt"], [SECRETS_KEY], by_way_of(here)),
    }
