"""The environment's bucket: versions, public access, key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import botocore.exceptions

from penstock.adopt.live import Gone
from penstock.adopt.lookups import Clients, Look
from penstock.deployed.account import error_code

BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_NO_BLOCK = "NoSuchPublicAccessBlockConfiguration"
_NO_ENCRYPTION = "ServerSideEncryptionConfigurationNotFoundError"


class BucketLook:
    """Looks at one bucket."""

    def __init__(self, name: str, account: str, clients: Clients, look: Look) -> None:
        self.name, self._account, self._clients, self._look = name, account, clients, look
        self._gone = Gone(f"the bucket {name} is gone", "make it again, with the DAGs: MWAA reads all its files there")

    def versioned(self) -> bool | None:
        """Whether it keeps versions."""

        def ask() -> bool:
            return bool(self._clients("s3").get_bucket_versioning(Bucket=self.name).get("Status") == "Enabled")

        return self._look("s3:GetBucketVersioning", ask, {"NoSuchBucket": self._gone})

    def public_access_blocked(self) -> bool | None:
        """Whether all four kinds are blocked, each by the bucket or by its account: the stricter of both counts.

        Source: Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage".
        """
        own = self._look("s3:GetBucketPublicAccessBlock", self._own_block, {"NoSuchBucket": self._gone})
        if own is None or all(own.get(kind) for kind in BLOCKS):
            return None if own is None else True
        accounts = self._look("s3:GetAccountPublicAccessBlock", self._accounts_block)
        return None if accounts is None else all(own.get(kind) or accounts.get(kind) for kind in BLOCKS)

    def kms_key(self) -> str | None:
        """A customer's key only: with AWS's own key, `aws/s3`, whoever may use the bucket may use the key."""
        named = self._look("s3:GetEncryptionConfiguration", self._named_key, {"NoSuchBucket": self._gone})
        if not named:
            return None
        gone = Gone(f"the bucket's key {named} is gone", "give the bucket a key that exists, and encrypt it again")
        key = self._look("kms:DescribeKey", lambda: self._key(named), {"NotFoundException": gone})
        # A bucket may name its key by id or alias; a policy needs the ARN.
        return (named if ":key/" in named else None) if key is None else key.get("own")

    def _own_block(self) -> Mapping[str, Any]:
        return _block(lambda: self._clients("s3").get_public_access_block(Bucket=self.name))

    def _accounts_block(self) -> Mapping[str, Any]:
        return _block(lambda: self._clients("s3control").get_public_access_block(AccountId=self._account))

    def _named_key(self) -> str:
        try:
            encryption = self._clients("s3").get_bucket_encryption(Bucket=self.name)[
                "ServerSideEncryptionConfiguration"
            ]
        except botocore.exceptions.ClientError as error:
            if error_code(error) != _NO_ENCRYPTION:
                raise
            return ""
        keys = [
            rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID") for rule in encryption["Rules"]
        ]
        return next((str(key) for key in keys if key), "")

    def _key(self, named: str) -> dict[str, str]:
        metadata = self._clients("kms").describe_key(KeyId=named)["KeyMetadata"]
        return {} if metadata.get("KeyManager") == "AWS" else {"own": str(metadata["Arn"])}


def _block(ask: Any) -> Mapping[str, Any]:
    """The four settings; empty: none was ever made."""
    try:
        settings: Mapping[str, Any] = ask()["PublicAccessBlockConfiguration"]
        return settings
    except botocore.exceptions.ClientError as error:
        if error_code(error) != _NO_BLOCK:
            raise
        return {}
