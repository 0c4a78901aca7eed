"""What an organization asks of every role."""

from __future__ import annotations

from pydantic import Field

from penstock.aws import arns
from penstock.project.schema.model import Strict
from penstock.project.schema.patterns import worded_pattern

MAX_ROLE_NAME_PREFIX = 16
"""A role's name has at most 64 characters (IAM); the longest of ours has 48 without a prefix."""
_PATH = worded_pattern(r"^/([A-Za-z0-9_+=,.@-]+/)*$", "a path that begins and ends with /", "write one such as /data/")
_PART = worded_pattern(r"^[A-Za-z0-9_+=,.@-]*$", "what can begin a role's name", "use letters, digits and _+=,.@-")
_QUALIFIER = worded_pattern(
    r"^[A-Za-z0-9_-]{1,10}$", "a qualifier of CDK's bootstrap", "use 1 to 10 letters, digits, `_` and `-`"
)


class Iam(Strict):
    """What an organization asks of every role that a deploy makes."""

    permissions_boundary: str | None = Field(
        None,
        pattern=worded_pattern(
            f"^{arns.POLICY}$",
            "the ARN of a policy",
            "write arn:aws:iam::<account>:policy/<name>",
        ),
    )
    """ARN of the policy that is the permissions boundary of every role."""
    # IAM API Reference, CreateRole, Path.
    role_path: str = Field("/", pattern=_PATH, max_length=512)
    """Path of every role: begins and ends with `/`. Default `/`."""
    role_name_prefix: str = Field("", pattern=_PART, max_length=MAX_ROLE_NAME_PREFIX)
    """What the name of every role starts with, at most 16 characters. Default: nothing."""
    # The parameter Qualifier of CDK's bootstrap template.
    bootstrap_qualifier: str | None = Field(None, pattern=_QUALIFIER)
    """Qualifier of the CDK bootstrap to deploy with (`cdk bootstrap --qualifier`). Default: CDK's own."""
