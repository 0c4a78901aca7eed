"""CreateVpcEndpoint where ministack is more lenient: who may make one, where, of which service; and once per token.

Sources: AWS, "Service Authorization Reference", Amazon EC2, CreateVpcEndpoint (resources, `ec2:VpceServiceName`) and
CreateTags (`ec2:CreateAction`); Amazon EC2 API Reference, "Ensuring idempotency".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from penstock.local.aws import compat, iam
from penstock.local.aws.cfn import mwaa_endpoints

Parameters = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]

_ACTION = "CreateVpcEndpoint"


def install() -> None:
    """Put the checks before ministack's own answer; the permission on the VPC itself it has checked by then."""
    inner = compat.ec2._ACTION_MAP[_ACTION]
    made: dict[tuple[str, str, str], Answer] = {}

    def create(parameters: Parameters) -> Answer:
        for action, resource, context in needs(parameters):
            refused = iam.caller_denial(action, resource, context) if iam.CALLER.get() else None
            if refused:
                words = f"You are not authorized to perform this operation. {refused}"
                denied: Answer = compat.ec2._error("UnauthorizedOperation", words, 403)
                return denied
        token = compat.ec2._p(parameters, "ClientToken")
        place = (compat.responses.get_account_id(), compat.responses.get_region(), token)
        if token and place in made:
            return made[place]
        answer: Answer = inner(parameters)
        mwaa_endpoints.go_on()
        if token:
            made[place] = answer
        return answer

    compat.ec2._ACTION_MAP[_ACTION] = create


def needs(parameters: Parameters) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Action, resource and condition keys of each further permission that the call asks for."""
    account = f"{compat.responses.get_region()}:{compat.responses.get_account_id()}"
    action = f"ec2:{_ACTION}"
    for kind, name in (("subnet", "SubnetId"), ("security-group", "SecurityGroupId"), ("route-table", "RouteTableId")):
        for one in compat.ec2._parse_member_list(parameters, name):
            yield action, f"arn:aws:ec2:{account}:{kind}/{one}", {}
    endpoint = f"arn:aws:ec2:{account}:vpc-endpoint/*"
    yield action, endpoint, {"ec2:VpceServiceName": compat.ec2._p(parameters, "ServiceName")}
    if any(name.startswith("TagSpecification.") for name in parameters):
        yield "ec2:CreateTags", endpoint, {"ec2:CreateAction": _ACTION}
