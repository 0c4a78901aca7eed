"""The OpenMetadata server of a project."""

from __future__ import annotations

from pydantic import Field

from penstock.project.files.model import Source
from penstock.project.schema.model import Strict
from penstock.project.schema.patterns import worded_pattern

_ADDRESS = worded_pattern(
    r"^https?://\S+$", "an address that begins with https:// or http://", "write https://<host>/api, without spaces"
)


class Auth(Strict):
    """How workflows sign in to the OpenMetadata server."""

    jwt_token: str
    """The bot's token, as `${NAME}` of a secret."""


class OpenMetadata(Strict):
    """The OpenMetadata server. Fills what workflow files leave out."""

    server: str | None = Field(None, pattern=_ADDRESS)
    """Address of its API, ending in `/api`. Without it the run takes it from OPENMETADATA_SERVER."""
    version: str
    """The server's version; the ingestion image follows from it."""
    auth: Auth | None = None
    """How to sign in."""
    requirements: str | None = Field(None, min_length=1)
    """The lock that tasks with `operator: virtualenv` install: a requirements.txt with hashes, relative to the project
    file, with `openmetadata-ingestion` of the server's version and the connectors in use. Default: Penstock's own lock
    where it has one of that version, with the connector for PostgreSQL."""
    ca_certificate: Source | None = None
    """The certificate in PEM of the authority that signed the server's, where that is a private one: a file of the
    project, or `{secret: NAME}`. Workflows that say nothing themselves check the server's certificate against it."""
