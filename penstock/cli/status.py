"""`status`: what is up of the embedded system."""

from __future__ import annotations

import typer

from penstock.cli import context as contexts
from penstock.cli.embedded import show_address, show_dag_problems, show_left_out
from penstock.cli.options import FormatOption
from penstock.cli.output import Format, show, show_json, talk
from penstock.local import dag_problems, instance, records, services
from penstock.local.system import attach


def status(context: typer.Context, form: FormatOption = Format.text) -> None:
    """Show what is up, where its page is, and the last runs. Exit code 1 if something is not as it should be."""
    own = contexts.of(context).instance()
    rows = [
        {
            "service": process.name,
            "state": "up" if services.alive(process) else "ended",
            "pid": process.pid,
            "address": _address(own, process.name),
            "log": process.log,
        }
        for process in own.processes.values()
    ]
    whole = own.ready and all(row["state"] == "up" for row in rows)
    recent = records.read(own)
    system = attach(own) if whole else None
    problems = dag_problems.find(system.airflow) if system else []
    if form is Format.json:
        state = {"up": whole, "services": rows, "runs": [result.data() for result in recent]}
        left_out = list(system.plan.left_out) if system else []
        show_json({**state, "dag_problems": [vars(problem) for problem in problems], "left_out": left_out})
    else:
        show(rows, ["service", "state", "pid", "address", "log"], form, empty="no service is up")
        if recent:
            talk.print()
            shown = [
                {"run": run.run_id, "schedule": run.schedule, "state": run.state, "seconds": run.seconds}
                for run in recent[-5:]
            ]
            show(shown, ["run", "schedule", "state", "seconds"], form)
        if system:
            talk.print()
            show_address(system)
            show_left_out(system)
        show_dag_problems(problems)
    raise typer.Exit(0 if whole and not problems else 1)


def _address(own: instance.Instance, name: str) -> str | None:
    port = own.ports.get("airflow" if name in ("airflow-api-server", "airflow-webserver") else name)
    return f"127.0.0.1:{port}" if port else None
