"""The check before a deploy changes anything."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

from penstock_runtime.plan.plan import Plan
from stacks.release.function import manifest_statements, own_stack_statement, release_function, release_resource
from stacks.release.source import Source


class ReleaseCheck(Construct):
    """Fails the deploy if the live release is newer than the one to be deployed. Changes nothing."""

    def __init__(
        self, scope: Construct, name: str, *, plan: Plan, release: str, source: Source, artifacts: s3.IBucket
    ) -> None:
        super().__init__(scope, name)
        stack = cdk.Stack.of(self)
        statements = [*manifest_statements(artifacts, write=False), own_stack_statement(stack)]
        function = release_function(self, statements)
        release_resource(self, function, "check", plan, release, source, artifacts=artifacts)
