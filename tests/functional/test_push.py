"""`cdk deploy` and `penstock push` on one project, by the real commands on the embedded AWS: who wins, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.functional.live_project import LiveProject


@pytest.fixture
def fresh(live_project: LiveProject) -> LiveProject:
    """The project with one schedule `hello`, of the newest commit, deployed."""
    live_project.start_again()
    assert live_project.scheduled() == {"hello"}
    return live_project


@pytest.fixture
def rebuilt(fresh: LiveProject) -> Iterator[LiveProject]:
    """The same for a test that deploys other task definitions, on which no push of the first project can build."""
    yield fresh
    fresh.start_again()


@pytest.fixture
def pushed(live_project: LiveProject) -> LiveProject:
    """The same by a push, which is faster."""
    live_project.start_again(deploy=False)
    assert live_project.scheduled() == {"hello"}
    return live_project


def test_nothing_is_pushed_where_nothing_is_deployed(live_project: LiveProject) -> None:
    """The error says how to begin."""
    refused = live_project.penstock("--environment", "prod", "push", code=1)

    assert "acme-prod is not deployed in eu-west-1" in refused.stderr
    assert "fix: deploy it first: npx cdk deploy --all -c environment=prod" in refused.stderr


def test_push_adds_and_removes_schedules_and_touches_nothing_else(pushed: LiveProject) -> None:
    """The new release is live, the facts of the deploy and the files of others are as they were."""
    before = pushed.files()
    pushed.add_schedule("nightly")

    planned = pushed.data("push", "--dry-run")
    assert pushed.files() == before
    assert planned["pushed"] is False
    output = pushed.data("push")

    assert [(one["kind"], one["dag_id"]) for one in output["schedules"]] == [("added", "nightly")]
    assert output["schedules"] == planned["schedules"]
    assert output["uploaded"] > 0
    assert pushed.scheduled() == {"hello", "nightly"}
    changed = {key for key, text in pushed.files().items() if before.get(key) != text}
    assert changed == {"dags/acme-dev/schedules_00.py"}

    again = pushed.penstock("push")
    assert "no schedule changes" in again.stdout
    assert "already live" in again.stdout
    assert "0 files uploaded" in again.stdout

    pushed.git("checkout", "--quiet", "HEAD~1", "--", ".")
    pushed.commit("without nightly")
    assert "- schedule nightly" in pushed.penstock("push").stdout
    assert pushed.scheduled() == {"hello"}


def test_push_removes_loaders_that_are_no_longer_needed(pushed: LiveProject) -> None:
    """250 schedules take two loaders, one takes one: the other goes, and the user's own DAG files come and go alike."""
    (pushed.folder / "dags").mkdir()
    (pushed.folder / "dags" / "own.py").write_text("# ours\n")
    many = [{"name": f"s{number}", "job": "hello", "interval": "@daily"} for number in range(250)]
    pushed.edit(schedules=many)
    pushed.penstock("push")
    assert {"dags/acme-dev/schedules_01.py", "dags/acme-dev/own.py"} <= pushed.files().keys()
    assert len(pushed.scheduled()) == 250

    (pushed.folder / "dags" / "own.py").unlink()
    pushed.edit(schedules=many[:1])
    pushed.penstock("push")

    assert not {"dags/acme-dev/schedules_01.py", "dags/acme-dev/own.py"} & pushed.files().keys()
    assert pushed.scheduled() == {"s0"}


