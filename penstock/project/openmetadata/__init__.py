"""OpenMetadata's workflow files against what the package of the server's version takes.

shape_file  what a version takes: a file in the user's cache, exported from the package that is installed there
shapes      a value of a YAML file against a shape: the rules of pydantic, with the place of every fault
faults      what is wrong, and the fix, in words
check       a workflow, with what the project adds to it, against the shapes
connections connections that make sense in one place only
export      the script that makes the file; it runs in the Python that has the package
"""
