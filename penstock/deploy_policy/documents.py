"""Statements → managed policies, as few as their size asks for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from penstock.deploy_policy.statements import Statement
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan.iam_limits import MAX_POLICIES, MAX_POLICY_CHARACTERS


@dataclass(frozen=True)
class Policy:
    """One managed policy."""

    name: str
    statements: tuple[Statement, ...]

    @property
    def document(self) -> dict[str, Any]:
        """As `aws iam create-policy` takes it. Each statement is numbered, so that its reasons can be told apart."""
        statements = [{"Sid": sid, **statement.as_json()} for sid, statement in self.by_sid.items()]
        return {"Version": "2012-10-17", "Statement": statements}

    @property
    def by_sid(self) -> dict[str, Statement]:
        """Id of each statement → statement."""
        return {f"S{number}": statement for number, statement in enumerate(self.statements, 1)}

    @property
    def size(self) -> int:
        """Characters, as IAM counts them."""
        return len(json.dumps(self.document, separators=(",", ":")))


def pack(statements: Sequence[Statement], name: str) -> list[Policy]:
    """The statements as policies `<name>-1`, `<name>-2`, ….

    Raises:
        PenstockError: they are more than a role can have.
    """
    policies = [Policy(f"{name}-1", ())]
    for statement in statements:
        for part in _parts(statement):
            wider = replace(policies[-1], statements=(*policies[-1].statements, part))
            if wider.size <= MAX_POLICY_CHARACTERS:
                policies[-1] = wider
            else:
                policies.append(Policy(f"{name}-{len(policies) + 1}", (part,)))
    if len(policies) > MAX_POLICIES:
        raise PenstockError(
            f"the environments need {len(policies)} managed policies, and IAM attaches {MAX_POLICIES} to a role",
            fix="give environments a bootstrap of their own: iam.bootstrap_qualifier",
        )
    return policies


def _parts(statement: Statement) -> list[Statement]:
    """One that alone is too long, cut by its resources."""
    whole = Policy("", (statement,))
    if whole.size <= MAX_POLICY_CHARACTERS or len(statement.resources) == 1:
        return [statement]
    middle = len(statement.resources) // 2
    halves = (statement.resources[:middle], statement.resources[middle:])
    return [part for half in halves for part in _parts(replace(statement, resources=half))]