def test_a_deploy_of_an_older_checkout_does_not_undo_a_push(fresh: LiveProject) -> None:
    """It fails before it changes anything, and says what is live; with -c replace=true it goes through."""
    fresh.git("checkout", "--quiet", "-B", "older")
    fresh.add_schedule("stale")
    fresh.git("checkout", "--quiet", "main")
    pushed = fresh.add_schedule("pushed")
    fresh.penstock("push")
    before, live = fresh.files(), fresh.manifest()
    assert (live.live.by, live.live.revision) == ("push", pushed[:7])

    fresh.git("checkout", "--quiet", "older")
    # What was edited there just now makes the commit no newer, be it of the project or not.
    fresh.file.write_text(fresh.file.read_text() + "# edited\n")
    (fresh.folder / "junit.xml").write_text("<testsuites/>")
    said = fresh.deploy(fails=True)

    assert f"release {live.live.release} ({pushed[:7]} of " in said
    assert "by penstock push) is live and comes from a newer commit than" in said
    assert "-c replace=true" in said
    assert (fresh.files(), fresh.manifest()) == (before, live)
    assert fresh.penstock("push", code=1).stderr.startswith(f"error: release {live.live.release} (")
    assert (fresh.files(), fresh.manifest()) == (before, live)

    (fresh.folder / "junit.xml").unlink()
    # A release with edits of today would be newer than all that the tests commit.
    fresh.git("checkout", "--quiet", "--force", "older")
    fresh.deploy("replace=true")
    assert fresh.scheduled() == {"hello", "stale"}


def test_a_deploy_that_replaces_does_so_every_time(fresh: LiveProject) -> None:
    """Also where CloudFormation has deployed just that before, and a push came in between."""
    older = fresh.git("rev-parse", "HEAD")
    for name in ("pushed", "again"):
        fresh.git("checkout", "--quiet", "main")
        fresh.add_schedule(name)
        fresh.penstock("push")
        assert name in fresh.scheduled()
        fresh.git("checkout", "--quiet", older)
        fresh.deploy("replace=true")
        assert fresh.scheduled() == {"hello"}
    assert fresh.manifest().live.revision == older[:7]


def test_releases_go_when_nobody_needs_them_any_more(fresh: LiveProject) -> None:
    """With their plans. What was deployed stays, for a deploy that is told to bring it back uploads nothing."""
    deployed, revision = fresh.manifest().live, fresh.git("rev-parse", "HEAD")
    for number in range(3):
        fresh.add_schedule(f"s{number}")
        fresh.penstock("push")
    old = fresh.age()
    releases, _ = fresh.kept()
    assert old
    assert old < releases
    fresh.add_schedule("last")
    fresh.penstock("push")

    releases, plans = fresh.kept()
    assert not old & releases
    assert {fresh.manifest().live.release, deployed.release} <= releases
    assert {fresh.manifest().live.plan, deployed.plan} <= plans
    assert fresh.age()
    fresh.git("checkout", "--quiet", revision)
    fresh.deploy("replace=true")
    assert fresh.scheduled() == {"hello"}


def test_a_deploy_of_a_newer_checkout_replaces_a_push(fresh: LiveProject) -> None:
    """No flag is needed: the newer source wins. Deployed again, nothing changes."""
    fresh.add_schedule("pushed")
    fresh.penstock("push")
    fresh.add_schedule("deployed")
    fresh.deploy()

    assert fresh.scheduled() == {"hello", "pushed", "deployed"}
    assert fresh.manifest().live.by == "deploy"
    assert fresh.deploy().count("(no changes)") == 4


def test_a_deploy_of_what_was_deployed_before_a_push_leaves_the_push(fresh: LiveProject) -> None:
    """The template is the deployed one, so CloudFormation does nothing. A revert that is newer takes effect, though its
    bundle is the deployed one too."""
    fresh.add_schedule("pushed")
    fresh.penstock("push")
    live = fresh.manifest()
    fresh.git("checkout", "--quiet", "HEAD~1")
    fresh.deploy()

    assert fresh.manifest() == live
    assert fresh.scheduled() == {"hello", "pushed"}

    fresh.git("checkout", "--quiet", "main")
    fresh.git("checkout", "--quiet", "HEAD~1", "--", ".")
    fresh.commit("revert")
    fresh.deploy()

    assert fresh.scheduled() == {"hello"}


