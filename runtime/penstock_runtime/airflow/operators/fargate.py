"""The operator `ecs`: one task of the plan as an Airflow task. Airflow's side of a `FargateRun`."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow import DAG
from airflow.providers.amazon.aws.links.logs import CloudWatchEventsLink

from penstock_runtime import contract
from penstock_runtime.airflow.operators import run_task
from penstock_runtime.airflow.operators.limits import START_MINUTES, Pace, longest
from penstock_runtime.airflow.versions import AirflowFailException, BaseOperator, kills_deferred
from penstock_runtime.errors import FailedForGood
from penstock_runtime.plan.schedule import FargateTask
from penstock_runtime.release.resources import Resources

if TYPE_CHECKING:
    from penstock_runtime.airflow.operators.fargate_run import FargateRun

TRIGGER_MODULE = "penstock_trigger"
"""In Airflow's plugins folder; see `runtime/plugin`."""
ARN_KEY = "fargate_task"
"""In Airflow's store of a task's state, from 3.3 on: the ARN of the Fargate task that its tries share."""


class NotTriedAgain(FailedForGood, AirflowFailException):  # type: ignore[misc]
    """Airflow makes no more tries: they would fail in the same way."""


@contextlib.contextmanager
def _no_retries() -> Iterator[None]:
    """A failure for good, as Airflow knows it."""
    try:
        yield
    except FailedForGood as error:
        raise NotTriedAgain(error.what, fix=error.fix) from error


def operator_of(task: FargateTask, dag: DAG, resources: Resources, run: Mapping[str, str]) -> FargateTaskOperator:
    """The operator of a task; see `pick.operator_of`."""
    return FargateTaskOperator(task_id=task.name, dag=dag, fargate_task=task, deployed=resources, run=run)


