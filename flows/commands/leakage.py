"""`temper check-leakage` and `temper decontaminate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from flows.commands.output import Json, console, print_json, print_table
from tasks.settings import Settings

if TYPE_CHECKING:
    from data_contracts.leakage import LeakageCheck
    from data_contracts.results import DetectorAccuracy
    from tasks.curation.config import CurationConfig
    from tasks.interchange.compared import ComparedDataset

_FILES = "A file or folder: JSONL, JSON, CSV, Parquet, Arrow, chat forms, or plain text lines."

Report = Annotated[
    Path | None, typer.Option("--report", help="Write every hit side by side as HTML.")
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--embedding",
        min=0.01,
        max=1,
        help="Also compare sentence embeddings, from this cosine similarity on.",
    ),
]
Planted = Annotated[
    int, typer.Option("--planted", min=0, help="Leaks to plant to measure recall; 0 for none.")
]


def register(app: typer.Typer) -> None:
    """Add this module's verbs."""
    app.command(name="check-leakage")(check_leakage)
    app.command()(decontaminate)


def check_leakage(
    train: Annotated[str, typer.Argument(help=f"Training data. {_FILES}")],
    test: Annotated[str, typer.Argument(help="Test data, in any of these forms.")],
    report: Report = None,
    fail_above: Annotated[
        float | None,
        typer.Option(
            "--fail-above", min=0, max=1, help="Exit with 1 if a larger share is given away."
        ),
    ] = None,
    cleaned: Annotated[
        Path | None, typer.Option("--cleaned", help="Write the cleaned side without the hits.")
    ] = None,
    clean: Annotated[
        str, typer.Option("--clean", help="Which side to count and clean: test or train.")
    ] = "test",
    embedding: Threshold = None,
    planted: Planted = 200,
    json_output: Json = False,
) -> None:
    """Find test records that training data give away, in anybody's files.

    Example: temper check-leakage train.jsonl test.csv --report leaks.html --fail-above 0.01
    """
    from data_contracts.errors import UnknownName
    from flows import leakage

    if clean not in ("train", "test"):
        raise UnknownName("side", clean, ("test", "train"))
    side: Literal["train", "test"] = "train" if clean == "train" else "test"
    ours, theirs = (_read(path) for path in (train, test))
    found = leakage.check_leakage(ours, theirs, side, _config(embedding, planted))
    if cleaned is not None:
        chosen = ours if side == "train" else theirs
        leakage.write_cleaned(chosen, found.given_away, cleaned)
    _answer(found, report, json_output)
    if fail_above is not None and found.share > fail_above:
        raise typer.Exit(1)


def decontaminate(
    dataset: Annotated[str, typer.Argument(help=f"Training data. {_FILES}")],
    against: Annotated[list[str], typer.Option("--against", help="A benchmark; may be repeated.")],
    cleaned: Annotated[Path, typer.Option("--cleaned", help="Where the cleaned dataset goes.")],
    report: Report = None,
    embedding: Threshold = None,
    planted: Planted = 0,
    json_output: Json = False,
) -> None:
    """Write a dataset without the records that give a benchmark away.

    Example: temper decontaminate train.jsonl --against mmlu/ --against own.csv --cleaned out.jsonl
    """
    from flows import leakage

    ours = _read(dataset)
    benchmarks = leakage.together([_read(path) for path in against])
    found = leakage.check_leakage(ours, benchmarks, "train", _config(embedding, planted))
    leakage.write_cleaned(ours, found.given_away, cleaned)
    _answer(found, report, json_output)


def _read(path: str) -> "ComparedDataset":
    from tasks.interchange.compared import read_compared

    return read_compared(path, Settings().resolved_home / "cache" / "leakage")


def _config(embedding: float | None, planted: int) -> "CurationConfig":
    from tasks.curation.config import CurationConfig
    from tasks.text.config import SimilarityConfig

    return CurationConfig(
        planted=planted, similarity=SimilarityConfig(embedding_threshold=embedding)
    )


def _answer(found: "LeakageCheck", report: Path | None, json_output: bool) -> None:
    if report is not None:
        from tasks.report.leakage import write_leakage_html

        write_leakage_html(found, report)
    if json_output:
        print_json({**found.model_dump(mode="json"), "share": found.share})
        return
    worth = {item.detector: item for item in (found.accuracy.detectors if found.accuracy else [])}
    print_table(
        "",
        ["detector", "hits", "highest", "threshold", "recall", "false alarms"],
        [
            (
                item.detector,
                item.hits,
                f"{item.highest:.3f}",
                f"{item.threshold:g}",
                *_worth(worth.get(item.detector)),
            )
            for item in found.detectors
        ]
        + [("all together", len(found.given_away), "", "", *_worth(worth.get("any")))],
    )
    records = found.test_records if found.checked == "test" else found.train_records
    told = "are given away" if found.checked == "test" else "give a test record away"
    console.print(
        f"\n{len(found.given_away)} of {records} {found.checked} records ({found.share:.2%}) "
        f"{told}; "
        f"{found.unreadable} records hold no readable text and were not compared."
    )


def _worth(item: "DetectorAccuracy | None") -> tuple[str, str]:
    if item is None:
        return "-", "-"
    alarms = "-" if item.false_alarms is None else f"{item.false_alarms:.1%}"
    return f"{item.recall:.1%}", alarms
