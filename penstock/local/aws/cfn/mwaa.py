"""AWS::MWAA::Environment: what MWAA checks, and a record that is AVAILABLE at once, or when its customer's endpoints
are there. Airflow itself is not here.

The tables of this module are on purpose a second opinion on what AWS takes: the stacks have their own, so that a slip
in one of the two is found. Limits come from `penstock.aws.mwaa`.
Rules: Amazon MWAA User Guide, "Create an Amazon MWAA environment" and "About networking"; botocore's mwaa model.
"""

from __future__ import annotations

import re
import time
from typing import Any

from penstock.aws import mwaa
from penstock.local.aws import compat, events
from penstock.local.aws.cfn import mwaa_endpoints, mwaa_settings

Properties = dict[str, Any]
Made = tuple[str, Properties]

SERVICES = ("airflow.amazonaws.com", "airflow-env.amazonaws.com")
LOGS = {
    "DagProcessingLogs": "DAGProcessing",
    "SchedulerLogs": "Scheduler",
    "TaskLogs": "Task",
    "WebserverLogs": "WebServer",
    "WorkerLogs": "Worker",
}
_VERSIONS = ("RequirementsS3ObjectVersion", "PluginsS3ObjectVersion", "StartupScriptS3ObjectVersion")
_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def problem(properties: Properties) -> str | None:
    """What MWAA refuses in these properties, or None."""
    name = str(properties.get("Name") or "")
    if not re.fullmatch(r"[a-zA-Z][0-9a-zA-Z\-_]*", name) or len(name) > 80:
        return f"Value '{name}' at 'name' failed to satisfy constraint: [a-zA-Z][0-9a-zA-Z\\-_]*, 1 to 80 characters"
    missing = [one for one in ("SourceBucketArn", "DagS3Path", "ExecutionRoleArn") if not properties.get(one)]
    if missing:
        return f"{missing[0]} is required"
    return (
        mwaa_settings.problem(properties)
        or _network_problem(properties.get("NetworkConfiguration") or {})
        or _bucket_problem(str(properties["SourceBucketArn"]))
        or _files_problem(properties)
        or _role_problem(str(properties["ExecutionRoleArn"]))
    )


def _network_problem(network: Properties) -> str | None:
    subnets, groups = network.get("SubnetIds") or [], network.get("SecurityGroupIds") or []
    known = [compat.ec2._subnets.get(one) for one in subnets]
    if len(subnets) != 2:
        return f"Exactly two subnets are required, {len(subnets)} are given"
    if None in known:
        return f"The subnet ID '{subnets[known.index(None)]}' does not exist"
    if len({one["AvailabilityZone"] for one in known}) != 2:
        return "The two subnets must be in different Availability Zones"
    if len({one["VpcId"] for one in known}) != 1:
        return "The two subnets must be in the same VPC"
    if not 1 <= len(groups) <= 5:
        return "Between one and five security groups are required"
    for group in groups:
        found = compat.ec2._security_groups.get(group)
        if found is None or found["VpcId"] != known[0]["VpcId"]:
            return f"The security group '{group}' does not exist in the VPC of the subnets"
    return None


def _bucket_problem(arn: str) -> str | None:
    name = arn.removeprefix("arn:aws:s3:::")
    if compat.s3._buckets.get(name) is None:
        return f"The source bucket {name} does not exist"
    if compat.s3._bucket_versioning.get(name) != "Enabled":
        return f"The source bucket {name} must have versioning enabled"
    account = compat.responses.get_account_id()
    if not all(compat.s3._public_access_blocked(account, name, one) for one in _BLOCKS):
        return f"The source bucket {name} must block all public access"
    return None


def _files_problem(properties: Properties) -> str | None:
    """What is named must be there, in that version: MWAA reads it while it starts."""
    name = str(properties["SourceBucketArn"]).removeprefix("arn:aws:s3:::")
    for kind in ("Requirements", "Plugins", "StartupScript"):
        key, version = properties.get(f"{kind}S3Path"), properties.get(f"{kind}S3ObjectVersion")
        if key and key not in compat.s3._buckets[name]["objects"]:
            return f"{kind}S3Path: there is no {key} in the source bucket"
        there = [one["version_id"] for one in compat.s3._object_versions.get((name, key), [])]
        if key and version and version not in there:
            return f"{kind}S3ObjectVersion: {key} has no version {version} in the source bucket"
    return None


def _role_problem(arn: str) -> str | None:
    role = compat.iam._roles.get(arn.rsplit("/", 1)[-1])
    if role is None:
        return f"The execution role {arn} does not exist"
    trust = str(role.get("AssumeRolePolicyDocument"))
    if not all(service in trust for service in SERVICES):
        return f"The execution role {arn} must trust {' and '.join(SERVICES)}"
    return None


