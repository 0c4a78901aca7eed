"""Environments of one project in one Airflow: what would hide a DAG of the other is refused, or told."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock.project.load import load
from tests.unit.project_files import MELTANO, errors, write

NETWORK = "{use: {vpc: vpc-0a1b2c3d, private_subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d]}}"
USE = "{use: {environment: team, version: 3.0.6, bucket: team-dags, execution_role: team-airflow}}"
OWN = "{self_managed: {version: 3.0.6, bucket: team-dags}}"
ROLE = "arn:aws:iam::%s:role/team-airflow"
CREATE = "airflow: {create: {version: 3.0.6, class: mw1.small}}"


def project(
    folder: Path, dev: str = "", prod: str = "", airflow: str = USE, files: dict[str, str] | None = None
) -> Path:
    """The project with two environments of one region, whose Airflow is that of the top level unless they say more."""
    return write(
        folder,
        ("dev: {region: eu-west-1}", f"dev: {{region: eu-west-1{dev}}}"),
        ("prod: {region: eu-central-1, ", f"prod: {{region: eu-west-1{prod}, "),
        ("network: {create: {cidr: 10.20.0.0/16}}", f"network: {NETWORK}"),
        (CREATE, f"airflow: {airflow}"),
        files=files,
    )


def test_dag_id_belongs_to_one_environment_of_an_mwaa(tmp_path: Path) -> None:
    """MWAA would show the DAG whose file it has parsed last. What the fix says mends it."""
    ((where, what, fix),) = errors(project(tmp_path))

    column = f"airflow: {USE}".index("team") + 1
    assert where == f"penstock.yaml:6:{column}"
    assert what == "environments 'dev' and 'prod' both put DAG 'daily' into MWAA environment 'team', which shows one"
    assert "dag_prefix of its own: write {airflow: {dag_prefix: prod_}} in environment 'prod'" in fix

    mended = load(project(tmp_path, prod=", airflow: {dag_prefix: prod_}"))
    ids = [[schedule.dag_id for schedule in compile_plan(mended, name).schedules] for name in ("dev", "prod")]
    assert ids == [["daily"], ["prod_daily"]]


def test_dag_of_a_meltano_schedule_is_one_too(tmp_path: Path) -> None:
    """Its id is Meltano's, behind the prefix; a prefix of another length may lead to the same id."""
    jobs = "schedules: [{name: s, interval: '@daily', job: j}]\njobs: [{name: j, tasks: [tap-a target-b]}]\n"
    meltano = {"meltano/meltano.yml": MELTANO + jobs}
    text = project(tmp_path, prod=", airflow: {dag_prefix: x_}", files=meltano).read_text()
    (tmp_path / "penstock.yaml").write_text(text.replace("name: daily", "name: x_meltano_s_j"))
    ((_, what, _),) = errors(tmp_path / "penstock.yaml")

    assert "both put DAG 'x_meltano_s_j' into MWAA environment 'team'" in what


ACCOUNT = ', account: "%s"'
FOLDERS = "{use: {environment: %s, version: 3.0.6, bucket: team-dags, dags: %s, execution_role: r}}"
TOGETHER = {
    "one account": (ACCOUNT % ("1" * 12), ACCOUNT % ("1" * 12)),
    "an account known": (ACCOUNT % ("1" * 12), ""),
    "another MWAA on the same folder": ("", f", airflow: {FOLDERS % ('other', 'dags')}"),
    "another MWAA on a folder above": (f", airflow: {FOLDERS % ('other', 'dags/all')}", ""),
    "an Airflow's folder that MWAA reads": (
        "",
        ", airflow: {self_managed: {version: 3.0.6, bucket: team-dags, dags: dags/x}}",
    ),
    "MWAA of the other environment": (
        ", airflow: {create: {version: 3.0.6}}",
        f", airflow: {USE.replace('environment: team', 'environment: acme-dev')}",
    ),
}
APART = {
    "two accounts": (ACCOUNT % ("1" * 12), ACCOUNT % ("2" * 12)),
    "accounts of the roles": tuple(
        f", airflow: {{use: {{execution_role: '{ROLE % (digit * 12)}'}}}}" for digit in ("1", "2")
    ),
    "another bucket": ("", ", airflow: {use: {bucket: prod-dags}}"),
    "a folder beside": ("", f", airflow: {FOLDERS % ('other', 'dags-of-prod')}"),
    "a folder that MWAA does not read": (
        "",
        f", airflow: {OWN.replace('team-dags', 'team-dags, dags: all')}",
    ),
    "an Airflow of one's own": ("", ", airflow: {create: {version: 3.0.6}}"),
    "prefixes": (", airflow: {dag_prefix: dev_}", ", airflow: {dag_prefix: prod_}"),
}


