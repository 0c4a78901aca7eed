"""What a project builds on: its OpenMetadata server, its Meltano project, what the embedded mode brings along."""

from __future__ import annotations

from pydantic import Field

from penstock.project.files.model import MAX_FILES, Files, Source
from penstock.project.iam.permissions import Permission
from penstock.project.schema.model import Strict
from penstock.project.schema.patterns import shape

_ADDRESS = shape(
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
    ca_certificate: Source | None = None
    """The certificate in PEM of the authority that signed the server's, where that is a private one: a file of the
    project, or `{secret: NAME}`. Workflows that say nothing themselves check the server's certificate against it."""


class Meltano(Strict):
    """The Meltano project. Its jobs and schedules come in unchanged."""

    project: str = Field(min_length=1)
    """The folder that holds `meltano.yml`, relative to the project file."""
    environment: str | None = Field(None, min_length=1)
    """The Meltano environment to run in. Default: `default_environment` of `meltano.yml`. Leave it out if that
    file has no environments: `meltano elt` runs without."""
    image: str | None = Field(None, min_length=1, max_length=500)
    """An image that holds the project (as its working directory), its plugins, `meltano[s3]` on its PATH, and Python
    3.10 or later as `python3`. Default: built from `project`."""
    secrets: list[str] = Field(default_factory=list)
    """Secrets that all Meltano tasks get besides those that Meltano's files name: by a reference, or as a setting of a
    plugin (`TAP_GITLAB_PRIVATE_TOKEN`)."""
    permissions: list[Permission] = Field(default_factory=list, max_length=50)
    """What all Meltano tasks may do in AWS, besides their own `permissions` and their job's."""
    files: Files = Field(default_factory=dict, max_length=MAX_FILES)
    """Files that all Meltano tasks get, besides their own `files` and their job's."""


class Warehouse(Strict):
    """Which variables and secrets describe the warehouse; each value is the name of one."""

    host: str
    """Gets the host."""
    port: str
    """Gets the port."""
    database: str
    """Gets the database's name."""
    user: str
    """Gets the user."""
    password: str
    """Gets the password."""


class Embedded(Strict):
    """What the embedded mode (`penstock up`) brings along."""

    warehouse: Warehouse | None = None
    """Its PostgreSQL."""
