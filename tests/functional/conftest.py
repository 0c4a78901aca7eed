"""What tests share because it takes long: the sample project, brought up and run; a project that is deployed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.functional.embedded import serving
from tests.functional.embedded_system import EmbeddedSystem, copy_sample
from tests.functional.live_project import LiveProject

FOREIGN = {
    "dags/theirs.py": "# of another team",
    "dags/acme-dev/notes.txt": "somebody put it here",
    "dags/acme-dev2/schedules_00.py": "# of another project",
}


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedSystem]:
    """A copy of the sample project that is up and has run once, by the commands that a user types."""
    folder = tmp_path_factory.mktemp("sample")
    copy_sample(folder)
    embedded = EmbeddedSystem(folder, checked=True)
    try:
        embedded.first_run = embedded.run("flights", "--up")
        yield embedded
    finally:
        embedded.cli("down", check=False)


@pytest.fixture(scope="session")
def live_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveProject]:
    """A project that is deployed to an embedded AWS. Whatever the tests do, others' files in its DAG bucket stay."""
    folder = tmp_path_factory.mktemp("live")
    with serving(folder / "aws") as server:
        project = LiveProject(folder / "project", server.endpoint)
        project.start()
        project.deploy()
        for key, text in FOREIGN.items():
            server.endpoint.client("s3").put_object(Bucket=project.dags, Key=key, Body=text.encode())
        yield project
        files = project.files()
        assert {key: files.get(key) for key in FOREIGN} == FOREIGN
