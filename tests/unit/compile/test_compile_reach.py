"""What a network without internet does not reach: images, the catalogue, hosts of workflows."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock_runtime.errors import InputError
from tests.unit.project_files import WORKFLOW, loaded
from tests.unit.runtime.container.sealed_network import (
    CREATE,
    ECR,
    LOAD,
    NO_CATALOGUE,
    SEALED,
    plan_of,
    refused,
)


def test_stock_image_is_out_of_reach_without_internet(tmp_path: Path) -> None:
    """Said at the version, which gives the image, with the settings that help."""
    ((where, what, fix),) = refused(tmp_path, SEALED, ("https://catalog.acme.io/api", "http://10.0.0.1/api"))

    assert where == "penstock.yaml:9:12"
    assert "'docker.getcollate.io/openmetadata/ingestion-base:1.12.14' is out of reach" in what
    assert "ECR in eu-west-1 only" in what
    assert "images.openmetadata.mirror" in fix
    assert "egress: nat" in fix


@pytest.mark.parametrize(
    ("image", "reached"),
    [
        ("docker.io/library/python:3.12", False),
        ("acme/refresh:7", False),
        ("public.ecr.aws/docker/library/python:3.12", False),
        ("ghcr.io/acme/refresh:7", False),
        ("111122223333.dkr.ecr.us-east-1.amazonaws.com/refresh:7", False),
        ("111122223333.dkr.ecr.eu-west-1.amazonaws.com.evil.example/refresh:7", False),
        ("111122223333.dkr.ecr.eu-west-1.amazonaws.com/refresh:7", True),
        ("111122223333.dkr.ecr.eu-west-1.amazonaws.com/refresh@sha256:" + "0" * 64, True),
    ],
)
def test_image_of_a_command_must_be_in_ecr_of_the_region(tmp_path: Path, image: str, reached: bool) -> None:
    """Said once for each image, at the first task that names it; with a NAT gateway any image will do."""
    tasks = f'{LOAD}command: ls, image: "{image}"}}\n      - {{name: again, command: ls, image: "{image}"}}'
    edits = (("- {name: load, meltano: tap-a target-b}", tasks), NO_CATALOGUE)
    if reached:
        assert plan_of(tmp_path, SEALED, *edits).task_definitions[0].image.reference == image
        return
    ((where, what, fix),) = refused(tmp_path / "sealed", SEALED, *edits)

    assert where == "penstock.yaml:21:42"
    assert f"image {image!r} is out of reach" in what
    assert "the task's image" in fix
    assert plan_of(tmp_path / "nat", *edits).task_definitions[0].image.reference == image


def test_image_of_meltano_must_be_there_too(tmp_path: Path) -> None:
    """One that is named; one that is built goes to ECR by itself."""
    named = ("{project: meltano, ", "{project: meltano, image: acme/meltano:1, ")
    ((where, _, fix),) = refused(tmp_path, SEALED, NO_CATALOGUE, named)

    assert where == "penstock.yaml:11:36"
    assert "meltano.image" in fix


US = "111122223333.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("task", "images", "what", "fix"),
    [
        (
            'command: ls, image: "acme/refresh:7"',
            f"command: {{mirror: ¦{US}}}",
            f"image '{US}/acme/refresh:7' is out of reach: a network with `egress: endpoints` pulls from ECR in eu-",
            "set images.command.mirror; or",
        ),
        (
            'command: ls, image: "public.ecr.aws/docker/library/busybox:1"',
            "command: {pull_through: ¦{upstream: public.ecr.aws}}",
            "/docker/library/busybox:1' is out of reach: ECR fetches it for its cache through a NAT gateway",
            "set images.command.mirror instead of pull_through; or",
        ),
        (
            "command: ls",
            f"openmetadata: {{mirror: ¦{US}}}",
            f"image '{US}/openmetadata/ingestion-base:1.12.14' is out of reach",
            "set images.openmetadata.mirror; or",
        ),
        (
            "meltano: tap-a target-b",
            f"meltano: {{mirror: ¦{US}}}",
            f"image '{US}/acme/meltano:1' is out of reach",
            "set images.meltano.mirror; or",
        ),
    ],
    ids=["command", "pull-through", "openmetadata", "meltano"],
)
def test_source_of_images_that_is_out_of_reach(tmp_path: Path, task: str, images: str, what: str, fix: str) -> None:
    """Said where the source is, whatever the images are called behind it."""
    line = f"images: {{{images}}}"
    ((where, said, advice),) = refused(
        tmp_path,
        SEALED,
        NO_CATALOGUE,
        ("{project: meltano, ", "{project: meltano, image: acme/meltano:1, "),
        (f"{LOAD}meltano: tap-a target-b}}", f"{LOAD}{task}}}"),
        ("schedules:\n", f"{line.replace('¦', '')}\nschedules:\n"),
    )

    number = (tmp_path / "penstock.yaml").read_text().splitlines().index(line.replace("¦", "")) + 1
    assert where == f"penstock.yaml:{number}:{line.index('¦') + 1}"
    assert what in said
    assert fix in advice


def _sealed(more: str = "") -> tuple[tuple[str, str], tuple[str, str]]:
    """A network without internet that has the catalogue's image."""
    mirror = ("schedules:\n", f"images: {{openmetadata: {{mirror: {ECR}}}}}\nschedules:\n")
    return (CREATE, f"network: {{create: {{egress: endpoints{more}}}}}"), mirror


