"""The network of a plan: the endpoints that it needs, where its tasks run, what it cannot reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile import compile_plan
from penstock_runtime.airflow import request
from penstock_runtime.errors import InputError, InputErrors
from penstock_runtime.plan import Plan
from penstock_runtime.resources import Resources
from penstock_runtime.schedule import Task
from tests.unit.project_files import WORKFLOW, loaded

CREATE = "network: {create: {cidr: 10.20.0.0/16}}"
SEALED = (CREATE, "network: {create: {egress: endpoints}}")
NO_CATALOGUE = ("      - name: catalogue\n        openmetadata: {type: metadata, config: warehouse.yaml}\n", "")
LOAD = "- {name: load, "
ECR = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
ALWAYS = {
    *("airflow.api", "airflow.env", "airflow.ops", "ecr.api", "ecr.dkr", "ecs"),
    *("kms", "logs", "monitoring", "sqs", "sts"),
}
USE = (
    "network: {use: {vpc: vpc-0a1b2c3d, private_subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d], "
    "subnet_groups: {out: {subnets: [subnet-2a1b2c3d], assign_public_ip: true}}%s}}"
)
RESOURCES = Resources("eu-west-1", "acme", ("subnet-9",), ("sg-1",), False, "/logs", "artifacts")


def _plan(folder: Path, *edits: tuple[str, str], **more: str) -> Plan:
    return compile_plan(loaded(folder, *edits), **more)  # type: ignore[arg-type]


def _refused(folder: Path, *edits: tuple[str, str]) -> list[tuple[str, str, str]]:
    with pytest.raises(InputError) as caught:
        _plan(folder, *edits)
    found = caught.value.errors if isinstance(caught.value, InputErrors) else (caught.value,)
    return [(one.where.rsplit("/", 1)[-1], one.what, one.fix) for one in found]


def _task(plan: Plan, name: str) -> Task:
    return next(task for schedule in plan.schedules for task in schedule.tasks if task.name == name)


def test_nat_needs_no_endpoint(tmp_path: Path) -> None:
    """Two gateways unless one is asked for; the flow log is kept for 30 days unless it is not wanted."""
    plain = _plan(tmp_path / "a").network
    cheap = _plan(tmp_path / "b", (CREATE, "network: {create: {nat_gateways: 1, flow_logs: {enabled: false}}}")).network

    assert (plain.egress, plain.nat_gateways, plain.endpoints, plain.flow_log_days) == ("nat", 2, (), 30)
    assert (cheap.nat_gateways, cheap.flow_log_days) == (1, None)


def test_zones_are_the_projects_or_the_first_two(tmp_path: Path) -> None:
    """By their names; the first two are CloudFormation's to find."""
    zones = (CREATE, "network: {create: {zones: [eu-west-1c, eu-west-1a]}}")
    named = _plan(tmp_path / "a", zones, ("eu-central-1", "eu-west-1")).network

    assert named.zones == ("eu-west-1c", "eu-west-1a")
    assert _plan(tmp_path / "b").network.zones == ()


def test_endpoints_are_those_of_mwaa_and_of_the_tasks(tmp_path: Path) -> None:
    """Secrets Manager's only for a project with a secret there; no NAT gateway."""
    network = _plan(tmp_path / "a", SEALED, NO_CATALOGUE).network
    plain = f'{LOAD}command: ls, image: "{ECR}/refresh:7"}}'
    without = _plan(tmp_path / "b", SEALED, NO_CATALOGUE, ("- {name: load, meltano: tap-a target-b}", plain)).network

    assert {*network.endpoints} == {*ALWAYS, "secretsmanager"}
    assert network.nat_gateways == 0
    assert list(network.endpoints) == sorted(network.endpoints)
    assert {*without.endpoints} == ALWAYS


@pytest.mark.parametrize(
    ("edit", "more"),
    [
        (("PASSWORD: secretsmanager:warehouse#password", "PASSWORD: ssm:/warehouse"), {"ssm"}),
        (("egress: endpoints", "egress: endpoints, more_endpoints: [glue]"), {"secretsmanager", "glue"}),
        (("dev: {region: eu-west-1}", "dev: {region: ca-west-1}"), {"secretsmanager", "ecs-agent", "ecs-telemetry"}),
        (
            (
                "class: mw1.small",
                "class: mw1.small, options: {secrets.backend: "
                "airflow.providers.amazon.aws.secrets.systems_manager.SystemsManagerParameterStoreBackend}",
            ),
            {"secretsmanager", "ssm"},
        ),
    ],
)
def test_endpoints_follow_what_the_plan_uses(tmp_path: Path, edit: tuple[str, str], more: set[str]) -> None:
    """Its stores of secrets, Airflow's backend, what the user adds, and what ECS wants in later regions."""
    old, new = edit
    sealed = (SEALED[0], SEALED[1].replace(old, new))
    edits = [sealed, NO_CATALOGUE] + ([] if old in SEALED[1] else [edit])

    assert {*_plan(tmp_path, *edits).network.endpoints} == ALWAYS | more


