"""What CloudFormation may be allowed to do: actions, on what, and if what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

When = Literal[
    "", "ours", "ours or none", "tagged ours", "bounded", "boundary", "known policy", "own policy", "for aws", "service"
]
"""A condition of a grant:

- `ours`: the resource has the project's tags, which everything in its stacks has.
- `ours or none`: or none of them. For what CloudFormation does while it makes something: it may tag it only then
  (aws-cloudformation/cloudformation-coverage-roadmap #714).
- `tagged ours`: the call gives it those tags.
- `bounded`: the role has the permissions boundary of the project, where the project has one.
- `boundary`: the same; nothing where it has none.
- `known policy`: `bounded`, and the policy is one that the templates attach to roles of ours.
- `own policy`: the policy is one that the templates make.
- `for aws`: a service of AWS makes the grant for itself.
- `service`: the role is the service's that the grant names.
"""


@dataclass(frozen=True)
class Grant:
    """Actions on some resources."""

    actions: tuple[str, ...]
    on: tuple[str, ...]
    """ARNs without `arn:<partition>:`; what is in braces is filled by `Scope.fill`, and one of which nothing is there
    falls away. `*`: the service knows no resource for it."""
    when: When = ""
    why: str = ""
    """Why it is on `*`, or not narrower."""
    service: str = ""
    """For `when="service"`."""


def on(actions: str, *resources: str, when: When = "", why: str = "", service: str = "") -> Grant:
    """Write a grant down; actions have blanks between them, and no resource is `*`."""
    return Grant(tuple(actions.split()), resources or ("*",), when, why, service)


def linked_role(service: str) -> Grant:
    """A service-linked role, where the account has none yet."""
    arn = f"iam::{{account}}:role/aws-service-role/{service}/*"
    return on("iam:CreateServiceLinkedRole", arn, when="service", service=service)
