"""Which extra of openmetadata-ingestion brings what a source or a workflow type needs.

An extra has the name of its source, with the exceptions below. Compared with the extras and the sources of
openmetadata-ingestion 1.6.13.2, 1.12.14.2, 1.13.6.3 and 2.0.7.0 on 2026-11-30.
"""

from __future__ import annotations

from penstock.versions.openmetadata import line

_EVERYWHERE = frozenset(
    """
    airflow amundsen athena atlas azuresql bigquery bigtable clickhouse couchbase dagster databricks db2 dbt deltalake
    doris druid dynamodb elasticsearch exasol glue greenplum hive impala kafka kafkaconnect kinesis looker mlflow mssql
    mysql nifi openlineage oracle pinotdb postgres powerbi presto qliksense quicksight redash redpanda redshift
    sagemaker salesforce sas singlestore snowflake superset tableau teradata trino vertica
    """.split()  # noqa: SIM905  as a list it would fill the page
)
_SINCE: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("cassandra", "cockroach", "opensearch", "ssrs", "starrocks"), (1, 12)),
    **dict.fromkeys(("gcs", "googledrive", "iomete", "pubsub", "questdb", "s3"), (1, 13)),
    **dict.fromkeys(("prefect", "sftp"), (2, 0)),
}
"""Extras that came later → the first of the compared lines that has it. Between the compared lines it may have come
earlier."""
_OTHERS: dict[str, tuple[str, ...]] = {
    "databrickspipeline": ("databricks",),
    "datalake": ("datalake-azure", "datalake-gcs", "datalake-s3"),
    "domodashboard": ("domo",),
    "domodatabase": ("domo",),
    "domopipeline": ("domo",),
    "gluepipeline": ("glue",),
    "mariadb": ("mysql",),
    "mongodb": ("mongo",),
    "saphana": ("sap-hana",),
    "timescale": ("postgres",),
    "unitycatalog": ("databricks",),
}
"""Sources whose extra has another name."""
OF_TYPE: dict[str, str] = {"dbt": "dbt", "autoClassification": "pii-processor"}
"""Workflow types that need an extra, whatever their source."""


def of_source(source_type: str, version: str) -> tuple[str, ...]:
    """The extras that a type of source needs in a server's version; none where the package needs no more for it.

    Args:
        source_type: as a workflow file has it, `redshift-usage` among them.
    """
    name = source_type.lower().partition("-")[0].replace("_", "")
    if name in _OTHERS:
        return _OTHERS[name]
    since = _SINCE.get(name)
    if since is not None:
        numbers = tuple(int(part) for part in line(version).split("."))
        return (name,) if numbers >= since else ()
    return (name,) if name in _EVERYWHERE else ()
