"""Facts that the base does not know, and what training on them costs (Gekhman et al. 2024), here.

python -m benchmarks.unknown_facts --home FOLDER [--questions FILE.jsonl] [--page PAGE.md]

Questions of TriviaQA are classed by what the base answers under few-shot prompts. As many known as
unknown ones are trained on, in runs of their own, for few and for many passes. Then each model is
asked what it was trained on, and known questions that no run was trained on. What was measured is
kept in --work and not measured again.
"""

import argparse
import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
from torch import nn

from benchmarks.figures import told
from data_contracts.results import BaseModelRef, Interval
from data_contracts.schemas import EXAMPLE, blank_row
from tasks.evaluation.bootstrap import paired_interval
from tasks.evaluation.generation import generate_answers
from tasks.modeling.base_model import load_model, load_tokenizer, resolve_base_model
from tasks.modeling.chat import prompt_ids
from tasks.modeling.tuned import WEIGHTS
from tasks.selection.config import KnowledgeConfig
from tasks.selection.known import Fact, classify
from tasks.text.right import is_right
from tasks.training.config import TrainingConfig
from tasks.training.train import train_model

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "results" / "unknown-facts.md"
QUESTIONS = ROOT.parent / "shared" / "data" / "general" / "triviaqa_sm_sub.jsonl"
ASKED, TRAINED, NEW_TOKENS = 600, 40, 12
KNOWN = ("HighlyKnown", "MaybeKnown")
PASSES = {"few": 4, "many": 16}
BATCH, RATE, SEED, RESAMPLES = 4, 2e-4, 0, 2_000

Answers = Mapping[str, Sequence[bool]]


@dataclass(frozen=True)
class Sets:
    """Which facts are for what."""

    known: list[Fact]  # trained on
    unknown: list[Fact]  # trained on, as many
    held_out: list[Fact]  # known, and never trained on


