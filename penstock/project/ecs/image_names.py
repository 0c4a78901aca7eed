"""The names of images: registry, repository, tag; and what they become behind a mirror or a cache."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from penstock.aws.arns import domain_of
from penstock.problem import Problem
from penstock.project.document.problems import shown
from penstock.project.ecs.images import AWS_DOMAIN, ECR, REPOSITORY, ImageSource, PullThrough, StockImage
from penstock_runtime.plan import task_definition as planned

DOCKER_HUB = "docker.io"
UPSTREAMS = ("docker.io", "public.ecr.aws", "quay.io", "ghcr.io", "registry.k8s.io", "registry.gitlab.com")
_OTHER_UPSTREAMS = re.compile(rf"[a-z0-9-]+\.azurecr\.io|{ECR}")
"""Amazon ECR API Reference, CreatePullThroughCacheRule, upstreamRegistryUrl."""
_WANT_LOG_IN = re.compile(r"docker\.io|ghcr\.io|registry\.gitlab\.com|.*\.azurecr\.io")
"""Amazon ECR User Guide, "Creating a pull through cache rule": those that ECR does not read without a log-in."""

MAX_REFERENCE = 255
"""Characters of an image's name; of one with a digest, those before the `@`. Amazon ECS API Reference,
ContainerDefinition, image."""
_HOST = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_REGISTRY = re.compile(rf"{_HOST}(\.{_HOST})*(:[0-9]+)?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
"""What Docker and containerd take: the grammar in github.com/distribution/reference, reference.go."""
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
"""ECS knows this algorithm alone (as above)."""


def split(reference: str) -> tuple[str, str]:
    """Registry, and repository with tag or digest: `acme/refresh:7` is `docker.io`, `acme/refresh:7`."""
    first, slash, rest = reference.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first, rest
    return DOCKER_HUB, reference


def holds_tag(name: str) -> bool:
    """Whether a name ends in a tag; the port of a registry is none."""
    return re.search(r":[^/]*$", name) is not None


def wrong_reference(reference: str) -> Problem | None:
    """Why nothing can pull an image of that name, and the fix; None where something can."""
    name, at, digest = reference.partition("@")
    seen = shown(reference)
    if "://" in reference:
        return Problem(f"the image {seen} is an address", f"write it without {reference.partition('//')[0][:20]}//")
    if at and not _DIGEST.fullmatch(digest):
        return Problem(f"the digest of the image {seen} is none", "write @sha256: and 64 hex digits in lower case")
    if len(name) > MAX_REFERENCE:
        return Problem(
            f"the image {seen} has {len(name)} characters, and ECS takes {MAX_REFERENCE}", "shorten its name or tag"
        )
    if holds_tag(name):
        name, _, tag = name.rpartition(":")
        if not _TAG.fullmatch(tag):
            return Problem(f"the tag of the image {seen} is none", "use 1 to 128 letters, digits, `_`, `.` and `-`")
    registry, repository = split(name)
    known = _REGISTRY.fullmatch(registry)
    if known and re.fullmatch(REPOSITORY, repository):
        return None
    if known and re.fullmatch(REPOSITORY, repository.lower()):
        fix = f"write {shown(name.lower())}, with its tag: names are lower case"
        return Problem(f"the image {seen} has capital letters in its name", fix)
    fix = "write [registry/]name[:tag], such as public.ecr.aws/docker/library/busybox:1.37, without spaces"
    return Problem(f"{seen} is not the name of an image", fix)


def wrong_address(name: str) -> Problem | None:
    """Why an ECR registry that begins a name is at no address of AWS, and the fix; None where it is, or is not one."""
    registry = re.match(
        rf"(?P<start>[0-9]{{12}}\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.)(?P<domain>{AWS_DOMAIN})(?=/|$)", name
    )
    if registry is None or registry["domain"] == (right := domain_of(registry["region"])):
        return None
    return Problem(
        f"registries of {registry['region']} are not below {registry['domain']}", f"write {registry['start']}{right}"
    )


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
    """The rule's own prefix, or one made of the environment's and of what a rule is fixed to: unique in an account, 30
    characters. So a rule with another log-in is another rule: CloudFormation makes it before it deletes the old one,
    and an account has a prefix once."""
    if source.prefix is not None:
        return source.prefix
    # Only where there is one, so that the rules without it keep their prefix.
    fixed = [source.upstream, *([source.credentials] if source.credentials is not None else [])]
    digest = hashlib.sha256(" ".join([prefix, *fixed]).encode()).hexdigest()[:6]
    return f"{prefix[:23].rstrip('-')}-{digest}"


def wrong_source(engine: str, source: ImageSource) -> Iterator[Problem]:
    """What is wrong with a source; paths are below it."""
    ways = [name for name in ("mirror", "pull_through", "credentials") if getattr(source, name) is not None]
    if len(ways) > 1:
        what = f"images.{engine} has {' and '.join(ways)}, which exclude each other"
        yield Problem(what, "keep one", (ways[1],))
    if isinstance(source, StockImage) and source.tag is not None and source.digest is not None:
        yield Problem(f"images.{engine} has both a tag and a digest", "keep one of them", ("digest",))
    if isinstance(source, StockImage) and holds_tag(source.repository or ""):
        yield Problem("repository holds a tag", "write the tag as tag: …", ("repository",))
    if wrong := wrong_address(source.mirror or ""):
        yield wrong.at("mirror")
    cache = source.pull_through
    if cache is None:
        return
    if wrong := wrong_address(cache.upstream):
        yield wrong.at("pull_through", "upstream")
    elif cache.upstream not in UPSTREAMS and not _OTHER_UPSTREAMS.fullmatch(cache.upstream):
        what = f"ECR's pull-through cache does not know the registry {cache.upstream[:60]!r}"
        yield Problem(what, f"use one of: {', '.join(UPSTREAMS)}, or mirror: …", ("pull_through", "upstream"))
    elif cache.create and cache.credentials is None and _WANT_LOG_IN.fullmatch(cache.upstream):
        fix = "add credentials: the full ARN of a secret named ecr-pullthroughcache/…, or create: false"
        yield Problem(f"{cache.upstream} needs a log-in from ECR", fix, ("pull_through", "upstream"))
    if not cache.create and cache.prefix is None:
        yield Problem("a rule that exists has a prefix", "add prefix: …", ("pull_through",))
    if not cache.create and cache.credentials is not None:
        yield Problem("a rule that exists has its credentials", "remove them", ("pull_through", "credentials"))
