"""What IAM attaches to one role. IAM User Guide, "IAM and AWS STS quotas", looked at on 2026-11-30.

The stacks import nothing of `penstock`: `stacks/managed_policies.py` says the same once more, and a test compares.
"""

from __future__ import annotations

MAX_INLINE_CHARACTERS = 10_240
"""Characters of all inline policies of a role together, white space not counted."""
MAX_POLICY_CHARACTERS = 6_144
"""Characters of one managed policy, counted alike."""
MAX_POLICIES = 10
"""Managed policies of one role, unless the quota is raised."""
