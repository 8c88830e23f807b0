"""`temper front`, `temper continual`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.output import (
    Documents,
    Json,
    Overrides,
    Profile,
    console,
    prefect_session,
    prepare_profile,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from data_contracts.front import ContinualResult, Front
    from data_contracts.results import Interval


def register(app: typer.Typer) -> None:
    """Add this module's verbs."""
    app.command()(front)
    app.command()(continual)


def front(
    profile: Profile = "demo",
    write: Annotated[
        Path | None, typer.Option(help="Write the recommended point as a profile to this file.")
    ] = None,
    documents: Documents = None,
    settings: Overrides = None,
    json_output: Json = False,
) -> None:
    """Compare ways to train, learning against forgetting; the same command goes on after a stop.

    What is compared stands in the profile's section `front`. Points are chosen on validation
    rows; the recommended one alone is measured on test rows.

    Example: temper front handbook --set 'front.learning_rates=[5e-5, 2e-4]'
    Example: temper front profile.yaml --write best.yaml
    """
    places = prepare_profile(profile, documents, settings)
    with prefect_session(places):
        from flows.front import front_pipeline

        result = front_pipeline(profile, documents, settings or [])
    if write is not None and result.profile is not None:
        _write(write, result.profile)
    if json_output:
        print_json(result.model_dump(mode="json"))
        return
    _show(result.front)
    console.print(f"\nThe page: {result.report}", markup=False)
    if write is not None and result.profile is not None:
        console.print(f"The recommended point as a profile: temper run {write}", markup=False)


def _write(file: Path, profile: str) -> None:
    from data_contracts.errors import StorageError

    try:
        file.write_text(profile, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"Cannot write the profile {file}: {error}.") from error


def _show(front: "Front") -> None:
    columns = ["point", "", "learning", "forgetting", "skills lost", "sharpness", "time"]
    rows = [
        (
            point.number,
            point.name + (" *" if point.number in front.pareto else ""),
            _told(point.learning),
            _told(point.forgetting),
            _told(point.skill_loss),
            "-" if point.sharpness is None else f"{point.sharpness.mean_rise:+.3f}",
            f"{point.seconds:.0f} s",
        )
        for point in front.points
    ]
    print_table("\nLearning against forgetting; * no point is better in both", columns, rows)
    for point in front.points:
        if point.reason is not None:
            console.print(f"Point {point.number} failed: {point.reason}", markup=False)
    console.print(f"\n{front.rule}\n{front.because}", markup=False)
    if front.test_learning is not None:
        console.print(f"On the test rows: {_told(front.test_learning)}", markup=False)


def _told(interval: "Interval | None") -> str:
    if interval is None:
        return "-"
    return f"{interval.estimate:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"


def continual(
    profile: Profile = "demo", settings: Overrides = None, json_output: Json = False
) -> None:
    """Train on one document set after the other, and show what of the earlier ones was kept.

    The sets, and the ways that are compared, stand in the profile's section `continual`. Each
    step starts from the last step's model.

    Example: temper continual profile.yaml
    """
    places = prepare_profile(profile, None, settings)
    with prefect_session(places):
        from flows.continual import continual_pipeline

        found = continual_pipeline(profile, settings or [])
    if json_output:
        print_json(found.model_dump(mode="json"))
        return
    _show_continual(found.result)
    console.print(f"\nThe page: {found.report}", markup=False)


def _show_continual(found: "ContinualResult") -> None:
    after = ["the base", *found.sets]
    for arm in found.arms:
        rows = [
            (name, *(f"{loss:.3f}" for loss in losses), f"{text:.3f}")
            for name, losses, text in zip(after, arm.losses, arm.text, strict=True)
        ]
        print_table(f"\n{arm.name}: loss", ["after", *found.sets, "general text"], rows)
        console.print(
            f"Backward transfer {arm.transfer.backward:+.3f}, forgetting at the end "
            f"{arm.transfer.forgetting[-1]:+.3f} nats a token"
        )
    others = [
        (arm.name, *map(_told, arm.beside_first), _told(arm.text_beside_first))
        for arm in found.arms[1:]
    ]
    if others:
        title = f"\nLoss at the end, less that of {found.arms[0].name} on the same rows"
        print_table(title, ["way", *found.sets, "general text"], others)
