"""A task of the embedded ECS ends while AWS takes no lines: none is lost, and the run is what its engine made of it."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

from penstock_runtime import contract
from tests.functional.embedded import ROOT, Aws, aws, until

__all__ = ["aws"]

RUN = {"project": "acme", "environment": "dev", "schedule": "daily", "job": "j", "task": "t", "dag_run": "m", "try": 1}
LINES = 1400
CHATTY = """
import os, time
from pathlib import Path
print("ready", flush=True)
while not Path("go").exists():
    time.sleep(0.05)
for number in range(LINES):
    print(f"line {number:4}", "x" * 60)
Path("pid.new").write_text(str(os.getpid()))
os.rename("pid.new", "pid")
"""


def test_no_line_is_lost_while_aws_is_silent(aws: Aws, tmp_path: Path) -> None:
    """Whoever reads its output stops for some seconds, in which the engine prints its last lines and ends."""
    code = f"import os; os.chdir({str(tmp_path)!r})" + CHATTY.replace("LINES", str(LINES))
    environ = {
        "PYTHONPATH": str(ROOT / "runtime"),
        contract.RUN: json.dumps(RUN),
        contract.ENGINE: "command",
        contract.COMMAND: json.dumps(["python", "-c", code]),
        contract.TIMEOUT_SECONDS: "300",
        contract.SECRET_NAMES: "[]",
    }
    definition = aws.register(
        "chatty",
        {
            "entryPoint": ["python", "-m", "penstock_runtime"],
            "command": [],
            "environment": [{"name": name, "value": value} for name, value in environ.items()],
        },
    )
    task = aws.start(taskDefinition=definition)
    aws.wait_for(task, "ready")

    aws.server.process.send_signal(signal.SIGSTOP)
    try:
        (tmp_path / "go").touch()
        until(lambda: (tmp_path / "pid").exists() and not _runs(int((tmp_path / "pid").read_text())))
        time.sleep(6)
    finally:
        aws.server.process.send_signal(signal.SIGCONT)

    ended = aws.stopped(task)
    log = aws.log(task)
    assert ended["containers"][0]["exitCode"] == 0
    assert sum(line.startswith("line ") for line in log) == LINES
    outcome, metric = log[-2:]
    assert outcome.startswith("penstock: done, exit code 0, after ")
    assert (json.loads(metric)["ExitCode"], json.loads(metric)["Succeeded"]) == (0, 1)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