def test_a_deploy_that_is_rolled_back_brings_a_push_back(fresh: LiveProject) -> None:
    """CloudFormation undoes the switch by sending the properties of the deploy before; what comes back is the push."""
    fresh.add_schedule("pushed")
    fresh.penstock("push")
    live = fresh.manifest()
    fresh.add_schedule("never")
    fresh.deploy_failing_at_the_end()

    (stack,) = fresh.endpoint.client("cloudformation").describe_stacks(StackName="acme-dev-airflow")["Stacks"]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert fresh.manifest().live == live.live
    assert fresh.manifest().complete
    assert fresh.scheduled() == {"hello", "pushed"}


def test_a_deploy_that_is_rolled_back_leaves_the_dags_what_they_run(rebuilt: LiveProject) -> None:
    """Another image is another task definition. Those of before are there until the DAGs of before are not."""
    before = rebuilt.families()
    task = {"name": "greet", "command": ["echo", "hello"], "image": "example.com/tools:2"}
    rebuilt.edit(jobs={"hello": {"tasks": [task]}})
    rebuilt.deploy_failing_at_the_end()

    assert rebuilt.families() == before
    assert rebuilt.active() == before

    # Another template: the one that failed is in CDK's bucket, under the hash of what was synthesized.
    rebuilt.add_schedule("more")
    rebuilt.deploy()
    after = rebuilt.families()
    assert after != before
    assert rebuilt.active() == after


@pytest.mark.parametrize(
    ("task", "what"),
    [
        ({"secrets": ["TOKEN"]}, "is not deployed: against acme-dev-command-"),
        ({"image": "example.com/tools:2"}, "image reference example.com/tools:1 → example.com/tools:2"),
        ({"architecture": "arm64"}, "architecture x86_64 → arm64"),
        ({"read_only_root": True}, "read only root False → True"),
        (
            {
                "permissions": [
                    {"actions": ["glue:GetTables"], "resources": ["arn:aws:glue:eu-west-1:123456789012:catalog"]}
                ]
            },
            "permission glue:GetTables on arn:aws:glue:eu-west-1:123456789012:catalog is new",
        ),
    ],
    ids=["secret", "image", "architecture", "read-only root", "permission"],
)
def test_push_refuses_what_the_infrastructure_does_not_hold(
    live_project: LiveProject, task: dict[str, Any], what: str
) -> None:
    """It names the tasks, what is missing and what to do, and changes nothing."""
    base = {"name": "greet", "command": ["echo", "hello"], "image": "example.com/tools:1"}
    live_project.git("checkout", "--quiet", "--force", "main")
    live_project.edit(jobs={"hello": {"tasks": [{**base, **task}]}}, schedules=[live_project.hello])
    before = live_project.files(), live_project.manifest()
    refused = live_project.penstock("push", code=1)

    assert "does not hold what these DAGs need; nothing was changed" in refused.stderr
    assert "for hello.greet" in refused.stderr
    assert what in refused.stderr
    assert "fix: deploy: npx cdk deploy --all -c environment=dev" in refused.stderr
    assert (live_project.files(), live_project.manifest()) == before
    assert live_project.data("push", code=1)["pushed"] is False


def test_push_refuses_dags_that_go_to_another_airflow(live_project: LiveProject) -> None:
    """The bucket of the last deploy is not theirs any more."""
    live_project.git("checkout", "--quiet", "--force", "main")
    team = {"environment": "team", "version": "3.0.6", "bucket": "team-dags", "execution_role": "team-role"}
    live_project.edit(
        environments={"dev": {"region": "eu-west-1"}}, airflow={"use": team}, schedules=[live_project.hello]
    )
    before = live_project.files(), live_project.manifest()
    refused = live_project.penstock("push", code=1)

    assert "changed: one that Penstock creates (acme-dev) → one that exists (team)" in refused.stderr
    assert (live_project.files(), live_project.manifest()) == before


