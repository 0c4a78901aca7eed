"""JSON Patch, as RFC 6902 says, for the operations that the ingestion package sends."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.local.catalogue import patch
from penstock.local.catalogue.entities import Refusal


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "add", "path": "/b", "value": 1}, {"a": [1, 2], "b": 1}),
        ({"op": "add", "path": "/a/1", "value": 9}, {"a": [1, 9, 2]}),
        ({"op": "add", "path": "/a/-", "value": 9}, {"a": [1, 2, 9]}),
        ({"op": "replace", "path": "/a/0", "value": 9}, {"a": [9, 2]}),
        ({"op": "replace", "path": "", "value": {}}, {}),
        ({"op": "remove", "path": "/a/0"}, {"a": [2]}),
        ({"op": "remove", "path": "/a"}, {}),
        ({"op": "test", "path": "/a/1", "value": 2}, {"a": [1, 2]}),
        ({"op": "add", "path": "/x~1y~0z", "value": 1}, {"a": [1, 2], "x/y~z": 1}),
    ],
)
def test_applies_an_operation_to_a_copy(operation: dict[str, Any], expected: Any) -> None:
    """The document itself stays as it was."""
    document = {"a": [1, 2]}

    assert patch.apply(document, [operation]) == expected
    assert document == {"a": [1, 2]}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "move", "path": "/a", "from": "/b"},
        {"op": "remove", "path": "/b"},
        {"op": "remove", "path": ""},
        {"op": "add", "path": "/a/7", "value": 1},
        {"op": "add", "path": "/b/c", "value": 1},
        {"op": "test", "path": "/a/0", "value": 2},
        {"op": "add", "path": "/b"},
        {"op": "replace", "path": "/a/x", "value": 1},
        {"path": "/a"},
    ],
)
def test_refuses_an_operation_that_does_not_fit(operation: dict[str, Any]) -> None:
    """With 400, naming the operation; never a change of something else."""
    with pytest.raises(Refusal) as refused:
        patch.apply({"a": [1, 2]}, [operation])

    assert refused.value.status == 400
