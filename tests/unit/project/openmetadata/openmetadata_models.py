"""Models of our own with what the real ones have: roots, unions told apart by a key, secrets, limits, lists."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AnyUrl, BaseModel, ConfigDict, Field, RootModel, SecretStr

from penstock.project.openmetadata.shapes.export import export
from penstock.project.openmetadata.shapes.shapes import Shapes


class Closed(BaseModel):
    """Takes no key that it does not know."""

    model_config = ConfigDict(extra="forbid")


class Level(Enum):
    debug = "DEBUG"
    info = "INFO"
    error = "ERROR"


class PondType(Enum):
    pond = "Pond"


class LakeType(Enum):
    lake = "Lake"


class Password(Closed):
    password: SecretStr


class Role(Closed):
    roleName: str
    region: str | None = None


class Pond(Closed):
    type: PondType | None = PondType.pond
    hostPort: str
    login: Password | Role | None = None
    threads: Annotated[int, Field(ge=1, le=9)] = 1
    address: AnyUrl | None = None


class Lake(Closed):
    type: LakeType | None = LakeType.lake
    bucket: Annotated[str, Field(min_length=3, pattern="^[a-z]+$")]
    options: dict[str, str] | None = None


class Water(Closed):
    config: Pond | Lake | None = None


class MapType(Enum):
    atlas = "Atlas"


class Atlas(Closed):
    type: MapType | None = MapType.atlas
    scale: float


class Globe(Closed):
    type: Literal["Globe"]


class Maps(Closed):
    config: Atlas | Globe | None = None


class OnlyType(Enum):
    only = "Only"


class Only(Closed):
    type: OnlyType | None = OnlyType.only
    hostPort: str | None = None
    login: Password | None = None
    threads: int = 1
    address: str | None = None


class Sole(Closed):
    """A service with one kind of connection, which takes nearly what a pond takes."""

    config: Only | None = None


class Connection(RootModel[Sole | Water | Maps]):
    """As the package wraps its connections."""


class Patterns(Closed):
    includes: list[str] | None = None


class Source(Closed):
    type: str
    serviceName: str | None = None
    serviceConnection: Connection | None = None
    patterns: Patterns | None = None


class Provider(Enum):
    openmetadata = "openmetadata"
    google = "google"


class Server(Closed):
    hostPort: str
    authProvider: Provider | None = None
    storeServiceConnection: bool | None = None
    securityConfig: dict[str, str] | None = None


class Config(BaseModel):
    """Other keys are passed over."""

    loggerLevel: Level | None = Level.info
    openMetadataServerConfig: Server


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")

    inner: Loose | None = None


class Workflow(Closed):
    source: Source
    sink: Loose | None = None
    workflowConfig: Config
    pipelineRunId: UUID | None = None
    ingestionPipelineFQN: str | None = None
    loose: Loose | None = None


def shapes(package: str = "1.12.14.2") -> Shapes:
    """The shapes of `Workflow`, as a version of the package that is not there."""
    return Shapes({**export({"workflow": Workflow, "application": Closed}), "package": package})
