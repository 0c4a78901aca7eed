"""One page about a project in one environment: what ran, how it went, what it needed, and Airflow beside it."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from penstock_runtime.container import metrics
from penstock_runtime.plan.observability import Price
from penstock_runtime.plan.plan import Plan
from stacks.observability.alarms import airflow_metric, failures, out_of_memory
from stacks.observability.stopped_tasks import StoppedTasks

HALF, FULL, HEIGHT = 12, 24, 6
"""Of CloudWatch's grid, which is 24 wide."""
MOST_LINES = 50
"""Lines of one graph; a search gives 100 at most."""
_HOUR = cdk.Duration.hours(1)
_STEP = cdk.Duration.minutes(5)


def dashboard(
    scope: Construct,
    plan: Plan,
    *,
    airflow_name: str | None,
    stopped: StoppedTasks | None,
    alarms: Sequence[cloudwatch.IAlarm],
) -> cloudwatch.Dashboard:
    """Make it in `scope`.

    Args:
        airflow_name: the MWAA environment; None: there is none, and so nothing about it.
        stopped: counts the failures; None: they are not counted.
    """
    widgets = [*_runs(plan, stopped), *_tasks(plan), *_cost(plan)]
    widgets += _airflow(airflow_name) if airflow_name is not None else []
    status = cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=FULL, height=3)
    board = cloudwatch.Dashboard(
        scope,
        "Dashboard",
        # Dashboards are of the whole account, not of a region.
        dashboard_name=f"{plan.prefix}-{cdk.Stack.of(scope).region}",
        default_interval=cdk.Duration.days(3),
    )
    board.add_widgets(*([status] if alarms else []), *widgets)
    return board


def _graph(title: str, *lines: cloudwatch.IMetric, unit: str = "", stacked: bool = False) -> cloudwatch.GraphWidget:
    axis = cloudwatch.YAxisProps(min=0, label=unit or None, show_units=not unit)
    return cloudwatch.GraphWidget(
        title=title, left=list(lines), left_y_axis=axis, width=HALF, height=HEIGHT, stacked=stacked
    )


def _own(plan: Plan, name: str, *, statistic: str = "Sum", label: str, **more: str) -> cloudwatch.Metric:
    """A metric of Penstock over the whole project, or over what `more` names."""
    return cloudwatch.Metric(
        namespace=metrics.NAMESPACE,
        metric_name=name,
        dimensions_map={"Project": plan.project, "Environment": plan.environment, **more},
        statistic=statistic,
        period=_HOUR,
        label=label,
    )


def _by_task(plan: Plan, name: str, statistic: str, period: cdk.Duration) -> cloudwatch.MathExpression:
    """A metric of Penstock, a line per task: those with the largest values."""
    schema = ",".join((metrics.NAMESPACE, *metrics.BY_TASK))
    query = f'{{{schema}}} MetricName="{name}" Project="{plan.project}" Environment="{plan.environment}"'
    search = f"SEARCH('{query}', '{statistic}', {int(period.to_seconds())})"
    return cloudwatch.MathExpression(
        expression=f"SORT({search}, MAX, DESC, {MOST_LINES})",
        using_metrics={},
        label="${PROP('Dim.Schedule')}.${PROP('Dim.Task')}",
        period=period,
    )


def _runs(plan: Plan, stopped: StoppedTasks | None) -> list[cloudwatch.IWidget]:
    failed = [_own(plan, "FailedRuns", label="ended badly")]
    if stopped is not None:
        # Counts also those that never started, and so wrote no metric.
        failed = [
            failures(stopped, _HOUR).with_(label="failed or never started"),
            out_of_memory(plan, _HOUR).with_(label="of these, out of memory"),
        ]
    # An image's own entry point writes no metric.
    label = (
        "runs"
        if all(definition.runtime for definition in plan.task_definitions)
        else "runs, but for images without python: true"
    )
    return [
        _graph("Runs of tasks, by the hour", _own(plan, "Runs", label=label), unit="runs"),
        _graph("Failures, by the hour", *failed, unit="tasks"),
    ]


