"""The recording catalogue: stands in for an OpenMetadata server where a project has none.

It answers the part of OpenMetadata's REST API that the ingestion package uses, records what it is told, and
says what it is. It is no OpenMetadata: no search engine, no UI, no rights beyond one token. What it does not
know it answers with 404 and notes down, so that one sees what was missing.

    store       entities and what is attached to them, in SQLite; survives restarts
    entities    how a create request becomes a full entity: names in full, references, versions
    definitions what a real server ships with: data tests, connection tests
    search      the few search queries that the package sends
    patch       JSON Patch (RFC 6902), as far as the package uses it
    handlers, observations, lineage_by_name, routes   one function per endpoint, and the one table that says which
    server      HTTP on 127.0.0.1
    client      reading what was recorded, from the files; works whether the server runs or not

What is known about the shapes comes from the models of openmetadata-ingestion 1.6 to 2.0, which check every answer.
"""
