"""What S3's refusal of a file from the artifacts bucket means, and what to do. Pure."""

from __future__ import annotations

MISSING = "it is not in the artifacts bucket"


def meaning(code: str, status: int | None = None) -> tuple[str, str]:
    """What happened, and the fix.

    Args:
        code: S3's error code; empty if the answer had none.
        status: the HTTP status, if known.
    """
    if code in ("NoSuchKey", "NotFound", "404"):
        return MISSING, "deploy or push again: the live release brings its files"
    if code == "NoSuchBucket":
        return "the bucket does not exist", "deploy: the ingestion stack makes the artifacts bucket"
    if "KMS" in code.upper():
        return (
            "its KMS key cannot be used",
            "check that the key is enabled, and that its policy lets the task role use it",
        )
    if code in ("AccessDenied", "403", "Forbidden") or (not code and status == 403):
        # S3 answers "not found" for a missing key only if the caller may list the bucket, which a task role may not.
        return (
            f"{MISSING}, or the task role may not read it: S3 answers both alike",
            "deploy or push again, which brings a missing file; otherwise check the task role's "
            "s3:GetObject, the bucket's policy and key, and the policy of a VPC endpoint for S3",
        )
    if code in ("ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"):
        return "AWS does not accept the credentials of the task role", "run the task again; check that its role exists"
    if code in ("SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout") or (status or 0) >= 500:
        return "S3 is overloaded or has a fault", "run the task again"
    return f"S3 refuses it ({code or status})", "check the artifacts bucket and the task role"
