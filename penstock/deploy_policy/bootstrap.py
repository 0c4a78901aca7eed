"""CDK's bootstrap of an account and region: whose execution role it is, and the commands that give it our policies."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from penstock.aws.arns import partition_of
from penstock.deploy_policy.documents import Policy
from penstock.deploy_policy.scope import QUALIFIER
from penstock_runtime.plan.plan import Plan


@dataclass(frozen=True)
class Bootstrap:
    """There is one execution role for each of these."""

    account: str
    region: str
    qualifier: str
    """CDK's own where the project names none."""

    @classmethod
    def of(cls, plan: Plan, account: str) -> Bootstrap:
        """The one that the plan's environment deploys with."""
        return cls(account, plan.region, plan.iam.bootstrap_qualifier or QUALIFIER)

    @property
    def role(self) -> str:
        """Name of the execution role, as CDK's bootstrap template has it."""
        return f"cdk-{self.qualifier}-cfn-exec-role-{self.account}-{self.region}"

    def policy_name(self, plans: Sequence[Plan]) -> str:
        """What the policies for these environments are called, before their number; IAM takes 128 characters."""
        if len(plans) == 1:
            return f"penstock-{plans[0].prefix}"
        return f"penstock-{plans[0].project}-{self.qualifier}-{self.region}"

    def commands(self, policies: Sequence[Policy], folder: str) -> list[str]:
        """What makes the policies of the files in `folder`, and gives them to the role in the place of its own."""
        creations = [
            shlex.join(
                ["aws", "iam", "create-policy", "--policy-name", policy.name, "--policy-document", f"file://{path}"]
            )
            for policy, path in ((policy, f"{folder}/{file_of(policy)}") for policy in policies)
        ]
        arns = [f"arn:{partition_of(self.region)}:iam::{self.account}:policy/{policy.name}" for policy in policies]
        bootstrap = ["npx", "cdk", "bootstrap", f"aws://{self.account}/{self.region}"]
        if self.qualifier != QUALIFIER:
            toolkit = f"CDKToolkit-{self.qualifier.replace('_', '-')}"
            bootstrap += ["--qualifier", self.qualifier, "--toolkit-stack-name", toolkit]
        return [*creations, shlex.join([*bootstrap, "--cloudformation-execution-policies", ",".join(arns)])]


def file_of(policy: Policy) -> str:
    """The file that a policy is written to."""
    return f"{policy.name}.json"
