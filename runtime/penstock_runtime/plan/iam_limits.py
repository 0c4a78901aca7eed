"""What IAM attaches to one role: a plan that compiles must fit when it is synthesized.

IAM User Guide, "IAM and AWS STS quotas", looked at on 2026-11-30. It is here because the desk and the stacks import
nothing of each other. Nothing that runs in the cloud reads it.
"""

from __future__ import annotations

MAX_INLINE_CHARACTERS = 10_240
"""Characters of all inline policies of a role together, white space not counted."""
MAX_POLICY_CHARACTERS = 6_144
"""Characters of one managed policy, counted alike."""
MAX_POLICIES = 10
"""Managed policies of one role, unless the quota is raised."""
MAX_RAISED_POLICIES = 20
"""Managed policies of one role at most, after a request."""
