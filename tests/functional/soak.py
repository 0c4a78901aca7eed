"""Many runs of `FargateRun` while AWS fails and workers die: nothing is lost, doubled or left behind.

    python -m tests.functional.soak [RUNS]

Real: the operator's code, a process per try, the embedded AWS over HTTPS, and the proxy whose faults befall ECS and
CloudWatch Logs. Airflow's own processes are not part of it: `soak_workers` stands in for its executor and its retries,
so scheduler, database and triggerer are not under load. Kills follow from the seed; which call the proxy's chance meets
also depends on the order in which calls arrive.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks import measure
from penstock.local import fargate
from tests.functional import soak_workers
from tests.functional.embedded import REGION, ROOT, Aws, base_template, deploy, serving
from tests.functional.proxied import Proxied, proxying

WAVE = 20
"""Runs that are in flight at once."""
SEED = 20261
FAMILY = "soak"
METRIC = '{"_aws": {"Timestamp": 1}, "ExitCode": 0, "EndedBy": "engine"}'
_SCRIPT = f"""
echo begun >> "$SOAK_EFFECTS"
for number in $(seq {soak_workers.LINES}); do echo "run $SOAK_RUN line $number"; sleep 0.3; done
if [ "$SOAK_FAILS" = yes ] && [ "$(wc -l < "$SOAK_EFFECTS")" = 1 ]; then code=3 end=failed; else code=0 end=finished; fi
echo $end >> "$SOAK_EFFECTS"
echo '{METRIC}'
exit $code
"""
"""It ends its log as the container's runtime does, whose start would take longer than all of it."""


def faults() -> list[dict[str, Any]]:
    """The rules of the proxy: about one call in five fails."""
    slow = soak_workers.READ_TIMEOUT_SECONDS + 1
    kinds: list[dict[str, Any]] = [
        {"fault": "lost", "chance": 0.05},
        {"fault": "late", "chance": 0.02, "seconds": slow},
        {"fault": "late", "chance": 0.04, "seconds": 0.5},
        {"fault": "refused", "chance": 0.04},
        {"fault": "error", "chance": 0.04},
        {"fault": "throttled", "chance": 0.06},
    ]
    hidden = {"call": "ecs:RunTask", "fault": "throttled", "hidden": True, "chance": 0.1}
    rules = [{"call": call, **kind} for call in ("ecs:*", "logs:*") for kind in kinds]
    return [{**rule, "from": "airflow"} for rule in (hidden, *rules)]


@dataclass
class Outcome:
    """What came of a soak. All lists name runs, and are empty if it went well."""

    runs: int
    lost: list[int] = field(default_factory=list)
    """Without a result."""
    doubled: list[int] = field(default_factory=list)
    """More than one container finished, or began while none had failed."""
    log_wrong: list[int] = field(default_factory=list)
    """The log of the try that succeeded is not the container's: each line once, in order."""
    orphans: list[str] = field(default_factory=list)
    """ARNs of tasks that still run, or that belong to no run."""
    figures: dict[str, Any] = field(default_factory=dict)
    worker_mib: tuple[float, float] = (0.0, 0.0)
    """The most that a worker of the first wave held, and of the last."""
    proxy_mib: tuple[float, float] = (0.0, 0.0)
    """What the proxy held after a wave, and at the end."""

    @property
    def went_well(self) -> bool:
        """Whether nothing was lost, doubled or left, and memory did not grow by more than a tenth and 10 MiB."""
        grew = any(last > first * 1.1 + 10 for first, last in (self.worker_mib, self.proxy_mib))
        return not (self.lost or self.doubled or self.log_wrong or self.orphans or grew)


def soak(aws: Aws, proxied: Proxied, folder: Path, runs: int, seed: int = SEED) -> Outcome:
    """Run so many, in waves."""
    for name in ("results", "effects"):
        (folder / name).mkdir(parents=True)
    aws.register(FAMILY, {"command": [_SCRIPT], "secrets": []})
    waves = [list(range(start, min(start + WAVE, runs))) for start in range(0, runs, WAVE)]
    proxied.faults.set(faults(), seed=seed)
    proxy = psutil.Process(proxied.process.pid)
    # What a process holds after its first wave is what it needs; before, it has imported half of itself.
    done = [_workers(_spec(proxied, folder, waves[:1], seed))]
    held = _mib(proxy)
    done.append(_workers(_spec(proxied, folder, waves[1:], seed)))
    outcome = Outcome(runs, proxy_mib=(held, _mib(proxy)))
    counts = proxied.faults.counts()
    of_waves = [wave for one in done for wave in one["waves"]]
    outcome.figures = {
        "seconds": round(sum(wave["seconds"] for wave in of_waves), 1),
        "tries": sum(wave["tries"] for wave in of_waves),
        "workers_killed": sum(wave["kills"] for wave in of_waves),
        "calls": sum(counts.calls.values()),
        "calls_that_failed": sum(counts.hits),
        "faults": {
            f"{rule['fault']} {rule['call']}": sum(
                hits for other, hits in zip(faults(), counts.hits, strict=True) if _same(rule, other)
            )
            for rule in faults()
        },
    }
    _judge(outcome, aws, folder, waves)
    return outcome


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return (one["fault"], one["call"]) == (other["fault"], other["call"])


