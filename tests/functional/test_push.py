"""`cdk deploy` and `penstock push` on one project, by the real commands on the embedded AWS: who wins, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.functional.embedded import serving
from tests.functional.live_project import LiveProject

FOREIGN = {
    "dags/theirs.py": "# of another team",
    "dags/acme-dev/notes.txt": "somebody put it here",
    "dags/acme-dev2/schedules_00.py": "# of another project",
}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveProject]:
    """A project that is deployed, with files of others in its DAG bucket."""
    folder = tmp_path_factory.mktemp("push")
    with serving(folder / "aws") as server:
        project = LiveProject(folder / "project", server.endpoint)
        project.start()
        refused = project.penstock("push", code=1)
        assert "acme-dev is not deployed in eu-west-1" in refused.stderr
        assert "fix: deploy it first: npx cdk deploy" in refused.stderr
        project.deploy()
        for key, text in FOREIGN.items():
            server.endpoint.client("s3").put_object(Bucket=project.dags, Key=key, Body=text.encode())
        yield project
        files = project.files()
        assert {key: files.get(key) for key in FOREIGN} == FOREIGN


@pytest.fixture
def fresh(live: LiveProject) -> LiveProject:
    """The project with one schedule `hello`, of the newest commit, deployed."""
    live.start_again()
    assert live.scheduled() == {"hello"}
    return live


def test_push_adds_and_removes_schedules_and_touches_nothing_else(fresh: LiveProject) -> None:
    """The new release is live, the facts of the deploy and the files of others are as they were."""
    before = fresh.files()
    fresh.add_schedule("nightly")

    planned = fresh.data("push", "--dry-run")
    assert fresh.files() == before
    assert planned["pushed"] is False
    told = fresh.data("push")

    assert [(one["kind"], one["dag_id"]) for one in told["schedules"]] == [("added", "nightly")]
    assert told["schedules"] == planned["schedules"]
    assert told["uploaded"] > 0
    assert fresh.scheduled() == {"hello", "nightly"}
    changed = {key for key, text in fresh.files().items() if before.get(key) != text}
    assert changed == {"dags/acme-dev/schedules_00.py"}

    again = fresh.penstock("push")
    assert "no schedule changes" in again.stdout
    assert "already live" in again.stdout
    assert "0 files uploaded" in again.stdout

    fresh.git("checkout", "--quiet", "HEAD~1", "--", ".")
    fresh.commit("without nightly")
    assert "- schedule nightly" in fresh.penstock("push").stdout
    assert fresh.scheduled() == {"hello"}


def test_push_removes_loaders_that_are_no_longer_needed(fresh: LiveProject) -> None:
    """60 schedules take two loaders, one takes one: the other goes, and the user's own DAG files come and go alike."""
    (fresh.folder / "dags").mkdir()
    (fresh.folder / "dags" / "own.py").write_text("# ours\n")
    many = [{"name": f"s{number}", "job": "hello", "interval": "@daily"} for number in range(60)]
    fresh.edit(schedules=many)
    fresh.penstock("push")
    assert {"dags/acme-dev/schedules_01.py", "dags/acme-dev/own.py"} <= fresh.files().keys()
    assert len(fresh.scheduled()) == 60

    (fresh.folder / "dags" / "own.py").unlink()
    fresh.edit(schedules=many[:1])
    fresh.penstock("push")

    assert not {"dags/acme-dev/schedules_01.py", "dags/acme-dev/own.py"} & fresh.files().keys()
    assert fresh.scheduled() == {"s0"}


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
    said = fresh.deploy(fails=True)

    assert f"release {live.live.release} ({pushed[:7]} of " in said
    assert "by penstock push) is live and is newer than" in said
    assert "-c replace=true" in said
    assert (fresh.files(), fresh.manifest()) == (before, live)
    assert fresh.penstock("push", code=1).stderr.startswith(f"error: release {live.live.release} (")
    assert (fresh.files(), fresh.manifest()) == (before, live)

    fresh.deploy("replace=true")
    assert fresh.scheduled() == {"hello", "stale"}


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
    """The template is the deployed one, so CloudFormation does nothing: the push is live before and after."""
    fresh.add_schedule("pushed")
    fresh.penstock("push")
    live = fresh.manifest()
    fresh.git("checkout", "--quiet", "HEAD~1")
    fresh.deploy()

    assert fresh.manifest() == live
    assert fresh.scheduled() == {"hello", "pushed"}


def test_a_revert_that_is_newer_takes_effect(fresh: LiveProject) -> None:
    """The bundle is the one that was deployed before the push, and still a deploy brings it back."""
    fresh.add_schedule("pushed")
    fresh.penstock("push")
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
    said = fresh.deploy_failing_at_the_end()

    assert "UPDATE_ROLLBACK_COMPLETE" in said
    assert fresh.manifest().live == live.live
    assert fresh.manifest().complete
    assert fresh.scheduled() == {"hello", "pushed"}


