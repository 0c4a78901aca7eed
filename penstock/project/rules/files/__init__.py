"""The files that tasks get: which level says what, and whether a container can have them, or lacks one."""