def test_endpoint_that_is_left_out(tmp_path: Path) -> None:
    """As for a region that does not offer it."""
    sealed = (CREATE, "network: {create: {egress: endpoints, without_endpoints: [airflow.ops, kms]}}")

    assert ALWAYS - {*_plan(tmp_path, sealed, NO_CATALOGUE).network.endpoints} == {"airflow.ops", "kms"}


MWAA_FAILS = "MWAA cannot create the environment, which shows after hours only: take it out of without_endpoints, or "
EXISTING_AIRFLOW = (
    "create: {version: 3.0.6, class: mw1.small}",
    "use: {environment: team, version: 3.0.6, bucket: team-dags, execution_role: team}",
)


@pytest.mark.parametrize(
    ("left_out", "edits", "told"),
    [
        ("¦sqs, monitoring, airflow.env", (), [f"without a way to sqs and monitoring {MWAA_FAILS}"]),
        ("sts, ¦kms", (), [f"without a way to kms {MWAA_FAILS}"]),
        ("airflow.api, airflow.env, airflow.ops, sts", (), []),
        ("sqs, kms, monitoring, ecs", (EXISTING_AIRFLOW,), []),
        ("¦ecr.api, ecr.dkr", (), ["without a way to ecr.api and ecr.dkr Fargate starts no task: take it"]),
        ("¦ecr.api, logs", (EXISTING_AIRFLOW,), ["without a way to ecr.api and logs Fargate starts no task"]),
        ("¦ecs", (), ["without a way to ecs Airflow starts no Fargate task"]),
        ("¦secretsmanager", (), ["without a way to secretsmanager nothing reads the secrets that are kept there"]),
        ("ssm, ecs-agent", (), []),
        ("¦ecs-agent", (("{region: eu-west-1}", "{region: ca-west-1}"),), ["to ecs-agent Fargate starts no task"]),
    ],
)
def test_endpoint_that_is_missed_is_a_warning(
    tmp_path: Path, left_out: str, edits: tuple[tuple[str, str], ...], told: list[str]
) -> None:
    """At the first one that does harm. A route of one's own may lead there, so it is no error; what nobody here calls
    may be left out silently."""
    line = f"network: {{create: {{egress: endpoints, without_endpoints: [{left_out}]}}}}"
    plan = _plan(tmp_path, (CREATE, line.replace("¦", "")), NO_CATALOGUE, *edits)
    found = [one for one in plan.warnings if "without a way to" in one]

    assert len(found) == len(told)
    for warning, part in zip(found, told, strict=True):
        assert warning.startswith(f"penstock.yaml:5:{line.index('¦') + 1}: ")
        assert part in warning


def test_secret_of_another_region_is_a_warning(tmp_path: Path) -> None:
    """ECS reads it where its ARN says, and an endpoint is of one region."""
    far = ("secretsmanager:warehouse", "arn:aws:secretsmanager:us-east-1:111122223333:secret:warehouse-AbCdEf")
    found, open_ = (
        [one for one in _plan(tmp_path / name, far, *edits).warnings if "is in another region" in one]
        for name, edits in (("sealed", (SEALED, NO_CATALOGUE)), ("open", ()))
    )

    (warning,) = found
    assert "secret PASSWORD is in another region, and endpoints lead to eu-west-1 only" in warning
    assert warning.startswith("penstock.yaml:")
    assert not open_


@pytest.mark.parametrize(
    ("access", "version", "told"),
    [("public", "3.0.6", True), ("public", "2.11.0", False), ("private", "3.0.6", False)],
)
def test_web_server_out_of_the_workers_reach_is_a_warning(
    tmp_path: Path, access: str, version: str, told: bool
) -> None:
    """Airflow 3's workers call it; without internet they reach private addresses only."""
    airflow = ("{version: 3.0.6, class: mw1.small}", f"{{version: {version}, class: mw1.small, access: {access}}}")
    plan = _plan(tmp_path, SEALED, NO_CATALOGUE, airflow)

    assert any("no address inside the network" in one for one in plan.warnings) == told