@pytest.mark.parametrize(
    ("task", "what"),
    [
        ({"secrets": ["TOKEN"]}, "is not deployed: against acme-dev-command-"),
        ({"image": "example.com/tools:2"}, "image reference example.com/tools:1 → example.com/tools:2"),
        ({"architecture": "arm64"}, "architecture x86_64 → arm64"),
    ],
    ids=["secret", "image", "architecture"],
)
def test_push_refuses_what_the_infrastructure_does_not_hold(live: LiveProject, task: dict[str, Any], what: str) -> None:
    """It names the tasks, what is missing and what to do, and changes nothing."""
    base = {"name": "greet", "command": ["echo", "hello"], "image": "example.com/tools:1"}
    live.git("checkout", "--quiet", "--force", "main")
    live.edit(jobs={"hello": {"tasks": [{**base, **task}]}}, schedules=[live.hello])
    before = live.files(), live.manifest()
    refused = live.penstock("push", code=1)

    assert "does not hold what these DAGs need; nothing was changed" in refused.stderr
    assert "for hello.greet" in refused.stderr
    assert what in refused.stderr
    assert "fix: deploy: npx cdk deploy --all -c environment=dev" in refused.stderr
    assert (live.files(), live.manifest()) == before
    assert live.data("push", code=1)["pushed"] is False


def test_push_changes_sizes_and_says_what_waits_for_a_deploy(fresh: LiveProject) -> None:
    """RunTask overrides sizes, so they need no deploy. Airflow's own settings do."""
    task = {"name": "greet", "command": ["echo", "hi"], "image": "example.com/tools:1"}
    size = {"cpu_units": 1024, "memory_mib": 4096}
    fresh.edit(
        jobs={"hello": {"tasks": [task | size]}},
        airflow={"create": {"version": "3.0.6", "workers": {"min": 1, "max": 7}}},
    )
    told = fresh.penstock("push")

    assert "tasks.greet.memory_mib: 1024 → 4096" in told.stdout
    assert "tasks.greet.command: echo, hello → echo, hi" in told.stdout
    assert "waits for a deploy: airflow: max_workers 2 → 7" in told.stderr

    fresh.edit(network={"create": {"cidr": "10.30.0.0/16"}})
    assert "the network changed: cidr 10.20.0.0/16 → 10.30.0.0/16" in fresh.penstock("push", code=1).stderr


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        (["push", "--to", "bucket/dags"], 2, "is no folder of a bucket"),
        (["push", "--to", "s3://there-is-no-such-bucket/dags/acme-dev"], 1, "resources.json is missing"),
        (["--environment", "prod", "push"], 1, "acme-prod is not deployed"),
        (["--environment", "staging", "push"], 2, "there is no environment 'staging'"),
    ],
)
def test_bad_input(live: LiveProject, arguments: list[str], code: int, what: str) -> None:
    """Each has its text, its fix and its exit code, and no traceback."""
    refused = live.penstock(*arguments, code=code)

    assert what in refused.stderr
    assert "fix: " in refused.stderr
    assert "Traceback" not in refused.stderr


def test_another_account_is_refused(live: LiveProject) -> None:
    """Credentials of one account never change another one's DAGs."""
    live.git("checkout", "--quiet", "--force", "main")
    live.edit(environments={"dev": {"region": "eu-west-1", "account": "999999999999"}})
    refused = live.penstock("push", code=1)

    assert "environment dev is in account 999999999999, the credentials are of 123456789012" in refused.stderr


def test_a_push_with_the_documented_permissions_and_no_more(fresh: LiveProject) -> None:
    """`--to` spares CloudFormation; without any one of the grants the push is refused and nothing is live."""
    fresh.add_schedule("pushed")
    to = f"s3://{fresh.dags}/dags/acme-dev/"
    grants = fresh.pusher_grants()
    before = fresh.manifest()
    for left_out in range(len(grants)):
        keys = fresh.pusher(f"pusher-{left_out}", grants[:left_out] + grants[left_out + 1 :])
        refused = fresh.penstock("push", "--to", to, code=1, keys=keys)
        assert "AccessDenied" in refused.stderr or "Access Denied" in refused.stderr or "403" in refused.stderr
        assert fresh.manifest().live == before.live or not fresh.manifest().complete
    told = json.loads(
        fresh.penstock("push", "--to", to, "--format", "json", keys=fresh.pusher("pusher", grants)).stdout
    )

    assert told["release"]["by"] == "push"
    assert fresh.scheduled() == {"hello", "pushed"}
