"""The fault proxy as a service of an instance: when it is left alone, replaced, and taken away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock.local import own_services, services, system
from penstock.local.faults.client import Faults
from penstock.local.instance import Instance
from penstock.project.load import load
from penstock_runtime.errors import InputError
from tests.functional.embedded import ROOT

RULE = "faults: [{call: sts:*, fault: throttled}]\n"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    """An instance with the embedded AWS of the sample, and nothing else."""
    new_instance = Instance.create(tmp_path / "dev")
    try:
        own_services.start_aws(new_instance, compile_plan(load(ROOT), None))
        yield new_instance
    finally:
        services.stop_all(new_instance)


def test_proxy_comes_stays_and_goes(instance: Instance, tmp_path: Path) -> None:
    """What is there and right is left alone; another file, `desk` or a new embedded AWS is another proxy."""
    file, other = tmp_path / "faults.yaml", tmp_path / "other.yaml"
    file.write_text(RULE)
    other.write_text(RULE)
    direct = system.aws_endpoint(instance)

    def start(path: Path, *, new_aws: bool = False) -> int:
        own_services.start_faults(instance, path, new_aws=new_aws)
        return instance.processes["faults"].pid

    first = start(file)
    place = system.faults_place(instance)
    assert place is not None
    ports = dict(instance.ports)
    assert (place.airflow, place.tasks, place.control) == (
        ports["faults-airflow"], ports["faults-tasks"], ports["faults"],
    )  # fmt: skip
    assert system.airflow_endpoint(instance).port == place.airflow
    assert direct.for_tasks().port == place.tasks
    assert system.desk_endpoint(instance).port == direct.port
    assert Faults(place.url).counts().hits == [0]

    assert start(file) == first
    file.write_text("desk: true\n" + RULE)
    second = start(file)
    assert system.desk_endpoint(instance).port == place.desk
    third = start(other)
    fourth = start(other, new_aws=True)
    assert len({first, second, third, fourth}) == 4
    assert instance.ports == ports  # Airflow, which knows them, need not start again

    own_services.stop_faults(instance)
    assert "faults" not in instance.processes
    assert direct.for_tasks() == direct
    assert system.airflow_endpoint(instance) == direct


def test_broken_file_leaves_the_proxy_as_it_is(instance: Instance, tmp_path: Path) -> None:
    """The error comes before anything is stopped."""
    file = tmp_path / "faults.yaml"
    file.write_text(RULE)
    own_services.start_faults(instance, file, new_aws=False)
    file.write_text("faults: [{call: sts:*}]")

    with pytest.raises(InputError, match="'fault' is missing"):
        own_services.start_faults(instance, file, new_aws=True)

    assert services.running(instance, "faults")
