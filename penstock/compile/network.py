"""The network of a plan: what it is, where a task runs, and which images it cannot reach."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from penstock.compile.endpoints import endpoints_of
from penstock.problem import DocumentPath, Problem
from penstock.project.ecs.image_names import located
from penstock.project.ecs.images import AWS_DOMAIN, ImageSource
from penstock.project.network.hosts import is_sealed
from penstock.project.network.model import Network
from penstock.project.settings import Settings
from penstock_runtime.plan import network as planned
from penstock_runtime.plan.task_definition import TaskDefinition


def network_of(
    settings: Settings,
    definitions: Sequence[TaskDefinition],
    options: Mapping[str, str],
) -> planned.Network:
    """The plan's network.

    Args:
        definitions: the plan's task definitions; their secrets say which stores must be reached.
        options: Airflow's.
    """
    if (use := settings.network.use) is not None:
        adopted = settings.airflow.use.security_groups if settings.airflow.use else []
        return planned.Network(
            cidr=None,
            egress=None,
            vpc=use.vpc,
            private_subnets=tuple(use.private_subnets),
            task_subnets=tuple(use.task_subnets),
            assign_public_ip=use.assign_public_ip,
            task_security_groups=tuple(use.task_security_groups or use.security_groups or adopted),
            airflow_security_groups=tuple(use.airflow_security_groups or use.security_groups),
            endpoint_security_groups=tuple(use.shared_by.security_groups) if use.shared_by else (),
            shared=use.shared_by is not None,
            endpoint_role=use.shared_by.role if use.shared_by else None,
            nat_gateways=0,
            flow_log_days=None,
        )
    create = settings.network.create
    assert create is not None, "load has checked that it is one of the two"
    alone = create.egress == "endpoints"
    return planned.Network(
        cidr=create.cidr,
        egress=create.egress,
        zones=tuple(create.zones or ()),
        nat_gateways=0 if alone else 2 if create.nat_gateways is None else create.nat_gateways,
        endpoints=endpoints_of(settings, definitions, options),
        trusted_accounts=tuple(create.trusted_accounts),
        flow_log_days=create.flow_logs.retention_days if create.flow_logs.enabled else None,
    )


def place_of(network: Network, group: str | None) -> dict[str, Any]:
    """A task's `subnets` and `assign_public_ip`: those of a group, or none, which leaves it to the deploy."""
    if group is None or network.use is None:
        return {}
    subnets = network.use.subnet_groups[group]
    return {"subnets": tuple(subnets.subnets), "assign_public_ip": subnets.assign_public_ip}


def unreachable_images(settings: Settings, definitions: Iterable[TaskDefinition], prefix: str) -> Iterator[Problem]:
    """What a network without internet cannot run: a problem for each image.

    Args:
        prefix: the plan's.
    """
    if not is_sealed(settings.network):
        return
    seen = set()
    for definition in definitions:
        image = definition.image
        if image.kind == "built" or image.reference in seen or in_region(image.reference, settings.region):
            continue
        seen.add(image.reference)
        engine, own, place = _named_by(settings, definition, prefix)
        source: ImageSource = getattr(settings.images, engine)
        why = f"a network with `egress: endpoints` pulls from ECR in {settings.region} only"
        setting = f"images.{engine}.mirror"
        if source.mirror is not None:
            place = ("images", engine, "mirror")
        elif source.pull_through is not None:
            # Amazon ECR User Guide, "Interface VPC endpoints", considerations.
            why = "ECR fetches it for its cache through a NAT gateway of the VPC, and `egress: endpoints` has none"
            setting += " instead of pull_through"
            place = ("images", engine, "pull_through")
        elif own is not None:
            setting += f" or {own}"
        yield Problem(
            f"image {image.reference[:120]!r} is out of reach: {why}",
            f"put a copy into ECR of {settings.region} and name it: set {setting}; or write egress: nat",
            place,
        )


def in_region(reference: str, region: str) -> bool:
    """Whether an image is in ECR of a region, whoever's: `<account>.dkr.ecr.<region>.amazonaws.com/…`."""
    return re.match(rf"[0-9]{{12}}\.dkr\.ecr\.{region}\.{AWS_DOMAIN}/", reference) is not None


def warnings(settings: Settings) -> Iterator[tuple[str, DocumentPath]]:
    """What a deploy should not overlook about the network: (text, where)."""
    create, use = settings.network.create, settings.network.use
    if use is not None and use.shared_by is not None and use.shared_by.role is None and settings.airflow.create:
        # API Reference, CreateEnvironment, EndpointManagement: 72 hours.
        yield (
            "with no role of its owner's, the owner of the VPC makes the endpoints by hand: the environment waits for "
            "them in PENDING, and fails after 72 hours; docs/shared-vpc.md has the commands",
            ("network", "use", "shared_by"),
        )
    if create is not None and not ipaddress.IPv4Network(create.cidr).is_private:
        text = f"{create.cidr} is not a private range: hosts of the internet with these addresses cannot be reached"
        yield text, ("network", "create", "cidr")
    airflow = settings.airflow.create
    if (
        airflow is not None
        and airflow.access == "public"
        and is_sealed(settings.network)
        and airflow.version[:2] == "3."
    ):
        # botocore, `WebserverAccessMode`: only with the other two is there a private endpoint of the web server.
        yield (
            "Airflow 3's workers call the web server, which with `access: public` has no address inside the network, "
            "and with `egress: endpoints` nothing gets out: no task would start; use access: private",
            ("airflow", "create", "access"),
        )
    if settings.region.startswith("cn-"):
        yield "Penstock was never tried in AWS's regions in China: try a small environment first", ("region",)


def _named_by(settings: Settings, definition: TaskDefinition, prefix: str) -> tuple[str, str | None, DocumentPath]:
    """Who names a definition's image: the engine in `images`, the setting besides, and its place."""
    if definition.engine == "meltano":
        return "meltano", "meltano.image", ("meltano", "image")
    for name, job in settings.jobs.items():
        for index, task in enumerate(job.tasks):
            if task.image is not None:
                image = located(task.image, settings.images.command, None, prefix)
                if image.reference == definition.image.reference:
                    return "command", "the task's image", ("jobs", name, "tasks", index, "image")
    return "openmetadata", None, ("openmetadata", "version")
