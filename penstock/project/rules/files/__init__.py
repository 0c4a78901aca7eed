"""The files that tasks get, against the rest of the project.

levels    which files each task gets: the innermost level wins
places    where in a container a file can be written
checks    what is wrong with all that
missing   where a project names paths that no container has: workflow files, commands, environment variables
"""
