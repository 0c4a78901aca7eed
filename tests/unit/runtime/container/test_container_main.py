"""The container's main program, with plain commands as the engine."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from penstock_runtime import contract
from penstock_runtime.container.engines import Counts, meltano, openmetadata
from tests.unit.runtime.container.start_container import RUN, RUNTIME, start


def test_says_what_runs_and_how_it_ended() -> None:
    """First line: which run; then the engine's own lines; then the outcome, and one metric line."""
    done = start("print('working')")

    first, engine, outcome, metric = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert first.startswith("penstock: acme/dev: daily.load (job warehouse), run manual__2026-01-01, try 2: command")
    assert engine == "working"
    assert outcome.startswith("penstock: done, exit code 0, after ")
    assert metric.startswith("{")


def test_writes_one_line_in_the_embedded_metric_format() -> None:
    """As the specification requires: every metric and dimension that is declared is a member of the root."""
    done = start("import sys; sys.exit(4)")

    record = json.loads(done.stdout.splitlines()[-1])
    project, task = record["_aws"]["CloudWatchMetrics"]
    assert project["Namespace"] == task["Namespace"] == "Penstock"
    assert project["Dimensions"] == [["Project", "Environment"]]
    assert {one["Name"]: one["Unit"] for one in project["Metrics"]} == {
        "Runs": "Count",
        "FailedRuns": "Count",
        "Duration": "Seconds",
    }
    assert task["Dimensions"] == [["Project", "Environment", "Schedule", "Task"]]
    declared = {metric["Name"]: metric["Unit"] for metric in task["Metrics"]}
    assert declared == {"Succeeded": "Count", "Duration": "Seconds", "PeakMemory": "Megabytes"}
    assert [record[name] for name in task["Dimensions"][0]] == ["acme", "dev", "daily", "load"]
    assert (record["Runs"], record["FailedRuns"], record["Succeeded"]) == (1, 1, 0)
    assert record["ExitCode"] == done.returncode == 4
    assert all(isinstance(record[name], int | float) for name in declared)
    assert isinstance(record["_aws"]["Timestamp"], int)


def test_tells_memory_against_limit_and_what_is_paid_for() -> None:
    """With the size that RunTask gave: utilization, and seconds times vCPU and GiB by processor."""
    done = start("import time; time.sleep(0.2)", **{contract.SIZE: '{"cpu_units": 2048, "memory_mib": 4096}'})

    record = json.loads(done.stdout.splitlines()[-1])
    by_architecture = record["_aws"]["CloudWatchMetrics"][1]
    assert by_architecture["Dimensions"] == [["Project", "Environment", "Architecture"]]
    assert {one["Name"] for one in by_architecture["Metrics"]} == {"VcpuSeconds", "GibSeconds"}
    assert record["Architecture"] in ("x86_64", "arm64")
    assert record["VcpuSeconds"] == pytest.approx(record["Duration"] * 2, abs=0.01)
    assert record["GibSeconds"] == pytest.approx(record["Duration"] * 4, abs=0.01)
    assert record["MemoryUtilization"] == pytest.approx(100 * record["PeakMemory"] / 4096, abs=0.1)


@pytest.mark.parametrize(
    "size", ["[]", "{}", '{"cpu_units": 0, "memory_mib": 1}', '{"cpu_units": 1, "memory_mib": []}']
)
def test_refuses_a_size_that_is_none(size: str) -> None:
    done = start("print('never')", **{contract.SIZE: size})

    assert done.returncode == contract.Exit.WRONG_INPUT
    assert contract.SIZE in done.stdout
    assert "never" not in done.stdout


