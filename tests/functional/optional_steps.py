"""What the roles of a deploy are for, done once more: each step says what refused it, or None."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import botocore.exceptions

from penstock.local import fargate
from penstock_runtime.release.manifest import MANIFEST
from tests.functional.embedded import until
from tests.functional.optional_project import ASSETS, CONNECTION, Environment
from tests.functional.permission_airflow import Steps
from tests.functional.permission_system import PROBE

_NUMBERS = itertools.count()
LARGE = 9 * 1024 * 1024
"""Bytes of a file that goes up in parts: they begin at 8 MiB."""
ADDRESS = json.dumps(dict.fromkeys(("host", "port", "database", "user", "password"), "x"))
"""What the DAG that finds Airflow's database writes."""
SECONDS = 60
"""The longest that a step may take on a machine that is busy; all take a second or two on one that is not."""


def run(environment: Environment) -> Steps:
    """What the operator does with a task, in order: find, start, watch, show the log, stop; and fetch the bundle."""
    system, steps = environment.system, Steps()
    task = system.task("read")
    call = system.call(task, command=("python", "-c", PROBE))
    _try(steps, "synchronize", system.synchronize)
    where = {"cluster": system.plan.cluster}
    _try(steps, "find", lambda: system.airflow("ecs").list_tasks(**where, startedBy="penstock/d/t/1"))
    started = _try(
        steps, "start", lambda: system.airflow("ecs").run_task(**call, propagateTags="TASK_DEFINITION")["tasks"][0]
    )
    if started is None:
        return steps
    arn = started["taskArn"]
    until(lambda: "ready" in fargate.log(system.plan, system.endpoint, arn), SECONDS)
    stream = f"penstock/main/{arn.rsplit('/', 1)[-1]}"
    _try(steps, "watch", lambda: system.airflow("ecs").describe_tasks(**where, tasks=[arn]))
    read = {"logGroupName": system.plan.log_group, "logStreamName": stream}
    _try(steps, "log", lambda: system.airflow("logs").get_log_events(**read))
    _try(steps, "stop", lambda: system.airflow("ecs").stop_task(**where, task=arn))
    system.root("ecs").stop_task(**where, task=arn)
    return steps


def connect(environment: Environment) -> Steps:
    """A DAG asks for a connection, and Airflow's secrets backend asks Secrets Manager, as Airflow's role."""
    steps = Steps()
    secrets = environment.system.airflow("secretsmanager")
    _try(steps, "find a connection", lambda: secrets.get_secret_value(SecretId=CONNECTION))
    return steps


def find_database(environment: Environment) -> Steps:
    """The DAG that finds Airflow's database looks what is in the secret, and writes it, as Airflow's role."""
    steps, name = Steps(), _database_secret(environment)
    secrets = environment.system.airflow("secretsmanager")
    environment.system.root("secretsmanager").put_secret_value(SecretId=name, SecretString=ADDRESS)
    _try(steps, "read the secret", lambda: secrets.get_secret_value(SecretId=name))
    _try(steps, "write the secret", lambda: secrets.put_secret_value(SecretId=name, SecretString=ADDRESS))
    return steps


def read_airflow(environment: Environment) -> Steps:
    """The task asks MWAA for the DAGs. No Airflow is here: what is allowed is answered with that."""
    steps, system = Steps(), environment.system
    family = system.task("metadata").family
    (definition,) = [one for one in system.plan.task_definitions if one.family == family]
    role = system.root("iam").get_role(RoleName=f"{definition.role_prefix}-task")["Role"]["Arn"]
    mwaa = environment.endpoint.client("mwaa", environment.endpoint.assume(role, "test"))
    _try(steps, "read the REST API", lambda: mwaa.invoke_rest_api(Name="team", Path="/dags", Method="GET"))
    if "no Airflow runs here" in (steps["read the REST API"] or ""):
        steps["read the REST API"] = None
    return steps


def _database_secret(environment: Environment) -> str:
    catalogue = environment.system.plan.catalogue
    assert catalogue is not None
    assert catalogue.secret is not None
    return catalogue.secret


