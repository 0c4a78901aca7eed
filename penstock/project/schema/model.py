"""The base of every part of the project file."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Strict(BaseModel):
    """Knows its keys, converts nothing, and describes itself: the docstrings below fields go into the JSON Schema."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, data: Any) -> Any:
        """`secrets:` with nothing behind it is as good as no `secrets`."""
        if not isinstance(data, dict):
            return data
        known = {field.alias or name for name, field in cls.model_fields.items()}
        return {key: value for key, value in data.items() if value is not None or key not in known}


def merge_layers(kind: type[Strict], *layers: Strict) -> dict[str, Any]:
    """The fields of `kind`, each from the last of `layers` that says something about it."""
    return {
        name: value for layer in layers for name in kind.model_fields if (value := getattr(layer, name)) is not None
    }