def test_endpoints_that_other_partitions_lack(tmp_path: Path) -> None:
    """Their network stack would fail, and it is the first."""
    plan = _plan(tmp_path, SEALED, NO_CATALOGUE, ("{region: eu-west-1}", "{region: us-gov-west-1}"))

    assert ALWAYS - {*plan.network.endpoints} == {"airflow.ops"}


def test_each_harm_of_what_is_left_out_is_told(tmp_path: Path) -> None:
    """With none of its endpoints, an environment waits for hours and no task starts."""
    line = f"network: {{create: {{egress: endpoints, without_endpoints: [{', '.join(sorted(ALWAYS))}]}}}}"
    found = _plan(tmp_path, (CREATE, line), NO_CATALOGUE)

    assert found.network.endpoints == ("secretsmanager",)
    assert [one.partition("without a way to ")[2].partition(":")[0] for one in found.warnings] == [
        "kms, logs, monitoring and sqs MWAA cannot create the environment, which shows after hours only",
        "ecr.api, ecr.dkr and logs Fargate starts no task",
        "ecs Airflow starts no Fargate task",
    ]


def test_stock_image_is_out_of_reach_without_internet(tmp_path: Path) -> None:
    """Said at the version, which gives the image, with the settings that help."""
    ((where, what, fix),) = _refused(tmp_path, SEALED, ("https://catalog.acme.io/api", "http://10.0.0.1/api"))

    assert where == "penstock.yaml:9:12"
    assert "'docker.getcollate.io/openmetadata/ingestion:1.12.14' is out of reach" in what
    assert "ECR in eu-west-1 only" in what
    assert "images.openmetadata.mirror" in fix
    assert "egress: nat" in fix


@pytest.mark.parametrize(
    ("image", "reached"),
    [
        ("docker.io/library/python:3.12", False),
        ("acme/refresh:7", False),
        ("public.ecr.aws/docker/library/python:3.12", False),
        ("ghcr.io/acme/refresh:7", False),
        ("111122223333.dkr.ecr.us-east-1.amazonaws.com/refresh:7", False),
        ("111122223333.dkr.ecr.eu-west-1.amazonaws.com.evil.example/refresh:7", False),
        ("111122223333.dkr.ecr.eu-west-1.amazonaws.com/refresh:7", True),
        ("111122223333.dkr.ecr.eu-west-1.amazonaws.com/refresh@sha256:" + "0" * 64, True),
    ],
)
def test_image_of_a_command_must_be_in_ecr_of_the_region(tmp_path: Path, image: str, reached: bool) -> None:
    """Said once for each image, at the first task that names it; with a NAT gateway any image will do."""
    tasks = f'{LOAD}command: ls, image: "{image}"}}\n      - {{name: again, command: ls, image: "{image}"}}'
    edits = (("- {name: load, meltano: tap-a target-b}", tasks), NO_CATALOGUE)
    if reached:
        assert _plan(tmp_path, SEALED, *edits).task_definitions[0].image.reference == image
        return
    ((where, what, fix),) = _refused(tmp_path / "sealed", SEALED, *edits)

    assert where == "penstock.yaml:21:42"
    assert f"image {image!r} is out of reach" in what
    assert "the task's image" in fix
    assert _plan(tmp_path / "nat", *edits).task_definitions[0].image.reference == image


def test_image_of_meltano_must_be_there_too(tmp_path: Path) -> None:
    """One that is named; one that is built goes to ECR by itself."""
    named = ("{project: meltano, ", "{project: meltano, image: acme/meltano:1, ")
    ((where, _, fix),) = _refused(tmp_path, SEALED, NO_CATALOGUE, named)

    assert where == "penstock.yaml:11:36"
    assert "meltano.image" in fix