@pytest.mark.parametrize(("dev", "prod"), TOGETHER.values(), ids=TOGETHER)
def test_what_is_one_airflow(tmp_path: Path, dev: str, prod: str) -> None:
    """By its name, by a DAG folder that it reads, whoever else names it so."""
    ((_, what, _),) = errors(project(tmp_path, dev, prod))

    assert what.startswith("environments 'dev' and 'prod' both put DAG 'daily' into ")


@pytest.mark.parametrize(("dev", "prod"), APART.values(), ids=APART)
def test_what_are_two(tmp_path: Path, dev: str, prod: str) -> None:
    """Names are an account's and a region's own; and one bucket is one MWAA's folder only where it reads it."""
    loaded_project = load(project(tmp_path, dev, prod))

    assert not [
        warning
        for name in ("dev", "prod")
        for warning in compile_plan(loaded_project, name).warnings
        if "environments" in warning
    ]


def test_two_regions_have_each_an_environment_of_that_name(tmp_path: Path) -> None:
    """The name is a region's."""
    assert load(
        write(tmp_path, ("network: {create: {cidr: 10.20.0.0/16}}", f"network: {NETWORK}"), (CREATE, f"airflow: {USE}"))
    )


def test_each_environment_is_told_once(tmp_path: Path) -> None:
    """Of five in one MWAA four are wrong."""
    more = "".join(f"  e{number}: {{region: eu-west-1}}\n" for number in range(3))
    path = project(tmp_path)
    path.write_text(path.read_text().replace("network:", f"{more}network:", 1))

    assert [what.split("'")[3] for _, what, _ in errors(path)] == ["prod", "e0", "e1", "e2"]


def warned(folder: Path, environment: str = "prod") -> list[str]:
    warnings = compile_plan(load(folder / "penstock.yaml"), environment).warnings
    return [one for one in warnings if "environments" in one]


def test_airflows_that_may_be_one_are_told(tmp_path: Path) -> None:
    """Who fetches the bundle of `self_managed` from a bucket is nobody's to know here."""
    project(tmp_path, airflow=OWN)

    (warning,) = warned(tmp_path)
    assert warning.startswith("penstock.yaml:6:")
    assert "environments 'prod' and 'dev' both put DAG 'daily' into bucket 'team-dags'" in warning
    assert "give each environment a dag_prefix of its own" in warning

    project(tmp_path, prod=", airflow: {dag_prefix: prod_}", airflow=OWN)
    assert warned(tmp_path) == []

    project(tmp_path, airflow="{self_managed: {version: 3.0.6}}")
    assert warned(tmp_path) == [], "Penstock makes a bucket for each"


@pytest.mark.parametrize(("airflow", "where"), [(USE, "MWAA environment 'team'"), (OWN, "bucket 'team-dags'")])
def test_own_dag_files_keep_their_ids(tmp_path: Path, airflow: str, where: str) -> None:
    """They go into each environment's bundle unchanged."""
    prefix = ", airflow: {dag_prefix: prod_}"
    project(tmp_path, prod=prefix, airflow=airflow, files={"dags/mine.py": "from airflow import DAG\n"})

    (warning,) = warned(tmp_path)
    assert f"share {where}, and both bring the project's own DAG files" in warning
    assert "<project>-<environment>" in warning
