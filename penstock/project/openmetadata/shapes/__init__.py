"""OpenMetadata's workflow files against what the package of the server's version takes. See docs/adr/0016.

export       the script that says what the package takes; it runs in the Python that has the package
shape_file   where that is kept: a file in the user's cache
shapes       the shapes in that file; `values`, `structures` and `unions` are their kinds
faults       what is wrong, and the fix, in words
check        a workflow, with what the project adds to it, against the shapes
"""
