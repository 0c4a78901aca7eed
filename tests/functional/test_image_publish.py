"""The real CDK CLI publishes the sample's Meltano image to an embedded AWS, with the stand-in for docker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from penstock.home import CDK
from penstock.local import docker, images
from tests.functional.embedded import ROOT, UNCHECKED, serving

APP = """
import aws_cdk as cdk
from pathlib import Path
from penstock_runtime.plan.task_definition import Image
from stacks.ingestion.image import Images

app = cdk.App()
stack = cdk.Stack(app, "images")
image = Images(stack, "Images", project_root=Path.cwd()).get(Image("built", "meltano", "ingestion/meltano"), "x86_64")
cdk.CfnWaitConditionHandle(stack, "Nothing")
cdk.CfnOutput(stack, "Uri", value=image.uri)
app.synth()
"""


def run(*command: str, cwd: Path, environ: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_cdk_cli_publishes_an_image_once(tmp_path: Path) -> None:
    """After a deploy, ECS can pull the image by the name that the template has; the next deploy builds nothing."""
    with serving(tmp_path / "aws") as server:
        endpoint = server.endpoint
        environ = {
            # The caller's environment without its AWS account: the build installs packages.
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            **endpoint.environ(endpoint.root()),
            "CDK_DOCKER": str(docker.command(tmp_path)),
            "PENSTOCK_IMAGES": str(server.images),
            "CI": "true",
            **UNCHECKED,
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
        }
        assembly = tmp_path / "cdk.out"
        synth = environ | {"CDK_OUTDIR": str(assembly), "PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}"}
        run(sys.executable, "-c", APP, cwd=ROOT, environ=synth)
        cdk = (str(CDK), "--no-notices", "--no-version-reporting")
        run(*cdk, "bootstrap", f"aws://{endpoint.account}/{endpoint.region}", cwd=tmp_path, environ=environ)
        deploy = (*cdk, "-a", str(assembly), "deploy", "--all", "--require-approval", "never")
        run(*deploy, cwd=tmp_path, environ=environ)

        (stack,) = endpoint.client("cloudformation").describe_stacks(StackName="images")["Stacks"]
        reference = stack["Outputs"][0]["OutputValue"]
        stand_in = images.load(server.images, reference)
        assert stand_in is not None
        assert (Path(stand_in.path[0]) / "meltano").exists()

        (tmp_path / "docker").write_text("#!/bin/sh\nexit 9\n")
        run(*deploy, "--force", cwd=tmp_path, environ=environ)
