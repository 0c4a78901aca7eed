"""Asks the real parser what it takes; runs in the Python that has OpenMetadata's package.

judge_workflows.py < [[root, workflow], …] > [null or the parser's words, …]
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from typing import Any


def _verdict(root: str, data: Any) -> str | None:
    try:
        if root == "application":
            module = importlib.import_module("metadata.generated.schema.metadataIngestion.application")
            module.OpenMetadataApplicationConfig.model_validate(data)
        else:
            importlib.import_module("metadata.ingestion.api.parser").parse_workflow_config_gracefully(data)
    except Exception as error:  # noqa: BLE001  it raises its own, pydantic's, KeyError and TypeError
        return f"{type(error).__name__}: {error}"
    return None


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    json.dump([_verdict(root, data) for root, data in json.load(sys.stdin)], sys.stdout)
