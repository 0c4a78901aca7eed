"""The JSON Schema of `penstock.yaml`, made from the models."""

from __future__ import annotations

import argparse
import copy
import json
import sys
from pathlib import Path
from typing import Any

from penstock.project.settings import ENVIRONMENT_NAME, MAX_ENVIRONMENT_NAME, EnvironmentSettings, Settings


def json_schema() -> dict[str, Any]:
    """The schema, with the models' docstrings as descriptions.

    An environment may leave out anything, and the top level whatever every environment sets; so nothing but the
    project's name is required in either, and `penstock validate` has the last word.
    """
    top = _tidy(Settings.model_json_schema(mode="validation"))
    definitions: dict[str, Any] = top.pop("$defs")
    parts = {name: copy.deepcopy(definition) for name, definition in definitions.items()}
    for definition in parts.values():
        definition.pop("required", None)
    environment = _tidy(EnvironmentSettings.model_json_schema(mode="validation"))
    used = _used(environment["properties"], definitions)
    definitions |= {f"{name}Override": _pointing_at(parts[name], "Override") for name in used}
    definitions["Environment"] = {
        "type": "object",
        "description": "What this environment sets over the top level: mappings are merged, other values replaced.",
        "additionalProperties": False,
        "properties": _pointing_at(environment["properties"], "Override"),
    }
    top["properties"] = {
        "name": top["properties"].pop("name"),
        "environments": {
            "type": "object",
            "description": "Name → what the environment sets over the top level. The first is the default.",
            "minProperties": 1,
            "propertyNames": {"pattern": ENVIRONMENT_NAME, "maxLength": MAX_ENVIRONMENT_NAME},
            "additionalProperties": {"$ref": "#/$defs/Environment"},
        },
        **_pointing_at({key: top["properties"][key] for key in environment["properties"]}, "Override"),
        **{key: property_ for key, property_ in top["properties"].items() if key not in environment["properties"]},
    }
    top["required"] = ["name", "environments"]
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Penstock project"}
    description = "The project file, penstock.yaml."
    return {**head, **top, "title": "Penstock project", "description": description, "$defs": definitions}


def _tidy(part: Any) -> Any:
    """Without what an editor would show for nothing: titles made of names, defaults that say "as the text says"."""
    if isinstance(part, list):
        return [_tidy(item) for item in part]
    if not isinstance(part, dict):
        return part
    kept = {
        key: _tidy(value)
        for key, value in part.items()
        if not (key == "title" and isinstance(value, str))
        and not (key == "default" and (value is None or isinstance(value, dict)))
    }
    choices = kept.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        rest = [choice for choice in choices if choice != {"type": "null"}]
        kept.pop("anyOf")
        kept = {**(rest[0] if len(rest) == 1 else {"anyOf": rest}), **kept}
    return kept


def _pointing_at(part: Any, suffix: str) -> Any:
    """A copy whose references name the definitions with `suffix`."""
    if isinstance(part, dict):
        return {
            key: f"{value}{suffix}" if key == "$ref" else _pointing_at(value, suffix) for key, value in part.items()
        }
    return [_pointing_at(item, suffix) for item in part] if isinstance(part, list) else part


def _used(part: Any, definitions: dict[str, Any]) -> list[str]:
    """The definitions that a part leads to."""
    names: list[str] = []
    todo = [part]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            name = str(node.get("$ref", "")).rsplit("/", 1)[-1]
            if name and name not in names:
                names.append(name)
                todo.append(definitions[name])
            todo.extend(node.values())
        elif isinstance(node, list):
            todo.extend(node)
    return sorted(names)


def main(arguments: list[str]) -> int:
    """Write or check the file; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m penstock.project.json_schema", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--check", action="store_true", help="fail where the file is not what would be written")
    parsed = parser.parse_args(arguments)
    text = json.dumps(json_schema(), indent=2) + "\n"
    if not parsed.check:
        parsed.file.write_text(text, encoding="utf-8")
        return 0
    if parsed.file.is_file() and parsed.file.read_text(encoding="utf-8") == text:
        return 0
    print(f"{parsed.file} is out of date\n  fix: make schema", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
