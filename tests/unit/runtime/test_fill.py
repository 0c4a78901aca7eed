"""`${NAME}` in workflow configs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_runtime.contract import Exit
from penstock_runtime.errors import RunError
from penstock_runtime.fill import fill, names

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_fills_also_inside_longer_values() -> None:
    """Every value is filled, in lists and mappings; keys and numbers stay."""
    config = {"hostPort": "${HOST}:${PORT}", "list": [{"a": "x${HOST}"}], "n": 3, "${HOST}": "$HOST ${}"}

    filled = fill(config, ["HOST", "PORT"], {"HOST": "db", "PORT": "5432"})

    assert filled == {"hostPort": "db:5432", "list": [{"a": "xdb"}], "n": 3, "${HOST}": "$HOST ${}"}


def test_a_value_is_not_filled_again() -> None:
    """What a secret holds is taken literally, also when it looks like a placeholder or like YAML."""
    assert fill("${A}", ["A", "B"], {"A": "${B}: {x", "B": "no"}) == "${B}: {x"


def test_refuses_a_name_that_the_task_was_not_given() -> None:
    """A variable that only happens to be in the environment does not get into a config."""
    with pytest.raises(RunError, match="AWS_SECRET_ACCESS_KEY") as caught:
        fill({"password": "${AWS_SECRET_ACCESS_KEY}"}, ["A"], {"AWS_SECRET_ACCESS_KEY": "x"})

    assert caught.value.exit_code == Exit.WRONG_INPUT


def test_refuses_a_name_without_a_value() -> None:
    """A name that the task should have and does not have is not filled with an empty string."""
    with pytest.raises(RunError, match="variable A, which the config names, is not set"):
        fill("${A}", ["A"], {})


def test_finds_names_in_order() -> None:
    """All names, where they stand."""
    assert list(names({"a": "${X}${Y}", "b": ["${X}", 1], "${K}": None})) == ["X", "Y", "X"]


@given(VALUES)
def test_leaves_everything_else_as_it_is(value: object) -> None:
    """Filling changes nothing but placeholders: without one, the result equals the input."""
    if not list(names(value)):
        assert fill(value, [], {}) == value
