"""Functions that an exported file holds: they read secrets in the task, while it runs, and keep them in memory.

Each is self-contained, since a virtual environment or a container gets its source and nothing around it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection

_ARN_REGION = 'name.split(":")[3] if name.startswith("arn:") else region'


def read_secret(references: Collection[str], *, documented: bool = True) -> str:
    """Source of `read_secret(reference)`, for the stores that these references name."""
    stores = {reference.partition(":")[0] for reference in references}
    manager = textwrap.dedent(
        f"""\
        where = {_ARN_REGION}
        client = boto3.client("secretsmanager", region_name=where)
        value = client.get_secret_value(SecretId=name)["SecretString"]
        return json.loads(value)[field] if field else value
        """
    )
    parameter = textwrap.dedent(
        """\
        client = boto3.client("ssm", region_name=region)
        answer = client.get_parameter(Name=name, WithDecryption=True)
        return answer["Parameter"]["Value"]
        """
    )
    split = 'store, _, name = reference.partition(":")\nname, _, field = name.partition("#")\n'
    if stores == {"ssm"}:
        body = 'name = reference.partition(":")[2]\n' + parameter
    elif stores == {"secretsmanager"}:
        body = 'name, _, field = reference.partition(":")[2].partition("#")\n' + manager
    else:
        body = split + 'if store == "ssm":\n' + textwrap.indent(parameter, "    ") + manager
    documentation = '"""Read `secretsmanager:NAME#FIELD` or `ssm:NAME`."""\n' if documented else ""
    return "def read_secret(reference):\n" + textwrap.indent(documentation + body, "    ")


def run_workflow(references: Collection[str], region: str, *, mask: bool) -> str:
    """Source of `run_workflow(config, workflow, variables, secrets, run)`.

    Args:
        mask: whether it runs where Airflow's `mask_secret` is imported.
    """
    reading = textwrap.indent(read_secret(references), "    ") + "\n" if references else ""
    values = "values = {**variables}" if references else "values = variables"
    filling = (
        "    for name, reference in secrets.items():\n        values[name] = read_secret(reference)\n"
        if references
        else ""
    )
    filling += "        mask_secret(values[name])\n" if mask and references else ""
    arguments = ["config", "workflow", "variables", *["secrets"] * bool(references), "run"]
    arguments += [f'region="{region}"'] if references else []
    imports = ["json"] if any("#" in reference for reference in references) else []
    imports = [f"import {name}" for name in (*imports, "re", "uuid")]
    third = ["import boto3", "import yaml"] if references else ["import yaml"]
    lines = [
        f"def run_workflow({', '.join(arguments)}):",
        '    """Run an OpenMetadata workflow; its `${NAME}` are filled in memory only."""',
        *(f"    {line}" for line in (*imports, "from importlib import import_module")),
        "",
        *(f"    {line}" for line in third),
        "",
    ]
    return (
        "\n".join(lines)
        + "\n"
        + reading
        + textwrap.indent(_FILL, "    ")
        + f"\n    {values}\n"
        + filling
        + textwrap.indent(_RUN, "    ")
    )


_FILL = r"""def fill(value):
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], value)
    if isinstance(value, dict):
        return {key: fill(item) for key, item in value.items()}
    return [fill(item) for item in value] if isinstance(value, list) else value
"""

_RUN = """\
settings = fill(yaml.safe_load(config))
# OpenMetadata shows the run, and each retry of it, under an id of its own.
settings.setdefault("pipelineRunId", str(uuid.uuid5(uuid.NAMESPACE_URL, run)))
module, _, name = workflow.rpartition(".")
running = getattr(import_module(module), name).create(settings)
try:
    running.execute()
    running.print_status()
    running.raise_from_status()
finally:
    running.stop()
"""


def program(function: str, more: str = "") -> str:
    """A text for `python3 -c`, as source: the function, called with the arguments that the container gets."""
    return (
        'f"""\\\nimport json\nimport os\n\n{inspect.getsource('
        + function
        + ")}\n"
        + function
        + '(**json.loads(os.environ["ARGUMENTS"])'
        + more
        + ')\n"""'
    )


def run_command(references: Collection[str], region: str) -> str:
    """Source of `run_command(command, secrets)`: a process of its own that becomes the command."""
    imports = ["import json"] if any("#" in reference for reference in references) else []
    lines = [
        f'def run_command(command, secrets, region="{region}"):',
        '    """Become a command that has its secrets in its environment."""',
        *(f"    {line}" for line in (*imports, "import os")),
        "",
        "    import boto3",
        "",
    ]
    tail = [
        "    for name, reference in secrets.items():",
        "        os.environ[name] = read_secret(reference)",
        "    os.execvp(command[0], command)",
    ]
    return "\n".join(lines) + "\n" + textwrap.indent(read_secret(references), "    ") + "\n" + "\n".join(tail) + "\n"
