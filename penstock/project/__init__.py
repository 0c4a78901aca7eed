"""The project: one `penstock.yaml` and the files that it names, read, checked and typed.

    load          reads everything, and is the only module that starts at a path
    loaded        the result: a project, complete
    settings      the shape of penstock.yaml; pydantic knows types, checks know meaning
    environments  the top level with one environment's overrides merged over it
    check         every check of one environment, in the order of the file
    document      YAML with positions, problems and their report
    schema        what every part of the file is made of
    rules         what must hold between two nouns; each noun has a folder of its own

Compiling a loaded project reads no project file. An environment is checked as a whole, its overrides merged in.
"""
