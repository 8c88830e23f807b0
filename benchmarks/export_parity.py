"""Exports of a really tuned model, held against it on 50 prompts; and what 8 bits change.

python -m benchmarks.export_parity [--home FOLDER] [--model FOLDER] [--work FOLDER] [--page PAGE.md]
    [--prompts N]

The model is the newest tuned one below --home, if --model names no other. What was measured is
kept in --work and not measured again, so a run that was stopped goes on.
"""

import argparse
import json
import os
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.eight_bits import PROBED, parts, probe
from benchmarks.gguf_blocks import Blocks, check_blocks, together
from data_contracts.results import ModelRef
from tasks.exporting.answers import Answer
from tasks.exporting.config import ExportConfig, export_config
from tasks.exporting.export import write_export
from tasks.exporting.find import comparison_rows
from tasks.exporting.parity import Expected, check_export, expected_answers
from tasks.exporting.weights import load_unquantised
from tasks.modeling.tuned import MANIFEST, model_reference, read_model_manifest
from tasks.settings import Settings

PAGE = Path(__file__).parents[1] / "docs" / "results" / "export-parity.md"
PROMPTS, NEW_TOKENS = 50, 16
FORMS = (
    ("gguf", "q8_0"),
    ("gguf", "f32"),
    ("adapter", "f32"),
    ("merged", "f32"),
    ("gguf", "bf16"),
    ("merged", "bf16"),
    ("gguf", "f16"),
)


def main() -> None:
    """Measure what is not measured yet, and write the page after each form."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=Settings().resolved_home)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--work", type=Path, default=Path("/tmp/temper-export-parity"))
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--prompts", type=int, default=PROMPTS)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    model = model_reference(arguments.model or newest(arguments.home))
    expected = remembered_answers(model, arguments.home, arguments.work, arguments.prompts)
    checks: dict[str, Any] = {}
    probes: dict[str, dict[str, float]] = {}
    blocks: list[Blocks] = []

    def write() -> None:
        page = render(model, expected, checks, blocks, probes)
        arguments.page.write_text(page, encoding="utf-8")

    for form, precision in FORMS:
        name = f"{form}-{precision}"
        measure = partial(check, model, expected, form, precision, arguments.work)
        checks[name] = kept(arguments.work / f"{name}.json", measure)
        write()
    found = kept(arguments.work / "blocks.json", partial(compared_blocks, model, arguments.work))
    blocks += [Blocks(**entry) for entry in found]
    write()
    loaded = load_unquantised(model).merge_and_unload().eval()  # type: ignore[operator]
    for label, (weights, inputs) in parts().items():
        file = arguments.work / f"probe-{label.replace(' ', '-').replace(',', '')}.json"
        probes[label] = kept(file, partial(probe, loaded, expected, weights, inputs))
        write()


def newest(home: Path) -> Path:
    """Return the folder of the newest tuned model."""
    files = sorted((home / "models" / "tuned").glob(f"*/{MANIFEST}"), key=os.path.getmtime)
    return files[-1].parent


def kept(file: Path, measure: Callable[[], Any]) -> Any:
    """Return what is measured, from the file if it was measured before."""
    if not file.exists():
        file.write_text(json.dumps(measure(), indent=1), encoding="utf-8")
    return json.loads(file.read_text(encoding="utf-8"))


def remembered_answers(model: ModelRef, home: Path, work: Path, prompts: int) -> Expected:
    """Return the model's own answers."""
    rows = comparison_rows(model, home)[:prompts]
    config = export_config(form="gguf", max_new_tokens=NEW_TOKENS)

    def ask() -> dict[str, Any]:
        found = expected_answers(model, rows, config)
        answers = [(answer.tokens, answer.log_probabilities) for answer in found.answers]
        return {"reference": found.reference, "prompts": found.prompts, "answers": answers}

    told = kept(work / f"answers-{prompts}.json", ask)
    return Expected(
        told["reference"],
        tuple(rows),
        tuple(tuple(prompt) for prompt in told["prompts"]),
        tuple(Answer(tuple(tokens), tuple(scores)) for tokens, scores in told["answers"]),
    )


