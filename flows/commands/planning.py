"""`temper estimate`, `temper recommend`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.commands.options import checked, named_values, read_json
from flows.commands.output import (
    Json,
    prefect_session,
    prepare,
    prepare_profile,
    print_json,
    print_pairs,
    print_table,
)

if TYPE_CHECKING:
    from tasks.estimation.config import RunShape
    from tasks.estimation.devices import DevicesTime
    from tasks.estimation.estimate import MemoryEstimate
    from tasks.estimation.probe import StepTime
    from tasks.recommendation.recommend import Recommendation
    from tasks.recommendation.situation import Situation

GB = 1e9
AS_WE_TRAIN = ("dtype=auto", "mixed_precision=true")

Model = Annotated[
    str,
    typer.Option(
        help="`embedded`, a folder with config.json, a JSON file of that form, or a hub id."
    ),
]
Shape = Annotated[
    list[str] | None,
    typer.Option(
        "--shape",
        help="An option of the step: batch_size=4, devices=8. May be given many times.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add this module's verbs."""
    for verb in (estimate, recommend):
        app.command()(verb)


def estimate(
    model: Model = "embedded",
    method: Annotated[str, typer.Option(help="A training method; `temper methods`.")] = "lora",
    options: Annotated[
        list[str] | None,
        typer.Option("--option", help="An option of the method: rank=16. May be given many times."),
    ] = None,
    peft: Annotated[
        Path | None,
        typer.Option(help="An adapter_config.json of PEFT, in place of --method."),
    ] = None,
    shape: Shape = None,
    probe: Annotated[
        bool, typer.Option("--probe", help="Load the model and time ten steps on this machine.")
    ] = False,
    rows: Annotated[
        int, typer.Option(help="Training rows of the run whose time --probe tells.")
    ] = 1000,
    epochs: Annotated[float, typer.Option(help="Passes over them.")] = 3.0,
    link: Annotated[
        float,
        typer.Option(
            min=0.001,
            help="With several devices: GB/s that each can send to the others. PCIe 4.0 x16 about "
            "25, NVLink of an H100 450, a network of 100 Gbit/s 12.5.",
        ),
    ] = 25.0,
    json_output: Json = False,
) -> None:
    """Tell a run's peak memory and the size of its result from the model's config alone.

    Example: temper estimate --model meta-llama/Llama-3.2-3B --method lora --shape batch_size=4
    Example: temper estimate --model embedded --probe --rows 2000 --shape sequence_length=128
    Example: temper estimate --probe --shape devices=8 --shape parallel=fsdp --link 450
    """
    from tasks.estimation.architecture import read_architecture
    from tasks.estimation.estimate import estimate_memory
    from tasks.estimation.fit import as_trained
    from tasks.settings import Settings
    from tasks.training.method import METHODS

    config = read_architecture(model, Settings().resolved_home)
    asked = run = _run_shape(shape or [])
    if peft is None:  # by our trainer; what PEFT's own configuration names may be by another
        chosen = checked(METHODS.get(method), named_values(options or []), f"method {method}")
        asked = _run_shape([*AS_WE_TRAIN, *(shape or [])])
        run = as_trained(asked, chosen, config)
    found = estimate_memory(config, _preparation(method, options or [], peft), run)
    timed = _time(model, method, options or [], peft, asked) if probe else None
    spread = _on_devices(timed, found, run, link)
    if json_output:
        told = {
            "model": model,
            "shape": run.model_dump(),
            "memory": {**found.model_dump(), "peak": found.peak, "device": found.device},
        }
        if timed is not None:
            whole = timed.whole(rows, epochs, run)
            told["time"] = {**timed.model_dump(), "whole_run_seconds": whole}
        if spread is not None:
            both = spread.whole(rows, epochs)
            told["time_on_devices"] = {**spread.model_dump(), "whole_run_seconds": both}
        print_json(told)
        return
    _show(found, run)
    if timed is not None:
        print_pairs(
            {
                "a step here": f"{timed.seconds:.3f} s, the median of {timed.steps}; "
                f"{timed.tokens_per_second:,.0f} tokens/s",
                "the run": f"{timed.whole(rows, epochs, run) / 60:.1f} minutes for {rows:,} rows, "
                f"{epochs:g} epochs, without validation" + " on one device" * (run.devices > 1),
            }
        )
    if spread is not None:
        _show_devices(spread, run, rows, epochs)


