"""The MWAA environment, with its log groups and the files that it starts from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from aws_cdk import aws_mwaa as mwaa
from aws_cdk import aws_s3 as s3
from constructs import Construct, IDependable

from penstock_runtime.contract import endpoint_role_name
from penstock_runtime.plan.airflow import Airflow, AirflowFile, LogKind
from stacks.airflow.environment_endpoints import environment_endpoints
from stacks.airflow.environment_files import EnvironmentFile, FileSource
from stacks.airflow.shared_endpoints import SharedEndpoints
from stacks.nag import acknowledge_log_group
from stacks.network.stack import Network

ACCESS = {"private": "PRIVATE_ONLY", "public": "PUBLIC_ONLY", "public_and_private": "PUBLIC_AND_PRIVATE"}
LOG_GROUPS: dict[LogKind, str] = {
    "dag_processing": "DAGProcessing",
    "scheduler": "Scheduler",
    "task": "Task",
    "web_server": "WebServer",
    "worker": "Worker",
}
"""MWAA writes to `airflow-<environment>-<this>`. Source: MWAA user guide, "Viewing Airflow logs"."""


class Mwaa(Construct):
    """An environment, after all that it needs: MWAA tries role, bucket and files while it creates it."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        airflow: Airflow,
        network: Network,
        role_arn: str,
        allowed: Sequence[IDependable],
        bucket: s3.IBucket,
        files: FileSource | None,
        role_name_prefix: str = "",
        topic: str | None = None,
    ) -> None:
        """
        Args:
            allowed: what gives the role its permissions.
            role_name_prefix: of roles that have a name.
            topic: ARN of one to notify if the endpoints of a shared VPC cannot be made; None: an alarm shows it.
            files: requirements, plugins and startup script; None: there are none.
        """
        super().__init__(scope, name)
        before: list[IDependable] = [*allowed, bucket, *self._log_groups(airflow)]
        requirements = self._file("Requirements", _key(airflow.requirements), files)
        plugins = self._file("Plugins", airflow.plugins, files)
        startup_script = self._file("Startup", _key(airflow.startup_script), files)
        before += [file.uploaded for file in (requirements, plugins, startup_script) if file is not None]
        # PUBLIC_AND_PRIVATE too: workers call the web server by it (API Reference, CreateEnvironment).
        place: dict[str, Any] = {
            "web_server": airflow.access != "public",
            "vpc": network.vpc,
            "subnets": network.subnets,
            "security_groups": network.endpoint_security_groups,
        }
        customer = airflow.endpoint_management == "customer"
        if customer and network.endpoint_role is not None:
            before.append(self._shared_endpoints(airflow, network.endpoint_role, role_name_prefix, topic, place))
        self.environment = mwaa.CfnEnvironment(
            self,
            "Environment",
            name=airflow.name,
            airflow_version=airflow.version,
            environment_class=airflow.environment_class,
            min_workers=airflow.min_workers,
            max_workers=airflow.max_workers,
            # Always set: an update leaves unchanged what a template leaves out.
            schedulers=airflow.schedulers,
            min_webservers=airflow.min_web_servers,
            max_webservers=airflow.max_web_servers,
            webserver_access_mode=ACCESS[airflow.access],
            airflow_configuration_options=airflow.options or None,
            source_bucket_arn=bucket.bucket_arn,
            dag_s3_path=airflow.dags,
            requirements_s3_path=requirements.key if requirements else None,
            requirements_s3_object_version=requirements.version if requirements else None,
            plugins_s3_path=plugins.key if plugins else None,
            plugins_s3_object_version=plugins.version if plugins else None,
            startup_script_s3_path=startup_script.key if startup_script else None,
            startup_script_s3_object_version=startup_script.version if startup_script else None,
            execution_role_arn=role_arn,
            kms_key=airflow.kms_key,
            network_configuration=mwaa.CfnEnvironment.NetworkConfigurationProperty(
                subnet_ids=list(network.subnets), security_group_ids=list(network.airflow_security_groups)
            ),
            # The default is left out: said where it was not, it would be a change, and that replaces the environment.
            endpoint_management="CUSTOMER" if customer else None,
            logging_configuration=_logging(airflow),
            weekly_maintenance_window_start=airflow.maintenance_window,
            worker_replacement_strategy=airflow.worker_replacement.upper() if airflow.worker_replacement else None,
        )
        # The path of a construct makes its logical id, and another logical id is another environment.
        self.environment.override_logical_id("Environment")
        self.environment.node.add_dependency(*before)
        if customer and not network.shared:
            environment_endpoints(self, environment=self.environment, **place)

    def _file(self, name: str, key: str | None, files: FileSource | None) -> EnvironmentFile | None:
        if key is None:
            return None
        assert files is not None, "an environment that names files is given them"
        return EnvironmentFile(self, name, key=key, source=files)

    def _shared_endpoints(
        self, airflow: Airflow, owner_role: str, prefix: str, topic: str | None, place: dict[str, Any]
    ) -> SharedEndpoints:
        """The owner of a shared VPC trusts the role by its name; docs/shared-vpc.md says it."""
        role_name = endpoint_role_name(prefix, airflow.name, cdk.Stack.of(self).region)
        return SharedEndpoints(
            self,
            "Endpoints",
            environment=airflow.name,
            owner_role=owner_role,
            role_name=role_name,
            topic=topic,
            **place,
        )

    def _log_groups(self, airflow: Airflow) -> list[logs.CfnLogGroup]:
        """All five, with a retention: MWAA writes to a group that it finds, and makes one that never expires where not.

        It does not collide with MWAA: its service-linked role creates and describes groups, and cannot change or
        delete one (MWAA user guide, "Service-linked role for Amazon MWAA"). Also the group of a log that is off is
        made: turned on again, it would meet the group that was kept.
        """
        return [self._log_group(airflow, suffix) for suffix in LOG_GROUPS.values()]

    def _log_group(self, airflow: Airflow, suffix: str) -> logs.CfnLogGroup:
        group = logs.CfnLogGroup(
            self,
            f"{suffix}Logs",
            log_group_name=f"airflow-{airflow.name}-{suffix}",
            retention_in_days=airflow.log_retention_days,
            kms_key_id=airflow.kms_key,
        )
        # Kept with what is in it, but for a first deploy that fails: the second one would find the name taken.
        group.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        if airflow.kms_key is None:
            acknowledge_log_group(group, "The project file names no key: airflow.create.kms_key.")
        return group


def _key(file: AirflowFile | None) -> str | None:
    return None if file is None else file.key


def _logging(airflow: Airflow) -> mwaa.CfnEnvironment.LoggingConfigurationProperty:
    modules: dict[str, Any] = {
        log.kind: mwaa.CfnEnvironment.ModuleLoggingConfigurationProperty(enabled=log.enabled, log_level=log.level)
        for log in airflow.logs
    }
    return mwaa.CfnEnvironment.LoggingConfigurationProperty(
        dag_processing_logs=modules["dag_processing"],
        scheduler_logs=modules["scheduler"],
        task_logs=modules["task"],
        webserver_logs=modules["web_server"],
        worker_logs=modules["worker"],
    )