US = "111122223333.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("task", "images", "what", "fix"),
    [
        (
            'command: ls, image: "acme/refresh:7"',
            f"command: {{mirror: ¦{US}}}",
            f"image '{US}/acme/refresh:7' is out of reach: a network with `egress: endpoints` pulls from ECR in eu-",
            "set images.command.mirror; or",
        ),
        (
            'command: ls, image: "public.ecr.aws/docker/library/busybox:1"',
            "command: {pull_through: ¦{upstream: public.ecr.aws}}",
            "/docker/library/busybox:1' is out of reach: ECR fetches it for its cache through a NAT gateway",
            "set images.command.mirror instead of pull_through; or",
        ),
        (
            "command: ls",
            f"openmetadata: {{mirror: ¦{US}}}",
            f"image '{US}/openmetadata/ingestion:1.12.14' is out of reach",
            "set images.openmetadata.mirror; or",
        ),
        (
            "meltano: tap-a target-b",
            f"meltano: {{mirror: ¦{US}}}",
            f"image '{US}/acme/meltano:1' is out of reach",
            "set images.meltano.mirror; or",
        ),
    ],
    ids=["command", "pull-through", "openmetadata", "meltano"],
)
def test_source_of_images_that_is_out_of_reach(tmp_path: Path, task: str, images: str, what: str, fix: str) -> None:
    """Said where the source is, whatever the images are called behind it."""
    line = f"images: {{{images}}}"
    ((where, said, advice),) = _refused(
        tmp_path,
        SEALED,
        NO_CATALOGUE,
        ("{project: meltano, ", "{project: meltano, image: acme/meltano:1, "),
        (f"{LOAD}meltano: tap-a target-b}}", f"{LOAD}{task}}}"),
        ("schedules:\n", f"{line.replace('¦', '')}\nschedules:\n"),
    )

    number = (tmp_path / "penstock.yaml").read_text().splitlines().index(line.replace("¦", "")) + 1
    assert where == f"penstock.yaml:{number}:{line.index('¦') + 1}"
    assert what in said
    assert fix in advice


def _sealed(more: str = "") -> tuple[tuple[str, str], tuple[str, str]]:
    """A network without internet that has the catalogue's image."""
    mirror = ("schedules:\n", f"images: {{openmetadata: {{mirror: {ECR}}}}}\nschedules:\n")
    return (CREATE, f"network: {{create: {{egress: endpoints{more}}}}}"), mirror


@pytest.mark.parametrize(
    ("server", "private_hosts", "reached"),
    [
        ("https://catalog.acme.io/api", "", False),
        ("https://catalog.acme.io/api", "catalog.acme.io", True),
        ("https://Catalog.acme.io/api", "'*.ACME.io'", True),
        ("https://acme.io/api", "'*.acme.io'", False),
        ("https://catalogacme.io/api", "'*.acme.io', catalog.acme.io", False),
        ("https://8.8.8.8/api", "", False),
        ("http://10.20.1.2:8585/api", "", True),
        ("http://100.64.3.4/api", "", True),
        ("http://[2606:4700::1111]/api", "", False),
        ("http://openmetadata:8585/api", "", True),
        ("http://openmetadata.acme.internal:8585/api", "", True),
        ("http://internal-om-123.eu-west-1.elb.amazonaws.com/api", "", True),
        ("http://om-123.eu-west-1.elb.amazonaws.com/api", "", False),
        ("https://vpce-0a1-b2c.vpce-svc-1.eu-west-1.vpce.amazonaws.com/api", "", True),
    ],
)
def test_catalogue_must_be_within_reach(tmp_path: Path, server: str, private_hosts: str, reached: bool) -> None:
    """By its address, by its name, or because the project says so; with a NAT gateway any will do."""
    network, mirror = _sealed(f", private_hosts: [{private_hosts}]")
    named = ("https://catalog.acme.io/api", server)
    if reached:
        assert _plan(tmp_path, network, mirror, named).warnings == ()
        return
    ((where, what, fix),) = _refused(tmp_path, network, mirror, named)

    assert where == "penstock.yaml:8:11"
    assert "is out of reach" in what
    assert "network.create.private_hosts" in fix
    assert "egress: nat" in fix
    assert _plan(tmp_path / "nat", named)


def test_catalogue_that_no_workflow_calls_may_be_anywhere(tmp_path: Path) -> None:
    """There is none in the project, or each names its own."""
    own = WORKFLOW + "workflowConfig: {openMetadataServerConfig: {hostPort: 'http://10.0.0.1/api'}}\n"

    assert _plan(tmp_path / "none", SEALED, NO_CATALOGUE)
    assert compile_plan(loaded(tmp_path / "own", *_sealed(), files={"warehouse.yaml": own}))


def test_catalogue_given_by_a_variable_counts_instead(tmp_path: Path) -> None:
    """What the run will call is looked at, not what the project says."""
    project = loaded(tmp_path, *_sealed())

    assert compile_plan(project, variables={"OPENMETADATA_SERVER": "http://10.0.0.1/api"})
    with pytest.raises(InputError, match="out of reach"):
        compile_plan(project)


