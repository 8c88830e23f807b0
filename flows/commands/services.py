"""`temper up`, `temper down`, `temper doctor`."""

from typing import Annotated

import typer

from flows.commands.output import Json, console, prepare, print_json, print_pairs, print_table


def register(app: typer.Typer) -> None:
    """Add this module's verbs."""
    for verb in (up, down, doctor):
        app.command()(verb)


def up(
    prefect_port: Annotated[int, typer.Option(help="Port of the Prefect server.")] = 4200,
    mlflow_port: Annotated[int, typer.Option(help="Port of the MLflow server.")] = 5000,
    json_output: Json = False,
) -> None:
    """Start a local Prefect server, MLflow and the deployments, all on this machine alone.

    Example: temper up
    """
    settings = prepare()
    from flows.services import start_services
    from flows.start_page import PAGE

    services = start_services(settings, prefect_port, mlflow_port)
    if json_output:
        print_json([service.model_dump() for service in services])
        return
    prefect, mlflow = services[0].url, services[1].url
    console.print()
    print_pairs(
        {
            "one page with all": (settings.resolved_home / PAGE).as_uri(),
            "Prefect": f"{prefect}/deployments",
            "MLflow": mlflow,
            "start a run": "in Prefect: Deployments, pipeline / by-hand, Run",
            "promote": "in Prefect: Deployments, promote / by-hand, Run",
            "end them": "temper down",
        }
    )


def down(json_output: Json = False) -> None:
    """End what `temper up` started, and nothing else.

    Example: temper down
    """
    settings = prepare()
    from flows.services import stop_services

    stopped = stop_services(settings.resolved_home)
    if json_output:
        print_json([service.model_dump() for service in stopped])
    elif stopped:
        console.print("Ended: " + ", ".join(service.name for service in stopped))
    else:
        console.print("Nothing was running.")


def doctor(json_output: Json = False) -> None:
    """Say what is wrong with this machine, and how to mend it; exit code 1 if anything is.

    Example: temper doctor
    """
    settings = prepare(quiet=True)
    from flows.doctor import examine

    findings = examine(settings)
    if json_output:
        print_json([finding.model_dump() for finding in findings])
    else:
        rows = [("ok" if f.fine else "PROBLEM", f.what, f.found) for f in findings]
        print_table("", ["", "what", "found"], rows)
        for finding in findings:
            if not finding.fine:
                console.print(f"\n{finding.what}: {finding.remedy}", markup=False)
    if not all(finding.fine for finding in findings):
        raise typer.Exit(1)
