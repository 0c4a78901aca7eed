"""What the embedded system that is up knows: addresses, passwords and the token of its own services."""

from __future__ import annotations

from penstock.local import services
from penstock.local.instance import Instance
from penstock.local.system import WAREHOUSE_DATABASE, WAREHOUSE_USER
from penstock.project.document.literals import references
from penstock.project.settings import Settings
from penstock_runtime.contract import SERVER_VARIABLE


def values(instance: Instance | None, settings: Settings) -> dict[str, str]:
    """By the names that the project gives them; nothing of a service that does not run."""
    if instance is None:
        return {}
    found: dict[str, str] = {}
    names = settings.embedded.warehouse if settings.embedded else None
    if names is not None and services.running(instance, "postgres"):
        found |= {names.host: "127.0.0.1", names.port: str(instance.port("postgres"))}
        found |= {names.database: WAREHOUSE_DATABASE, names.user: WAREHOUSE_USER}
        found[names.password] = instance.password("warehouse")
    if services.running(instance, "catalogue"):
        found[SERVER_VARIABLE] = f"http://127.0.0.1:{instance.port('catalogue')}/api"
        auth = settings.openmetadata.auth if settings.openmetadata is not None else None
        found |= dict.fromkeys(references(auth.jwt_token) if auth else (), instance.password("catalogue"))
    return found
