"""Asks OpenMetadata's package itself about workflows. Runs in the Python that has the package:

    <environment>/bin/python ask.py < [[root, workflow], …] > [[problem, …], …]

A problem is `{"at": […], "what": "…"}`: keys and indexes that lead to the value as far as they are known. `root` is
`workflow` or `application`. Nothing is started, connected to or sent: the parser parses, and the classes are imported.

Standard library only, besides the package: nothing of Penstock is installed there.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import warnings
from typing import Any

MOST = 20
"""Problems of one workflow."""
_NOT_INSTALLED = ("ModuleNotFoundError", "ImportError", "DynamicImportException", "MissingPluginException")


def problems(root: str, data: dict[str, Any]) -> list[dict[str, Any]]:
    """What the package says of a workflow."""
    from pydantic import ValidationError

    try:
        if root == "application":
            module = importlib.import_module("metadata.generated.schema.metadataIngestion.application")
            module.OpenMetadataApplicationConfig.model_validate(data)
            return []
        config = importlib.import_module("metadata.generated.schema.metadataIngestion.workflow")
        parsed = config.OpenMetadataWorkflowConfig.model_validate(data)
    except ValidationError as error:
        return _of_validation(data, error)
    except Exception as error:  # noqa: BLE001  whatever it raises, a run would meet it too
        return [{"at": [], "what": f"{type(error).__name__}: {error}"}]
    return _of_source(parsed)


def _of_validation(data: Any, error: Any) -> list[dict[str, Any]]:
    """pydantic names a value by keys, indexes and the models that it tried; those of the models lead nowhere.

    Of several models, the value's `type` names the one that was meant; otherwise it is the one with the fewest faults.
    """
    tried: dict[tuple[Any, ...], dict[tuple[Any, ...], str]] = {}
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        path, models, value = [], [], data
        for step in one["loc"]:
            inside = isinstance(value, dict) and step in value
            if inside or (isinstance(value, list) and isinstance(step, int) and step < len(value)):
                path.append(step)
                value = value[step]
            else:
                models.append(step)
        missing = f": {models.pop()}" if one["type"] == "missing" and models else ""
        tried.setdefault(tuple(models), {}).setdefault(tuple(path), f"{one['msg']}{missing}")

    def distance(faults: dict[tuple[Any, ...], str]) -> tuple[bool, int]:
        return any(path[-1:] == ("type",) for path in faults), len(faults)

    # What is wrong outside of any choice is wrong in any case.
    found = tried.pop((), {})
    if tried and not found:
        found = min(list(tried.values()), key=distance)
    return [{"at": list(path), "what": what} for path, what in found.items()][:MOST]


def _of_source(parsed: Any) -> list[dict[str, Any]]:
    """What was made of the connection, and whether there is a class that takes it."""
    source = parsed.source
    text = source.type.lower()
    connection = getattr(source.serviceConnection, "root", None)
    kind = getattr(getattr(connection, "config", None), "type", None)
    kind = getattr(kind, "value", kind)
    folder = text.split("-")[0]
    if text == "testsuite" or text.startswith("custom"):
        return []
    if kind is not None and folder not in ("query", kind.lower()):
        what = f"the connection is taken for one of type {kind}, which a source of type {source.type} does not take"
        return [{"at": ["source", "serviceConnection", "config"], "what": what}]
    try:
        helper = importlib.import_module("metadata.utils.class_helper")
        loader = importlib.import_module("metadata.utils.service_spec.service_spec")
        loader.import_source_class(helper.get_service_type_from_source_type(source.type), text)
    except Exception as error:  # noqa: BLE001  see above
        first: Any = error
        while getattr(first, "cause", None) is not None or first.__context__ is not None:
            first = getattr(first, "cause", None) or first.__context__
        name = type(first).__name__
        driver = name in _NOT_INSTALLED and not str(getattr(first, "name", "")).startswith("metadata")
        what = f"its class cannot be imported: {name}: {first}"
        return [{"at": ["source", "type"], "what": what, **({"driver": True} if driver else {})}]
    return []


def main() -> None:
    """Judge what stands on the standard input; the package's own words go to the standard error."""
    answer = os.dup(1)
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    found = [problems(root, data) for root, data in json.load(sys.stdin)]
    with os.fdopen(answer, "w") as out:
        json.dump(found, out)


if __name__ == "__main__":
    main()
