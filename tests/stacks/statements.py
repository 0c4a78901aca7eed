"""IAM statements of a template, with its references written out as text."""

from __future__ import annotations

from typing import Any


def of_role(template: dict[str, Any], role_name: str) -> list[dict[str, Any]]:
    """The statements of the role with that RoleName, or that starts with that logical id."""
    found: list[dict[str, Any]] = []
    for logical_id, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::Role" and properties.get("RoleName") == role_name:
            documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        elif resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy") and logical_id.startswith(role_name):
            documents = [properties["PolicyDocument"]]
        else:
            continue
        found += [_plain(statement) for document in documents for statement in document["Statement"]]
    return found


def of_role_at(template: dict[str, Any], logical_id: str) -> list[dict[str, Any]]:
    """The inline statements of the one role whose logical id starts like this; for roles without a name."""
    (role,) = [
        one["Properties"]
        for name, one in template["Resources"].items()
        if one["Type"] == "AWS::IAM::Role" and name.startswith(logical_id)
    ]
    return [_plain(one) for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]


def everywhere(templates: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Every identity policy's statements, in all stacks."""
    found: list[dict[str, Any]] = []
    for template in templates.values():
        for resource in template["Resources"].values():
            properties = resource.get("Properties", {})
            documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
            if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
                documents.append(properties["PolicyDocument"])
            found += [_plain(statement) for document in documents for statement in document["Statement"]]
    return found


def that_allow(statements: list[dict[str, Any]], action: str) -> list[dict[str, Any]]:
    """The statements that name an action."""
    return [statement for statement in statements if action in statement["Action"]]


def text(value: Any) -> str:
    """A value of a template as text: `{Ref: X}` is `<X>`, `{GetAtt: [X, Arn]}` is `<X.Arn>`."""
    if isinstance(value, dict):
        ((function, argument),) = value.items()
        if function == "Fn::Join":
            return str(argument[0]).join(text(part) for part in argument[1])
        return f"<{'.'.join(argument) if isinstance(argument, list) else argument}>"
    return str(value)


def listed(value: str | list[str]) -> list[str]:
    """What a policy may write as one text or as a list."""
    return [value] if isinstance(value, str) else value


def _plain(statement: dict[str, Any]) -> dict[str, Any]:
    action, resource = statement["Action"], statement.get("Resource", [])
    return {
        **statement,
        "Action": listed(action),
        "Resource": [text(one) for one in (resource if isinstance(resource, list) else [resource])],
    }
