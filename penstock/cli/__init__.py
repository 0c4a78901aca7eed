"""The commands. Each parses, calls, prints: data on stdout, talk on stderr, `--format json` where it prints data.

main           the command itself: --project, --environment, errors and exit codes; lists the commands
validate, plan, schema, adopt, up, run, status, logs, down, push, diff, deploy_policy, requirements, invoke
               a command each
dags, job, schedule, catalogue    groups: dags build, dags plugin, job add, schedule list, catalogue list
edits          how `job` and `schedule` write into the user's files
options        the options that several commands share
output         tables, JSON, progress
changes        what `push` and `diff` print about changes
embedded       what `up`, `run` and `status` print about the embedded system
"""
