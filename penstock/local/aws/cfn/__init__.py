"""CloudFormation resource types that ministack lacks or has wrong, and the checks that it does not make.

A handler is one of ministack's: `create(logical_id, properties, stack) -> (physical id, attributes)`,
`update(physical_id, old, new, stack) -> (physical id, attributes)`, `delete(physical_id, properties)`; an error that it
raises fails the stack operation, which then rolls back. An update that returns another physical id is a replacement:
the old resource is deleted once the update has succeeded.
"""

from __future__ import annotations

from typing import Any

from penstock.local.aws import compat
from penstock.local.aws.cfn import (
    bucket,
    cluster,
    custom,
    definition,
    exports,
    mwaa,
    mwaa_endpoints,
    named_network,
    network,
    pull_through,
    refusals,
    secret,
)
from penstock.local.aws.endpoint import Endpoint


def install(endpoint: Endpoint) -> None:
    """Register the handlers and put the checks in place."""
    handlers: dict[str, dict[str, Any]] = compat.provisioners._RESOURCE_HANDLERS
    handlers.update(network.HANDLERS | mwaa.HANDLERS | definition.HANDLERS | cluster.HANDLERS)
    handlers.update(pull_through.HANDLERS)
    handlers.update(custom.handlers(endpoint))
    handlers.update(named_network.handlers(handlers))
    network.complete_vpc(handlers["AWS::EC2::VPC"])
    mwaa_endpoints.correct(handlers["AWS::EC2::VPCEndpoint"])
    bucket.correct(handlers["AWS::S3::Bucket"])
    secret.correct(handlers["AWS::SecretsManager::Secret"])
    exports.install()
    refusals.install()
    compat.provisioners._custom_resource_create = custom.refuse
