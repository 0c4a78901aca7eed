"""Files that tasks get in their containers: files of the project, and secrets that have to be files.

model     the keys: `files:` of a task, a job, all Meltano tasks or all tasks; `openmetadata.ca_certificate`
content   what a file of the project holds, by its hash
named     paths that no container has: what tells them from other texts, and what to do

Which task gets which files, and whether its container can have them, is in `penstock.project.rules.files`.
"""
