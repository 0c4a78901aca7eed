"""What types cannot say about the OpenMetadata server."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from penstock.problem import Problem
from penstock.project.document.literals import references
from penstock.project.document.problems import shown
from penstock.project.openmetadata.addresses import address_problem, has_api
from penstock.project.openmetadata.model import OpenMetadata
from penstock.project.secrets.checks import unknown_name, unknown_secret
from penstock.versions.number import parse

HERE = "openmetadata"


def check_openmetadata(
    settings: OpenMetadata | None, secrets: Collection[str], variables: Mapping[str, str]
) -> Iterator[Problem]:
    """The server's version, and how to sign in to it."""
    if settings is None:
        return
    if parse(settings.version) is None:
        fix = "write the server's version, such as 1.12.14"
        yield Problem(f"OpenMetadata version {settings.version[:20]!r} must have three parts", fix, (HERE, "version"))
    if settings.server is not None:
        yield from _check_server(settings.server, secrets, variables)
    if settings.auth is not None:
        path = (HERE, "auth", "jwt_token")
        names = references(settings.auth.jwt_token)
        if len(names) != 1 or settings.auth.jwt_token != f"${{{names[0]}}}":
            yield Problem("jwt_token is no ${NAME} of a secret", "put the token into secrets and write ${NAME}", path)
        else:
            yield from unknown_secret(names[0], secrets, *path)


def warnings(settings: OpenMetadata | None, variables: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A server that is not at `/api`; see `has_api`."""
    server = settings.server if settings is not None else None
    if server is not None and not has_api(server, variables):
        text = f"{shown(server)} does not end in /api, where OpenMetadata has its API: elsewhere its client finds none"
        yield text, (HERE, "server")


def _check_server(server: str, secrets: Collection[str], variables: Mapping[str, str]) -> Iterator[Problem]:
    """That there is a host, and nothing behind the path; and that each `${NAME}` in it is one of the project's."""
    path = (HERE, "server")
    for name in references(server):
        yield from unknown_name(name, {*secrets, *variables}, *path)
    if problem := address_problem(server, variables):
        yield problem.at(*path)
