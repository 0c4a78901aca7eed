"""The only importer of ministack. Every name of its inside that we rely on is in `NAMES` and checked at start.

ministack has no interface for extensions and its private names move between patch releases, so the version is pinned
in requirements/desk.in. A new version: change `VERSION`, run the tests of the embedded AWS.
"""

from __future__ import annotations

import importlib.metadata
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator, responses, router
from ministack.services import (
    cloudformation,
    cloudwatch_logs,
    ec2,
    ecr,
    ecs,
    eventbridge,
    iam,
    kms,
    lambda_svc,
    mwaa,
    s3,
    secretsmanager,
    ssm,
    stepfunctions,
    sts,
)
from ministack.services.cloudformation import handlers, provisioners, stacks

from penstock_runtime.errors import PenstockError

__all__ = [
    "app",
    "check",
    "cloudformation",
    "cloudwatch_logs",
    "ec2",
    "ecr",
    "ecs",
    "eventbridge",
    "handlers",
    "iam",
    "iam_actions",
    "iam_evaluator",
    "kms",
    "lambda_svc",
    "mwaa",
    "provisioners",
    "responses",
    "router",
    "s3",
    "secretsmanager",
    "ssm",
    "stacks",
    "stepfunctions",
    "sts",
]

VERSION = "1.5.33"

NAMES: dict[str, tuple[str, ...]] = {
    "app": (
        "app", "_enforce_data_plane", "_handle_s3_control_request", "_ready_scripts_state", "_run_init_scripts",
        "_run_ready_scripts",
    ),
    "cloudformation": ("_exports", "_stacks"),
    "cloudwatch_logs": ("_create_log_group", "_create_log_stream", "_put_log_events", "handle_request"),
    "ec2": (
        "_ACTION_MAP", "_addresses", "_allocate_address", "_create_flow_logs", "_create_nat_gateway", "_flow_logs",
        "_error", "_nat_gateways", "_network_acls", "_p", "_parse_member_list", "_route_tables", "_security_groups",
        "_strip_descriptions", "_subnets", "_tags", "_vpc_endpoints", "_vpcs",
    ),
    "ecr": ("_describe_images", "_find_image", "_repositories"),
    "ecs": (
        "_ACTION_MAP", "_clusters", "_register_task_definition", "_resolve_cluster_name", "_resolve_td_key",
        "_tags", "_task_defs", "handle_request",
    ),
    "eventbridge": ("_dispatch_event", "_dispatch_to_lambda", "_invoke_target", "handle_request"),
    "handlers": ("_imported_export_names",),
    "iam": ("_roles",),
    "iam_actions": ("extract_resource_arn", "request_tag_context"),
    "iam_evaluator": (
        "AuthError", "EvalContext", "_conditions_met", "_is_root_key", "enforce", "evaluate_trust_policy",
        "is_root_access_key",
    ),
    "kms": ("_resolve_key",),
    "lambda_svc": ("_functions",),
    "mwaa": ("_environments", "_invoke_rest_api"),
    "provisioners": (
        "_RESOURCE_HANDLERS", "_custom_resource_create", "_ec2_sg_permissions", "_pascal_to_camel",
    ),
    "responses": ("error_response_json", "get_account_id", "get_region", "json_response", "request_scope"),
    "router": ("extract_access_key_id",),
    "s3": (
        "_bucket_default_sse_headers", "_bucket_encryption", "_bucket_tags", "_bucket_versioning", "_buckets",
        "_copy_object", "_create_multipart_upload", "_error", "_get_object", "_head_object", "_multipart_uploads",
        "_object_versions", "_public_access_blocked", "_put_object", "_upload_part", "s3control_error",
    ),
    "secretsmanager": ("_resolve", "_secrets", "handle_request", "resolve_secret_string"),
    "ssm": ("_lookup_parameter", "resolve_parameter_value"),
    "stacks": ("_provision_resource", "_resolve_stack_outputs", "_update_resource"),
    "stepfunctions": (
        "_ExecutionError", "_execute_task", "_invoke_aws_sdk_integration", "_prefix_sdk_error", "_state_machines",
    ),
    "sts": ("_assumed_role_arn", "_role_id", "_sessions", "is_root_access_key", "register_session"),
}  # fmt: skip


def check() -> None:
    """Refuse a ministack that is not the one this package was written for.

    Raises:
        PenstockError: another version is installed, or a name that we rely on is gone.
    """
    installed = importlib.metadata.version("ministack")
    missing = [f"{module}.{name}" for module, names in NAMES.items() for name in names if not _has(module, name)]
    if installed == VERSION and not missing:
        return
    what = f"ministack {installed} is installed, the embedded AWS is written for {VERSION}"
    if missing:
        what += f"; it lacks {', '.join(missing)}"
    raise PenstockError(what, fix="run make setup, which installs the pinned versions")


def _has(module: str, name: str) -> bool:
    found: Any = globals()[module]
    return hasattr(found, name)
