"""Estimates of runs that others measured and published, beside PEFT's 42.

python -m benchmarks.estimate_others [--only SOURCE] [--found FILE.json]

`measured_memory.json` holds their settings and peaks. What a source calls allocated is compared
with what lives at once, what it calls reserved with that and the allocator's share.
"""

import argparse
import json
import resource
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from data_contracts.errors import ConfigError
from tasks.estimation.architecture import read_architecture
from tasks.estimation.config import RunShape
from tasks.estimation.estimate import MemoryEstimate, estimate_memory
from tasks.estimation.peft_method import peft_preparation
from tasks.training.methods.full import Full

HERE = Path(__file__).parent
MEASURED = HERE / "measured_memory.json"
FOUND = Path(".temper") / "estimates-of-others.json"
GB = 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="A source of measured_memory.json.")
    parser.add_argument("--found", type=Path, default=FOUND)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    content = json.loads(MEASURED.read_text(encoding="utf-8"))
    wanted = [run for run in content["runs"] if arguments.only in ("", run["source"])]
    known = _known(arguments.found)
    for run in wanted:
        if run["name"] not in known:
            known[run["name"]] = estimated(run)
            print(run["name"], known[run["name"]], flush=True)
            arguments.found.parent.mkdir(parents=True, exist_ok=True)
            arguments.found.write_text(json.dumps(known, indent=1), encoding="utf-8")
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{used.ru_utime + used.ru_stime:.0f} s of processor time")


def _known(found: Path) -> dict[str, Any]:
    return json.loads(found.read_text(encoding="utf-8")) if found.is_file() else {}


def estimated(run: dict[str, Any]) -> dict[str, Any]:
    """Return what is estimated for a run, or why it cannot be."""
    try:
        found = _estimate(run)
    except ConfigError as error:
        return {"failed": str(error)}
    return {"allocated": found.allocated, "measured": found.peak}


def _estimate(run: dict[str, Any]) -> MemoryEstimate:
    options = run.get("adapter")
    prepare = (
        peft_preparation(options, run.get("adapter_in_single_precision", True))
        if options
        else Full().prepare
    )
    config = read_architecture(str(HERE / "architectures" / f"{run['model']}.json"))
    return estimate_memory(config, prepare, RunShape.model_validate(run["shape"]))


def section(found: Path = FOUND) -> list[str]:
    """Return the page's section on the runs of others, from what was estimated before."""
    content = json.loads(MEASURED.read_text(encoding="utf-8"))
    known = _known(found)
    if not known:
        return []
    names = list(content["sources"])
    told = [run for run in content["runs"] if run["name"] in known]
    parts = [[run for run in told if run["source"] == name] for name in names]
    return [
        "## Runs of others",
        "",
        "`python -m benchmarks.estimate_others`; settings and peaks in "
        "`benchmarks/measured_memory.json`, what a source leaves open below. The faults that "
        "decision record 029 mends were found on these runs; nothing was fitted to them. "
        "Allocated is what lives at once; reserved is what the allocator took from the device, "
        "waste included.",
        "",
        "| source | peak | runs | mean error | worst error | mean signed |",
        "|---|---|---:|---:|---:|---:|",
        *(line for part in parts for line in _summary(content["sources"], part, known)),
        "",
        *(
            f"- {source['title']} ({source['where']}). {source['open']}"
            for source in content["sources"].values()
        ),
        "",
        "Peaks in GB (1e9 bytes).",
        "",
        "| run | peak | measured | estimated | error |",
        "|---|---|---:|---:|---:|",
        *(row for part in parts for run in part for row in _rows(run, known[run["name"]])),
        "",
    ]


def _summary(
    sources: dict[str, Any], runs: Sequence[dict[str, Any]], known: dict[str, Any]
) -> Iterator[str]:
    for kind, word in (("allocated", "allocated"), ("measured", "reserved")):
        errors = [
            known[r["name"]][kind] / r[kind] - 1
            for r in runs
            if kind in r and kind in known[r["name"]]
        ]
        if errors:
            yield (
                f"| {sources[runs[0]['source']]['title']} | {word} | {len(errors)} | "
                f"{mean(map(abs, errors)):.1%} | {max(map(abs, errors)):.1%} | "
                f"{mean(errors):+.1%} |"
            )


def _rows(run: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    for kind, word in (("allocated", "allocated"), ("measured", "reserved")):
        if kind not in run:
            continue
        start = f"| {run['name']} | {word} | {run[kind] / GB:.2f} |"
        if kind in found:
            yield f"{start} {found[kind] / GB:.2f} | {found[kind] / run[kind] - 1:+.1%} |"
        else:
            yield f"{start} not estimated: {found['failed'].split(' (')[0]} | |"


if __name__ == "__main__":
    main()
