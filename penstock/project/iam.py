"""What an organization asks of every role."""

from __future__ import annotations

from pydantic import Field

from penstock.project.strict import Strict

MAX_ROLE_NAME_PREFIX = 16
"""A role's name has at most 64 characters (IAM); the longest of ours has 48 without a prefix."""


class Iam(Strict):
    """What an organization asks of every role that a deploy makes."""

    permissions_boundary: str | None = Field(
        None, pattern=r"^arn:aws[a-z-]*:iam::(aws|\d{12}):policy/[A-Za-z0-9_+=,.@/-]+$"
    )
    """ARN of the policy that is the permissions boundary of every role."""
    # IAM API Reference, CreateRole, Path.
    role_path: str = Field("/", pattern=r"^/([A-Za-z0-9_+=,.@-]+/)*$", max_length=512)
    """Path of every role: begins and ends with `/`. Default `/`."""
    role_name_prefix: str = Field("", pattern=r"^[A-Za-z0-9_+=,.@-]*$", max_length=MAX_ROLE_NAME_PREFIX)
    """What the name of every role starts with, at most 16 characters. Default: nothing."""
    # The parameter Qualifier of CDK's bootstrap template.
    bootstrap_qualifier: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,10}$")
    """Qualifier of the CDK bootstrap to deploy with (`cdk bootstrap --qualifier`). Default: CDK's own."""
