"""Airflow's own commands, with the settings and the role of the embedded system's Airflow."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime

from penstock.local import existing
from penstock.local.airflow_start import components_environ
from penstock.local.system import System, airflow_endpoint


def run(system: System, arguments: Sequence[str]) -> int:
    """Run `airflow …` to its end, on this terminal; returns its exit code, 128 + n where signal n ended it.

    Ctrl-C goes to it, and ends this process only after it.
    """
    keys = system.endpoint.assume(existing.airflow_place(system.plan, system.endpoint).role_arn, "airflow")
    own = components_environ(system.server, airflow_endpoint(system.instance), keys, datetime.now(UTC))
    environ = {**system.instance.environ(), **own}
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = subprocess.Popen(
            [system.server.command, *arguments],
            env=environ,
            cwd=system.server.home,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        code = process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
    return code if code >= 0 else 128 - code
