"""`penstock dags export`: a schedule as one DAG file of stock operators, which needs nothing of Penstock's.

dag_file    puts the file together: what it loses, imports, constants, the DAG, its order
target      for which operator and which Airflow, and where that has its classes
ecs, python_tasks, shell_tasks, docker_tasks    a task of the schedule as a call of a stock operator
in_file     functions that such a file holds to read secrets in the task
losses      what the schedule has, and stock operators cannot do
literals    Python literals and calls, laid out as Black does
"""
