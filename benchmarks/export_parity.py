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
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import torch
from gguf import GGMLQuantizationType, quants
from torch import Tensor, nn

from data_contracts.results import ModelRef
from tasks.exporting.answers import Answer, echo
from tasks.exporting.config import export_config
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
# Prompts on which single parts are put into 8 bits.
PROBED = 10
Quantised = Callable[[str], bool]


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

    def write() -> None:
        arguments.page.write_text(render(model, expected, checks, probes), encoding="utf-8")

    for form, precision in FORMS:
        name = f"{form}-{precision}"
        measure = partial(check, model, expected, form, precision, arguments.work)
        checks[name] = kept(arguments.work / f"{name}.json", measure)
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
    shutil.rmtree(folder, ignore_errors=True)
    write_export(model, config, folder)
    found = check_export(model, folder, expected, config)
    size = sum(path.stat().st_size for path in folder.iterdir())
    shutil.rmtree(folder)
    return {**found.model_dump(mode="json"), "bytes": size}


def parts() -> dict[str, tuple[Quantised, Quantised]]:
    """Return which weights and which inputs of matrices are put into 8 bits, by label."""

    def none(_name: str) -> bool:
        return False

    def every(_name: str) -> bool:
        return True

    def only(part: str) -> Quantised:
        return lambda name: part in name

    return {
        "all weights": (every, none),
        "the embedding, which is the head, alone": (only("embed"), none),
        "inputs of all matrices": (none, every),
        "inputs of down_proj": (none, only("down_proj")),
        "inputs of o_proj": (none, only("o_proj")),
        "inputs of q_proj, k_proj, v_proj": (none, only("_proj.qkv")),
        "inputs of gate_proj, up_proj": (none, only("_proj.gu")),
        "inputs of the head": (none, only("lm_head")),
        "all weights and inputs": (every, every),
        "all weights, and inputs but those of down_proj": (
            every,
            lambda name: "down_proj" not in name,
        ),
    }


def probe(
    loaded: nn.Module, expected: Expected, weights: Quantised, inputs: Quantised
) -> dict[str, float]:
    """Return how answers differ, in nats, when some parts are computed from 8 bits."""
    differences: list[float] = []
    with rounded_weights(loaded, weights), rounded_inputs(loaded, inputs):
        for prompt, wanted in list(zip(expected.prompts, expected.answers, strict=True))[:PROBED]:
            found = echo(loaded, prompt, True, wanted)
            pairs = zip(found.log_probabilities, wanted.log_probabilities, strict=True)
            differences += [abs(a - b) for a, b in pairs]
    return {"highest": max(differences), "median": median(differences)}


@contextmanager
def rounded_weights(model: nn.Module, chosen: Quantised) -> Iterator[None]:
    """While active, chosen matrices hold what blocks of 8 bits hold of them."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and chosen(name)]
    whole = [matrix.data for matrix in matrices]
    for matrix in matrices:
        matrix.data = in_eight_bits(matrix.data)
    yield
    for matrix, data in zip(matrices, whole, strict=True):
        matrix.data = data


@contextmanager
def rounded_inputs(model: nn.Module, chosen: Quantised) -> Iterator[None]:
    """While active, chosen matrices see their inputs as llama.cpp hands them to 8-bit weights."""

    def rounded(_module: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (in_eight_bits(given[0]), *given[1:])

    with ExitStack() as stack:
        for name, module in model.named_modules():
            if isinstance(module, nn.Linear) and chosen(labelled(name)):
                stack.callback(module.register_forward_pre_hook(rounded).remove)
        yield


def labelled(name: str) -> str:
    """Return a module's name with the group that shares its input."""
    last = name.rpartition(".")[2]
    return (
        f"{name}.qkv"
        if last in {"q_proj", "k_proj", "v_proj"}
        else (f"{name}.gu" if last in {"gate_proj", "up_proj"} else name)
    )


def in_eight_bits(values: Tensor) -> Tensor:
    """Return values as blocks of 32 bytes and a scale would hold them."""
    kind = GGMLQuantizationType.Q8_0
    packed = quants.quantize(values.detach().float().numpy(), kind)
    return torch.from_numpy(quants.dequantize(packed, kind)).reshape(values.shape)


def render(
    model: ModelRef,
    expected: Expected,
    checks: Mapping[str, Any],
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


if __name__ == "__main__":
    main()