class FargateTaskOperator(BaseOperator):  # type: ignore[misc]
    """Runs one task of the plan to its end.

    Not the amazon provider's EcsRunTaskOperator: an error while that waits leaves the Fargate task running, and the
    next try starts a second one beside it. Credentials are the environment's own: on MWAA, the execution role.

    Args:
        fargate_task: the task.
        deployed: what the deploy made. (`resources` is a name of Airflow's own.)
        run: what is known about the run at parse time: project, environment, schedule, job.
    """

    template_fields: Sequence[str] = ()
    """Empty: the plan is fully worked out, and a `{{` in a command or a variable belongs to the user."""
    operator_extra_links = (CloudWatchEventsLink(),)
    ui_color = "#f0ede4"

    def __init__(
        self, *, fargate_task: FargateTask, deployed: Resources, run: Mapping[str, str], **airflow_arguments: Any
    ) -> None:
        super().__init__(execution_timeout=longest(fargate_task), **airflow_arguments)
        # What RunTask would refuse is known now, and the DAG says so.
        run_task.overrides(fargate_task, deployed, {**run, "task": fargate_task.name}, 0)
        self.fargate_task, self.deployed, self.run_facts = fargate_task, deployed, dict(run)
        self.pace = Pace()
        self._fargate_run: FargateRun | None = None
        self._killed = False

    def execute(self, context: Any) -> None:
        """Run the task.

        Raises:
            PenstockError: it failed; says why and what to do.
        """
        if not self.fargate_task.runtime:
            self.log.info(
                "The image's own entry point runs the command: secrets are not masked in its log, and Airflow stops it "
                "after %d minutes",
                self.fargate_task.timeout_minutes + START_MINUTES,
            )
        run = self._run(context)
        with _no_retries():
            run.begin()
        self._wait(context, run)

    def resume(self, context: Any, state: Mapping[str, Any], event: Mapping[str, Any] | None = None) -> None:
        """Go on where `execute` deferred: the trigger says that there is something to see.

        Args:
            event: None: no trigger has fired. Airflow calls this all the same in the first try after a clear of a task
                that was deferred (3.3.1), which is to begin anew.

        Raises:
            PenstockError: it failed; says why and what to do.
        """
        if event is None:
            self.execute(context)
            return
        run = self._run(context, state)
        self.log.info("The trigger woke this task: %s", event["because"])
        with _no_retries():
            succeeded = run.settle(run.wait())
        if not succeeded:
            self._wait(context, run)

    @property
    def arn(self) -> str | None:
        """Of the Fargate task that this try waits for; None before it has one."""
        return self._fargate_run.arn if self._fargate_run else None

    @property
    def kill_trouble(self) -> str:
        """Why a kill has not reached ECS yet; empty: it has, or there was none."""
        return self._fargate_run.kill_trouble if self._fargate_run else ""

    def on_kill(self) -> None:
        """Stop the Fargate task: Airflow ends this try. It logs nothing, see `kill.Silent`, and raises nothing:
        Airflow 2 would take the error for a failure of the task."""
        self._killed = True
        run = self._fargate_run
        if run is None:
            # Where nothing has begun, nothing does.
            return
        try:
            run.kill()
        except Exception:  # noqa: BLE001  whatever it is, the task must not be left running
            from penstock_runtime.airflow.operators import stop_later

            arns = [run.arn] if run.arn else []
            # A machine that can start no process leaves the task to its deadline and the reaper.
            with contextlib.suppress(OSError):
                stop_later.detach(self.deployed.region, self.deployed.cluster, run.started_by, arns)

    def _wait(self, context: Any, run: FargateRun) -> None:
        """In Airflow's triggerer, or here."""
        if run.ended:
            with _no_retries():
                run.settle(run.ended)
            return
        if self._is_deferrable():
            trigger = self._trigger(context, run)
            self.log.info("Waiting in Airflow's triggerer; the log follows at the end, and is in CloudWatch meanwhile")
            self.defer(trigger=trigger, method_name="resume", kwargs={"state": run.state()})
        with _no_retries():
            while not run.settle(run.wait()):
                pass

    def _is_deferrable(self) -> bool:
        wanted = kills_deferred() if self.fargate_task.deferrable is None else self.fargate_task.deferrable
        if wanted and importlib.util.find_spec(TRIGGER_MODULE) is None:
            if self.fargate_task.deferrable:
                self.log.warning("Penstock's plugin is not installed in this Airflow: waiting in the worker")
            return False
        return wanted

    def _trigger(self, context: Any, run: FargateRun) -> Any:
        ti = context["ti"]
        return importlib.import_module(TRIGGER_MODULE).FargateTrigger(
            region=self.deployed.region,
            cluster=self.deployed.cluster,
            arn=run.arn,
            deadline=run.deadline,
            dag_id=ti.dag_id,
            run_id=ti.run_id,
            task_id=ti.task_id,
            map_index=ti.map_index,
        )

    def _run(self, context: Any, state: Mapping[str, Any] | None = None) -> FargateRun:
        # Not at parse: they need boto3, or time in every process that parses. `stop_later` is for `on_kill`, where a
        # signal may have interrupted any other import.
        from penstock_runtime.airflow.operators import stop_later  # noqa: F401
        from penstock_runtime.airflow.operators.airflow_run import AirflowRun
        from penstock_runtime.airflow.operators.aws_clients import Clients
        from penstock_runtime.airflow.operators.fargate_run import FargateRun

        store = context.get("task_state_store")

        def on_start(arn: str) -> None:
            with self._goes_on("remember or link the Fargate task"):
                if store:
                    store.set(ARN_KEY, arn)
                self._link(context, arn)

        known = None
        if store:
            with self._goes_on("read which Fargate task an earlier try has started"):
                known = store.get(ARN_KEY)
        run = self._fargate_run = FargateRun(
            self.fargate_task,
            self.deployed,
            AirflowRun.of(context, self.retries or 0),
            self.run_facts,
            clients=Clients(self.deployed.region),
            logger=self.log,
            pace=self.pace,
            known=[known] if known else [],
            on_start=on_start,
            state=state,
        )
        if self._killed:
            self.on_kill()
        return run

    @contextlib.contextmanager
    def _goes_on(self, what: str) -> Iterator[None]:
        """Trouble with Airflow's own stores ends no task: ECS knows its tasks."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  said, and not needed
            self.log.warning("cannot %s: %s", what, error)

    def _link(self, context: Any, arn: str) -> None:
        """Airflow shows a link to the log in CloudWatch."""
        CloudWatchEventsLink.persist(
            context=context,
            operator=self,
            region_name=self.deployed.region,
            aws_partition=arn.split(":")[1],
            awslogs_region=self.deployed.region,
            awslogs_group=self.deployed.log_group,
            awslogs_stream_name=contract.log_stream(arn),
        )