def _on_devices(
    timed: "StepTime | None", memory: "MemoryEstimate", run: "RunShape", link: float
) -> "DevicesTime | None":
    if timed is None or run.devices == 1:
        return None
    from tasks.estimation.devices import on_devices

    return on_devices(timed, memory, run, link)


def _show_devices(found: "DevicesTime", run: "RunShape", rows: int, epochs: float) -> None:
    least, most = (seconds / 60 for seconds in found.whole(rows, epochs))
    print_pairs(
        {
            f"on {found.devices} such devices": f"{found.least_seconds:.3f} to "
            f"{found.most_seconds:.3f} s for a step of {found.rows} rows, {run.parallel}; "
            f"{least:.1f} to {most:.1f} minutes for the run",
            "that is": "calculated, not measured: what was timed here, and "
            f"{found.sent / GB:.3f} GB that each sends in a step at {found.gigabytes_per_second:g} "
            "GB/s (--link), wholly hidden behind computing or not at all",
        }
    )


def _time(
    model: str, method: str, options: list[str], peft: Path | None, run: "RunShape"
) -> "StepTime":
    import tempfile

    from data_contracts.errors import ConfigError
    from tasks.estimation.probe import probe_steps
    from tasks.modeling.base_model import resolve_base_model
    from tasks.training.base_precision import held_base
    from tasks.training.config import TrainingConfig
    from tasks.training.method import METHODS

    if peft is not None:
        raise ConfigError("--probe trains by a method of Temper: name it with --method.")
    home = prepare(quiet=True).resolved_home
    chosen = checked(METHODS.get(method), named_values(options), f"method {method}")
    with tempfile.TemporaryDirectory(prefix="temper-probe-") as folder:
        base = held_base(resolve_base_model(model, home), TrainingConfig(method=chosen))
        alone = run.model_copy(update={"devices": 1})  # with the batch that each would have
        return probe_steps(base, chosen, alone, Path(folder))


def _show(found: "MemoryEstimate", run: "RunShape") -> None:
    parts = (
        ("weights", found.weights),
        ("constants of quantisation", found.quantisation_constants),
        ("gradients", found.gradients),
        ("optimizer", found.optimizer),
        ("activations", found.activations),
        ("logits", found.logits),
        ("between devices", found.communication),
        ("held by the allocator", found.allocator),
        *([("weights' file, mapped to be packed", found.file)] if found.file else []),
        ("peak, as PyTorch counts", found.peak),
        ("driver and kernels", found.context),
        ("to be free on each device", found.device),
        ("result on disk", found.disk),
    )
    print_table("", ["", "GB"], [(name, f"{size / GB:.3f}") for name, size in parts])
    share = found.trainable_parameters / found.parameters
    where = {
        "loading": "while the base is loaded",
        "loss": "at the loss",
        "backward": "on the way back",
        "step": "at the step",
    }
    print_pairs(
        {
            "trained": f"{found.trainable_parameters:,} of {found.parameters:,} ({share:.4%})",
            "highest": f"{where[found.moment]}, on each of {run.devices} device(s)",
        }
    )


