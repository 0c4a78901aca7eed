"""Which regions have Amazon MWAA. Dated: look again when the date is old.

A table, and not botocore's own data: what checks a project imports no botocore, which alone takes about 0.3 s.
"""

from __future__ import annotations

CHECKED = "2026-11-21"
"""When the table was last compared with its source."""

MWAA = frozenset(
    {"af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2"}
    | {"ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-7"}
    | {"ca-central-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1", "eu-central-2", "eu-north-1"}
    | {"eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1"}
    | {"sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"}
)
"""botocore, `data/endpoints.json`, service `airflow`, of all partitions; a test compares the two."""
