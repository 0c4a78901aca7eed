"""The project: one `penstock.yaml` and the files that it names, read, checked and typed.

    document    a YAML file → nodes that know their line; limits, no tags, no duplicate keys
    settings    the shape of penstock.yaml, a noun per module; pydantic knows types, `checks` knows meaning
    workflow    OpenMetadata workflow files: names, literal secrets, what the project fills in
    meltano     meltano.yml with its includes: jobs and schedules
    versions    what is known of MWAA's Airflow and of OpenMetadata, dated

Everything that reads a file happens in `load`; compiling a loaded project touches no disk. An environment of the
project is the top level with that environment's overrides merged over it, checked as a whole.
"""