def workflow(folder: Path, code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run an OpenMetadata workflow of a package that does `code` in place of the workflow."""
    package = folder / "metadata" / "workflow"
    package.mkdir(parents=True)
    (package / "metadata.py").write_text(
        f"import json, os, signal, time\nreport = os.environ['{contract.REPORT}']\n{code}"
    )
    config = folder / "config.yaml"
    config.write_text("{}")
    given = {
        contract.ENGINE: "openmetadata",
        contract.WORKFLOW_TYPE: "metadata",
        contract.CONFIG_URI: config.as_uri(),
        contract.CONFIG_SHA256: hashlib.sha256(b"{}").hexdigest(),
        contract.NAMES: "[]",
        "PYTHONPATH": f"{RUNTIME}{os.pathsep}{folder}",
        **environ,
    }
    return start(**given)


def test_takes_the_engines_own_counts(tmp_path: Path) -> None:
    """What the engine's process reports is in the last line and in the metrics."""
    counts = "{'records': 7, 'failures': 1, 'warnings': 0}"
    done = workflow(tmp_path, f"json.dump({counts}, open(report, 'w')); os._exit(0)")

    *_, outcome, metric = done.stdout.splitlines()
    assert outcome.endswith("7 records, 1 failures, 0 warnings")
    assert json.loads(metric)["Records"] == 7
    assert json.loads(metric)["Warnings"] == 0


BAD_REPORTS = {
    "no truth": '{"own_error": 1}',
    "empty": "",
    "half": '{"records": 1',
    "not text": "\xff",
    "no object": "[1]",
    "other keys": '{"rows": 1}',
    "no number": '{"records": "many"}',
}


@pytest.mark.parametrize("text", BAD_REPORTS.values(), ids=BAD_REPORTS)
def test_a_report_that_is_none_hides_nothing(tmp_path: Path, text: str) -> None:
    """How the run ended, with its code, its outcome line and its metrics, is still reported."""
    code = (
        f"open(report, 'w', encoding='latin-1').write({text!r}); os.kill(os.getppid(), signal.SIGTERM); time.sleep(60)"
    )
    done = workflow(tmp_path, code, **{contract.STOP_TIMEOUT_SECONDS: "4"})

    *_, told, outcome, metric = done.stdout.splitlines()
    assert done.returncode == contract.Exit.STOPPED, done.stderr
    assert told.startswith("penstock: the engine's report cannot be read: ")
    assert outcome.startswith("penstock: stopped by SIGTERM")
    assert "records" not in outcome
    assert (json.loads(metric)["ExitCode"], json.loads(metric)["FailedRuns"]) == (143, 1)


def test_a_command_is_asked_for_no_report() -> None:
    """Only an engine that writes one gets its path: a command might use the variable for something else."""
    done = start(f"import os; print(os.environ.get('{contract.REPORT}', 'none'))")

    assert done.stdout.splitlines()[1] == "none"


def test_masks_secrets_only() -> None:
    """A secret's value never reaches the log; a plain variable's does."""
    done = start(
        "import os; print(os.environ['PASSWORD'], os.environ['HOST'])",
        PASSWORD="correct-horse",
        HOST="db.example.com",
        **{contract.NAMES: '["PASSWORD", "HOST"]', contract.SECRET_NAMES: '["PASSWORD"]'},
    )

    assert "*** db.example.com" in done.stdout
    assert "correct-horse" not in done.stdout + done.stderr


def test_masks_every_name_where_nobody_says_which_are_secret() -> None:
    """Better a host name too few than a password too many."""
    done = start("import os; print(os.environ['HOST'])", HOST="db.example.com", **{contract.NAMES: '["HOST"]'})

    assert "db.example.com" not in done.stdout


def test_masks_an_error_of_its_own(tmp_path: Path) -> None:
    """What the runtime itself has to say, a fault with its traceback included, goes through the mask too."""
    own = {contract.SECRET_NAMES: '["PASSWORD"]', "PASSWORD": "correct-horse"}
    (tmp_path / "sitecustomize.py").write_text(
        "import penstock_runtime.container.process as process\n"
        "def run(*_, **__): raise KeyError('correct-horse')\n"
        "process.run = run\n"
    )

    refused = start(**own, **{contract.COMMAND: '["no-correct-horse"]'})
    fault = start(**own, PYTHONPATH=f"{RUNTIME}{os.pathsep}{tmp_path}")

    assert "cannot start 'no-***'" in refused.stdout
    assert (refused.returncode, fault.returncode) == (contract.Exit.WRONG_INPUT, contract.Exit.FAILED)
    assert "KeyError: '***'" in fault.stdout
    assert "penstock: the container's own program failed\n  fix: " in fault.stdout
    assert "correct-horse" not in fault.stdout + fault.stderr + refused.stdout + refused.stderr


def test_masks_the_last_line_also_where_it_does_not_end() -> None:
    """A line without its end, long before it, and a secret in one of a megabyte."""
    code = "import os, sys; p = os.environ['PASSWORD']; print('x' * 2**20 + p + 'y' * 9); sys.stdout.write('now ' + p)"
    done = start(code, **{contract.SECRET_NAMES: '["PASSWORD"]', "PASSWORD": "correct-horse"})

    assert "x***yyyyyyyyy" in done.stdout
    assert "\nnow ***\n" in done.stdout
    assert "correct-horse" not in done.stdout


def test_masks_the_run_id_in_the_metric_line() -> None:
    """Somebody has typed it. The rest of the line is numbers and names of the plan, as CloudWatch needs them."""
    run = {**RUN, "dag_run": "manual correct-horse", "project": "acme"}
    done = start(
        **{contract.RUN: json.dumps(run), contract.SECRET_NAMES: '["A", "B"]', "A": "correct-horse", "B": "acme"}
    )

    record = json.loads(done.stdout.splitlines()[-1])
    assert (record["DagRun"], record["Project"]) == ("manual ***", "acme")


def test_says_which_secrets_it_cannot_mask() -> None:
    """By name, before the engine's own lines."""
    done = start("print('working')", **{contract.SECRET_NAMES: '["PIN", "JWT"]', "PIN": "q7x", "JWT": "abcdefgh\n"})

    _, short, padded, engine, *_ = done.stdout.splitlines()
    assert short == "penstock: not masked in this log, because they are shorter than 4 characters: PIN"
    assert padded.endswith("at the beginning or end of the value of JWT")
    assert engine == "working"


@pytest.mark.parametrize(
    ("code", "exit_code", "says", "ended_by"),
    [
        ("import sys; sys.exit(2)", 2, "penstock: failed, exit code 2 (the engine's own), after ", "engine"),
        ("import sys; sys.exit(124)", 124, "penstock: failed, exit code 124 (the engine's own), after ", "engine"),
        ("import sys; sys.exit(137)", 137, "penstock: failed, exit code 137 (the engine's own), after ", "engine"),
        ("import sys; sys.exit(3)", 3, "penstock: failed, exit code 3, after ", "engine"),
        ("import os; os.kill(os.getpid(), 9)", 137, "penstock: killed by SIGKILL: most likely out of memory", "signal"),
        ("import os; os.kill(os.getpid(), 11)", 139, "penstock: killed by signal 11, exit code 139, after ", "signal"),
    ],
)
def test_says_whose_the_exit_code_is(code: str, exit_code: int, says: str, ended_by: str) -> None:
    """An engine's 2 or 124 means something else than ours; the metric line says it to who explains the failure."""
    done = start(code)

    *_, outcome, metric = done.stdout.splitlines()
    assert done.returncode == exit_code
    assert outcome.startswith(says)
    assert json.loads(metric)["EndedBy"] == ended_by


def test_says_how_much_memory_a_killed_run_had() -> None:
    """What it used and what it was given, as far as that is known."""
    done = start("import os; os.kill(os.getpid(), 9)", **{contract.SIZE: '{"cpu_units": 256, "memory_mib": 1024}'})

    outcome = done.stdout.splitlines()[-2]
    assert ", all of them may use 1024: set memory_mib of the task above 1024), exit code 137, after " in outcome


def test_an_error_of_ours_in_the_engines_process_is_ours(tmp_path: Path) -> None:
    """The workflow's process refuses its config with 2; a workflow that ends with 2 by itself does not."""
    ours = workflow(tmp_path / "a", "", **{contract.WORKFLOW_TYPE: "metadata", contract.CONFIG_SHA256: "0" * 64})
    theirs = workflow(tmp_path / "b", "os._exit(2)")

    assert (ours.returncode, json.loads(ours.stdout.splitlines()[-1])["EndedBy"]) == (65, "penstock")
    assert (theirs.returncode, json.loads(theirs.stdout.splitlines()[-1])["EndedBy"]) == (2, "engine")


def test_ends_a_run_at_its_limit() -> None:
    """The documented code, and the setting to change."""
    done = start("import time; time.sleep(60)", **{contract.TIMEOUT_SECONDS: "1"})

    assert done.returncode == contract.Exit.TIMED_OUT
    assert "timed out: the limit is 1 s (timeout_minutes), exit code 124" in done.stdout


def test_reports_a_stop_before_ecs_kills_the_container() -> None:
    """An engine that is deaf to SIGTERM is killed in time for the outcome and its metrics."""
    code = "import os, signal, time; signal.signal(15, signal.SIG_IGN); os.kill(os.getppid(), 15); time.sleep(60)"

    done = start(code, **{contract.STOP_TIMEOUT_SECONDS: "4"})

    outcome, metric = done.stdout.splitlines()[-2:]
    assert done.returncode == contract.Exit.STOPPED
    assert outcome.startswith("penstock: stopped by SIGTERM (StopTask or a Spot interruption), exit code 143, after ")
    assert (json.loads(metric)["ExitCode"], json.loads(metric)["FailedRuns"]) == (143, 1)
    assert 2 <= json.loads(metric)["Duration"] < 4


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        (contract.RUN, None, "PENSTOCK_RUN is not set"),
        (contract.RUN, "[]", "PENSTOCK_RUN does not hold a JSON object"),
        (contract.RUN, '{"project": "x"}', "has no usable field 'environment'"),
        (contract.ENGINE, "spark", "PENSTOCK_ENGINE is 'spark'; this runtime knows openmetadata, meltano, command"),
        (contract.COMMAND, "ls", "PENSTOCK_COMMAND does not hold JSON"),
        (contract.COMMAND, "[]", "PENSTOCK_COMMAND holds an empty list"),
        (contract.COMMAND, '["no-such-program"]', "cannot start 'no-such-program'"),
        (contract.COMMAND, '["a\\u0000b"]', "cannot start 'a\\x00b': embedded null byte"),
        (contract.COMMAND, '["a\\ud800b"]', "surrogates not allowed"),
        (contract.TIMEOUT_SECONDS, "soon", "is 'soon', which is not a positive number of seconds"),
        (contract.TIMEOUT_SECONDS, "nan", "is 'nan', which is not a positive number of seconds"),
        (contract.STOP_TIMEOUT_SECONDS, "-1", "PENSTOCK_STOP_TIMEOUT_SECONDS is '-1', which is not a positive number"),
        (contract.TIMEOUT_SECONDS, None, "PENSTOCK_TIMEOUT_SECONDS is not set"),
    ],
)
def test_refuses_a_wrong_environment(name: str, value: str | None, says: str) -> None:
    """A missing or wrong variable is one clear error with a fix and the documented code, never a traceback."""
    done = start(**{name: value})

    assert done.returncode == contract.Exit.WRONG_INPUT
    assert says in done.stdout
    assert "\n  fix: " in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_meltano_needs_its_environment_named() -> None:
    """Without one, Meltano would take the project's default: a developer's."""
    done = start(**{contract.ENGINE: "meltano", contract.COMMAND: '["run", "a", "b"]'})

    assert done.returncode == contract.Exit.WRONG_INPUT
    assert "MELTANO_ENVIRONMENT is not set" in done.stdout


