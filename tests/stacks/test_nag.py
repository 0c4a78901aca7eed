"""cdk-nag's AwsSolutions rules: every finding is mended, or acknowledged on its construct with a reason."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import aws_cdk as cdk
import pytest

from penstock_runtime.plan.plan import Plan
from stacks.build import build_stacks
from tests.stacks import plans


def check(plan: Plan, folder: Path) -> cdk.App:
    app = plans.application(folder / "cdk.out")
    build_stacks(app, plan, plans.files(folder), account=None)
    plans.judge(app)
    return app


PLANS = {
    "account": plans.PLAN,
    "any account": dataclasses.replace(plans.PLAN, account=None),
    "existing network": plans.EXISTING,
    "security groups made": plans.UNNAMED,
    "endpoints only": plans.SEALED,
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_no_finding_is_left(tmp_path: Path, plan: Plan) -> None:
    """A finding that is not acknowledged fails the synth, and so this test."""
    check(plan, tmp_path).synth()


def test_a_finding_would_fail_the_synth(tmp_path: Path) -> None:
    """The check is a check: a bucket without TLS is found."""
    app = check(plans.PLAN, tmp_path)
    stack = cdk.Stack(app, "open", env=cdk.Environment(account=plans.ACCOUNT, region=plans.REGION))
    cdk.aws_s3.CfnBucket(stack, "Bucket")

    with pytest.raises(RuntimeError, match="AwsSolutions-S10"):
        app.synth()
