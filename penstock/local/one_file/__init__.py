"""One OpenMetadata workflow file, here and now: `penstock run FILE`, without Airflow, ECS or a deploy.

target    which task of the project the file is, if it is one, and what such a task gets
order     the file checked and completed; the container's environment, made of that and of the shell's
process   the runtime's own container program, in the environment of the server's version
"""
