"""The log that OpenMetadata's package sends to the server holds no secret."""

from __future__ import annotations

import logging
import sys
import types

import pytest

from penstock_runtime import contract
from penstock_runtime.container.engines import openmetadata, streamed_log


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> type[logging.Handler]:
    """A package with a handler that sends records."""

    class StreamableLogHandler(logging.Handler):
        """Has the name of the real one."""

    module = types.ModuleType("metadata.utils.streamable_logger")
    module.StreamableLogHandler = StreamableLogHandler  # type: ignore[attr-defined]
    for name in ("metadata", "metadata.utils"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return StreamableLogHandler


def _record(text: str, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, None) if error is not None else None
    return logging.LogRecord("metadata", logging.INFO, "f.py", 1, "said %s", (text,), info)


def test_secret_is_masked_in_messages_and_tracebacks(package: type[logging.Handler]) -> None:
    """Also where it comes from an argument, or stands in an exception."""
    assert streamed_log.mask(["hunter2-hunter2"])
    handler = package()
    text = handler.format(_record("x hunter2-hunter2", ValueError("postgres://u:hunter2-hunter2@h")))

    assert "hunter2" not in text
    assert text.startswith("said x ")
    assert "\nValueError: postgres://u:" in text


def test_log_stays_here_where_it_cannot_be_masked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A package with another handler sends nothing, and the log says why."""
    ran: list[dict[str, object]] = []

    def execute(_kind: str, settings: dict[str, object], _demands: object) -> int:
        ran.append(settings)
        return 0

    monkeypatch.setitem(sys.modules, "metadata.utils.streamable_logger", None)
    monkeypatch.setattr(openmetadata, "config", lambda _: {"enableStreamableLogs": True})
    monkeypatch.setattr(openmetadata, "execute", execute)
    monkeypatch.setenv(contract.WORKFLOW_TYPE, "metadata")

    assert openmetadata.main() == 0
    assert ran == [{"enableStreamableLogs": False}]
    assert "secrets in it could not be masked" in capsys.readouterr().out
