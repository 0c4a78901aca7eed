"""The server that a workflow file names itself, and how it signs in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from penstock.problem import Problem
from penstock.project.document.document import at, find
from penstock.project.document.problems import shown
from penstock.project.openmetadata.addresses import address_problem, has_api
from penstock.project.openmetadata.model import OpenMetadata
from penstock.project.openmetadata.workflow import Workflow
from penstock_runtime.fill import PLACEHOLDER

SERVER = ("workflowConfig", "openMetadataServerConfig")
_WRITE_NAME = "write jwtToken: ${NAME} of a secret"


def check(workflow: Workflow, settings: OpenMetadata | None, variables: Mapping[str, str]) -> Iterator[Problem]:
    """Its address, with variables filled in, and its token. `settings` fill what the file leaves out."""
    yield from _check_address(workflow, variables)
    yield from _check_token(workflow, settings)


def _check_address(workflow: Workflow, variables: Mapping[str, str]) -> Iterator[Problem]:
    node = find(workflow.document.root, (*SERVER, "hostPort"))
    if node is None or not isinstance(node.value, str) or not node.value:
        return
    if PLACEHOLDER.sub(lambda match: variables.get(match[1], match[0]), node.value).startswith("${"):
        return  # a secret, or the run's own variable, holds the scheme and the host
    where = workflow.document.where(node)
    if problem := address_problem(node.value, variables):
        yield Problem(problem.what, problem.fix, where=where)
    elif not has_api(node.value, variables):
        what = f"{shown(node.value)} does not end in /api, where OpenMetadata has its API"
        yield Problem(what, "add /api, unless a proxy has the API elsewhere", where=where, is_error=False)


def _check_token(workflow: Workflow, settings: OpenMetadata | None) -> Iterator[Problem]:
    """The package signs in by `jwtToken` whatever `authProvider` says (1.6 to 2.0, metadata/ingestion/ometa)."""
    document, root = workflow.document, workflow.document.root
    server = find(root, SERVER)
    has = server.value if server is not None and isinstance(server.value, dict) else {}
    provider = has["authProvider"].value if "authProvider" in has else None
    has_address = "hostPort" in has and bool(has["hostPort"].value)
    security = has.get("securityConfig")
    keys = {} if security is None or security.value is None else security.value
    if not isinstance(keys, dict):
        return  # `workflow.check` says so
    # As `workflow.completed_server` does it: a server that the file names may not know the project's token.
    known = provider in (None, "openmetadata") or not has_address
    fills = settings is not None and settings.auth is not None and known
    token = keys.get("jwtToken")
    if token is not None:
        if token.value is None or token.value == "":
            fix = "remove it: openmetadata.auth of penstock.yaml fills it in" if fills else _WRITE_NAME
            yield Problem(
                "jwtToken is empty: nobody can sign in to the server with it", fix, where=document.where(token)
            )
    elif not keys and not fills:
        as_provider = "" if provider is None else f", and with authProvider {shown(provider)} it has none"
        fix = (
            "set openmetadata.auth: {jwt_token: ${NAME}} in penstock.yaml, or securityConfig: {jwtToken: ${NAME}} here"
        )
        what = f"{document.name} has no token: OpenMetadata's client signs in with securityConfig.jwtToken{as_provider}"
        yield Problem(what, fix, where=document.where(security or at(root, SERVER)))
