"""`temper export`, `temper serve-adapters`."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.output import Json, prepare, print_json, print_pairs


def register(app: typer.Typer) -> None:
    """Add this module's verbs."""
    for verb in (export, serve_adapters):
        app.command()(verb)


def export(
    model: Annotated[
        str,
        typer.Argument(
            help="A model's folder or fingerprint, or registered: name, name@champion, name/3."
        ),
    ],
    form: Annotated[str, typer.Option("--as", help="adapter, merged or gguf.")] = "merged",
    out: Annotated[Path, typer.Option(help="New folder to write to.")] = Path("export"),
    quantisation: Annotated[
        str | None, typer.Option(help="f32, f16, bf16; for gguf q8_0 too.")
    ] = None,
    prompts: Annotated[int, typer.Option(help="Answers to compare, at most.")] = 50,
    json_output: Json = False,
) -> None:
    """Write a tuned model for other programs, and prove that it answers there as it did here.

    Ends with exit code 1 when it does not; the files stay, to be looked into.

    Example: temper export temper@champion --as gguf --quantisation q8_0 --out ./for-ollama
    """
    settings = prepare(quiet=json_output)
    from data_contracts.errors import ExportError
    from tasks.exporting.config import export_config
    from tasks.exporting.export import export_model
    from tasks.exporting.find import comparison_rows, find_tuned
    from tasks.exporting.record import record_export
    from tasks.tracking import connect

    config = export_config(form=form, precision=quantisation, prompts=prompts)
    home, tracking_uri = settings.resolved_home, settings.resolved_tracking_uri
    found = find_tuned(model, home, connect(tracking_uri).MlflowClient())
    written = export_model(found, comparison_rows(found, home), config, out)
    run = record_export(written, home, tracking_uri)
    if json_output:
        print_json({**written.model_dump(mode="json"), "mlflow_run": run})
    else:
        print_pairs(_shown(written, run))
    if not written.parity.passed:
        raise ExportError(
            f"The export in {out} does not answer as the model does: {_why(written.parity)}. "
            f"See {out / 'export.json'}. Do not use it; a higher --quantisation may pass."
        )


def serve_adapters(
    adapters: Annotated[
        list[str], typer.Argument(help="NAME=MODEL; MODEL as for `temper export`.")
    ],
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8000,
    json_output: Json = False,
) -> None:
    """Answer with any of several adapters on one base, until interrupted.

    An OpenAI-compatible endpoint for this machine alone: `model` names the adapter.

    Example: temper serve-adapters legal=temper/3 travel=temper@champion
    """
    settings = prepare(quiet=json_output)
    from data_contracts.errors import ConfigError
    from tasks.exporting.find import find_tuned
    from tasks.exporting.shared_base import adapter_server, load_shared
    from tasks.tracking import connect

    pairs = [each.partition("=") for each in adapters]
    if not all(name and model for name, _, model in pairs):
        raise ConfigError("Name each adapter and its model as NAME=MODEL, e.g. legal=temper/3.")
    client = connect(settings.resolved_tracking_uri).MlflowClient()
    home = settings.resolved_home
    shared = load_shared({name: find_tuned(model, home, client) for name, _, model in pairs})
    with adapter_server(shared, port) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}/v1"
        if json_output:
            typer.echo(json.dumps({"base_url": address, "models": list(shared.tokenizers)}))
        else:
            print_pairs({"base URL": address, "models": ", ".join(shared.tokenizers)})
        with suppress(KeyboardInterrupt):
            server.serve_forever()


def _shown(written: Any, run: str) -> dict[str, object]:
    parity = written.parity
    return {
        "folder": written.folder,
        "files": ", ".join(f"{name} ({size / 1e6:.1f} MB)" for name, size in written.files.items()),
        "precision": written.precision,
        "compared with": parity.reference,
        "answers alike": f"{parity.equal_answers:.1%} of {parity.prompts}",
        "highest difference": f"{parity.highest_difference:.2g} nats (allowed "
        f"{parity.tolerance:g}) over {parity.tokens} tokens",
        "parity": "proven" if parity.passed else "BROKEN",
        "MLflow run": run,
    }


def _why(parity: Any) -> str:
    if parity.same_prompts < parity.prompts:
        other = parity.prompts - parity.same_prompts
        return f"{other} of {parity.prompts} prompts become other tokens (template or tokenizer)"
    return (
        f"a log-probability differs by {parity.highest_difference:.2g} nats, and "
        f"{parity.tolerance:g} is allowed"
    )