def upload(environment: Environment, *, stays: bool = False) -> Steps:
    """CDK's function puts a small and a large file below our folder, and takes them away as a destroy does."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("small.txt", "small")
        archive.writestr("z-large.bin", bytes(LARGE))
    key = "again.zip"
    environment.system.root("s3").put_object(Bucket=ASSETS, Key=key, Body=body.getvalue())
    properties = {
        "SourceBucketNames": [ASSETS],
        "SourceObjectKeys": [key],
        "DestinationBucketName": environment.system.dag_bucket,
        "DestinationBucketKeyPrefix": f"{environment.folder}/again",
        "Prune": False,
        "RetainOnDelete": stays,
    }
    steps = Steps()
    function = environment.one("airflow", "AWS::Lambda::Function", "CustomCDKBucketDeployment")
    with _resource(environment, "Custom::CDKBucketDeployment", function, properties) as (stack, made):
        steps["upload"] = made
        if made is None:
            steps["remove"] = _end(environment, stack, "delete")
    if made is not None:
        parts = environment.system.root("s3").list_multipart_uploads(Bucket=environment.system.dag_bucket)
        left = parts.get("Uploads", [])
        for one in left:
            which = {name: one[name] for name in ("Key", "UploadId")}
            environment.system.root("s3").abort_multipart_upload(Bucket=environment.system.dag_bucket, **which)
        steps["clean up"] = f"not authorized to perform: s3:AbortMultipartUpload: {len(left)} left" if left else None
    return steps


def go_live(environment: Environment) -> Steps:
    """Our function makes the release live that is live, in a folder with a file of ours that is in no release, and with
    a release that nobody has needed for years."""
    s3, artifacts = environment.system.root("s3"), environment.system.resources.artifacts_bucket
    found = s3.get_object(Bucket=artifacts, Key=MANIFEST)["Body"].read().decode()
    manifest = json.loads(found)
    manifest["files"] = sorted({*manifest["files"], "gone.py"})
    manifest["retired"] = [{"release": "old", "plan": "old", "since": "2020-01-01T00:00:00+00:00"}]
    s3.put_object(Bucket=artifacts, Key="plans/old.json", Body=b'{"files": [{"sha256": "old"}]}')
    s3.put_object(Bucket=artifacts, Key="files/old", Body=b"")
    s3.put_object(Bucket=artifacts, Key=MANIFEST, Body=json.dumps(manifest).encode())
    s3.put_object(Bucket=environment.system.dag_bucket, Key=f"{environment.folder}/gone.py", Body=b"")
    properties = {
        "Do": "activate",
        "Artifacts": artifacts,
        "Bucket": environment.system.dag_bucket,
        "Folder": environment.folder,
        "Release": manifest["live"]["release"],
        "Plan": manifest["live"]["plan"],
        "Order": "0",
        "Committed": "0",
        "Revision": "",
        "Replace": "true",
    }
    function = environment.one("airflow", "AWS::Lambda::Function", "ReleaseFunction")
    with _resource(environment, "Custom::PenstockRelease", function, properties) as (_, made):
        if made is not None:
            return {"go live": made}
    plan, file = (
        s3.list_objects_v2(Bucket=artifacts, Prefix=one).get("Contents") for one in ("plans/old", "files/old")
    )
    # Its own words are in its log, which is not kept here; the release is live all the same.
    what = "s3:DeleteObject: the old plan is left" if plan else "s3:GetObject: what the old plan named is left"
    return {"go live": None, "sweep": f"not authorized to perform: {what}" if plan or file else None}


def look_and_make(environment: Environment, machine: str) -> Steps:
    """The state machine, from its start to its end or to the first call that is refused."""
    states = environment.system.root("stepfunctions")
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]

    def ended() -> tuple[str, str | None] | None:
        # First of all: the history of what has ended by now is whole.
        status = states.describe_execution(executionArn=execution)["status"]
        history = states.get_execution_history(executionArn=execution, maxResults=1000)["events"]
        entered = [one["stateEnteredEventDetails"]["name"] for one in history if "stateEnteredEventDetails" in one]
        failed = [one["taskFailedEventDetails"]["cause"] for one in history if "taskFailedEventDetails" in one]
        if failed or status != "RUNNING":
            return entered[-1], failed[-1] if failed else None if status == "SUCCEEDED" else status
        return None

    last, error = until(ended, SECONDS)
    if error is not None:
        # It would try again, half a minute later.
        states.stop_execution(executionArn=execution)
    return {"look" if last == "Look" else "make the endpoints": error}


@contextlib.contextmanager
def pending(environment: Environment) -> Iterator[None]:
    """The environment is made again, and waits for its endpoints; at the end they must be there."""
    system = environment.system
    names = ("Name", "AirflowVersion", "SourceBucketArn", "DagS3Path", "ExecutionRoleArn", "NetworkConfiguration")
    properties = {name: system.mwaa[name] for name in names} | {"EndpointManagement": "CUSTOMER"}
    system.root("mwaa").delete_environment(Name=system.mwaa["Name"])
    cfn, stack = system.root("cloudformation"), f"again-{next(_NUMBERS)}"
    template = {"Resources": {"Environment": {"Type": "AWS::MWAA::Environment", "Properties": properties}}}
    cfn.create_stack(StackName=stack, TemplateBody=json.dumps(template))

    def status() -> str:
        try:
            return str(system.root("mwaa").get_environment(Name=properties["Name"])["Environment"]["Status"])
        except botocore.exceptions.ClientError:
            return ""

    until(lambda: status() == "PENDING", SECONDS)
    yield
    until(lambda: status() == "AVAILABLE", SECONDS)


@contextlib.contextmanager
def hearing_of_it(environment: Environment, name: str) -> Iterator[None]:
    """Have the rule that starts the state machine hear of the stacks of `pending`. Its target stays unchanged."""
    events = environment.system.root("events")
    before = events.describe_rule(Name=name)["EventPattern"]
    pattern = json.loads(before)
    region, account = environment.system.plan.region, environment.endpoint.account
    pattern["detail"]["stack-id"] = [{"prefix": f"arn:aws:cloudformation:{region}:{account}:stack/again-"}]
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    try:
        yield
    finally:
        events.put_rule(Name=name, EventPattern=before)


def _try(steps: Steps, name: str, do: Callable[[], Any]) -> Any:
    try:
        result = do()
    except botocore.exceptions.ClientError as error:
        steps[name] = str(error)
        return None
    steps[name] = None
    return result


@contextlib.contextmanager
def _resource(
    environment: Environment, kind: str, function: str, properties: dict[str, Any]
) -> Iterator[tuple[str, str | None]]:
    """A custom resource of a deployed function, in a stack of its own: the stack, and why it failed."""
    plan = environment.system.plan
    account = environment.endpoint.account
    token = f"arn:aws:lambda:{plan.region}:{account}:function:{function}"
    template = {"Resources": {"Again": {"Type": kind, "Properties": {"ServiceToken": token, **properties}}}}
    stack = f"again-{next(_NUMBERS)}"
    cfn = environment.system.root("cloudformation")
    cfn.create_stack(StackName=stack, TemplateBody=json.dumps(template))
    yield stack, _end(environment, stack, None)


def _end(environment: Environment, stack: str, change: str | None) -> str | None:
    """Wait for the end of an operation on a stack; why it failed."""
    cfn = environment.system.root("cloudformation")
    stack_id = cfn.describe_stacks(StackName=stack)["Stacks"][0]["StackId"]
    if change == "delete":
        cfn.delete_stack(StackName=stack)

    def ended() -> str | None:
        status = str(cfn.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"])
        return None if status.endswith("_IN_PROGRESS") else status

    if until(ended, SECONDS) in ("CREATE_COMPLETE", "DELETE_COMPLETE"):
        return None
    events = cfn.describe_stack_events(StackName=stack_id)["StackEvents"]
    return " ".join(one.get("ResourceStatusReason", "") for one in events if one["ResourceStatus"].endswith("FAILED"))
