"""The names of images: registry, repository, tag; and what they become behind a mirror or a cache."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from penstock.project.images import ImageSource, PullThrough, StockImage
from penstock_runtime import task_definition as planned

if TYPE_CHECKING:
    from penstock.project.checks import Checks

DOCKER_HUB = "docker.io"
UPSTREAMS = ("docker.io", "public.ecr.aws", "quay.io", "ghcr.io", "registry.k8s.io", "registry.gitlab.com")
_OTHER_UPSTREAMS = re.compile(r"[a-z0-9-]+\.azurecr\.io|\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")
"""Amazon ECR API Reference, CreatePullThroughCacheRule, upstreamRegistryUrl."""
_WANT_LOG_IN = re.compile(r"docker\.io|ghcr\.io|registry\.gitlab\.com|.*\.azurecr\.io")
"""Amazon ECR User Guide, "Creating a pull through cache rule": those that ECR does not read without a log-in."""


def split(reference: str) -> tuple[str, str]:
    """Registry, and repository with tag or digest: `acme/refresh:7` is `docker.io`, `acme/refresh:7`."""
    first, slash, rest = reference.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first, rest
    return DOCKER_HUB, reference


def located(reference: str, source: ImageSource, credentials: planned.Secret | None, prefix: str) -> planned.Image:
    """The image of that name as its source has it.

    Args:
        prefix: of a pull-through rule that names none.
    """
    registry, rest = split(reference)
    if source.mirror is not None:
        return planned.Image("registry", f"{source.mirror}/{rest}")
    if source.pull_through is not None:
        official = registry == DOCKER_HUB and "/" not in rest
        prefix = rule_prefix(source.pull_through, prefix)
        return planned.Image("cached", f"{prefix}/{'library/' if official else ''}{rest}")
    return planned.Image("registry", reference, credentials=credentials)


def rule(source: PullThrough, prefix: str) -> planned.PullThrough | None:
    """The rule that the deploy makes; None where there is one already."""
    if not source.create:
        return None
    upstream = "registry-1.docker.io" if source.upstream == DOCKER_HUB else source.upstream
    return planned.PullThrough(rule_prefix(source, prefix), upstream, source.credentials)


def rule_prefix(source: PullThrough, prefix: str) -> str:
    """The rule's own prefix, or one made of the environment's and the registry: unique in an account, 30 characters."""
    if source.prefix is not None:
        return source.prefix
    digest = hashlib.sha256(f"{prefix} {source.upstream}".encode()).hexdigest()[:6]
    return f"{prefix[:23].rstrip('-')}-{digest}"


def wrong_source(engine: str, source: ImageSource) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """What is wrong with a source: text, fix, and where below it."""
    ways = [name for name in ("mirror", "pull_through", "credentials") if getattr(source, name) is not None]
    if len(ways) > 1:
        yield f"images.{engine} has {' and '.join(ways)}, which exclude each other", "keep one", (ways[1],)
    if isinstance(source, StockImage) and source.tag is not None and source.digest is not None:
        yield f"images.{engine} has both a tag and a digest", "keep one of them", ("digest",)
    if isinstance(source, StockImage) and re.search(r":[^/]*$", source.repository or ""):
        yield "repository holds a tag", "write the tag as tag: …", ("repository",)
    cache = source.pull_through
    if cache is None:
        return
    if cache.upstream not in UPSTREAMS and not _OTHER_UPSTREAMS.fullmatch(cache.upstream):
        what = f"ECR's pull-through cache does not know the registry {cache.upstream[:60]!r}"
        yield what, f"use one of: {', '.join(UPSTREAMS)}, or mirror: …", ("pull_through", "upstream")
    elif cache.create and cache.credentials is None and _WANT_LOG_IN.fullmatch(cache.upstream):
        fix = "add credentials: the full ARN of a secret named ecr-pullthroughcache/…, or create: false"
        yield f"{cache.upstream} wants a log-in from ECR", fix, ("pull_through", "upstream")
    if not cache.create and cache.prefix is None:
        yield "a rule that exists has a prefix", "add prefix: …", ("pull_through",)
    if not cache.create and cache.credentials is not None:
        yield "a rule that exists has its credentials", "remove them", ("pull_through", "credentials")


def check_pull_through(checks: Checks, reference: str, source: ImageSource, *path: Any) -> None:
    """An image that comes through a cache is in the registry that the cache is for."""
    if source.pull_through is None or split(reference)[0] == source.pull_through.upstream:
        return
    upstream = source.pull_through.upstream
    what = f"the image {reference[:80]!r} is not in {upstream[:60]}, which it is to be pulled through from"
    fix = f"write the name that it has in {upstream[:60]}, or use mirror: …"
    if isinstance(source, StockImage):
        fix = f"add repository: the name that it has in {upstream[:60]}, such as docker.io/openmetadata/ingestion"
    checks.add(what, fix, *path)
