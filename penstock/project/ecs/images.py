"""Where images come from: under their own names, from a mirror, ECR's pull-through cache, a private registry."""

from __future__ import annotations

from pydantic import Field

from penstock.project.schema.model import Strict
from penstock.project.schema.patterns import worded_pattern
from penstock.versions.openmetadata import OPENMETADATA_IMAGE

_PART = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
REPOSITORY = f"{_PART}(/{_PART})*"
"""The name of a repository; github.com/distribution/reference, reference.go, remote-name."""
AWS_DOMAIN = r"amazonaws\.(com|com\.cn|eu)"
"""Of the partitions aws, aws-cn and aws-eusc; botocore, partitions.json, dnsSuffix."""
ECR = rf"[0-9]{{12}}\.dkr\.ecr\.[a-z0-9-]+\.{AWS_DOMAIN}"
"""An ECR registry."""
_PREFIX = worded_pattern(
    f"^{REPOSITORY}$",
    "what can begin a repository's name",
    "use lower case and digits, with `.`, `_`, `-` or `/` between them, such as docker-hub",
)
_CACHE_SECRET = worded_pattern(
    r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:ecr-pullthroughcache/[A-Za-z0-9/_+=.@-]+$",
    "the full ARN of a secret whose name starts with ecr-pullthroughcache/",
    "write arn:aws:secretsmanager:<region>:<account>:secret:ecr-pullthroughcache/<name>-<6 characters>",
)
_MIRROR = worded_pattern(
    f"^{ECR}(/{REPOSITORY})?$",
    "an ECR registry",
    "write <account>.dkr.ecr.<region>.amazonaws.com, or that and /<prefix> in lower case",
)
_IMAGE = worded_pattern(
    r"^[A-Za-z0-9][A-Za-z0-9.:/_-]*$",
    "the name of an image",
    "write registry and name, such as docker.io/openmetadata/ingestion-base",
)
_TAG = worded_pattern(
    r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", "the tag of an image", "use 1 to 128 letters, digits, `_`, `.` and `-`"
)
_DIGEST = worded_pattern(
    r"^sha256:[0-9a-f]{64}$", "the digest of an image", "write sha256: and 64 hex digits in lower case"
)


class PullThrough(Strict):
    """A rule of ECR's pull-through cache in the account and region of the deploy."""

    upstream: str = Field(min_length=1, max_length=253)
    """The registry: docker.io, public.ecr.aws, quay.io, ghcr.io, registry.k8s.io, registry.gitlab.com, an address
    below azurecr.io, or an ECR registry."""
    # Amazon ECR API Reference, CreatePullThroughCacheRule, ecrRepositoryPrefix.
    prefix: str | None = Field(None, min_length=2, max_length=30, pattern=_PREFIX)
    """What the cached repositories' names start with, 2 to 30 characters. An account has one rule for each prefix and
    region, and a rule that exists cannot get another `upstream` or `credentials` under its prefix. Default: made of
    project, environment, upstream and credentials, so that they can."""
    create: bool = True
    """Whether the deploy makes the rule (default); false: it exists under `prefix`."""
    # The same, credentialArn: the name must begin so.
    credentials: str | None = Field(
        None,
        pattern=_CACHE_SECRET,
        max_length=612,
    )
    """Full ARN of the secret with the registry's log-in, where it needs one (docker.io, ghcr.io, registry.gitlab.com,
    azurecr.io). Its name must start with `ecr-pullthroughcache/`."""


class ImageSource(Strict):
    """Where the images of an engine's tasks come from, where not from where their names say."""

    mirror: str | None = Field(None, pattern=_MIRROR, max_length=256)
    """An ECR registry, with a prefix or without, that holds copies: `acme/refresh:7` is `<mirror>/acme/refresh:7`."""
    pull_through: PullThrough | None = None
    """ECR's pull-through cache."""
    credentials: str | None = None
    """Name of a secret of the project: a JSON secret with `username` and `password` for a private registry."""


class StockImage(ImageSource):
    """OpenMetadata's image for ingestion."""

    repository: str | None = Field(None, pattern=_IMAGE, max_length=255)
    """Registry and name. Default: docker.getcollate.io/openmetadata/ingestion-base. An image of your own must have the
    package and its connectors, Python 3.10 or later as `python3`, and certificates of authorities."""
    tag: str | None = Field(None, pattern=_TAG)
    """Default: the version of the OpenMetadata server."""
    digest: str | None = Field(None, pattern=_DIGEST)
    """Instead of a tag: `sha256:` and 64 hex digits."""

    build: str | None = Field(None, min_length=1)
    """Instead of all these: a folder of the project with a `requirements.txt`, which holds a hash for each package. A
    slim image is built from it, with the connectors in use and nothing else. The deploy then needs Docker."""

    def named(self, version: str) -> str:
        """The image's full name, for a server of that version."""
        repository = OPENMETADATA_IMAGE if self.repository is None else self.repository
        return f"{repository}@{self.digest}" if self.digest is not None else f"{repository}:{self.tag or version}"


class Images(Strict):
    """Where images come from, engine by engine."""

    openmetadata: StockImage = StockImage()
    """OpenMetadata's ingestion image: of its workflows, and of plain commands that name no image."""
    meltano: ImageSource = ImageSource()
    """The image that `meltano.image` names. (Where it names none, the image is built.)"""
    command: ImageSource = ImageSource()
    """The images that plain commands name."""
