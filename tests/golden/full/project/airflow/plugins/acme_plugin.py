"""The team's macros."""

from airflow.plugins_manager import AirflowPlugin


def quarter(month: int) -> int:
    """The quarter of a month."""
    return (month + 2) // 3


class AcmePlugin(AirflowPlugin):
    """Macros for templates."""

    name = "acme"
    macros = [quarter]  # noqa: RUF012
