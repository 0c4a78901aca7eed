"""The function that looks for overdue schedules, deployed: with a session of its role, as Lambda runs it."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from penstock_runtime.functions import overdue
from penstock_runtime.plan.plan import Plan
from penstock_runtime.release.infrastructure import plan_sha256
from penstock_runtime.release.manifest import MANIFEST, Manifest, Release
from stacks.observability.stack import ObservabilityStack
from tests.functional.embedded import ACCOUNT, REGION, Aws, aws, deploy, heard, listen, upload_functions
from tests.functional.function_role import NOT_HERE, assert_refused, roles_of
from tests.stacks import plans

__all__ = ["aws"]

BUCKET = "acme-artifacts"
PLAN = dataclasses.replace(plans.PLAN, account=ACCOUNT, region=REGION)
DAY = 86_400
HANDLER = "penstock_runtime.functions.overdue.handler"
RUN = "import penstock_runtime.functions.overdue as module; module.handler({}, None)"


@dataclass
class Watch:
    """The deployed function, its bucket, and who hears of it."""

    aws: Aws
    queue: str
    function: dict[str, Any]
    """As Lambda describes it."""
    code: Path

    def look(self) -> subprocess.CompletedProcess[str]:
        """Call it."""
        keys = self.aws.endpoint.assume(self.function["Role"], "function")
        settings = {**self.aws.endpoint.environ(keys), **self.function["Environment"]["Variables"]}
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(self.code), "AWS_REGION": REGION, **settings}
        return subprocess.run(
            [sys.executable, "-c", RUN], env=environ, capture_output=True, text=True, timeout=60, check=False
        )

    def count(self) -> int:
        """Call it; how many tasks are overdue, by the metric in its log."""
        done = self.look()
        assert done.returncode == 0, done.stderr
        line = json.loads(done.stdout.splitlines()[-1])
        (metric,) = line["_aws"]["CloudWatchMetrics"]
        assert (metric["Namespace"], metric["Dimensions"]) == ("Penstock", [["Project", "Environment"]])
        return int(line[metric["Metrics"][0]["Name"]])

    def heard(self) -> list[dict[str, Any]]:
        return heard(self.aws, self.queue)

    def put(self, key: str, text: str) -> None:
        self.aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=text.encode())

    def put_plan(self, plan: Plan) -> None:
        """Make a plan the live one, as a deploy or a push does."""
        sha256 = plan_sha256(plan)
        self.put(f"plans/{sha256}.json", plan.to_json())
        live = Release("ab12", sha256, 1, "", "push")
        self.put(MANIFEST, Manifest(live, (), None, complete=True, at="2026-11-21T00:00:00+00:00").to_json())

    def since(self, days: float, schedule: str = "daily") -> None:
        """Let it have watched for so long, without a success."""
        self.put(overdue.STATE, overdue.State({f"{schedule}/catalogue": time.time() - days * DAY}).to_json())


@pytest.fixture(scope="module")
def watch(aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Watch:
    folder = tmp_path_factory.mktemp("watch")
    app = plans.application(folder / "cdk.out")
    env = cdk.Environment(account=ACCOUNT, region=REGION)
    ObservabilityStack(app, "watch", plan=PLAN, artifacts=BUCKET, airflow_name=None, env=env)
    template = app.synth().get_stack_by_name("watch").template
    code = upload_functions(aws.endpoint, template, folder / "cdk.out")
    aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    outputs = deploy(aws.endpoint, "watch", {"Resources": template["Resources"], "Outputs": template["Outputs"]})
    (function,) = [one for one in aws.client("lambda").list_functions()["Functions"] if one["Handler"] == HANDLER]
    return Watch(aws, listen(aws, outputs["FailureTopic"]), function, code[HANDLER])


@pytest.fixture(autouse=True)
def _afresh(watch: Watch) -> Iterator[None]:
    """Each test begins without a release and without a memory."""
    yield
    for key in (MANIFEST, overdue.STATE):
        watch.aws.client("s3").delete_object(Bucket=BUCKET, Key=key)
    watch.heard()


def succeeded(watch: Watch, schedule: str, value: float) -> None:
    """What a container's metric line becomes."""
    dimensions = {"Project": "acme", "Environment": "dev", "Schedule": schedule, "Task": "catalogue"}
    data = {
        "MetricName": "Succeeded",
        "Dimensions": [{"Name": name, "Value": found} for name, found in dimensions.items()],
        "Value": value,
    }
    watch.aws.client("cloudwatch").put_metric_data(Namespace="Penstock", MetricData=[data])