def check(
    model: ModelRef, expected: Expected, form: str, precision: str, work: Path
) -> dict[str, Any]:
    """Return how an export answers; its files are deleted again."""
    config = export_config(form=form, precision=precision, max_new_tokens=NEW_TOKENS)
    folder = work / f"export-{form}-{precision}"
    write_anew(model, config, folder)
    found = check_export(model, folder, expected, config)
    size = sum(path.stat().st_size for path in folder.iterdir())
    shutil.rmtree(folder)
    return {**found.model_dump(mode="json"), "bytes": size}


def write_anew(model: ModelRef, config: ExportConfig, folder: Path) -> None:
    """Write an export where a stopped run may have left a part of one."""
    shutil.rmtree(folder, ignore_errors=True)
    write_export(model, config, folder)


def compared_blocks(model: ModelRef, work: Path) -> list[dict[str, Any]]:
    """Return what the q8_0 file's tensors are worth beside those of the f16 file."""
    folders = {precision: work / f"blocks-{precision}" for precision in ("q8_0", "f16")}
    for precision, folder in folders.items():
        write_anew(model, export_config(form="gguf", precision=precision), folder)
    files = [next(folder.glob("*.gguf")) for folder in folders.values()]
    found = [asdict(entry) for entry in check_blocks(*files)]
    for folder in folders.values():
        shutil.rmtree(folder)
    return found


def render(
    model: ModelRef,
    expected: Expected,
    checks: Mapping[str, Any],
    blocks: Sequence[Blocks],
    probes: Mapping[str, Mapping[str, float]],
) -> str:
    """Return the page."""
    manifest = read_model_manifest(model.folder)
    names = ("torch", "transformers", "xllamacpp", "gguf")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    lines = [
        "# Exports beside the model they were made from",
        "",
        f"`.venv/bin/python -m benchmarks.export_parity --prompts {len(expected.prompts)}`, "
        f"{datetime.now(UTC):%Y-%m-%d}, "
        f"{platform.machine()}, Python {platform.python_version()}, {versions}.",
        "",
        f"Model {model.fingerprint[:12]}: {model.base.name} base, {manifest.method['method']}; "
        f"{len(expected.prompts)} prompts of its dataset, test rows first, greedy answers of at "
        f"most {NEW_TOKENS} tokens.",
        "",
        "| export | prompts the same tokens | answers alike | highest difference (nats) | "
        "tolerance | passed | MB |",
        "|---|---:|---:|---:|---:|---|---:|",
        *(
            f"| {name} | {c['same_prompts']} of {c['prompts']} | {c['equal_answers']:.0%} | "
            f"{c['highest_difference']:.4f} | {c['tolerance']:g} | "
            f"{'yes' if c['passed'] else 'no'} | {c['bytes'] / 1e6:.0f} |"
            for name, c in checks.items()
        ),
        "",
        *lines_of_blocks(blocks),
        "## What 8 bits change",
        "",
        "llama.cpp multiplies q8_0 weights with inputs that it rounds to 8 bits as well. Here "
        f"transformers computes with single parts rounded in the same way, on the first {PROBED} "
        "prompts:",
        "",
        "| in 8 bits | highest difference (nats) | median |",
        "|---|---:|---:|",
        *(f"| {label} | {d['highest']:.4f} | {d['median']:.5f} |" for label, d in probes.items()),
        "",
    ]
    return "\n".join(lines)


def lines_of_blocks(blocks: Sequence[Blocks]) -> list[str]:
    """Return the section on the q8_0 file's weights."""
    if not blocks:
        return []
    entries = [*blocks, together("all", blocks)]
    return [
        "## What the q8_0 file holds",
        "",
        "Its tensors, read as bytes without gguf's quantiser (`benchmarks/gguf_blocks.py`), beside "
        "those of the f16 file of the same model. A value may lie half a step of its block's "
        "scale away, and what rounding the scale and the 16-bit value adds; the largest value of "
        "a block takes the last step.",
        "",
        "| tensors | blocks of 32 | values too far away | blocks with too coarse a scale | highest "
        "error, of what is allowed | error, of the weights (root mean square) |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {entry.kind} | {entry.blocks:,} | {entry.outside} | {entry.coarse} | "
            f"{entry.highest:.3f} | {(entry.error / entry.weight) ** 0.5:.4f} |"
            for entry in entries
        ),
        "",
    ]


if __name__ == "__main__":
    main()
