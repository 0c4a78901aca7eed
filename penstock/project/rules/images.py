"""Images: where they come from, whether the names that tasks give them can be pulled, and with which secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from penstock.problem import Problem
from penstock.project.ecs.image_names import (
    holds_tag,
    located,
    rule,
    split,
    wrong_address,
    wrong_reference,
    wrong_source,
)
from penstock.project.ecs.images import ImageSource, StockImage
from penstock.project.iam.checks import check_region
from penstock.project.secrets.checks import unknown_secret
from penstock.project.secrets.references import parse
from penstock.project.settings import Settings
from penstock_runtime.errors import InputError
from penstock_runtime.plan.schedule import ENGINES
from penstock_runtime.plan.task_definition import PullThrough


def check_images(settings: Settings) -> Iterator[Problem]:
    rules: dict[str, PullThrough] = {}
    for engine in ENGINES:
        source = getattr(settings.images, engine)
        here = ("images", engine)
        yield from (problem.below(*here) for problem in wrong_source(engine, source))
        if source.pull_through is not None:
            pull_through = rule(source.pull_through, "")
            if pull_through is not None and rules.setdefault(pull_through.prefix, pull_through) != pull_through:
                what = f"two pull-through rules have the prefix {pull_through.prefix!r}"
                yield Problem(what, "give them the same settings, or another prefix", (*here, "pull_through", "prefix"))
            yield from check_region(
                source.pull_through.credentials, settings.region, *here, "pull_through", "credentials"
            )
        if source.credentials is not None:
            yield from _check_credentials(source.credentials, settings.secrets, *here, "credentials")
    if settings.images.meltano.model_fields_set and (settings.meltano is None or settings.meltano.image is None):
        fix = "remove it, or name an image: meltano: {image: …}"
        yield Problem("Meltano's image is built, and comes from nowhere else", fix, ("images", "meltano"))
    for job, listed in settings.jobs.items():
        for index, task in enumerate(listed.tasks):
            if task.image is not None:
                place = ("jobs", job, "tasks", index, "image")
                yield from check_image(settings.region, task.image, settings.images.command, *place)
    if settings.meltano is not None and settings.meltano.image is not None:
        yield from check_image(settings.region, settings.meltano.image, settings.images.meltano, "meltano", "image")
    stock = settings.images.openmetadata
    if stock.build is not None:
        for other in sorted(stock.model_fields_set - {"build"}):
            what = f"an image that is built comes from nowhere else, so `{other}` has no place beside build"
            yield Problem(what, "keep one of them", ("images", "openmetadata", other), at_key=True)
    if not holds_tag(stock.repository or ""):
        here = ("images", "openmetadata")
        yield from check_image(
            settings.region, stock.named("latest"), stock, *here, *(("repository",) if stock.repository else ())
        )


def _check_credentials(name: str, secrets: Mapping[str, str], *path: str | int) -> Iterator[Problem]:
    yield from unknown_secret(name, secrets, *path)
    reference = secrets.get(name)
    if reference is None:
        return
    try:
        secret = parse(name, reference, "")
    except InputError:
        return  # reported where the secret is
    if secret.store != "secretsmanager" or secret.key is not None:
        # Amazon ECS Developer Guide, "Using non-AWS container images": a whole secret in Secrets Manager.
        fix = "name a secret secretsmanager:<name> whose JSON has username and password"
        yield Problem(f"secret {name!r} cannot be the log-in of a registry", fix, path)


def check_image(region: str, reference: str, source: ImageSource, *path: str | int) -> Iterator[Problem]:
    """An image has a name that can be pulled, from its mirror too, and is where its cache looks for it."""
    wrong = wrong_reference(reference) or wrong_address(reference)
    if wrong is None:
        # As long as what it will be: the number of an account, and 30 characters for a prefix that is not named.
        registry = f"{'0' * 12}.dkr.ecr.{region}.amazonaws.com/" if source.pull_through else ""
        image = located(reference, source, None, "x" * 23).reference
        wrong = wrong_reference(registry + image)
    if wrong is not None:
        yield wrong.at(*path)
        return
    yield from _check_pull_through(reference, source, *path)


def _check_pull_through(reference: str, source: ImageSource, *path: str | int) -> Iterator[Problem]:
    """An image that comes through a cache is in the registry that the cache is for."""
    if source.pull_through is None or split(reference)[0] == source.pull_through.upstream:
        return
    upstream = source.pull_through.upstream
    what = f"the image {reference[:80]!r} is not in {upstream[:60]}, which it is to be pulled through from"
    fix = f"write the name that it has in {upstream[:60]}, or use mirror: …"
    if isinstance(source, StockImage):
        fix = f"add repository: the name that it has in {upstream[:60]}, such as docker.io/openmetadata/ingestion-base"
    yield Problem(what, fix, path)
