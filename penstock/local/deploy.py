"""Deploy the stacks to the embedded AWS: `app.py` synthesizes, the real CDK CLI bootstraps and deploys."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import botocore.exceptions

from penstock.home import CDK, HOME
from penstock.local import command, services, trouble
from penstock.local.aws.endpoint import Endpoint
from penstock.local.instance import Instance
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan.plan import Plan

SECONDS = 900
"""The longest that one CDK command may take here; the sample needs about 20 seconds."""


def synth(instance: Instance, project: Path, plan: Plan, variables: Mapping[str, str], account: str) -> Path:
    """Run `app.py` for the plan's environment and Airflow version; returns the cloud assembly.

    Raises:
        PenstockError: `app.py` refused the project or failed.
    """
    assembly = instance.folder / "cdk.out"
    shutil.rmtree(assembly, ignore_errors=True)
    # The CLI would hand these to app.py; running it directly saves a second start of Node and Python.
    context = json.loads((HOME / "cdk.json").read_text()).get("context", {})
    context |= {"project": str(project), "environment": plan.environment, "airflow": plan.airflow.version}
    context["variables"] = json.dumps(dict(variables))
    # On this machine what is in the working tree is what is wanted, however old it is.
    context["replace"] = "true"
    # The same each time: where the project is what is deployed, there is nothing to do.
    context["replace_mark"] = "up"
    # CDK's own switch for its check of the templates, which takes most of the time: whoever has set it has a reason.
    switch = {name: os.environ[name] for name in ("CDK_VALIDATION",) if name in os.environ}
    environ = {
        **instance.environ(),
        **switch,
        "CDK_OUTDIR": str(assembly),
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_DEFAULT_ACCOUNT": account,
    }
    _run(instance, "synth", [sys.executable, str(HOME / "app.py")], environ, HOME)
    return assembly


def bootstrap(instance: Instance, endpoint: Endpoint, qualifier: str | None = None) -> bool:
    """Make the CDK's own bucket, repository and roles, unless they are there; returns whether it had to.

    Args:
        qualifier: the plan's; several may be in one account, each in a stack of its own. None: CDK's own.
    """
    name = "CDKToolkit" if qualifier is None else f"CDKToolkit-{qualifier.replace('_', '-')}"
    try:
        endpoint.client("cloudformation").describe_stacks(StackName=name)
        return False
    except botocore.exceptions.ClientError:
        target = f"aws://{endpoint.account}/{endpoint.region}"
        # In a folder without a cdk.json: the CLI would run the app first.
        options = ["--toolkit-stack-name", name, *(["--qualifier", qualifier] if qualifier is not None else [])]
        _cdk(instance, "bootstrap", endpoint, ["bootstrap", target, *options], instance.folder)
        return True


def deploy(instance: Instance, endpoint: Endpoint, assembly: Path, docker: Path) -> None:
    """Deploy all stacks of the assembly.

    Args:
        docker: the command that the CDK CLI calls to build and publish images.

    Raises:
        PenstockError: the deploy failed; CloudFormation has rolled the failed stack back.
    """
    arguments = [
        "-a",
        str(assembly),
        "deploy",
        "--all",
        "--require-approval",
        "never",
        "--progress",
        "events",
    ]
    _cdk(instance, "deploy", endpoint, arguments, instance.folder, {"CDK_DOCKER": str(docker)})


def _cdk(
    instance: Instance,
    name: str,
    endpoint: Endpoint,
    arguments: Sequence[str],
    cwd: Path,
    environ: Mapping[str, str] | None = None,
) -> None:
    if not CDK.exists():
        raise PenstockError(f"the CDK CLI is not at {CDK}", fix="run make setup")
    # The caller's own environment, because the image build that the CLI starts installs packages: proxy, certificates,
    # mirrors. Nothing of it that names another account.
    own = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    full = {
        **own,
        **instance.environ(),
        **endpoint.environ(endpoint.root()),
        "PENSTOCK_IMAGES": str(instance.folder / "images"),
        "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1"])),
        "CI": "true",
        "NO_COLOR": "1",
        **(environ or {}),
    }
    _run(instance, name, [str(CDK), "--no-notices", "--no-version-reporting", *arguments], full, cwd)


def _run(instance: Instance, name: str, argv: Sequence[str], environ: Mapping[str, str], cwd: Path) -> None:
    """Run a command to its end, its output in the log of that name."""
    log = instance.log(name)
    try:
        # Without the embedded AWS the CDK CLI would try again for a minute.
        watch = functools.partial(trouble.check, instance)
        done = command.run(argv, environ, cwd=cwd, log=log, seconds=SECONDS, watch=watch)
    except subprocess.TimeoutExpired as error:
        raise PenstockError(
            f"{name} took more than {SECONDS} seconds\n{services.tail(log)}", fix=f"read {log}"
        ) from error
    if done.code == 0:
        return
    told = _penstock_error(log.read_text(errors="replace"))
    if told:
        raise PenstockError(told[0], fix=told[1])
    raise PenstockError(f"{name} {done.how}\n{services.tail(log, 25)}", fix=f"read {log}")


def _penstock_error(text: str) -> tuple[str, str] | None:
    """An error of ours in the output of `app.py`: what it says, and its fix."""
    found = re.search(r"(?:^|\n)(?P<what>[^\n]+)\n  fix: (?P<fix>[^\n]+)\s*$", text)
    return (found["what"], found["fix"]) if found else None
