"""Estimated against measured peak memory: PEFT's published runs, and the literature's marks.

python -m benchmarks.estimate [--runs FOLDER] [--page PAGE.md]

FOLDER holds result files of PEFT's method_comparison/MetaMathQA (Llama-3.2-3B in bfloat16 on
an L40S). Each is estimated from the model's and the adapter's configuration alone.
"""

import argparse
import json
import platform
import resource
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import mean, median
from typing import Any

from benchmarks.estimate_others import FOUND, section
from data_contracts.errors import ConfigError
from tasks.estimation.architecture import read_architecture
from tasks.estimation.config import RunShape
from tasks.estimation.estimate import ALLOCATOR_SHARE, MemoryEstimate, estimate_memory
from tasks.estimation.peft_method import peft_preparation
from tasks.training.methods.full import Full
from tasks.training.methods.lora import Lora

PAGE = Path(__file__).parents[1] / "docs" / "results" / "estimate.md"
ARCHITECTURES = Path(__file__).parent / "architectures"
GB = 1e9


@dataclass(frozen=True)
class Run:
    """One measured run and what was estimated for it."""

    name: str
    measured: int
    length: int
    found: MemoryEstimate
    trainable: int
    size: int

    @property
    def implied_length(self) -> float:
        """Tokens of the longest row at which what is derived alone is the measured peak."""
        by_length = self.found.activations + self.found.logits
        rest = self.found.allocated - by_length
        return self.length * (self.measured - rest) / by_length

    @property
    def error(self) -> float:
        """By how much the estimate is too high, as a share of the measured peak."""
        return self.found.peak / self.measured - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--others", type=Path, default=FOUND, help="By estimate_others.")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    runs, failed = [], []
    for path in sorted(arguments.runs.glob("*.json")):
        try:
            runs.append(estimated(path))
        except ConfigError as error:
            failed.append(f"- {path.stem}: {error}")
    text = render(runs, failed, section(arguments.others))
    arguments.page.write_text(text, encoding="utf-8")
    print(text)


def estimated(path: Path) -> Run:
    """Return a run with its estimate; nothing of `train_info` reaches the estimate."""
    content = json.loads(path.read_text(encoding="utf-8"))
    train, measured = content["run_info"]["train_config"], content["train_info"]
    shape = RunShape(
        batch_size=train["batch_size"],
        sequence_length=train["max_seq_length"],
        dtype=train["dtype"],
        gradient_checkpointing="full" if train.get("use_gc") else "none",
    )
    options = content["run_info"]["peft_config"]
    prepare = (
        peft_preparation(options, train["autocast_adapter_dtype"]) if options else Full().prepare
    )
    config = read_architecture(str(ARCHITECTURES / "llama-3.2-3b.json"))
    found = estimate_memory(config, prepare, shape)
    name = path.stem.replace("llama-3.2-3B-", "")
    print(name, f"{found.peak / measured['accelerator_memory_max']:.3f}", flush=True)
    return Run(
        name,
        measured["accelerator_memory_max"],
        shape.sequence_length,
        found,
        measured["num_trainable_params"],
        measured["file_size"],
    )


def render(runs: Sequence[Run], failed: Sequence[str], others: Sequence[str]) -> str:
    seconds = resource.getrusage(resource.RUSAGE_SELF)
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "peft"))
    lines = [
        "# Estimated against measured memory",
        "",
        f"`.venv/bin/python -m benchmarks.estimate --runs FOLDER`, {datetime.now(UTC):%Y-%m-%d}, "
        f"{platform.machine()}, Python {platform.python_version()}, {versions}; "
        f"{seconds.ru_utime + seconds.ru_stime:.0f} s of processor time.",
        "",
        *errors(runs),
        "",
        *table(runs),
        "",
        *(["Not estimated:", "", *failed, ""] if failed else []),
        *marks(),
        "",
        *others,
    ]
    return "\n".join(lines)


def errors(runs: Sequence[Run]) -> list[str]:
    """Return the errors with the allocator's share and without, for all runs and two halves."""
    halves = [("all runs", runs), ("every other run", runs[::2]), ("the rest", runs[1::2])]
    return [
        "| | runs | mean error | worst error | mean signed | mean error without the share | "
        "worst without |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(error_row(name, part) for name, part in halves),
        "",
        f"Nothing was fitted by regression. One constant is not derived: the allocator's share, "
        f"{ALLOCATOR_SHARE:.0%}, set by hand with all of these runs in view, so that no half of "
        "them is truly held out; the halves show that the error does not hang on which runs one "
        "looks at. It errs on the side of too much, since too little ends in an out-of-memory "
        "error; the columns without it are what is derived alone. No "
        "figure depends on the method's name: what is kept alive is counted by running the "
        "method's own code, of the installed PEFT, on the meta device.",
        "",
        *excess(runs),
    ]


