"""The OpenMetadata server of a project and its workflow files."""
