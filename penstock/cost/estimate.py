"""What a month costs: what runs all the time, from the templates; what runs by schedule, from the plan.

Not counted, because no template says how much of it there will be: logs, metrics, requests, traffic, storage in buckets
and Airflow's database, workers and web servers that MWAA adds under load, retries.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from croniter import croniter, croniter_range

from penstock.aws.cloudformation import Templates
from penstock.cost.price_list import HOURS, Prices
from penstock_runtime.airflow.operators.run_task import DEFAULT_STORAGE_GIB

MIB_PER_GB = 1024
CPU_UNITS_PER_VCPU = 1024
INCLUDED_SCHEDULERS = 2
INCLUDED_WEB_SERVERS = 2
_YEAR = datetime(2026, 1, 1)
"""Any year that is not a leap year: runs of a month are a twelfth of its runs."""


@dataclass(frozen=True)
class Line:
    """One position. `monthly` None: not known for this region."""

    what: str
    count: float
    monthly: float | None


@dataclass(frozen=True)
class Run:
    """The runs of one schedule."""

    dag_id: str
    at_most: float | None
    """A run, if each of its tasks takes its whole timeout."""
    runs: float
    """A month; 0: by hand only."""

    @property
    def monthly(self) -> float | None:
        """At most, a month."""
        return None if self.at_most is None else self.at_most * self.runs


@dataclass(frozen=True)
class Cost:
    """A month."""

    lines: tuple[Line, ...]
    runs: tuple[Run, ...]

    @property
    def fixed(self) -> float | None:
        """What runs all the time; None: a price is not known."""
        return _sum(line.monthly for line in self.lines)

    @property
    def by_schedule(self) -> float | None:
        """What runs by schedule, at most."""
        return _sum(run.monthly for run in self.runs)


def estimate(templates: Templates, plan: Mapping[str, Any] | None, prices: Prices) -> Cost:
    """The cost of what the templates and the plan describe."""
    architectures = {
        definition["family"]: definition["architecture"] for definition in (plan or {}).get("task_definitions", [])
    }
    runs = tuple(
        Run(
            schedule["dag_id"],
            _sum(_task(task, architectures, prices) for task in schedule["tasks"]),
            runs_per_month(schedule["cron"], schedule.get("every_minutes")),
        )
        for schedule in (plan or {}).get("schedules", [])
    )
    return Cost(tuple(_lines(templates, prices)), runs)


def runs_per_month(cron: str | None, every_minutes: int | None = None) -> float:
    """How often a cron expression of five fields, or every so many minutes, comes in a month; 0: never by itself."""
    if every_minutes:
        return 365 / 12 * 24 * 60 / every_minutes
    if cron is None:
        return 0.0
    minutes, hours = croniter.expand(cron)[0][:2]
    per_day = (60 if minutes == ["*"] else len(minutes)) * (24 if hours == ["*"] else len(hours))
    return per_day * _days(*cron.split()[2:]) / 12


@functools.cache
def _days(*fields: str) -> int:
    """On how many days of a year, by the last three fields. Most schedules of a project have the same."""
    # croniter itself counts: `L5`, `5#3` and days beside weekdays are its business, and the scheduler's.
    return sum(1 for _ in croniter_range(_YEAR, _YEAR.replace(month=12, day=31), " ".join(["0", "0", *fields])))


def _task(task: Mapping[str, Any], architectures: Mapping[str, str], prices: Prices) -> float | None:
    if "family" not in task:
        return 0.0  # It runs in Airflow's worker, which is there anyway.
    architecture = architectures.get(task["family"], "x86_64")
    vcpu, gb = prices.get(f"fargate.{architecture}.vcpu_hour"), prices.get(f"fargate.{architecture}.gb_hour")
    storage = max(task.get("ephemeral_storage_gib", DEFAULT_STORAGE_GIB) - DEFAULT_STORAGE_GIB, 0)
    per_gb = prices.get("fargate.storage_gb_hour") if storage else 0.0
    if vcpu is None or gb is None or per_gb is None:
        return None
    hour = task["cpu_units"] / CPU_UNITS_PER_VCPU * vcpu + task["memory_mib"] / MIB_PER_GB * gb + storage * per_gb
    return float(hour * task["timeout_minutes"] / 60)


def _lines(templates: Templates, prices: Prices) -> list[Line]:
    resources = [resource for template in templates.values() for resource in template.get("Resources", {}).values()]
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for resource in resources:
        kinds.setdefault(resource["Type"], []).append(resource.get("Properties", {}))
    interfaces = [
        endpoint
        for endpoint in kinds.get("AWS::EC2::VPCEndpoint", [])
        if endpoint.get("VpcEndpointType") == "Interface"
    ]
    lines = [
        _line("NAT gateways", len(kinds.get("AWS::EC2::NatGateway", [])), prices.get("nat_gateway_hour")),
        _line("public addresses", len(kinds.get("AWS::EC2::EIP", [])), prices.get("public_ipv4_hour")),
        _line(
            "interface endpoints, per zone",
            sum(len(interface.get("SubnetIds", [])) for interface in interfaces),
            prices.get("interface_endpoint_zone_hour"),
        ),
        _line("keys in KMS", len(kinds.get("AWS::KMS::Key", [])), prices.get("kms_key_month"), hours=1),
    ]
    for environment in kinds.get("AWS::MWAA::Environment", []):
        kind = environment.get("EnvironmentClass", "mw1.small")
        # The environment's price holds two schedulers, two web servers and one worker; mw1.micro has one of each.
        more = (
            int(environment.get("MinWorkers", 1))
            - 1
            + max(int(environment.get("Schedulers", 0)) - INCLUDED_SCHEDULERS, 0)
        )
        servers = max(int(environment.get("MinWebservers", 0)) - INCLUDED_WEB_SERVERS, 0)
        lines.append(_line(f"MWAA environment, {kind}", 1, prices.get(f"mwaa.{kind}_hour")))
        lines.append(_line(f"more workers and schedulers, {kind}", more, prices.get(f"mwaa.{kind}.worker_hour")))
        lines.append(_line(f"more web servers, {kind}", servers, prices.get(f"mwaa.{kind}.web_server_hour")))
    return [line for line in lines if line.count]


def _line(what: str, count: int, price: float | None, hours: int = HOURS) -> Line:
    return Line(what, count, None if price is None else count * price * hours)


def _sum(values: Iterable[float | None]) -> float | None:
    numbers = list(values)
    return None if None in numbers else sum(number for number in numbers if number is not None)