def excess(runs: Sequence[Run]) -> list[str]:
    """Return what explains the excess on nearly every run, and the exceptions."""
    lengths = sorted(run.implied_length for run in runs)
    middle = median(lengths)
    near = sum(abs(length / middle - 1) < 0.02 for length in lengths)
    return [
        "The excess is the longest row. It is taken to be the limit that the runs were given, 768 "
        "tokens, but their script (`data.py` of method_comparison) leaves out texts of more than "
        "1,300 characters so that rows stay below the limit, and sorts rows by length, so that a "
        "peak is that of the four longest. How long those were is not published. Solved for it, "
        f"run by run and without the share, {near} of {len(runs)} runs agree within 2% on "
        f"{middle:.0f} tokens, whatever the method: one unknown of the measurement explains "
        "these. It is not put into the estimates, since it would be fitted.",
        "",
        "What it does not explain: prefix tuning with 200 virtual tokens, whose published peak is "
        "2.8 GB above the 99th percentile of its training steps where most methods' is 1.7 to "
        "2.4, so that it likely is that of generating answers in batches of 50, which is not "
        "estimated; FRoD; and OSF, of which the measured version of PEFT kept more factors of "
        "each matrix than the installed one. With the code of PEFT 0.20.0, whose OSF is the one "
        "that was measured, OSF is estimated at 39.35 GB, 2.1% too high (measured once, "
        "2026-11-29, before masks were counted in every layer).",
    ]


def error_row(name: str, part: Sequence[Run]) -> str:
    derived = [abs((1 + run.error) / (1 + ALLOCATOR_SHARE) - 1) for run in part]
    return (
        f"| {name} | {len(part)} | {mean(abs(r.error) for r in part):.1%} | "
        f"{max(abs(r.error) for r in part):.1%} | {mean(r.error for r in part):+.1%} | "
        f"{mean(derived):.1%} | {max(derived):.1%} |"
    )


def table(runs: Sequence[Run]) -> list[str]:
    names = "run measured estimated error weights activations logits parameters disk"
    return [
        "Peaks in GB; parameters and disk as estimated / measured.",
        "",
        f"| {' | '.join(names.split())} |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {r.name} | {r.measured / GB:.2f} | {r.found.peak / GB:.2f} | {r.error:+.1%} | "
            f"{r.found.weights / GB:.2f} | {r.found.activations / GB:.2f} | "
            f"{r.found.logits / GB:.2f} | {r.found.trainable_parameters / r.trainable:.3f} | "
            f"{r.found.disk / r.size:.3f} |"
            for r in runs
        ),
    ]


def marks() -> list[str]:
    """Return what the literature says of large models, and what is estimated from configs."""
    llama, gpt = (architecture(name) for name in ("llama-65b", "gpt-3-175b"))
    lora = Lora(rank=4, target_modules=("q_proj", "v_proj")).prepare
    full_65 = shaped(llama, Full().prepare, sequence_length=512, optimizer="adamw_fp32")
    state = full_65.weights + full_65.gradients + full_65.optimizer
    nf4 = {"quantisation": "nf4", "optimizer": "paged_adamw", "gradient_checkpointing": "full"}
    qlora_65 = shaped(llama, Lora(rank=64).prepare, sequence_length=512, **nf4)
    full_175, lora_175 = (
        shaped(gpt, prepare, sequence_length=2048) for prepare in (Full().prepare, lora)
    )
    fewer = full_175.parameters / lora_175.trainable_parameters
    return [
        "| mark of the literature | estimated |",
        "|---|---:|",
        "| 65B, 16-bit full fine-tuning: more than 780 GB (Dettmers et al. 2023) | "
        f"{state / GB:.0f} GB of weights, gradients and optimizer; "
        f"peak {full_65.peak / GB:.0f} GB |",
        f"| 65B, QLoRA: less than 48 GB (same) | {qlora_65.device / GB:.1f} GB, driver included |",
        "| GPT-3 175B, LoRA: up to 10,000 times fewer parameters (Hu et al. 2021) | "
        f"{fewer:,.0f} times |",
        "| the same: a third of the memory (1.2 TB become 350 GB: 0.29) | "
        f"{lora_175.peak / full_175.peak:.2f} ({full_175.peak / GB:,.0f} GB, "
        f"{lora_175.peak / GB:,.0f} GB) |",
    ]


def architecture(name: str) -> Any:
    return read_architecture(str(ARCHITECTURES / f"{name}.json"))


def shaped(config: Any, prepare: Any, **shape: Any) -> MemoryEstimate:
    return estimate_memory(config, prepare, RunShape(batch_size=1, **shape))


if __name__ == "__main__":
    main()
