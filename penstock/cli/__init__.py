"""The commands. Each parses, calls, prints: data on stdout, talk on stderr, `--format json` where it prints data.

main        the command itself: --project, --environment, errors and exit codes
project     validate, plan, schema
dags        dags build
schedule    schedule list
embedded    up, run, status, logs, down
catalogue   catalogue list
deployed    push, diff
changes     what `push` and `diff` say of changes
output      tables, JSON, progress
"""