def test_elt_runs_without_an_environment() -> None:
    """Projects from before there were environments have none, and Meltano stops at one that it does not know."""
    launch = meltano.launch({contract.COMMAND: '["elt", "tap-a", "target-b"]'})

    assert "no Meltano environment: meltano elt tap-a target-b" in launch.title


def test_task_may_set_what_is_a_default() -> None:
    """The task's own variables override an engine's defaults."""
    environ = {contract.WORKFLOW_TYPE: "metadata", "DO_NOT_TRACK": "0"}
    variables = openmetadata.launch(environ).environment

    assert "DO_NOT_TRACK" not in variables
    assert variables["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "false"


def test_meltano_never_installs_at_run_time() -> None:
    """A task may choose its log level; it may not switch plugin installation or telemetry on."""
    environ = {
        contract.COMMAND: '["run", "tap-a", "target-b"]',
        "MELTANO_ENVIRONMENT": "prod",
        "MELTANO_CLI_LOG_LEVEL": "debug",
        "MELTANO_AUTO_INSTALL": "true",
    }

    launch = meltano.launch(environ)

    assert launch.command == ("meltano", "run", "tap-a", "target-b")
    assert launch.environment["MELTANO_AUTO_INSTALL"] == "false"
    assert launch.environment["MELTANO_SEND_ANONYMOUS_USAGE_STATS"] == "false"
    assert "MELTANO_CLI_LOG_LEVEL" not in launch.environment


def test_meltano_counts_what_taps_have_read() -> None:
    """Each tap counter line adds; target lines, other metrics and look-alikes do not."""
    counts = Counts()
    prefix = "2026-11-21T03:03:31Z [info     ] "
    for line in (
        prefix + 'tap-a METRIC: {"type":"counter","metric":"record_count","value":16,"tags":{"stream":"x"}}',
        prefix + 'tap-a INFO METRIC: {"type": "counter", "metric": "record_count", "value": 4, "tags": {}}',
        prefix + 'target-b METRIC: {"type":"counter","metric":"record_count","value":16,"tags":{}}',
        prefix + 'tap-a METRIC: {"type":"timer","metric":"sync_duration","value":0.6,"tags":{}}',
        prefix + "tap-a METRIC: {broken}",
        prefix + "tap-a reads",
        prefix + "tap-a METRIC: " + '{"a":' * 2_000 + "1" + "}" * 2_000,
        prefix + 'tap-a METRIC: {"metric":"record_count","value":' + "1" * 5_000 + "}",
        prefix + 'tap-a METRIC: {"metric":"record_count","value":true}',
        prefix + 'a METRIC: {"metric":"record_count","value":1}',
        prefix + 'tap-aMETRIC: {"metric":"record_count","value":1}',
        'METRIC: {"metric":"record_count","value":1}',
        prefix + 'tap-a INFO METRIC: {"metric":"record_count","value":1}' + " " * 20_000,
    ):
        meltano.count(line, counts)

    assert (counts.records, counts.failures) == (20, None)


def test_another_home_hides_nothing_that_the_image_installed_for_its_user(tmp_path: Path) -> None:
    """On a read-only root the engine gets a home that can be written; Python still looks below the image's."""
    show = "import os; print(os.environ['HOME'], os.environ.get('PYTHONUSERBASE'))"
    image = {"HOME": "/home/openmetadata"}

    moved = start(show, **image, **{contract.HOME: str(tmp_path)}).stdout.splitlines()[1]
    stays = [start(show, **image, **more).stdout.splitlines()[1] for more in ({}, {contract.HOME: ""})]

    assert moved == f"{tmp_path} /home/openmetadata/.local"
    assert stays == ["/home/openmetadata None"] * 2
