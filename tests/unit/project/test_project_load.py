"""A project that is right: environments, defaults, names, and what is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.aws.fargate import MEMORY_MIB, covering, misfit
from penstock.problem import Problem
from penstock.project.document.literals import literal_secret
from penstock.project.json_schema import json_schema
from penstock.project.json_schema import main as schema_command
from penstock.project.load import load
from penstock.project.schema.patterns import words_of
from penstock.project.settings import Settings
from penstock_runtime.errors import InputError
from penstock_runtime.secret_names import is_secret_key
from tests.unit.project_files import loaded, write

ROOT = Path(__file__).resolve().parents[3]


def test_sample_is_right() -> None:
    """The project that the repository ships is valid in every environment."""
    project = load(ROOT / "penstock.yaml")

    assert project.default_environment == next(iter(project.environments))
    assert "schedules.py" not in [file.path for file in project.dag_folder.files]


def test_users_file_may_have_the_name_of_our_template(tmp_path: Path) -> None:
    """Only Penstock's own `dags/` holds a template; elsewhere `schedules.py` is a DAG file, and goes along."""
    project = loaded(tmp_path, files={"dags/schedules.py": "# mine", "dags/sub/x.py": ""})

    assert [file.path for file in project.dag_folder.files] == ["schedules.py", "sub/x.py"]


def test_environment_is_merged_over_the_top_level(tmp_path: Path) -> None:
    """Mappings are merged, other values replaced, `null` takes away."""
    overrides = "{region: eu-central-1, openmetadata: {server: null}, variables: {HOST: prod.acme.internal}}"
    project = loaded(tmp_path, ("{region: eu-central-1, variables: {HOST: prod.acme.internal}}", overrides))

    dev, prod = project.settings("dev"), project.settings("prod")
    assert (dev.region, prod.region) == ("eu-west-1", "eu-central-1")
    assert (dev.variables, prod.variables) == ({"HOST": "dev.acme.internal"}, {"HOST": "prod.acme.internal"})
    assert dev.openmetadata is not None
    assert prod.openmetadata is not None
    assert (dev.openmetadata.server, prod.openmetadata.server) == ("https://catalog.acme.io/api", None)
    assert dev.openmetadata.version == prod.openmetadata.version


def test_environment_may_use_a_network_where_the_others_create_one(tmp_path: Path) -> None:
    """Of two alternatives the environment's takes the place of the top level's."""
    use = "network: {use: {vpc: vpc-0a1b2c3d, private_subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d]}}"
    project = loaded(tmp_path, ("{region: eu-west-1}", f"{{region: eu-west-1, {use}}}"))

    assert project.settings("dev").network.create is None
    assert project.settings("prod").network.use is None


def test_error_in_an_environment_points_into_it(tmp_path: Path) -> None:
    """The merged project keeps the lines of both."""
    path = write(tmp_path, ("{HOST: prod.acme.internal}", "{HOST: 5}"))

    with pytest.raises(InputError) as caught:
        load(path)
    assert caught.value.where == f"{path}:4:50"


def test_unknown_environment_names_the_nearest(tmp_path: Path) -> None:
    """A typing error on the command line is the user's input too."""
    with pytest.raises(InputError) as caught:
        loaded(tmp_path).settings("pord")

    assert (caught.value.exit_code, caught.value.fix) == (2, "did you mean 'prod'?")


