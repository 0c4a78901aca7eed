"""Files that tasks get in their containers: files of the project, and secrets that have to be files.

model     the keys: `files:` of a task, a job, all Meltano tasks or all tasks; `openmetadata.ca_certificate`
content   what a file of the project holds, by its hash
levels    which files each task gets: the innermost level wins
places    where in a container a file can be written
checks    what is wrong with all that
named     paths that no container has: what tells them from other texts, and what to do
missing   where a project names such paths: workflow files, commands, environment variables
"""
