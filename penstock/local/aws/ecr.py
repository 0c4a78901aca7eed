"""ECR where ministack is more lenient: a missing image is an error, by which the CDK CLI decides to push.

Source: Amazon ECR API Reference, DescribeImages: ImageNotFoundException.
"""

from __future__ import annotations

from typing import Any

from penstock.local.aws import compat

Request = dict[str, Any]


def install() -> None:
    """Put the check before ministack's own answer."""
    inner = compat.ecr._describe_images

    def describe_images(data: Request) -> Any:
        repository = data.get("repositoryName", "")
        if repository in compat.ecr._repositories:
            for wanted in data.get("imageIds") or []:
                if compat.ecr._find_image(repository, wanted) is None:
                    what = ", ".join(f"{key}:'{value}'" for key, value in wanted.items())
                    return compat.responses.error_response_json(
                        "ImageNotFoundException",
                        f"The image with imageId {{{what}}} does not exist within the repository "
                        f"with name '{repository}' in the registry with id '{compat.responses.get_account_id()}'",
                        400,
                    )
        return inner(data)

    compat.ecr._describe_images = describe_images
