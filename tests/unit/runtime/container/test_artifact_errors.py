"""What S3's refusals mean."""

from __future__ import annotations

import pytest

from penstock_runtime.container.artifact_errors import meaning


@pytest.mark.parametrize(
    ("code", "status", "says", "fix"),
    [
        ("NoSuchKey", 404, "it is not in the artifacts bucket", "push again"),
        ("404", None, "it is not in the artifacts bucket", "push again"),
        ("NoSuchBucket", 404, "the bucket does not exist", "deploy"),
        ("AccessDenied", 403, "it is not in the artifacts bucket, or the task role may not read it", "push again"),
        ("", 403, "S3 answers both alike", "s3:GetObject"),
        ("KMS.DisabledException", 400, "its KMS key cannot be used", "enabled"),
        ("ExpiredToken", 400, "credentials", "role exists"),
        ("SlowDown", 503, "overloaded", "again"),
        ("", 500, "overloaded", "again"),
        ("Strange", 400, "S3 refuses it (Strange)", "task role"),
    ],
)
def test_tells_missing_apart_from_denied(code: str, status: int | None, says: str, fix: str) -> None:
    """Where S3 itself does; where it does not, both are said."""
    what, found = meaning(code, status)

    assert says in what
    assert fix in found


def test_a_missing_file_is_not_called_denied() -> None:
    assert "may not" not in " ".join(meaning("NoSuchKey"))