def test_before_the_first_release_there_is_nothing_to_watch(watch: Watch) -> None:
    done = watch.look()

    assert (done.returncode, done.stdout) == (0, "no release is live yet\n"), done.stderr


def test_an_overdue_schedule_is_told_once_until_it_succeeds(watch: Watch) -> None:
    """New: it has all its time. Late: a message that names it, and one only. After a success: on time again."""
    recovers = dataclasses.replace(plans.SCHEDULE, name="recovers")
    watch.put_plan(dataclasses.replace(PLAN, schedules=(recovers,)))
    assert watch.count() == 0
    watch.since(3, "recovers")
    succeeded(watch, "recovers", 0)

    assert [watch.count(), watch.count()] == [1, 1]
    (message,) = watch.heard()
    assert message["what"] == "overdue in acme-dev: recovers"
    assert [(one["schedule"], one["task"]) for one in message["tasks"]] == [("recovers", "catalogue")]
    succeeded(watch, "recovers", 1)
    assert watch.count() == 0
    assert watch.heard() == []


def test_a_push_changes_what_is_watched(watch: Watch) -> None:
    """The function reads the plan of the release that is live: no deploy in between."""
    watch.put_plan(PLAN)
    watch.since(days=3)
    resting = dataclasses.replace(plans.SCHEDULE, overdue_after_minutes=None)
    watch.put_plan(dataclasses.replace(PLAN, schedules=(resting,)))

    assert watch.count() == 0


def test_a_message_that_cannot_be_sent_is_sent_at_the_next_look(watch: Watch) -> None:
    """Nothing is remembered of a look that failed."""
    watch.put_plan(PLAN)
    watch.since(days=30)
    with roles_of(watch.function, watch.aws, "watch").without(_grant(watch, "sns:Publish")):
        done = watch.look()

    assert done.returncode != 0
    assert "not authorized" in done.stderr
    assert watch.count() == 1
    assert len(watch.heard()) == 1


NEEDED = {
    ("s3:ListBucket", BUCKET),
    ("s3:GetObject", f"{BUCKET}/{MANIFEST}"),
    ("s3:GetObject", f"{BUCKET}/{overdue.STATE}"),
    ("s3:GetObject", f"{BUCKET}/plans/*"),
    ("s3:PutObject", f"{BUCKET}/{overdue.STATE}"),
    ("cloudwatch:GetMetricData", "*"),
    ("sns:Publish", "{topic}"),
}


def test_each_grant_is_needed_and_all_are_enough(watch: Watch) -> None:
    """Without any one of them the look fails and names the call; with all of them it goes well."""
    roles = roles_of(watch.function, watch.aws, "watch")
    grants = {roles.key(grant)[1:]: grant for grant in roles.grants()}
    assert set(grants) == NEEDED | set(NOT_HERE)

    for key in sorted(NEEDED):
        watch.put_plan(PLAN)
        watch.since(days=30)
        with roles.without(grants[key]):
            done = watch.look()
        assert done.returncode != 0, key
        call = {"s3:ListBucket": "ListObjectsV2"}.get(key[0], key[0].partition(":")[2])
        assert call in done.stderr, (key, done.stderr[-500:])
    watch.since(days=30)
    assert watch.count() == 1


def test_it_may_do_nothing_else(watch: Watch) -> None:
    """Not even in its own bucket."""
    keys = watch.aws.endpoint.assume(watch.function["Role"], "function")
    s3, cloudwatch = watch.aws.client("s3", keys), watch.aws.client("cloudwatch", keys)
    watch.put("configs/ab.yaml", "secret")
    attempts = {
        "read a config": lambda: s3.get_object(Bucket=BUCKET, Key="configs/ab.yaml"),
        "write a plan": lambda: s3.put_object(Bucket=BUCKET, Key="plans/x.json", Body=b"{}"),
        "write the manifest": lambda: s3.put_object(Bucket=BUCKET, Key=MANIFEST, Body=b"{}"),
        "delete its memory": lambda: s3.delete_object(Bucket=BUCKET, Key=overdue.STATE),
        "list all": lambda: s3.list_objects_v2(Bucket=BUCKET),
        "write a metric": lambda: cloudwatch.put_metric_data(Namespace="Penstock", MetricData=[{"MetricName": "x"}]),
        "list tasks": lambda: watch.aws.client("ecs", keys).list_clusters(),
    }
    assert_refused(attempts)


def _grant(watch: Watch, action: str) -> Any:
    (grant,) = [one for one in roles_of(watch.function, watch.aws, "watch").grants() if one.action == action]
    return grant