def recommend(
    model: Model = "embedded",
    asked: Annotated[
        list[str] | None,
        typer.Option(
            "--situation",
            help="objective=knowledge, memory_gb=24, storage_mb=100, latency=slower, "
            "tasks_at_once=50, complexity=complex, examples=2000, unknown_share=0.4, "
            "keep_abilities=true. May be given many times.",
        ),
    ] = None,
    shape: Shape = None,
    documents: Annotated[
        str, typer.Option(help="The documents that the profile is to learn from.")
    ] = "documents",
    runs: Annotated[
        str, typer.Option(help="A profile's name; its own runs in MLflow outweigh the literature.")
    ] = "",
    write: Annotated[Path | None, typer.Option(help="Write a ready profile to this file.")] = None,
    probe: Annotated[
        str,
        typer.Option(
            help="A profile: train the two best methods on its rows, and let their loss decide."
        ),
    ] = "",
    minutes: Annotated[float, typer.Option(min=0.01, help="For each of the two.")] = 3.0,
    json_output: Json = False,
) -> None:
    """Rank the training methods for a situation, with reasons, sources and costs.

    Example: temper recommend --situation objective=knowledge --situation memory_gb=24
    Example: temper recommend --probe demo --minutes 5 --write best.yaml
    """
    from tasks.estimation.architecture import read_architecture
    from tasks.recommendation.costs import method_costs
    from tasks.recommendation.recommend import recommend as rank
    from tasks.recommendation.situation import Situation
    from tasks.settings import Settings
    from tasks.tracking import best_losses

    settings = Settings()
    situation = checked(Situation, named_values(asked or []), "--situation")
    run = _run_shape([*AS_WE_TRAIN, *(shape or [])])
    costs = method_costs(read_architecture(model, settings.resolved_home), run)
    measured = best_losses(settings.resolved_tracking_uri, runs) if runs else {}
    found = rank(situation, costs, {k: v for k, v in measured.items() if k in costs})
    if probe:
        found = rank(situation, costs, _probed(found, probe, minutes))
    if write is not None:
        _write_profile(write, found, situation, run, model, documents)
    if json_output:
        print_json(found.model_dump())
    else:
        _show_ranking(found)


def _probed(found: "Recommendation", profile: str, minutes: float) -> dict[str, float]:
    """Return the validation losses of the two best methods that Temper trains by."""
    from tasks.recommendation.profile import runnable_first

    two = [choice.method for choice in runnable_first(found, 2)]
    places = prepare_profile(profile, None, None)
    with prefect_session(places):
        from flows.probe import probe_pipeline

        probes = probe_pipeline(two, minutes, profile)
    for one in probes:
        typer.echo(
            f"{one.method}: validation loss {one.loss:.4f} after {one.steps} steps, "
            f"{one.seconds:.0f} s",
            err=True,
        )
    return {one.method: one.loss for one in probes}


def _show_ranking(found: "Recommendation") -> None:
    rows = [
        (
            choice.method + ("" if choice.cost.registered else " (not in this version)"),
            f"{choice.score:+.1f}",
            f"{choice.cost.memory / GB:.2f}",
            f"{choice.cost.storage / 1e6:.1f}",
            f"{choice.extra_latency:+.0%}",
        )
        for choice in found.choices
    ]
    print_table("", ["method", "points", "memory GB", "storage MB", "latency"], rows)
    reasons = [
        (choice.method, reason.criterion, f"{reason.points:+.1f}", reason.text, reason.source)
        for choice in found.choices
        for reason in choice.reasons
    ]
    print_table("\nReasons", ["method", "criterion", "points", "why", "source"], reasons)
    if found.excluded:
        print_table("\nRuled out", ["method", "why"], list(found.excluded.items()))
    if found.advice:
        mind = [(reason.criterion, reason.text, reason.source) for reason in found.advice]
        print_table("\nMind", ["criterion", "what", "source"], mind)


def _write_profile(
    file: Path,
    found: "Recommendation",
    situation: "Situation",
    run: "RunShape",
    model: str,
    documents: str,
) -> None:
    from data_contracts.errors import ConfigError, StorageError
    from tasks.recommendation.profile import profile_text, runnable

    choice = runnable(found)
    if choice is None:
        raise ConfigError(
            "No method by which this version of Temper trains fits the budgets, so no profile was "
            "written. Raise memory_gb or storage_mb, or take a smaller base model."
        )
    try:
        file.write_text(profile_text(choice, situation, run, model, documents), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"Cannot write the profile {file}: {error}.") from error


def _preparation(method: str, options: list[str], peft: Path | None) -> Callable[[Any], Any]:
    if peft is not None:
        from tasks.estimation.peft_method import peft_preparation

        return peft_preparation(read_json(peft))
    from tasks.training.method import METHODS

    return checked(METHODS.get(method), named_values(options), f"method {method}").prepare


def _run_shape(settings: list[str]) -> "RunShape":
    from tasks.estimation.config import RunShape

    return checked(RunShape, named_values(settings), "--shape")
