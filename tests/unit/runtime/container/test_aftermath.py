"""What is done after an engine has failed: within limits, and without a word that would hide why it did."""

from __future__ import annotations

import os
import sys
import time

import pytest

from penstock_runtime.container import aftermath
from penstock_runtime.container.log import Log
from penstock_runtime.container.output import Output
from penstock_runtime.container.redact import Redactor
from penstock_runtime.container.stop import Stop

FAILS = "print('cannot'); raise SystemExit(1)"


def _run(code: str, stop: Stop, *, explained: bool = False) -> None:
    log = Log(Output(), Redactor(["hunter2-hunter2"]))
    aftermath.run((sys.executable, "-c", code), os.environ, log, stop, explained=explained)


def test_its_words_are_in_the_log_without_secrets(capfd: pytest.CaptureFixture[str]) -> None:
    """As the engine's are."""
    _run("print('done hunter2-hunter2')", Stop())

    said = capfd.readouterr().out

    assert said.startswith("done ")
    assert "hunter2" not in said


@pytest.mark.parametrize(("explained", "said"), [(True, ""), (False, "cannot\n")])
def test_failure_is_said_unless_the_engine_has_said_why(
    capfd: pytest.CaptureFixture[str], explained: bool, said: str
) -> None:
    """A server that is down was the reason already."""
    _run(FAILS, Stop(), explained=explained)

    assert capfd.readouterr().out == said


def test_it_ends_before_the_report_of_the_end_is_due(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that hangs is killed, and one that has no time is not started."""
    monkeypatch.setattr(aftermath, "MOST_SECONDS", 0.6)
    began = time.monotonic()
    _run("import time; time.sleep(60)", Stop())
    stop = Stop(1)
    stop.asked_at = time.monotonic() - 60
    _run("print('started')", stop)
    said = capfd.readouterr().out

    assert time.monotonic() - began < 30
    assert "could not be reported to OpenMetadata within 1 s" in said
    assert "no time is left" in said
    assert "started" not in said
