"""State machines whose calls are made as their role: what its policy does not grant fails here too.

ministack runs the machine itself and calls its own services as nobody. Here each `aws-sdk` task is a call of the API,
signed with a session of the machine's role, or of the role that the state's `Credentials` name.
Sources: AWS Step Functions Developer Guide, "Using AWS SDK service integrations" (parameters and errors) and "Accessing
resources in other AWS accounts" (`Credentials`).
"""

from __future__ import annotations

import contextvars
import json
from dataclasses import dataclass
from typing import Any

import botocore.exceptions
from botocore import xform_name

from penstock.local.aws import compat, iam
from penstock.local.aws.endpoint import Endpoint, Keys

SESSION_SECONDS = 900
_SERVICE = "states.amazonaws.com"
_TASK: contextvars.ContextVar[tuple[dict[str, Any], dict[str, Any]] | None] = contextvars.ContextVar(
    "penstock_state", default=None
)
"""Execution and state whose task is being done."""


def install(endpoint: Endpoint) -> None:
    """Put our calls in the place of ministack's."""
    calls, execute = Calls(endpoint), compat.stepfunctions._execute_task

    def execute_task(state: dict[str, Any], given: Any, execution: dict[str, Any], context: Any) -> Any:
        token = _TASK.set((execution, state))
        try:
            return execute(state, given, execution, context)
        finally:
            _TASK.reset(token)

    compat.stepfunctions._execute_task = execute_task
    compat.stepfunctions._invoke_aws_sdk_integration = calls.make


@dataclass(frozen=True)
class Calls:
    """The calls that state machines make."""

    endpoint: Endpoint

    def make(self, resource: str, arguments: dict[str, Any]) -> Any:
        """Call `arn:aws:states:::aws-sdk:<service>:<operation>`; its answer as JSON."""
        failed = compat.stepfunctions._ExecutionError
        service, operation = resource.rsplit(":", 2)[-2:]
        task = _TASK.get()
        if task is None or task[0]["status"] != "RUNNING":
            raise failed("States.TaskFailed", "the execution was stopped")
        keys: list[Keys] = []
        try:
            client = self.endpoint.client(service, self._keys(*task, keys))
            answer = getattr(client, xform_name(operation))(**arguments)
        except iam.RoleError as error:
            raise failed("States.TaskFailed", str(error)) from error
        except botocore.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            raise failed(compat.stepfunctions._prefix_sdk_error(service, code), str(error)) from error
        except (botocore.exceptions.BotoCoreError, AttributeError) as error:
            raise failed("States.Runtime", str(error)) from error
        finally:
            for one in keys:
                iam.forget(one)
        answer.pop("ResponseMetadata", None)
        return json.loads(json.dumps(answer, default=str))

    def _keys(self, execution: dict[str, Any], state: dict[str, Any], taken: list[Keys]) -> Keys:
        """Whose call it is. Sessions that are to end with it go to `taken`."""
        machine = compat.stepfunctions._state_machines[execution["stateMachineArn"]]
        own = iam.session(machine["roleArn"], "execution", _SERVICE, SESSION_SECONDS)
        taken.append(own)
        role = (state.get("Credentials") or {}).get("RoleArn")
        if role is None:
            return own
        if role.split(":")[4] == self.endpoint.account:
            return self.endpoint.assume(role, "execution", own)
        # The other account is not here, and so nobody who knows what its role may do.
        refused = iam.denial(own.access_key_id, "sts:AssumeRole", role)
        if refused:
            raise iam.RoleError(refused)
        return self.endpoint.root()
