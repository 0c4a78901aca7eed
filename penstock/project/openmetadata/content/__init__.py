"""What a workflow file says, against what a run of it needs.

OpenMetadata's parser takes all of it; the run fails, or does nothing and reports success.

source        the source's type, its connection, its config and the task that runs it
steps         what comes after the source: processor, stage, sink
server        the server's address and how to sign in to it
filters       regular expressions of filter patterns
run_id        `pipelineRunId`
renamed       keys that the documentation still has under an old name
installed     the same file against what the package of the server's version holds
collisions    two files of a project that mean one thing of the server's
check         all of these but the last two
"""