@pytest.mark.parametrize(
    ("server", "private_hosts", "reached"),
    [
        ("https://catalog.acme.io/api", "", False),
        ("https://catalog.acme.io/api", "catalog.acme.io", True),
        ("https://Catalog.acme.io/api", "'*.ACME.io'", True),
        ("https://acme.io/api", "'*.acme.io'", False),
        ("https://catalogacme.io/api", "'*.acme.io', catalog.acme.io", False),
        ("https://8.8.8.8/api", "", False),
        ("http://10.20.1.2:8585/api", "", True),
        ("http://100.64.3.4/api", "", True),
        ("http://[2606:4700::1111]/api", "", False),
        ("http://openmetadata:8585/api", "", True),
        ("http://openmetadata.acme.internal:8585/api", "", True),
        ("http://internal-om-123.eu-west-1.elb.amazonaws.com/api", "", True),
        ("http://om-123.eu-west-1.elb.amazonaws.com/api", "", False),
        ("https://vpce-0a1-b2c.vpce-svc-1.eu-west-1.vpce.amazonaws.com/api", "", True),
    ],
)
def test_catalogue_must_be_within_reach(tmp_path: Path, server: str, private_hosts: str, reached: bool) -> None:
    """By its address, by its name, or because the project says so; with a NAT gateway any will do."""
    network, mirror = _sealed(f", private_hosts: [{private_hosts}]")
    named = ("https://catalog.acme.io/api", server)
    if reached:
        assert plan_of(tmp_path, network, mirror, named).warnings == ()
        return
    ((where, what, fix),) = refused(tmp_path, network, mirror, named)

    assert where == "penstock.yaml:8:11"
    assert "is out of reach" in what
    assert "network.create.private_hosts" in fix
    assert "egress: nat" in fix
    assert plan_of(tmp_path / "nat", named)


def test_catalogue_that_no_workflow_calls_may_be_anywhere(tmp_path: Path) -> None:
    """There is none in the project, or each names its own."""
    own = WORKFLOW + "workflowConfig: {openMetadataServerConfig: {hostPort: 'http://10.0.0.1/api'}}\n"

    assert plan_of(tmp_path / "none", SEALED, NO_CATALOGUE)
    assert compile_plan(loaded(tmp_path / "own", *_sealed(), files={"warehouse.yaml": own}))


def test_catalogue_given_by_a_variable_counts_instead(tmp_path: Path) -> None:
    """What the run will call is looked at, not what the project says."""
    project = loaded(tmp_path, *_sealed())

    assert compile_plan(project, variables={"OPENMETADATA_SERVER": "http://10.0.0.1/api"})
    with pytest.raises(InputError, match="out of reach"):
        compile_plan(project)


@pytest.mark.parametrize(
    ("host", "more", "reached"),
    [
        ("${HOST}:5432", "", True),
        ("${OM_JWT}:5432", "", True),
        ("bigquery.googleapis.com", "", False),
        ("https://app.snowflake.example/x", "", False),
        ("db.acme.io:5432", "", False),
        ("db.acme.io:5432", ", private_hosts: ['*.acme.io']", True),
        ("db.c1x2.eu-west-1.rds.amazonaws.com:5432", "", True),
        ("wg.111122223333.eu-west-1.redshift-serverless.amazonaws.com:5439", "", True),
        ("rds.amazonaws.com.evil.example:5432", "", False),
        ("52.1.2.3:5432", "", False),
    ],
)
def test_host_of_a_workflow_must_be_within_reach(tmp_path: Path, host: str, more: str, reached: bool) -> None:
    """Where the workflow names it; one that a secret fills is not known."""
    files = {"warehouse.yaml": WORKFLOW.replace("${HOST}:5432", host)}
    edits = (*_sealed(more), ("https://catalog.acme.io/api", "http://10.0.0.1/api"))
    project = loaded(tmp_path, *edits, files=files)
    if reached:
        assert compile_plan(project)
        return
    with pytest.raises(InputError) as caught:
        compile_plan(project)

    assert "is out of reach" in caught.value.what
    assert caught.value.where.endswith("warehouse.yaml:5:40")