def _tasks(plan: Plan) -> list[cloudwatch.IWidget]:
    return [
        _graph("Duration, by task", _by_task(plan, "Duration", "Maximum", _STEP), unit="seconds"),
        _graph("Records, by task and hour", _by_task(plan, "Records", "Sum", _HOUR), unit="records"),
        _graph("Failed records, by task and hour", _by_task(plan, "Failures", "Sum", _HOUR), unit="records"),
        cloudwatch.GraphWidget(
            title="Memory of the largest process, of what the task may use",
            left=[_by_task(plan, "MemoryUtilization", "Maximum", _STEP)],
            left_y_axis=cloudwatch.YAxisProps(min=0, max=100, label="%", show_units=False),
            left_annotations=[cloudwatch.HorizontalAnnotation(value=90, label="nearly full")],
            width=HALF,
            height=HEIGHT,
        ),
    ]


def _cost(plan: Plan) -> list[cloudwatch.IWidget]:
    prices = plan.observability.prices
    if not prices:
        return []
    lines = [_spent(plan, number, price) for number, price in enumerate(prices)]
    rates = "; ".join(
        f"{price.architecture}: ${price.vcpu_hour} a vCPU-hour, ${price.gb_hour} a GB-hour" for price in prices
    )
    text = (
        f"### About the cost\nAn estimate: seconds that containers ran, at prices on demand, as of "
        f"{plan.observability.prices_checked} or as the project sets them ({rates}). Not in it: pulling images, Spot's "
        "discount, disk above 20 GiB, tasks killed before they wrote their last line, commands in images without "
        "python: true, MWAA, network, logs."
    )
    return [
        _graph("Fargate, estimated, by the hour", *lines, unit="USD", stacked=True),
        cloudwatch.TextWidget(markdown=text, width=HALF, height=HEIGHT),
    ]


def _spent(plan: Plan, number: int, price: Price) -> cloudwatch.MathExpression:
    cpu, memory = f"cpu{number}", f"gib{number}"
    return cloudwatch.MathExpression(
        expression=f"({cpu} * {price.vcpu_hour} + {memory} * {price.gb_hour}) / 3600",
        using_metrics={
            cpu: _own(plan, "VcpuSeconds", label="vCPU seconds", Architecture=price.architecture),
            memory: _own(plan, "GibSeconds", label="GiB seconds", Architecture=price.architecture),
        },
        label=price.architecture,
        period=_HOUR,
    )


def _airflow(name: str) -> list[cloudwatch.IWidget]:
    """Sources: MWAA User Guide, "Apache Airflow environment metrics" and "Container, queue and database metrics"."""
    workers = [
        # One sample a minute of each container: their number is the number of containers.
        cloudwatch.Metric(
            namespace="AWS/MWAA",
            metric_name="CPUUtilization",
            dimensions_map={"Cluster": cluster, "Environment": name},
            statistic="SampleCount",
            period=cdk.Duration.minutes(1),
            label=label,
        )
        for cluster, label in (("BaseWorker", "always there"), ("AdditionalWorker", "added"))
    ]
    use = [
        cloudwatch.Metric(
            namespace="AWS/MWAA",
            metric_name=metric,
            dimensions_map={"Cluster": cluster, "Environment": name},
            statistic="Maximum",
            period=_STEP,
            label=f"{cluster}: {label}",
        )
        for cluster in ("Scheduler", "BaseWorker", "WebServer")
        for metric, label in (("CPUUtilization", "CPU"), ("MemoryUtilization", "memory"))
    ]
    tasks = [airflow_metric(name, metric, "Executor", "Maximum") for metric in ("QueuedTasks", "RunningTasks")]
    parsing = airflow_metric(name, "TotalParseTime", "DAG Processing", "Maximum")
    errors = airflow_metric(name, "ImportErrors", "DAG Processing", "Maximum")
    return [
        _graph("Airflow's queue", *tasks, unit="Airflow tasks"),
        _graph("Airflow's workers", *workers, unit="workers", stacked=True),
        _graph("Airflow's containers", *use, unit="%"),
        _graph("Airflow's heartbeat", airflow_metric(name, "SchedulerHeartbeat", "Scheduler", "Sum"), unit="beats"),
        _graph("Reading the DAG files", parsing, unit="ms or s, by Airflow's version"),
        _graph("DAG files that cannot be read", errors, unit="files"),
    ]