@pytest.mark.parametrize(
    ("host", "more", "reached"),
    [
        ("${HOST}:5432", "", True),
        ("${OM_JWT}:5432", "", True),
        ("bigquery.googleapis.com", "", False),
        ("https://app.snowflake.example/x", "", False),
        ("db.acme.io:5432", "", False),
        ("db.acme.io:5432", ", private_hosts: ['*.acme.io']", True),
        ("db.c1x2.eu-west-1.rds.amazonaws.com:5432", "", True),
        ("wg.111122223333.eu-west-1.redshift-serverless.amazonaws.com:5439", "", True),
        ("rds.amazonaws.com.evil.example:5432", "", False),
        ("52.1.2.3:5432", "", False),
    ],
)
def test_host_of_a_workflow_must_be_within_reach(tmp_path: Path, host: str, more: str, reached: bool) -> None:
    """Where the workflow names it; one that a secret fills is not known."""
    files = {"warehouse.yaml": WORKFLOW.replace("${HOST}:5432", host)}
    edits = (*_sealed(more), ("https://catalog.acme.io/api", "http://10.0.0.1/api"))
    project = loaded(tmp_path, *edits, files=files)
    if reached:
        assert compile_plan(project)
        return
    with pytest.raises(InputError) as caught:
        compile_plan(project)

    assert "is out of reach" in caught.value.what
    assert caught.value.where.endswith("warehouse.yaml:5:40")


@pytest.mark.parametrize(
    ("action", "more", "told"),
    [
        ("glue:GetTables", "", "tasks may call glue, and no VPC endpoint leads there: add glue to network.create.more"),
        ("glue:GetTables", ", more_endpoints: [glue]", None),
        ("kinesis:GetRecords", ", more_endpoints: [glue]", "add kinesis-streams to network.create.more_endpoints"),
        ("s3:GetObject", "", None),
        ("sqs:SendMessage", "", None),
        ("textract:DetectText", "", "add textract to network.create.more_endpoints, if AWS has one of that name"),
    ],
)
def test_permission_without_an_endpoint_is_a_warning(tmp_path: Path, action: str, more: str, told: str | None) -> None:
    """The call would hang until it times out. With its place; a NAT gateway leads everywhere."""
    allowed = f"permissions: [{{actions: ['{action}'], resources: ['*'], reason: x}}]"
    edits = ((LOAD, f"{LOAD}{allowed}, "), NO_CATALOGUE)
    found = _plan(tmp_path, (CREATE, f"network: {{create: {{egress: endpoints{more}}}}}"), *edits).warnings

    assert len(found) == (told is not None)
    assert told is None or (told in found[0] and found[0].startswith("penstock.yaml:21:46: "))
    assert _plan(tmp_path / "nat", *edits).warnings == ()


def test_permission_for_a_service_whose_endpoint_is_left_out(tmp_path: Path) -> None:
    """It is made by itself where nobody leaves it out; asking for it besides would be an error."""
    role = "permissions: [{actions: ['sts:AssumeRole'], resources: ['arn:aws:iam::111122223333:role/lake']}]"
    sealed = (CREATE, "network: {create: {egress: endpoints, without_endpoints: [sts]}}")
    (found,) = _plan(tmp_path, sealed, (LOAD, f"{LOAD}{role}, "), NO_CATALOGUE).warnings

    assert found.endswith("no VPC endpoint leads there: take sts out of network.create.without_endpoints")


def test_china_was_never_tried(tmp_path: Path) -> None:
    """And that is said, with the region's place."""
    told = _plan(tmp_path, ("{region: eu-west-1}", "{region: cn-north-1}")).warnings
    (warning,) = [one for one in told if "China" in one]

    assert warning.startswith("penstock.yaml:3:17: Penstock was never tried in AWS's regions in China")


def test_public_range_is_a_warning(tmp_path: Path) -> None:
    """AWS takes it; hosts of the internet with these addresses become unreachable."""
    (warning,) = _plan(tmp_path, (CREATE, CREATE.replace("10.20.0.0", "52.20.0.0"))).warnings

    assert warning.startswith("penstock.yaml:5:26: 52.20.0.0/16 is no private range")


