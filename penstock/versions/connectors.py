"""Which package a connector of OpenMetadata's ingestion cannot do without, for the connectors of which that is known.

Only those where the package's releases 1.6, 1.12 and 2.0 agree, and where 1.12 was seen to fail without it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

CHECKED = "2026-11-21"
"""When the table was last compared with its source: the extras in the metadata of openmetadata-ingestion 1.6.13.2,
1.12.14.2 and 2.0.6.0, on PyPI."""


@dataclass(frozen=True)
class Connector:
    """What a type of source needs."""

    extra: str
    """The extra of openmetadata-ingestion that brings it."""
    packages: tuple[str, ...]
    """Any one of them will do; the first is the one of the extra. As PyPI normalizes names."""

    def missing(self, packages: Collection[str]) -> bool:
        """Whether none of them is there."""
        return not set(self.packages) & set(packages)


CONNECTORS: dict[str, Connector] = {
    "amundsen": Connector("amundsen", ("neo4j",)),
    "athena": Connector("athena", ("pyathena",)),
    "bigquery": Connector("bigquery", ("sqlalchemy-bigquery",)),
    "bigtable": Connector("bigtable", ("google-cloud-bigtable",)),
    "clickhouse": Connector("clickhouse", ("clickhouse-sqlalchemy",)),
    "dagster": Connector("dagster", ("dagster-graphql",)),
    "db2": Connector("db2", ("ibm-db-sa",)),
    "domodashboard": Connector("domo", ("pydomo",)),
    "domodatabase": Connector("domo", ("pydomo",)),
    "domopipeline": Connector("domo", ("pydomo",)),
    "hive": Connector("hive", ("pyhive",)),
    "impala": Connector("impala", ("impyla",)),
    "kafka": Connector("kafka", ("confluent-kafka",)),
    "kafkaconnect": Connector("kafkaconnect", ("kafka-connect-py",)),
    "looker": Connector("looker", ("looker-sdk", "giturlparse")),
    "mlflow": Connector("mlflow", ("mlflow-skinny", "mlflow")),
    "mongodb": Connector("mongo", ("pymongo",)),
    "mssql": Connector("mssql", ("sqlalchemy-pytds", "pyodbc", "pymssql")),
    "openlineage": Connector("openlineage", ("confluent-kafka",)),
    "oracle": Connector("oracle", ("oracledb",)),
    "pinotdb": Connector("pinotdb", ("pinotdb",)),
    "postgres": Connector("postgres", ("psycopg2-binary", "psycopg2")),
    "presto": Connector("presto", ("pyhive",)),
    "redpanda": Connector("redpanda", ("confluent-kafka",)),
    "redshift": Connector("redshift", ("sqlalchemy-redshift",)),
    "salesforce": Connector("salesforce", ("simple-salesforce",)),
    "saphana": Connector("sap-hana", ("sqlalchemy-hana",)),
    "snowflake": Connector("snowflake", ("snowflake-sqlalchemy",)),
    "tableau": Connector("tableau", ("tableauserverclient", "tableau-api-lib")),
    "teradata": Connector("teradata", ("teradatasqlalchemy",)),
    "trino": Connector("trino", ("trino",)),
    "vertica": Connector("vertica", ("sqlalchemy-vertica",)),
}
"""`source.type` in lower case, without what follows `-` (`redshift-usage`) → what it needs."""


def connector(source_type: str) -> Connector | None:
    """What a source of this type needs; None where that is not known."""
    return CONNECTORS.get(source_type.lower().partition("-")[0])
