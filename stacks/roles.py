"""What an organization requires of every role: applied to all of them, including those of CDK's own functions."""

from __future__ import annotations

import hashlib

import aws_cdk as cdk
import jsii
from constructs import Construct, IConstruct

from penstock_runtime.plan.plan import Iam, Plan

ROLE = "AWS::IAM::Role"


def apply_role_settings(scope: Construct, plan: Plan) -> None:
    """Give every role below `scope` the permissions boundary, path and name that the plan asks for."""
    if (plan.iam.permissions_boundary, plan.iam.role_path, plan.iam.role_name_prefix) != (None, "/", ""):
        cdk.Aspects.of(scope).add(_Roles(plan))


def role_arn(stack: cdk.Stack, settings: Iam, name: str) -> str:
    """The ARN of one of Penstock's roles by its name; its path is part of it."""
    return stack.format_arn(service="iam", region="", resource="role", resource_name=f"{settings.role_path[1:]}{name}")


@jsii.implements(cdk.IAspect)
class _Roles:
    def __init__(self, plan: Plan) -> None:
        self._plan, self._settings = plan, plan.iam

    def visit(self, node: IConstruct) -> None:
        """Called by CDK for each construct."""
        if not isinstance(node, cdk.CfnResource) or node.cfn_resource_type != ROLE:
            return
        # Overrides, since a role may be CDK's own raw resource and no CfnRole.
        if self._settings.permissions_boundary is not None:
            node.add_property_override("PermissionsBoundary", self._settings.permissions_boundary)
        if self._settings.role_path != "/":
            node.add_property_override("Path", self._settings.role_path)
        # A Role without a name has a token for it, which resolves to nothing.
        named = cdk.Stack.of(node).resolve(getattr(node, "role_name", None)) is not None
        if self._settings.role_name_prefix and not named:
            node.add_property_override("RoleName", self._name(node))

    def _name(self, node: IConstruct) -> str:
        """A name for a role that has none, at most 58 characters; IAM knows no regions, hence the digest."""
        # A role with another path is made beside the old one, so it needs another name.
        path = f"{self._plan.region} {self._settings.role_path[1:]}{node.node.path}"
        digest = hashlib.sha256(path.encode()).hexdigest()[:8]
        return f"{self._settings.role_name_prefix}{self._plan.prefix}-{digest}"