def test_security_groups_for_both_or_for_each(tmp_path: Path) -> None:
    """None that are named are left to the deploy."""
    groups = {
        "": ((), ()),
        ", security_groups: [sg-0a1b2c3d]": (("sg-0a1b2c3d",), ("sg-0a1b2c3d",)),
        ", task_security_groups: [sg-0a1b2c3d]": (("sg-0a1b2c3d",), ()),
        ", airflow_security_groups: [sg-1a1b2c3d]": ((), ("sg-1a1b2c3d",)),
    }
    for number, (setting, expected) in enumerate(groups.items()):
        network = _plan(tmp_path / str(number), (CREATE, USE % setting)).network
        assert (network.task_security_groups, network.airflow_security_groups) == expected


def test_owner_of_a_shared_vpc(tmp_path: Path) -> None:
    """Their role and their security groups are in the plan, for the endpoints that MWAA waits for."""
    role = "arn:aws:iam::444455556666:role/penstock-endpoints"
    shared = f", shared_by: {{role: '{role}', security_groups: [sg-2a1b2c3d]}}"
    customer = ("class: mw1.small", "class: mw1.small, endpoint_management: customer")
    network = _plan(tmp_path, customer, (CREATE, USE % shared)).network

    assert (network.shared, network.endpoint_role) == (True, role)
    assert network.endpoint_security_groups == ("sg-2a1b2c3d",)


def test_owner_of_a_shared_vpc_who_makes_the_endpoints_by_hand(tmp_path: Path) -> None:
    """No role, no groups: told at each synth, with the time that there is. Also where the account is known."""
    customer = ("class: mw1.small", "class: mw1.small, endpoint_management: customer")
    account = ("dev: {region", 'dev: {account: "111122223333", region')
    plan = _plan(tmp_path, customer, account, (CREATE, USE % ", shared_by: {}"))

    assert (plan.network.shared, plan.network.endpoint_role, plan.network.endpoint_security_groups) == (True, None, ())
    (warning,) = plan.warnings
    assert "the owner of the VPC makes the endpoints by hand" in warning
    assert "72 hours" in warning


def test_role_that_the_owner_trusts_has_a_name_that_fits(tmp_path: Path) -> None:
    """IAM takes 64 characters, and the name is fixed: the owner's trust names it."""
    shared = ", shared_by: {role: 'arn:aws:iam::444455556666:role/p', security_groups: [sg-2a1b2c3d]}"
    customer = ("class: mw1.small", "class: mw1.small, endpoint_management: customer")
    long = ("name: acme\n", f"name: {'a' * 20}\niam: {{role_name_prefix: {'p' * 16}}}\n")
    ((where, what, fix),) = _refused(tmp_path, customer, (CREATE, USE % shared), long)

    assert where.startswith("penstock.yaml:6:")
    assert f"{'p' * 16}{'a' * 20}-dev-eu-west-1-mwaa-endpoints would have a name of 65 characters; IAM takes 64" in what
    assert "iam.role_name_prefix" in fix


def test_task_runs_where_its_group_is(tmp_path: Path) -> None:
    """The one that names it in the group's subnets with a public address; the others where the deploy's tasks do."""
    plan = _plan(tmp_path, (CREATE, USE % ""), (LOAD, LOAD + "subnets: out, "))

    assert (_task(plan, "load").subnets, _task(plan, "load").assign_public_ip) == (("subnet-2a1b2c3d",), True)
    assert (_task(plan, "catalogue").subnets, _task(plan, "catalogue").assign_public_ip) == ((), False)
    load, catalogue = (request.network(_task(plan, name), RESOURCES) for name in ("load", "catalogue"))
    assert load["awsvpcConfiguration"] == {
        "subnets": ["subnet-2a1b2c3d"],
        "securityGroups": ["sg-1"],
        "assignPublicIp": "ENABLED",
    }
    assert catalogue["awsvpcConfiguration"] == {
        "subnets": ["subnet-9"],
        "securityGroups": ["sg-1"],
        "assignPublicIp": "DISABLED",
    }


def test_group_of_subnets_is_for_networks_that_exist(tmp_path: Path) -> None:
    """One project, two environments: where the network is created, the task runs in its private subnets."""
    project = loaded(
        tmp_path,
        (LOAD, LOAD + "subnets: out, "),
        ("eu-central-1, variables", f"eu-central-1, {USE % ''}, variables"),
    )

    assert _task(compile_plan(project, "dev"), "load").subnets == ()
    assert _task(compile_plan(project, "prod"), "load").subnets == ("subnet-2a1b2c3d",)
