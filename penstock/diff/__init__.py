"""Two states of a project compared, in a person's words. Pure: plans and templates in, findings out.

plans         schedules and tasks, field by field
settings      what the project says besides: Airflow, logs, network, roles, field by field
templates     resources: added, removed, changed, replaced
airflow       another version of Airflow: what MWAA does, and refuses
protection    whether CloudFormation refuses to delete the stacks
permissions   IAM statements, gained and lost
cost          what a month costs, fixed and per run
prices        the table of prices that this rests on
fields        one field that changed: its path, old, new
values        values of templates, as a person reads them
report        all of it together, and whether it is dangerous
"""
