"""CloudFormation templates, as a synth writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Templates = Mapping[str, Mapping[str, Any]]
"""Stack name → template."""
