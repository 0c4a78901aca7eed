"""One task of the plan as an Airflow task: start a Fargate task, show its log, wait, explain a failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow import DAG
from airflow.providers.amazon.aws.exceptions import EcsOperatorError
from airflow.providers.amazon.aws.hooks.logs import AwsLogsHook
from airflow.providers.amazon.aws.operators.ecs import EcsRunTaskOperator

from penstock_runtime import contract
from penstock_runtime.airflow.operators import run_task
from penstock_runtime.airflow.operators.task_log import TaskLog
from penstock_runtime.airflow.versions import log_container
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan.schedule import FargateTask
from penstock_runtime.release.resources import Resources

START_MINUTES = 15
"""On top of `timeout_minutes`, which counts from the container's start: for capacity, pulling the image,
stopping. Without the runtime in the container, this is the only time limit."""
POLL_SECONDS = 6
"""Between two DescribeTasks of one task; ECS allows 20 such calls a second."""
LOG_SECONDS = 5
LAST_LINES = 20


def operator_of(task: FargateTask, dag: DAG, resources: Resources, run: Mapping[str, str]) -> FargateTaskOperator:
    """The operator of a task; see `pick.operator_of`."""
    return FargateTaskOperator(task_id=task.name, dag=dag, fargate_task=task, deployed=resources, run=run)


class FargateTaskOperator(EcsRunTaskOperator):  # type: ignore[misc]
    """Runs one task of the plan to its end.

    It waits in the worker, so that a kill or a timeout in Airflow stops the Fargate task (`on_kill`); in
    deferrable mode providers before 9.3x leave it running (apache/airflow #36090). Credentials are the
    environment's own: on MWAA, the execution role.

    Args:
        fargate_task: the task.
        deployed: what the deploy made. (`resources` is a name of Airflow's own.)
        run: what is known about the run at parse time: project, environment, schedule, job.
    """

    template_fields: Sequence[str] = ()
    """Empty: the plan is fully worked out, and a `{{` in a command or a variable belongs to the user."""

    def __init__(
        self, *, fargate_task: FargateTask, deployed: Resources, run: Mapping[str, str], **airflow_arguments: Any
    ) -> None:
        limit = timedelta(minutes=fargate_task.timeout_minutes + START_MINUTES)
        super().__init__(
            task_definition=fargate_task.family,
            cluster=deployed.cluster,
            overrides=run_task.overrides(fargate_task, deployed, {**run, "task": fargate_task.name}),
            network_configuration=run_task.network(fargate_task, deployed),
            awslogs_group=deployed.log_group,
            awslogs_region=deployed.region,
            awslogs_stream_prefix=f"{contract.LOG_STREAM_PREFIX}/{contract.CONTAINER_NAME}",
            awslogs_fetch_interval=timedelta(seconds=LOG_SECONDS),
            number_logs_exception=LAST_LINES,
            aws_conn_id=None,
            region_name=deployed.region,
            waiter_delay=POLL_SECONDS,
            # Longer than execution_timeout, which calls on_kill and so StopTask; the end of the waiter does not.
            waiter_max_attempts=int((limit + timedelta(minutes=5)).total_seconds() // POLL_SECONDS),
            execution_timeout=limit,
            deferrable=False,
            # The return value would be the last log line, which may hold secrets.
            do_xcom_push=False,
            # Project, environment and the user's tags, for the bill.
            propagate_tags="TASK_DEFINITION",
            **run_task.placement(fargate_task),
            **log_container(contract.CONTAINER_NAME),
            **airflow_arguments,
        )
        self.fargate_task, self.deployed, self.run_facts = fargate_task, deployed, dict(run)

    def execute(self, context: Any) -> None:
        """Run the task.

        Raises:
            PenstockError: it failed; says why and what to do.
        """
        ti = context["ti"]
        facts = {**self.run_facts, "task": self.fargate_task.name, "dag_run": ti.run_id, "try": ti.try_number}
        self.overrides = run_task.overrides(self.fargate_task, self.deployed, facts)
        if not self.fargate_task.runtime:
            self.log.info(
                "The image's own entry point runs the command: secrets are not masked in its log, and Airflow stops it "
                "after %d minutes",
                self.fargate_task.timeout_minutes + START_MINUTES,
            )
        self._started_by = run_task.started_by(ti.dag_id, ti.run_id, ti.task_id, ti.map_index, ti.try_number)
        super().execute(context)

    def _start_task(self) -> None:
        """Start the Fargate task; on demand if Spot has no capacity for it now."""
        from botocore.exceptions import ClientError

        try:
            super()._start_task()
        except (EcsOperatorError, ClientError) as error:
            if not (self.fargate_task.spot and run_task.out_of_capacity(str(error))):
                raise
            self.log.warning("Fargate Spot has no capacity (%s): starting the task on demand", error)
            self.capacity_provider_strategy, self.launch_type = None, "FARGATE"
            super()._start_task()

    def _get_task_log_fetcher(self) -> TaskLog:
        return TaskLog(
            AwsLogsHook(aws_conn_id=None, region_name=self.awslogs_region).conn,
            self.awslogs_group,
            contract.log_stream(self.arn),
            self.log,
            self.awslogs_fetch_interval.total_seconds(),
        )

    def _check_success_task(self) -> None:
        """Only a container that ended with 0 is a success.

        The provider's own check lets a task pass whose containers never started (apache/airflow #52943).
        """
        described = self.client.describe_tasks(cluster=self.cluster, tasks=[self.arn])["tasks"]
        if not described:
            raise PenstockError(
                f"ECS no longer knows {self.arn}",
                fix="see its log stream, then clear the Airflow task to run it again",
            )
        task = described[0]
        codes = [
            container.get("exitCode")
            for container in task["containers"]
            if container["name"] == contract.CONTAINER_NAME
        ]
        if codes == [0] and task.get("stopCode") != "TaskFailedToStart":
            self.log.info("The Fargate task %s succeeded", self.arn)
            return

        from penstock_runtime.diagnosis.diagnose import diagnose, is_metric_line

        # One line more than is shown: the last one is for CloudWatch.
        count = self.number_logs_exception + 1
        lines = self.task_log_fetcher.get_last_log_messages(count) if self.task_log_fetcher else []
        diagnosis = diagnose(task, lines)
        what = f"{diagnosis.summary}\n  cause: {diagnosis.cause}\n  Fargate task: {self.arn}"
        shown = [line for line in lines if not is_metric_line(line)][-self.number_logs_exception :]
        if shown:
            what += "\n  last lines of its log:\n" + "\n".join(f"  | {line}" for line in shown)
        raise PenstockError(what, fix=diagnosis.fix)
