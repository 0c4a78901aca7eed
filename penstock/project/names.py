"""The name of a project in one environment: what everything that a deploy makes starts with."""

from __future__ import annotations


def prefix_of(project: str, environment: str) -> str:
    """`acme-dev`; `acme--prod-eu` where the environment's name has a dash itself.

    So project `acme-prod` with environment `eu` and project `acme` with environment `prod-eu` may share an account:
    neither name has two dashes in a row, and so each prefix is that of one pair.
    """
    return f"{project}{'--' if '-' in environment else '-'}{environment}"
