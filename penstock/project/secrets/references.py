"""References to secrets."""

from __future__ import annotations

import re

from penstock.problem import Problem
from penstock.project.document.problems import shown
from penstock_runtime.errors import InputError
from penstock_runtime.plan.task_definition import Secret

_SECRETS_MANAGER = re.compile(
    r"(?:secretsmanager:)?(?P<id>arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+)"
    r"(?:#(?P<key>[^#:\s]+))?"
    r"|secretsmanager:(?P<name>[A-Za-z0-9/_+=.@-]{1,512})(?:#(?P<field>[^#:\s]+))?"
)
_SUFFIX = re.compile(r".*-[A-Za-z0-9]{6}")
"""What Secrets Manager puts behind a name to make the ARN's end of it: a dash and six characters. It takes a name that
ends so itself for a whole ARN's end, and then neither finds the secret nor lets a role read it (AWS Secrets Manager API
Reference, CreateSecret, Name). ECS knows ARNs only (Amazon ECS API Reference, Secret, valueFrom)."""
_KEY_WITH_COLON = re.compile(r"(?:secretsmanager:|arn:aws)[A-Za-z0-9/_+=.@:-]{1,600}#[^#\s]*:[^#\s]*")
_PARAMETER = re.compile(r"ssm:(?P<name>[A-Za-z0-9/_.-]{1,1011})")

_MAX_LEVELS = 15
_RESERVED = re.compile(r"/?(ssm|aws(?!/))", re.IGNORECASE)
"""Nobody can create a parameter that begins so; `/aws/…` are AWS's own, which are there to be read. For this and the
levels: AWS Systems Manager User Guide, "Requirements and constraints for parameter names"."""


def parse(name: str, reference: str, where: str) -> Secret:
    """Read a reference.

    Raises:
        InputError: it is none; perhaps it is the secret itself, so the message does not show it.
    """
    if match := _SECRETS_MANAGER.fullmatch(reference):
        if match["id"] and not _SUFFIX.fullmatch(match["id"]):
            raise InputError(
                f"secret {name!r}: the ARN lacks its end, a dash and six characters, and no role may read it without",
                fix="copy the whole ARN, or write secretsmanager:<name> for a secret of this account and region",
                where=where,
            )
        if match["name"] and _SUFFIX.fullmatch(match["name"]):
            raise InputError(
                f"secret {name!r}: {shown(match['name'])} ends in a dash and six characters, as ARNs do, and AWS takes "
                "it for one",
                fix="write the secret's whole ARN, or rename the secret",
                where=where,
            )
        return Secret(name, "secretsmanager", match["id"] or match["name"], match["key"] or match["field"])
    if match := _PARAMETER.fullmatch(reference):
        if wrong := _wrong_parameter(match["name"]):
            what = f"secret {name!r}: {shown(match['name'])} {wrong.what}"
            raise InputError(what, fix=wrong.fix, where=where)
        return Secret(name, "ssm", match["name"])
    if _KEY_WITH_COLON.fullmatch(reference):
        # In ECS's valueFrom a version follows behind a colon: <ARN>:<key>:<stage>:<version id> (Amazon ECS Developer
        # Guide, "Pass Secrets Manager secrets through Amazon ECS environment variables").
        raise InputError(
            f"secret {name!r}: its #<key> has a colon, which ECS reads as the end of the key",
            fix="rename the field of the JSON secret, and write no version behind it: the current one is used",
            where=where,
        )
    store = reference.split(":", 1)[0]
    seen = shown(store + ":…") if re.fullmatch(r"[a-z]{2,20}", store) and ":" in reference else "the value"
    raise InputError(
        f"secret {name!r}: {seen} is not a reference to a secret",
        fix="write secretsmanager:<name or ARN>, with #<key> for one field of a JSON secret, or ssm:<parameter>",
        where=where,
    )


def written(secret: Secret) -> str:
    """A reference as `parse` reads it, with its store."""
    return f"{secret.store}:{secret.id}" + (f"#{secret.key}" if secret.key is not None else "")


def _wrong_parameter(name: str) -> Problem | None:
    """Why no SSM parameter can have a name, worded to go on from it."""
    levels = name.removeprefix("/").split("/")
    if "" in levels:
        what = "is not the name of a parameter: a part of it is empty"
        return Problem(what, "write ssm:/team/name, with single slashes")
    if len(levels) > _MAX_LEVELS:
        return Problem(f"has {len(levels)} levels, and SSM takes {_MAX_LEVELS}", "name a parameter with fewer")
    if _RESERVED.match(name):
        return Problem("begins with ssm or aws, as no parameter of yours can", "write the parameter's whole name")
    return None


def region_of(secret: Secret, own: str) -> str:
    """The region that a secret is in: that of its ARN; of one that goes by its name the environment's own."""
    return secret.id.split(":")[3] if secret.id.startswith("arn:") else own
