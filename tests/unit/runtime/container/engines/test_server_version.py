"""The package's version against the server's, before work starts."""

from __future__ import annotations

from typing import Any

import pytest

from penstock_runtime.container.engines import server, server_version
from penstock_runtime.contract import Exit
from penstock_runtime.errors import RunError

PACKAGE = "openmetadata-ingestion"


def settings(**more: Any) -> dict[str, Any]:
    return {"workflowConfig": {"openMetadataServerConfig": {"hostPort": "https://catalog.acme.io/api", **more}}}


def answers(monkeypatch: pytest.MonkeyPatch, version: str | None) -> None:
    monkeypatch.setattr(server, "version", lambda _: version)


@pytest.mark.parametrize("version", ["1.13.6", "2.0.7-SNAPSHOT", "1.1.14", " 1.13.0 "])
def test_another_release_line_is_refused(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """With both versions, and with each way out."""
    answers(monkeypatch, version)
    number = version.strip().partition("-")[0]

    with pytest.raises(RunError) as caught:
        server_version.check(settings(), PACKAGE, "1.12.14.2")

    assert caught.value.exit_code == Exit.FAILED
    assert f"https://catalog.acme.io/api has version {number}" in caught.value.what
    assert "openmetadata-ingestion 1.12.14.2" in caught.value.what
    for way in (f"openmetadata.version to {number}", f"=={number}.*", "enableVersionValidation: false"):
        assert way in caught.value.fix


@pytest.mark.parametrize("version", ["1.12.14", "1.12.3", "1.12.20-SNAPSHOT", None, "main"])
def test_same_line_or_no_version_goes_on(monkeypatch: pytest.MonkeyPatch, version: str | None) -> None:
    """What is wrong with a server that says no version is said when the package has met it."""
    answers(monkeypatch, version)

    server_version.check(settings(), PACKAGE, "1.12.14.2")


def test_the_file_may_say_not_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing is asked at all; nor where the package's own version is not known."""
    monkeypatch.setattr(server, "version", lambda _: pytest.fail("asked"))

    server_version.check(settings(enableVersionValidation=False), PACKAGE, "1.12.14.2")
    server_version.check(settings(), PACKAGE, "(version unknown)")
    server_version.check({}, PACKAGE, "1.12.14.2")


@pytest.mark.parametrize(
    ("text", "version"), [('{"version": "1.12.14"}', "1.12.14"), ("<html>", None), ("[]", None), ("{}", None)]
)
def test_reads_the_version_of_an_answer(text: str, version: str | None) -> None:
    """A login page holds none."""
    assert server.version_in(text) == version
