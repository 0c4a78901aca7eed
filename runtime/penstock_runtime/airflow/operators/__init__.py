"""What runs a task of a schedule in Airflow: one module per operator.

pick       chooses the operator by a task's `operator`; a new operator is a line there
fargate    `ecs`: one Fargate task, from start to diagnosis
run_task   what RunTask is asked for: pure data, no Airflow in it
task_log   the container's log, line by line into Airflow's
"""