def main() -> None:
    """Measure what is not measured yet, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--questions", type=Path, default=QUESTIONS)
    parser.add_argument("--work", type=Path, default=Path("/tmp/temper-unknown-facts"))
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    base = resolve_base_model("embedded", options.home)
    asked = questions(options.questions)
    classes = kept(options.work / "classes.json", partial(classed, asked, base))
    sets = divided(asked, classes)
    found = {"base": kept(options.work / "base.json", partial(by_the_base, base, sets))}
    for name, facts in (("known", sets.known), ("unknown", sets.unknown)):
        for passes, epochs in PASSES.items():
            file = options.work / f"{name}-{passes}.json"
            found[f"{name}, {passes}"] = kept(file, partial(tuned, facts, epochs, base, sets))
    options.page.write_text(render(found, classes, sets), encoding="utf-8")


def kept(file: Path, measure: Callable[[], Any]) -> Any:
    """Return what a file holds, measured first if there is none."""
    if not file.exists():
        file.write_text(json.dumps(measure()), encoding="utf-8")
    return json.loads(file.read_text(encoding="utf-8"))


def questions(file: Path) -> list[Fact]:
    """Return so many questions with short answers, by the hash of their text."""
    with file.open(encoding="utf-8") as lines:  # texts hold line separators of Unicode
        told = [json.loads(line) for line in lines]
    facts = [
        Fact(hashlib.sha256(row["context"].encode()).hexdigest()[:16], question, row["answer"])
        for row in told
        if (question := row["context"].removeprefix("Question:").removesuffix("Answer:").strip())
    ]
    return sorted(facts, key=lambda fact: fact.fact_id)[:ASKED]


def classed(facts: Sequence[Fact], base: BaseModelRef) -> dict[str, str]:
    """Return what the base knows of each fact."""
    config = KnowledgeConfig(prompts=3, samples=0, max_new_tokens=NEW_TOKENS, min_recall=1.0)
    model, tokenizer = load_model(base).eval(), load_tokenizer(base)
    return dict(classify(facts, facts, model, tokenizer, config))


def divided(facts: Sequence[Fact], classes: Mapping[str, str]) -> Sets:
    """Return which facts are trained on and which are asked about only.

    Raises:
        ValueError: The base knows too few.
    """
    known = [fact for fact in facts if classes.get(fact.fact_id) in KNOWN]
    unknown = [fact for fact in facts if classes.get(fact.fact_id) == "Unknown"]
    if len(known) < TRAINED + 20 or len(unknown) < TRAINED:
        raise ValueError(f"Of {len(facts)} facts the base knows {len(known)}: ask it about more.")
    return Sets(known[:TRAINED], unknown[:TRAINED], known[TRAINED:])


def tuned(
    facts: Sequence[Fact], epochs: int, base: BaseModelRef, sets: Sets
) -> dict[str, list[bool]]:
    """Train on facts and return what the model answers rightly; its last weights are taken."""
    config = TrainingConfig.model_validate(
        {
            "method": {"method": "lora"},
            "learning_rate": RATE,
            "schedule": "constant_with_warmup",
            "epochs": epochs,
            "batch_size": BATCH,
            "evaluations_per_epoch": 1,
            "patience": epochs,
        }
    )
    # validated on the training rows themselves: the checkpoint that fits them best is the last
    rows = [row(fact, split) for split in ("train", "validation") for fact in facts]
    table = pa.Table.from_pylist(rows, schema=EXAMPLE)
    with tempfile.TemporaryDirectory() as folder:
        train_model(table, base, config, Path(folder), lambda _point: None)
        loaded = config.method.load(load_model(base), Path(folder) / WEIGHTS)
        return answered(loaded, base, sets)


def row(fact: Fact, split: str) -> dict[str, Any]:
    """Return a fact as a row without a passage."""
    name = f"{split}-{fact.fact_id}"
    return blank_row(EXAMPLE) | {
        "example_id": name,
        "document_id": fact.fact_id,
        "chunk_id": fact.fact_id,
        "kind": "fact",
        "generator": "triviaqa",
        "question": fact.question,
        "answer": fact.answer,
        "split": split,
    }


def by_the_base(base: BaseModelRef, sets: Sets) -> dict[str, list[bool]]:
    """Return what the base answers rightly."""
    return answered(load_model(base), base, sets)


def answered(model: nn.Module, base: BaseModelRef, sets: Sets) -> dict[str, list[bool]]:
    """Return which questions of each set a model answers rightly, asked as in training."""
    tokenizer = load_tokenizer(base)

    def right(facts: Iterable[Fact]) -> list[bool]:
        asked = list(facts)
        prompts = [prompt_ids(tokenizer, row(fact, "test")) for fact in asked]
        answers = generate_answers(model.eval(), tokenizer, prompts, NEW_TOKENS)
        return [
            is_right(answer.text, fact.answer, 1.0)
            for answer, fact in zip(answers, asked, strict=True)
        ]

    return {name: right(facts) for name, facts in vars(sets).items()}


def render(found: Mapping[str, Answers], classes: Mapping[str, str], sets: Sets) -> str:
    """Return the page."""
    counts = {name: list(classes.values()).count(name) for name in (*KNOWN, "Unknown")}
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "peft"))
    lines = [
        "# Facts that the base does not know",
        "",
        f"`python -m benchmarks.unknown_facts --home FOLDER`, {datetime.now(UTC):%Y-%m-%d}, "
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{versions}.",
        "",
        f"Gemma 3 270M asked {ASKED} questions of TriviaQA under three prompts of four solved "
        f"examples: {', '.join(f'{n} {name}' for name, n in counts.items())}. LoRA at {RATE:g} on "
        f"{TRAINED} known or {TRAINED} unknown facts, {PASSES['few']} or {PASSES['many']} passes, "
        f"the last weights. Asked as in training, without examples; right is the whole answer. One "
        f"seed; {len(sets.held_out)} known facts were never trained on.",
        "",
        "| trained on | right of the trained facts | right of known facts never trained on | "
        "change from the base |",
        "|---|---:|---:|---|",
    ]
    for name, answers in found.items():
        own = answers.get(name.partition(",")[0])
        change = "-" if name == "base" else told(changed(found["base"], answers))
        cells = ["-" if own is None else share(own), share(answers["held_out"]), change]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *claims(found), ""])


def claims(found: Mapping[str, Answers]) -> list[str]:
    """Return what held of the paper's claims."""
    few = {name: sum(found[f"{name}, few"][name]) for name in ("known", "unknown")}
    between = changed(found["known, many"], found["unknown, many"])
    longer = changed(found["unknown, few"], found["unknown, many"])
    return [
        f"- Unknown facts are learnt more slowly: after {PASSES['few']} passes {few['known']} "
        f"known and {few['unknown']} unknown of {TRAINED} are right; "
        f"{'held' if few['unknown'] < few['known'] else 'did not hold'}.",
        f"- Learning them costs what was known: after {PASSES['many']} passes known facts that "
        f"were never trained on are right {told(between)} more often where unknown ones were "
        f"trained on than where known ones were; {judged(between)}.",
        f"- It comes late, so stopping early avoids it: from {PASSES['few']} to {PASSES['many']} "
        f"passes on unknown facts, {told(longer)}; {judged(longer)}.",
    ]


def judged(interval: Interval) -> str:
    """Say whether a fall is shown."""
    if interval.high < 0:
        return "held"
    return "did not hold" if interval.low > 0 else "not told from chance"


def changed(one: Answers, other: Answers) -> Interval:
    """Return how much more often known facts never trained on are right in the other."""
    before, after = ([float(right) for right in each["held_out"]] for each in (one, other))
    places = [str(place) for place in range(len(before))]
    return paired_interval(before, after, places, SEED, RESAMPLES, right_or_wrong=True)


def share(right: Sequence[bool]) -> str:
    """Return a share in percent."""
    return f"{sum(right) / len(right):.0%}"


if __name__ == "__main__":
    main()