def test_files_are_shown_as_the_user_named_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that an editor can open the place from where the user is; the project itself knows no machine."""
    write(tmp_path / "team", ("config: warehouse", "config: nothing"))
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InputError) as caught:
        load(Path("team/penstock.yaml"))
    assert str(caught.value).startswith("team/penstock.yaml:23:48: team/nothing.yaml does not exist")
    with pytest.raises(InputError) as caught:
        load(Path("team"))
    assert caught.value.where == "team/penstock.yaml:23:48"


def test_schema_in_the_repository_is_the_one_of_the_code() -> None:
    """Editors complete from the file; `make schema` writes it."""
    assert json.loads((ROOT / "schema/penstock.schema.json").read_text()) == json_schema()


def test_schema_command_tells_an_old_file_from_a_new_one(tmp_path: Path) -> None:
    """`--check` fails on a file that is missing or old, and passes on one that was just written."""
    file = tmp_path / "schema.json"

    assert schema_command(["--check", str(file)]) == 1
    assert schema_command([str(file)]) == 0
    assert schema_command(["--check", str(file)]) == 0
    file.write_text("{}")
    assert schema_command(["--check", str(file)]) == 1


def test_schema_describes_every_key() -> None:
    """A key without a description helps nobody in an editor."""
    schema = json_schema()
    parts = [schema, *schema["$defs"].values()]

    def described(one: dict[str, Any]) -> bool:
        """By itself, or by the definition that it names (pydantic does not say the same twice)."""
        name = one.get("$ref", "").rsplit("/", 1)[-1]
        return "description" in one or "description" in schema["$defs"].get(name, {})

    assert [
        key for part in parts for key, property_ in part.get("properties", {}).items() if not described(property_)
    ] == []


def test_every_pattern_has_words() -> None:
    """An error about a value says what to write; a regular expression says it to nobody."""

    def patterns(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            if isinstance(part.get("pattern"), str):
                yield part["pattern"]
            for key, value in part.items():
                if key != "propertyNames":
                    yield from patterns(value)
        elif isinstance(part, list):
            for one in part:
                yield from patterns(one)

    found = set(patterns(Settings.model_json_schema()))

    assert len(found) > 15
    assert all(words_of(pattern).fix for pattern in found)


def test_region_may_be_of_a_sovereign_cloud(tmp_path: Path) -> None:
    """Its code begins with four letters."""
    assert loaded(tmp_path, ("{region: eu-west-1}", "{region: eusc-de-east-1}")).settings("dev").region


def test_schema_knows_the_keys_that_loading_knows() -> None:
    """Overrides included: an environment's keys, all optional, unknown ones refused."""
    environment = json_schema()["$defs"]["Environment"]

    assert "required" not in environment
    assert environment["additionalProperties"] is False
    assert {"region", "account", "variables", "defaults"} <= environment["properties"].keys()
    assert not {"jobs", "schedules", "embedded", "name"} & environment["properties"].keys()


@pytest.mark.parametrize(
    "key",
    ["password", "jwtToken", "DB_PASSWORD", "secretKey", "awsSecretAccessKey", "privateKeyPassphrase", "key", "apiKey"],
)
def test_key_of_a_secret_is_known(key: str) -> None:
    """Whatever the spelling: camel case, snake case, upper case."""
    assert is_secret_key(key)
    assert literal_secret(key, "hunter2")
    assert literal_secret(key, 1234)
    assert literal_secret(key, "${NAME}") is None
    assert literal_secret(key, "") is None
    assert literal_secret(key, None) is None


@pytest.mark.parametrize(
    "key",
    ["primaryKey", "kms_key", "kmsKey", "awsAccessKeyId", "tokenUrl", "secretsManagerProvider", "keyspace", "monkey"],
)
def test_key_of_no_secret_is_left_alone(key: str) -> None:
    """A false alarm teaches people to silence alarms."""
    assert not is_secret_key(key)


def test_sizes_are_those_of_fargate() -> None:
    """The pairs that the documentation lists, and none between."""
    assert misfit(256, 2048) is None
    assert misfit(4096, 30720) is None
    assert misfit(256, 3072) == Problem(
        "256 CPU units with 3072 MiB, which Fargate does not offer",
        "with 256 CPU units use 512 to 2048 MiB, or set cpu_units: 512",
    )
    assert misfit(8192, 17408) is not None


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([(512, 1024), (1024, 4096)], (1024, 4096)),
        ([(256, 512), (4096, 8192)], (4096, 8192)),
        ([(256, 2048), (512, 1024)], (512, 2048)),
        ([(16384, 32768), (8192, 61440)], (16384, 65536)),
    ],
)
def test_covering_pair_is_possible_and_large_enough(pairs: list[tuple[int, int]], expected: tuple[int, int]) -> None:
    """A task definition's size is a pair that Fargate offers, and no task needs more."""
    assert covering(pairs) == expected
    assert expected[1] in MEMORY_MIB[expected[0]]