def test_push_changes_sizes_and_says_what_waits_for_a_deploy(pushed: LiveProject) -> None:
    """RunTask overrides sizes, so they need no deploy. Airflow's own settings do."""
    task = {"name": "greet", "command": ["echo", "hi"], "image": "example.com/tools:1"}
    size = {"cpu_units": 1024, "memory_mib": 4096}
    pushed.edit(
        jobs={"hello": {"tasks": [task | size]}},
        airflow={"create": {"version": "3.0.6", "workers": {"min": 1, "max": 7}}},
        network={"create": {"cidr": "10.20.0.0/16", "nat_gateways": 1, "flow_logs": {"retention_days": 60}}},
    )
    pushed_again = pushed.penstock("push")

    assert "tasks.greet.memory_mib: 1024 → 4096" in pushed_again.stdout
    assert "tasks.greet.command: echo, hello → echo, hi" in pushed_again.stdout
    assert "waits for a deploy: airflow: max_workers 2 → 7" in pushed_again.stderr
    assert "waits for a deploy: network: flow_log_days 30 → 60, nat_gateways 2 → 1" in pushed_again.stderr

    pushed.edit(network={"create": {"cidr": "10.30.0.0/16"}})
    assert "the network changed: cidr 10.20.0.0/16 → 10.30.0.0/16" in pushed.penstock("push", code=1).stderr


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        (["push", "--to", "bucket/dags"], 2, "is not a folder in a bucket"),
        (["push", "--to", "s3://there-is-no-such-bucket/dags/acme-dev"], 1, "resources.json is missing"),
        (["--environment", "staging", "push"], 2, "there is no environment 'staging'"),
    ],
)
def test_bad_input(live_project: LiveProject, arguments: list[str], code: int, what: str) -> None:
    """Each has its text, its fix and its exit code, and no traceback."""
    refused = live_project.penstock(*arguments, code=code)

    assert what in refused.stderr
    assert "fix: " in refused.stderr
    assert "Traceback" not in refused.stderr


def test_another_account_is_refused(live_project: LiveProject) -> None:
    """Credentials of one account never change another one's DAGs."""
    live_project.git("checkout", "--quiet", "--force", "main")
    live_project.edit(environments={"dev": {"region": "eu-west-1", "account": "999999999999"}})
    refused = live_project.penstock("push", code=1)

    assert "environment dev is in account 999999999999, the credentials are of 123456789012" in refused.stderr


def test_a_push_with_the_documented_permissions_and_no_more(pushed: LiveProject) -> None:
    """`--to` spares CloudFormation; without any one of the grants the push is refused and nothing is live."""
    (pushed.folder / "dags").mkdir(exist_ok=True)
    (pushed.folder / "dags" / "own.py").write_text("# ours\n")
    # What was deployed, what is live and what was before it stay; one more is retired.
    for name in ("first", "second", "third"):
        pushed.add_schedule(name)
        pushed.penstock("push")
    (pushed.folder / "dags" / "own.py").unlink()
    pushed.add_schedule("pushed")
    assert pushed.age()
    to = f"s3://{pushed.dags}/dags/acme-dev/"
    grants = pushed.pusher_grants()
    before = pushed.manifest()
    *others, last = grants
    assert (last["Action"], last["Resource"]) == ("s3:DeleteObject", f"arn:aws:s3:::{pushed.artifacts}/plans/*")
    for left_out in range(len(others)):
        keys = pushed.pusher(f"pusher-{left_out}", grants[:left_out] + grants[left_out + 1 :])
        refused = pushed.penstock("push", "--to", to, code=1, keys=keys)
        assert "AccessDenied" in refused.stderr or "Access Denied" in refused.stderr or "403" in refused.stderr
        assert pushed.manifest().live == before.live or not pushed.manifest().complete
    tidy = pushed.penstock("push", "--to", to, keys=pushed.pusher("untidy", others))
    assert "could not be deleted" in tidy.stderr
    assert pushed.manifest().retired
    pushed.add_schedule("last")
    full = pushed.penstock("push", "--to", to, "--format", "json", keys=pushed.pusher("pusher", grants))
    assert "could not be deleted" not in full.stderr
    output = json.loads(full.stdout)

    assert output["release"]["by"] == "push"
    assert pushed.scheduled() == {"hello", "first", "second", "third", "pushed", "last"}
