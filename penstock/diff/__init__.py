"""Two states of a project compared, in a person's words. Pure: plans and templates in, findings out.

plans         schedules and tasks, field by field
templates     resources: added, removed, changed, replaced
airflow       another version of Airflow: what MWAA does, and refuses
permissions   IAM statements, gained and lost
cost          what a month costs, fixed and per run
prices        the table of prices that this rests on
report        all of it together, and whether it is dangerous
"""
