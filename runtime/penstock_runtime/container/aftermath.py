"""What an engine has left undone, done by a process of its own within the little time that is left."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence

from penstock_runtime.container.log import Log
from penstock_runtime.container.stop import Stop

MOST_SECONDS = 10.0
_LEAST_SECONDS = 0.5


def run(command: Sequence[str], environ: Mapping[str, str], log: Log, stop: Stop, *, explained: bool) -> None:
    """Run a command, with its output in the log; after SIGTERM only for what the report of the end leaves.

    It changes nothing about how the run ended, whatever becomes of it.

    Args:
        explained: the engine has said why it failed, a server that does not answer among the reasons: then the log says
            nothing of a command that fails.
    """
    seconds = min(MOST_SECONDS, stop.report_until - time.monotonic())
    if seconds < _LEAST_SECONDS:
        log.say("penstock: no time is left to report the end of this run to OpenMetadata")
        return
    try:
        done = subprocess.run(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        if not explained:
            log.say(f"penstock: the end of this run could not be reported to OpenMetadata within {seconds:.0f} s")
    except (OSError, ValueError) as error:
        log.say(f"penstock: the end of this run could not be reported to OpenMetadata: {error}")
    else:
        if done.returncode and explained:
            return
        for line in done.stdout.decode("utf-8", "replace").splitlines():
            log.say(line)
