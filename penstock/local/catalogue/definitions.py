"""What a real server ships with and the package asks for: data test definitions and connection tests.

The names and parameters of the data tests are those that the validators of openmetadata-ingestion 1.12 read.
"""

from __future__ import annotations

import uuid

from penstock.local.catalogue.entities import PATHS, write
from penstock.local.catalogue.store import Json, Store

_RANGE = "minValue:INT maxValue:INT"
_TABLE_TESTS = {
    "tableColumnCountToBeBetween": "minColValue:INT maxColValue:INT",
    "tableColumnCountToEqual": "columnCount:INT",
    "tableColumnNameToExist": "columnName:STRING",
    "tableColumnToMatchSet": "columnNames:STRING ordered:BOOLEAN",
    "tableCustomSQLQuery": "sqlExpression:STRING strategy:STRING operator:STRING threshold:NUMBER",
    "tableRowCountToBeBetween": _RANGE,
    "tableRowCountToEqual": "value:INT",
    "tableRowInsertedCountToBeBetween": ("min:INT max:INT columnName:STRING rangeType:STRING rangeInterval:INT"),
}
_COLUMN_TESTS = {
    "columnValueLengthsToBeBetween": "minLength:INT maxLength:INT",
    "columnValueMaxToBeBetween": "minValueForMaxInCol:INT maxValueForMaxInCol:INT",
    "columnValueMeanToBeBetween": "minValueForMeanInCol:INT maxValueForMeanInCol:INT",
    "columnValueMedianToBeBetween": "minValueForMedianInCol:INT maxValueForMedianInCol:INT",
    "columnValueMinToBeBetween": "minValueForMinInCol:INT maxValueForMinInCol:INT",
    "columnValueStdDevToBeBetween": "minValueForStdDevInCol:INT maxValueForStdDevInCol:INT",
    "columnValuesMissingCount": "missingCountValue:INT missingValueMatch:STRING",
    "columnValuesSumToBeBetween": "minValueForColSum:INT maxValueForColSum:INT",
    "columnValuesToBeBetween": _RANGE,
    "columnValuesToBeInSet": "allowedValues:ARRAY matchEnum:BOOLEAN",
    "columnValuesToBeNotInSet": "forbiddenValues:ARRAY",
    "columnValuesToBeNotNull": "",
    "columnValuesToBeUnique": "",
    "columnValuesToMatchRegex": "regex:STRING",
    "columnValuesToNotMatchRegex": "forbiddenRegex:STRING",
}
_COLUMN_TYPES = """
    NUMBER TINYINT SMALLINT INT BIGINT FLOAT DOUBLE DECIMAL NUMERIC TIMESTAMP TIMESTAMPZ DATE DATETIME TIME
    STRING TEXT MEDIUMTEXT VARCHAR CHAR BOOLEAN JSON UUID ENUM ARRAY BINARY BYTES
"""

_SQL_STEPS = ("CheckAccess", "GetSchemas", "GetTables", "GetViews")
_CONNECTION_STEPS = dict.fromkeys(("Postgres", "Redshift", "Mysql"), _SQL_STEPS)


def seed(store: Store) -> None:
    """Write the definitions of the data tests, where they are not there yet."""
    path = PATHS["testDefinition"]
    for scope, tests in (("TABLE", _TABLE_TESTS), ("COLUMN", _COLUMN_TESTS)):
        for name, parameters in tests.items():
            pairs = [parameter.split(":") for parameter in parameters.split()]
            request: Json = {
                "name": name,
                "displayName": name,
                "description": f"OpenMetadata's data test {name}.",
                "entityType": scope,
                "testPlatforms": ["OpenMetadata"],
                "supportedDataTypes": _COLUMN_TYPES.split(),
                "validatorClass": f"{name[0].upper()}{name[1:]}Validator",
                "parameterDefinition": [
                    {"name": key, "dataType": data_type, "required": False} for key, data_type in pairs
                ],
                "provider": "system",
                "enabled": True,
            }
            if store.find(path, name) is None:
                write(store, path, request)


def connection_test(fqn: str) -> Json:
    """The steps of `<connection type>.testConnectionDefinition`.

    A connector fails on a step that it does not know, so a type that is not in the table here gets none: its
    connection is then tested by the extraction itself.
    """
    name = fqn.removesuffix(".testConnectionDefinition")
    steps = _CONNECTION_STEPS.get(name, ())
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, fqn)),
        "name": name,
        "fullyQualifiedName": fqn,
        "displayName": name,
        "description": f"Connection test of the recording catalogue for {name}.",
        "steps": [
            {
                "name": step,
                "description": step,
                "mandatory": step == "CheckAccess",
                "shortCircuit": step == "CheckAccess",
            }
            for step in steps
        ],
    }