def _create(logical_id: str, properties: Properties, stack: str) -> Made:
    name = properties.get("Name")
    wrong = problem(properties)
    if wrong is None and name in compat.mwaa._environments:
        wrong = f"Environment {name} already exists"
    if wrong:
        raise ValueError(f'Resource handler returned message: "{wrong} (Service: Mwaa, Status Code: 400)"')
    region, account = compat.responses.get_region(), compat.responses.get_account_id()
    environment = {
        "Arn": f"arn:aws:airflow:{region}:{account}:environment/{name}",
        "Status": "AVAILABLE",
        "CreatedAt": time.time(),
        "WebserverUrl": f"{name}.{region}.airflow.amazonaws.com",
        "CeleryExecutorQueue": f"arn:aws:sqs:{region}:{account}:airflow-celery-{name}",
        "ServiceRoleArn": f"arn:aws:iam::{account}:role/aws-service-role/{SERVICES[0]}/AWSServiceRoleForAmazonMWAA",
        **_stated(properties),
    }
    compat.mwaa._environments[name] = environment
    if environment["EndpointManagement"] == "CUSTOMER":
        environment.update(mwaa_endpoints.wanted(environment), Status="PENDING")
        events.resource_status_change(stack, logical_id, str(name), "AWS::MWAA::Environment", "CREATE_IN_PROGRESS")
    return str(name), _attributes(environment)


def _update(name: str, old: Properties, new: Properties, _stack: str) -> Made:
    if old.get("Name") != new.get("Name"):
        return _create("", new, _stack)
    for path in (("KmsKey",), ("EndpointManagement",), ("NetworkConfiguration", "SubnetIds")):
        if _at(old, path) != _at(new, path):
            raise ValueError(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {name} and update the stack again."
            )
    environment = compat.mwaa._environments[name]
    # A file's key is read in the version of before where none comes with it.
    versions = {one: environment[one] for one in _VERSIONS if one in environment}
    wrong = problem({**versions, **new})
    # Without a version in the template the environment keeps the one that it has.
    before, after = old.get("AirflowVersion"), new.get("AirflowVersion")
    if wrong is None and before and after:
        wrong = mwaa.version_problem(before, after)
    if wrong:
        raise ValueError(f'Resource handler returned message: "{wrong} (Service: Mwaa, Status Code: 400)"')
    # What is not sent stays unchanged, options and files too; logs and tags are always sent.
    sent = {one: value for one, value in _stated(new).items() if one in (*new, "LoggingConfiguration", "Tags")}
    environment.update(sent, LastUpdate={"Status": "SUCCESS", "CreatedAt": time.time()})
    return name, _attributes(environment)


def _delete(name: str, _properties: Properties) -> None:
    compat.mwaa._environments.pop(name, None)


def _stated(properties: Properties) -> Properties:
    """The properties as GetEnvironment shows them, with MWAA's defaults; makes the log groups that are enabled."""
    defaults: Properties = {
        "EnvironmentClass": "mw1.small",
        "WebserverAccessMode": "PRIVATE_ONLY",
        "MinWorkers": 1,
        "MaxWorkers": 10,
        **mwaa_settings.defaults(properties),
        "AirflowConfigurationOptions": {},
        "EndpointManagement": "SERVICE",
    }
    stated: Properties = {**defaults, **properties}
    for count in ("MinWorkers", "MaxWorkers", "Schedulers", "MinWebservers", "MaxWebservers"):
        if count in stated:
            stated[count] = int(stated[count])
    logging = {}
    for module, suffix in LOGS.items():
        setting = (properties.get("LoggingConfiguration") or {}).get(module) or {}
        enabled = str(setting.get("Enabled", False)).lower() == "true"
        group = f"airflow-{stated['Name']}-{suffix}"
        if enabled:
            compat.cloudwatch_logs._create_log_group({"logGroupName": group})
        region, account = compat.responses.get_region(), compat.responses.get_account_id()
        arn = f"arn:aws:logs:{region}:{account}:log-group:{group}"
        logging[module] = {**setting, "Enabled": enabled, "CloudWatchLogGroupArn": arn}
    return {**stated, "LoggingConfiguration": logging, "Tags": dict(properties.get("Tags") or {})}


def _attributes(environment: Properties) -> Properties:
    logs = {
        f"LoggingConfiguration.{module}.CloudWatchLogGroupArn": one["CloudWatchLogGroupArn"]
        for module, one in environment["LoggingConfiguration"].items()
    }
    names = [
        "Arn",
        "WebserverUrl",
        "CeleryExecutorQueue",
        *(one for one in mwaa_endpoints.SERVICES if one in environment),
    ]
    return {name: environment[name] for name in names} | logs


def _at(properties: Properties, path: tuple[str, ...]) -> Any:
    value: Any = properties
    for name in path:
        value = (value or {}).get(name)
    return value


HANDLERS: dict[str, dict[str, Any]] = {
    "AWS::MWAA::Environment": {"create": _create, "update": _update, "delete": _delete}
}
