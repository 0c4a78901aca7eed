"""What the stacks know of IAM's limits, beside what the desk knows of them."""

from __future__ import annotations

from penstock.aws import iam
from stacks import managed_policies


def test_stacks_and_desk_know_the_same_limits() -> None:
    """They import nothing of each other, and a plan that compiles must fit when it is synthesized."""
    assert managed_policies.MAX_INLINE_CHARACTERS == iam.MAX_INLINE_CHARACTERS
    assert managed_policies.MAX_POLICY_CHARACTERS == iam.MAX_POLICY_CHARACTERS
    assert managed_policies.USUAL_POLICIES == iam.MAX_POLICIES
