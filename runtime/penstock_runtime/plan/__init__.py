"""The plan: frozen dataclasses that the desk writes and the cloud reads. Importing the package imports nothing."""