def _judge(outcome: Outcome, aws: Aws, folder: Path, waves: list[list[int]]) -> None:
    memory: dict[int, float] = {}
    for run in range(outcome.runs):
        effects = Counter(_lines(folder / "effects" / str(run)))
        if effects["finished"] > 1 or effects["begun"] != 1 + effects["failed"]:
            outcome.doubled.append(run)
        file = folder / "results" / f"{run}.json"
        if not file.exists() or effects["finished"] == 0:
            outcome.lost.append(run)
            continue
        result = json.loads(file.read_text())
        memory[run] = result["memory_mib"]
        expected = [*(f"run {run} line {number + 1}" for number in range(soak_workers.LINES)), METRIC]
        if [line for line in result["lines"] if line.startswith("run ") or line == METRIC] != expected:
            outcome.log_wrong.append(run)
    outcome.orphans = list(_orphans(aws, outcome.runs))
    first, last = (max((memory.get(run, 0.0) for run in wave), default=0.0) for wave in (waves[0], waves[-1]))
    outcome.worker_mib = (first, last)


def _orphans(aws: Aws, runs: int) -> Iterator[str]:
    wanted = {soak_workers.run_of(run, 1).started_by for run in range(runs)}
    for task in fargate.described(aws.client("ecs"), "main"):
        if task["lastStatus"] != "STOPPED" or task.get("startedBy") not in wanted:
            yield task["taskArn"]


def _spec(proxied: Proxied, folder: Path, waves: list[list[int]], seed: int) -> dict[str, Any]:
    aws = proxied.aws
    keys, endpoint = aws.endpoint.root(), aws.endpoint.through(proxied.place.airflow)
    return {
        "folder": str(folder),
        "seed": seed,
        "waves": waves,
        "family": FAMILY,
        "client": {
            "endpoint_url": endpoint.url,
            "region_name": REGION,
            "verify": str(endpoint.ca),
            "aws_access_key_id": keys.access_key_id,
            "aws_secret_access_key": keys.secret_access_key,
            "aws_session_token": keys.session_token,
        },
        "resources": {
            "region": REGION,
            "cluster": "main",
            "subnets": [aws.outputs["Subnet0"]],
            "security_groups": [aws.outputs["Group"]],
            "assign_public_ip": False,
            "log_group": "/penstock/tool",
            "artifacts_bucket": "tool-bucket",
        },
    }


def _workers(spec: dict[str, Any]) -> dict[str, Any]:
    file = Path(spec["folder"]) / "spec.json"
    file.write_text(json.dumps(spec))
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}"}
    command = [sys.executable, "-m", "tests.functional.soak_workers", str(file)]
    done = subprocess.run(command, env=environ, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return dict(json.loads(done.stdout))


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def _mib(process: psutil.Process) -> float:
    return float(process.memory_info().rss / 2**20)


def main(runs: int = 1000) -> int:
    """Print what came of it; 1 if a run was lost, doubled or left, or memory grew."""
    with tempfile.TemporaryDirectory(prefix="penstock-soak-") as name:
        folder = Path(name)
        with serving(folder / "aws") as server:
            aws = Aws(server, server.endpoint, deploy(server.endpoint, "base", base_template()))
            with proxying(aws, folder) as proxied:
                outcome = soak(aws, proxied, folder / "soak", runs)
            errors = folder / "soak" / "errors.log"
            if not outcome.went_well and errors.exists():
                sys.stderr.write(errors.read_text()[-20_000:])
    measure.report(
        "soak",
        runs=outcome.runs,
        lost=len(outcome.lost),
        doubled=len(outcome.doubled),
        orphans=len(outcome.orphans),
        logs_wrong=len(outcome.log_wrong),
        worker_mib_first_and_last=[round(mib, 1) for mib in outcome.worker_mib],
        proxy_mib_first_and_last=[round(mib, 1) for mib in outcome.proxy_mib],
        **outcome.figures,
    )
    return 0 if outcome.went_well else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
