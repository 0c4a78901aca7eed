"""The log that OpenMetadata's package sends to the server itself (`enableStreamableLogs`, 2.0): without secrets.

What the container writes is masked on its way out; this log takes another way, inside the package's process.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from penstock_runtime.container.redact import Redactor

_MODULE, _HANDLER = "metadata.utils.streamable_logger", "StreamableLogHandler"
"""Source: openmetadata-ingestion 2.0.6.0."""


def mask(secrets: Iterable[str]) -> bool:
    """Mask these in every record that is sent; whether the package has what this can be done to."""
    try:
        handler: Any = getattr(import_module(_MODULE), _HANDLER)
    except (ImportError, AttributeError):
        return False
    redactor, plain = Redactor(secrets), handler.format

    def masked(self: logging.Handler, record: logging.LogRecord) -> str:
        return "\n".join(map(redactor, plain(self, record).split("\n")))

    handler.format = masked
    return True
