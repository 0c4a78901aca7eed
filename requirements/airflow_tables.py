"""Writes the tables of Airflow's options and constraints in `penstock/versions`; `make tables` runs it.

    python requirements/airflow_tables.py CHECKOUT [FOLDER]    FOLDER keeps the wheels for the next time

What it reads, of every version in `penstock.versions.airflow.AIRFLOW`: the wheels of Airflow (and of its task SDK) from
the package index, unpacked and never imported; and MWAA's constraints from a checkout of
github.com/aws/amazon-mwaa-docker-images, which it asks git for.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from penstock.versions.airflow import AIRFLOW

ROOT = Path(__file__).resolve().parents[1]
TABLES = ROOT / "penstock" / "versions"
_READS = re.compile(r"""conf\.(get\w*|has_option)\(\s*(?:section=)?["'](\w+)["'],\s*(?:key=)?["'](\w+)["']""")
"""Options that the code reads, and that `config.yml` need not list."""
_TYPES = {"boolean": "boolean", "integer": "integer", "float": "float"}
_TYPES_READ = {"getboolean": "boolean", "getint": "integer", "getfloat": "float"}
"""How the code reads an option; `config.yml` calls some of these a string."""
_NO_MODULES = ("providers", "example_dags", "migrations", "www", "ui")


def unpack(version: str, folder: Path) -> Path:
    """The wheels of one Airflow, unpacked."""
    target = folder / version
    if not target.is_dir():
        name = "apache-airflow" if version.startswith("2.") else "apache-airflow-core"
        _install(f"{name}=={version}", target)
        for line in next(target.glob(f"{name.replace('-', '_')}-*/METADATA")).read_text().splitlines():
            if line.startswith("Requires-Dist: apache-airflow-task-sdk"):
                bounds = Requirement(line.split(": ", 1)[1]).specifier
                least = next(bound.version for bound in bounds if bound.operator in ("==", ">="))
                _install(f"apache-airflow-task-sdk=={least}", target)
    return target / "airflow"


def _install(package: str, target: Path) -> None:
    uv = str(Path(sys.executable).parent / "uv")
    subprocess.run([uv, "pip", "install", "--quiet", "--no-deps", "--target", str(target), package], check=True)


def options(airflow: Path) -> dict[str, str]:
    """`section.key` → its type, or `text`; `unlisted`: the code reads it and the documentation does not have it."""
    types: dict[str, str] = {}
    read: dict[str, str] = {}
    for file in sorted(airflow.rglob("*.py")):
        if file.relative_to(airflow).parts[0] not in _NO_MODULES:
            for method, section, key in _READS.findall(file.read_text()):
                option = f"{section}.{key}".lower()
                types[option] = "unlisted"
                if method in _TYPES_READ:
                    read[option] = _TYPES_READ[method]
    sections = yaml.safe_load((airflow / "config_templates" / "config.yml").read_text())
    for section, about in sections.items():
        for key, option in about["options"].items():
            name = f"{section}.{key}".lower()
            types[name] = _TYPES.get(option.get("type")) or read.get(name, "text")
    return types


def still_read(airflow: Path) -> dict[str, str]:
    """Old name → new name of the options that this Airflow still takes by their old name."""
    new_names: dict[str, str] = {}
    for file in (airflow / "configuration.py", airflow / "_shared" / "configuration" / "parser.py"):
        for node in ast.walk(ast.parse(file.read_text())) if file.is_file() else ():
            if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "deprecated_options":
                value = ast.literal_eval(node.value) if isinstance(node.value, ast.Dict) else {}
                new_names |= {f"{old[0]}.{old[1]}": f"{new[0]}.{new[1]}" for new, old in value.items()}
    return new_names


def renamed(airflow: Path) -> dict[str, str]:
    """Old name → new name, as `airflow config lint` has it."""
    commands = airflow / "cli" / "commands"
    file = next((path for path in commands.rglob("config_command.py")), None)
    new_names: dict[str, str] = {}
    for node in ast.walk(ast.parse(file.read_text())) if file else ():
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ConfigChange":
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            old, new = given["config"], given.get("renamed_to")
            if isinstance(old, ast.Call) and isinstance(new, ast.Call):
                new_names[_parameter(old)] = _parameter(new)
    return new_names


def _parameter(call: ast.Call) -> str:
    return ".".join(str(ast.literal_eval(argument)) for argument in call.args)


def modules(airflow: Path) -> set[str]:
    """The modules of the package, two levels deep: `airflow.utils.email`."""
    names = set()
    for file in airflow.rglob("*.py"):
        parts = file.relative_to(airflow).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if parts and parts[0] not in _NO_MODULES:
            names |= {".".join(("airflow", *parts[:depth])) for depth in (1, 2)}
    return names


def spans(of: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """name → the versions that have it, as `first last`, once for each run of versions without a gap."""
    known = list(AIRFLOW)
    having: dict[str, list[int]] = defaultdict(list)
    for index, version in enumerate(known):
        for name in of[version]:
            having[name].append(index)
    return {name: " ".join(_runs(known, indices)) for name, indices in sorted(having.items())}


def _runs(known: list[str], indices: list[int]) -> Iterator[str]:
    for position, index in enumerate(indices):
        if position == 0 or indices[position - 1] != index - 1:
            first = known[index]
        if position == len(indices) - 1 or indices[position + 1] != index + 1:
            yield f"{first} {known[index]}"


def constraints(checkout: Path, version: str, file: str) -> dict[str, str]:
    """Package → version of one of MWAA's constraints files."""
    path = f"HEAD:images/airflow/{version}/etc/{file}"
    text = subprocess.run(["git", "-C", checkout, "show", path], check=True, capture_output=True, text=True).stdout
    pairs = (line.partition("#")[0].strip().split("==") for line in text.splitlines())
    return {canonicalize_name(pair[0]): pair[1] for pair in pairs if len(pair) == 2}


def write(name: str, table: Mapping[str, Any]) -> None:
    """One table, an entry a line."""
    lines = []
    for key, value in table.items():
        if isinstance(value, dict):
            entries = ",\n".join(f"  {json.dumps(member)}: {json.dumps(value[member])}" for member in value)
            lines.append(f" {json.dumps(key)}: {{\n{entries}\n }}")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    (TABLES / name).write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main(checkout: Path, folder: Path) -> None:
    """Write both tables."""
    packages = {version: unpack(version, folder) for version in AIRFLOW}
    known = {version: options(airflow) for version, airflow in packages.items()}
    own = {name.partition(".")[0] for of in known.values() for name, kind in of.items() if kind != "unlisted"}
    # The others are of providers.
    known = {
        version: {name: kind for name, kind in of.items() if name.partition(".")[0] in own}
        for version, of in known.items()
    }
    kinds = {name: kind for of in known.values() for name, kind in of.items() if kind in _TYPES}
    old = {version: still_read(airflow) for version, airflow in packages.items()}
    new_names: dict[str, str] = {}
    for version, airflow in packages.items():
        new_names |= old[version] | renamed(airflow)
    write(
        "airflow_options.json",
        {
            "versions": list(AIRFLOW),
            "options": spans(known),
            "types": dict(sorted(kinds.items())),
            "renamed": dict(sorted(new_names.items())),
            "still_read": spans(old),
            "modules": spans({version: modules(airflow) for version, airflow in packages.items()}),
        },
    )
    pins = {version: constraints(checkout, version, "airflow_constraints.txt") for version in AIRFLOW}
    fixed = {version: constraints(checkout, version, "mwaa_essential_constraints.txt") for version in AIRFLOW}
    write("airflow_constraints.json", {"versions": list(AIRFLOW), "packages": _rows(pins), "essential": _rows(fixed)})


def _rows(of: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Package → its version with each Airflow, in the order of `AIRFLOW`; `-`: that one does not name it."""
    names = sorted({name for versions in of.values() for name in versions})
    return {name: " ".join(of[version].get(name, "-") for version in AIRFLOW) for name in names}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else scratch))
