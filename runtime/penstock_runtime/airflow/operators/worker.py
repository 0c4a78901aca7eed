"""The operators `python` and `virtualenv`: one task of the plan as a process on Airflow's worker.

The process is what a container would be: `python -m penstock_runtime`, with the task in its environment. It keeps the
time limit, masks secrets and starts the engine. Secrets are read here, when the task starts, and handed on in memory
only: they are in no argument, no rendered field, no XCom and no file.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow import DAG

from penstock_runtime import contract
from penstock_runtime.airflow.versions import AirflowFailException, BaseOperator
from penstock_runtime.contract import Exit
from penstock_runtime.errors import FailedForGood, PenstockError
from penstock_runtime.plan.schedule import WorkerTask
from penstock_runtime.release.resources import Resources

if TYPE_CHECKING:
    from penstock_runtime.airflow.operators.airflow_run import AirflowRun

STOP_SECONDS = 30
"""From SIGTERM to SIGKILL of the engine's process, which the task's own process sends."""
SPARE = timedelta(minutes=30)
"""What Airflow's own limit has on top of `timeout_minutes`: to install packages, and to report the end."""
LAST_LINES = 20
"""Of the output, in the message about a failure."""
KEPT = (
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
)  # fmt: skip
"""Of the worker's environment variables. What Airflow has in the others (its database, its keys) is not the task's."""

RELEASE = Path(__file__).parents[3]
"""The folder `release/<hash>` of the bundle that this file is in."""


class NotTriedAgain(FailedForGood, AirflowFailException):  # type: ignore[misc]
    """Airflow makes no more tries: they would fail in the same way."""


def operator_of(task: WorkerTask, dag: DAG, resources: Resources, run: Mapping[str, str]) -> WorkerTaskOperator:
    """The operator of a task; see `pick.operator_of`."""
    return WorkerTaskOperator(task_id=task.name, dag=dag, worker_task=task, region=resources.region, run=run)


class WorkerTaskOperator(BaseOperator):  # type: ignore[misc]
    """Runs one task of the plan to its end, in a process of its own on the worker.

    Not PythonOperator and PythonVirtualenvOperator: their functions run in Airflow's process or print into its log
    unmasked, and know neither SIGTERM nor a time limit. Credentials are the worker's own: on MWAA, the execution role.

    Args:
        worker_task: the task.
        region: where secrets are that are given by name.
        run: what is known about the run at parse time: project, environment, schedule, job.
    """

    template_fields: Sequence[str] = ()
    """Empty: the plan is fully worked out, and a `{{` in a variable belongs to the user."""
    ui_color = "#e4ede4"

    def __init__(
        self, *, worker_task: WorkerTask, region: str, run: Mapping[str, str], **airflow_arguments: Any
    ) -> None:
        limit = timedelta(minutes=worker_task.timeout_minutes) + SPARE
        super().__init__(execution_timeout=limit, **airflow_arguments)
        self.worker_task, self.region, self.run_facts = worker_task, region, dict(run)
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False

    def execute(self, context: Any) -> None:
        """Run the task.

        Raises:
            PenstockError: it failed; says why and what to do.
        """
        from penstock_runtime.airflow.operators import worker_secrets

        task = self.worker_task
        python = self._python()
        from penstock_runtime.airflow.operators.airflow_run import AirflowRun

        environment = self._environment(AirflowRun.of(context, self.retries or 0))
        environment |= worker_secrets.read(task.secrets, self.region)
        lines: list[str] = []
        with tempfile.TemporaryDirectory() as folder:
            # A folder of its own: an engine may write beside where it starts, and Python looks there for modules.
            process = self._process = subprocess.Popen(
                [str(python), "-m", "penstock_runtime"],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            if self._killed:
                self.on_kill()
            assert process.stdout is not None
            try:
                for raw in process.stdout:
                    line = raw.decode("utf-8", "replace").rstrip("\n")
                    if not line.startswith(f'{{"{contract.METRIC_KEY}"'):
                        self.log.info("%s", line)
                        lines = [*lines[1 - LAST_LINES :], line]
                code = process.wait()
            except BaseException:
                # Airflow ends the task (its own limit, a signal): nothing may run on.
                self._stop()
                raise
        if code != Exit.DONE:
            raise _failure(code, lines)

    def on_kill(self) -> None:
        """Ask the process to stop: it ends its engine, and reports how that ended."""
        self._killed = True
        self._stop()

    def _stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGTERM)

    def _python(self) -> Path:
        """The Python that has the engine's packages."""
        if self.worker_task.operator == "python":
            return Path(sys.executable)
        from penstock_runtime.airflow.operators import virtualenvs

        sha256 = self.worker_task.requirements or ""
        lock = RELEASE / contract.REQUIREMENTS_PREFIX / f"{sha256}.txt"
        return virtualenvs.python_of(lock, sha256, self.log)

    def _environment(self, run: AirflowRun) -> dict[str, str]:
        """Of the process, secrets left out."""
        task = self.worker_task
        own = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith("AWS_")}
        facts = {**self.run_facts, "task": task.name, **run.facts}
        config = RELEASE / contract.CONFIGS_PREFIX / f"{task.config}.yaml"
        return {
            **own,
            **task.environment,
            "PYTHONPATH": str(RELEASE),
            "PYTHONUNBUFFERED": "1",
            contract.ENGINE: task.engine,
            contract.COMMAND: json.dumps(task.command),
            contract.TIMEOUT_SECONDS: str(task.timeout_minutes * 60),
            contract.STOP_TIMEOUT_SECONDS: str(STOP_SECONDS),
            contract.NAMES: json.dumps(task.names),
            contract.SECRET_NAMES: json.dumps(sorted(task.secrets)),
            contract.RUN: json.dumps(facts),
            contract.WORKFLOW_TYPE: task.workflow_type or "",
            contract.CONFIG_URI: config.as_uri(),
            contract.CONFIG_SHA256: task.config or "",
        }


_REASONS: dict[int, tuple[str, str]] = {
    Exit.WRONG_INPUT: (
        "the runtime refused its environment or its config, or the package the workflow",
        "read the line `penstock:` above; correct the file that it names and deploy again",
    ),
    Exit.ARTIFACT: (
        "the config is missing from the bundle, or is not the expected one",
        "deploy or push the project again",
    ),
    Exit.TIMED_OUT: (
        "the run reached its time limit and ended itself",
        "raise timeout_minutes of the task, or find in its log what took so long",
    ),
    Exit.STOPPED: ("Airflow, or somebody, asked it to stop (SIGTERM)", "run the task again if that was a mistake"),
    Exit.KILLED: (
        "it was killed, most likely because the worker's memory was full",
        "use a larger environment class or fewer tasks per worker (celery.worker_autoscale), or operator: ecs, which "
        "gives each task memory of its own",
    ),
}
"""Exit code → cause and what to do."""


def _failure(code: int, lines: Sequence[str]) -> PenstockError:
    status = 128 - code if code < 0 else code
    cause, fix = _REASONS.get(status, ("the engine ran and reported a failure", "read the end of the task's log"))
    what = f"the task's process ended with exit code {status}\n  cause: {cause}"
    if lines:
        what += "\n  last lines of its log:\n" + "\n".join(f"  | {line}" for line in lines)
    if status == Exit.WRONG_INPUT:
        return NotTriedAgain(what, fix=fix)
    return PenstockError(what, fix=fix)
