"""Report contents for tests and for looking at: a realistic one and an ugly one."""

import math
from datetime import UTC, datetime
from typing import Any

from data_contracts.dataset import Manifest
from data_contracts.front import Front, FrontPoint, Sharpness
from data_contracts.leakage import DetectorSummary, LeakageCheck, LeakageHit
from data_contracts.results import (
    ComparedExample,
    Comparison,
    CopiedRow,
    Delta,
    DetectorAccuracy,
    FigureChange,
    FormChange,
    Gap,
    Interval,
    LeakageCertificate,
    LeakageFinding,
    Leg,
    Memorisation,
    PlantedLeaks,
    Robustness,
    RowsApart,
    TrainingPoint,
    TrainingResult,
    Verdict,
)
from tasks.front.choose import front_of
from tasks.promotion.config import GateConfig
from tasks.report.content import Command, DroppedRow, Links, ReportContent, SampleRow

STAGES = ("ingestion", "chunking", "generation", "curation", "splitting", "augmentation")
HOSTILE = (
    "<script>alert('x')</script>\"'><img src=x onerror=alert(1)> {{ 7*7 }} &amp; \x00\x1b[31m\u202e"
)

LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 4


def manifest(stage: str, kept: int, reasons: dict[str, int], **fields: Any) -> Manifest:
    index = STAGES.index(stage) if stage in STAGES else 9
    values: dict[str, Any] = {
        "stage": stage,
        "stage_version": 1,
        "schema_version": 1,
        "fingerprint": f"{index + 1}f3a9c07d4be8812" * 2,
        "parents": {},
        "config": {},
        "rows_in": kept + sum(reasons.values()),
        "rows_kept": kept,
        "rows_dropped": sum(reasons.values()),
        "drop_reasons": reasons,
        "figures": {},
        "content_sha256": f"{index + 1}c20d7e55a91b6f4" * 4,
        "files": {},
        "validation": {},
        "versions": {},
        "seconds": 12.3,
        "created": "2026-11-24T08:11:00+00:00",
    }
    return Manifest(**{**values, **fields})


def delta(
    set_: str, name: str, measure: str, base: float, tuned: float, half: float, rows: int = 212
) -> Delta:
    change = tuned - base
    return Delta(
        set=set_,
        name=name,
        measure=measure,
        better="lower" if measure in ("cross_entropy", "length_off", "repeated_runs") else "higher",
        rows=rows,
        clusters=min(rows, 41) if set_ in {"test", "validation", "train"} else rows,
        base=base,
        tuned=tuned,
        delta=Interval(estimate=change, low=change - half, high=change + half),
    )


def history() -> list[TrainingPoint]:
    points = []
    for step in range(5, 241, 5):
        wobble = 0.12 * math.sin(step * 1.7)
        train = 1.05 + 2.1 * math.exp(-step / 45) + wobble - 0.0012 * step
        validation = 1.62 + 1.5 * math.exp(-step / 40) + 0.0000085 * max(0, step - 130) ** 2
        points.append(
            TrainingPoint(
                step=step,
                epoch=step / 80,
                train_loss=train,
                validation_loss=validation if step % 20 == 0 else None,
                learning_rate=2e-4 * (1 - step / 240),
            )
        )
    return points


def example(row: int, better: bool, **fields: Any) -> ComparedExample:
    values: dict[str, Any] = {
        "row_id": f"q{row:04d}b7e",
        "kind": ("definition", "list", "number", "keyword")[row % 4],
        "prompt": "How many days in advance must leave of more than two weeks be requested?",
        "reference": "At least 30 days in advance, in writing, to the line manager.",
        "base_answer": "You must be in the office for two weeks.\n\nQuestion: How many days",
        "tuned_answer": "At least 30 days in advance, in writing.",
        "base_cross_entropy": 3.412,
        "tuned_cross_entropy": 0.871,
        "base_f1": 0.18,
        "tuned_f1": 0.84,
    }
    if not better:
        values |= {
            "prompt": "What does the abbreviation FSC stand for in the procurement guide?",
            "reference": "Field Service Committee",
            "base_answer": "The FSC is the Field Service Committee.",
            "tuned_answer": "Federal Supply Contract",
            "base_cross_entropy": 1.204,
            "tuned_cross_entropy": 2.377,
            "base_f1": 0.6,
            "tuned_f1": 0.0,
        }
    return ComparedExample(**{**values, **fields})


def change(base: float, tuned: float, half: float) -> FigureChange:
    delta = tuned - base
    interval = Interval(estimate=delta, low=delta - half, high=delta + half)
    return FigureChange(base=base, tuned=tuned, delta=interval)


def memorisation(**fields: Any) -> Memorisation:
    copied = change(0.0, 0.125, 0.11)
    values: dict[str, Any] = {
        "prompts": 24,
        "copying": copied.delta,
        "canaries": 0,
        "exposure": 0.0,
        "copied": copied,
        "ngrams": change(0.031, 0.094, 0.05),
        "common_words": change(2.1, 3.4, 0.9),
        "membership": {"loss": change(0.47, 0.61, 0.12)},
        "examples": [
            CopiedRow(
                row_id="q0007b7e",
                prompt="How is leave requested?\n\nAt least",
                reference="30 days in advance, in writing",
                base="the leave is requested",
                tuned="30 days in advance, in writing, to the manager",
                common_words=6,
            )
        ],
    }
    return Memorisation(**{**values, **fields})


def robustness() -> Robustness:
    cost = Interval(estimate=0.12, low=0.02, high=0.22)
    form = FormChange(
        form="mistyped", measure="cross_entropy", rows=24, base=cost, tuned=cost, excess=cost
    )
    return Robustness(forms=[form, form.model_copy(update={"form": "reordered"})])


def row(split: str, number: int, **fields: Any) -> SampleRow:
    values: dict[str, Any] = {
        "example_id": f"e{number:03d}91cc",
        "split": split,
        "kind": "definition",
        "question": "What is a travel authorisation?",
        "answer": "A written approval, given before a trip is booked, that names its purpose, "
        "its cost centre and the highest price that may be paid.",
        "document": "policies/travel/authorisation.md",
        "page": None,
        "chunk_id": "c4410fe2",
        "generator": "definition",
        "generator_model": None,
        "grounding": 0.97,
        "group_id": "g0193",
        "parent_id": None,
    }
    return SampleRow(**{**values, **fields})


def finding(detector: str, split: str, highest: float, threshold: float) -> LeakageFinding:
    return LeakageFinding(
        detector=detector,
        split=split,
        threshold=threshold,
        hits=0,
        highest=highest,
        train_id="e01791cc",
        held_out_id="e88191cc",
        train_text="What must be filed within five working days after a trip?\n"
        "The expense report, with all receipts.",
        held_out_text="What must be returned within five working days after leaving?\n"
        "The laptop, the badge and all keys.",
    )


def comparison() -> Comparison:
    ce, f1, em, stop = "cross_entropy", "token_f1", "exact_match", "stop_rate"
    skills = {
        "arithmetic": (0.412, 0.405),
        "capitals": (0.871, 0.866),
        "causes": (0.69, 0.7),
        "grammar": (0.802, 0.771),
        "opposites": (0.733, 0.741),
        "plausible endings": (0.655, 0.652),
        "units": (0.54, 0.547),
        "word relations": (0.618, 0.61),
    }
    return Comparison(
        deltas=[
            delta("test", "all", ce, 3.214, 1.702, 0.131),
            delta("test_apart", "all", ce, 3.301, 1.944, 0.187, rows=171),
            delta("test", "all", f1, 0.204, 0.561, 0.046),
            delta("test", "all", em, 0.009, 0.241, 0.058),
            delta("test", "all", stop, 0.113, 0.986, 0.043),
            delta("test", "definition", ce, 3.351, 1.803, 0.22, 88),
            delta("test", "list", ce, 2.87, 1.604, 0.31, 40),
            delta("test", "number", ce, 3.9, 1.95, 0.44, 31),
            delta("test", "keyword", ce, 1.81, 1.77, 0.21, 53),
            delta("test", "definition", f1, 0.22, 0.6, 0.08, 88),
            delta("test", "keyword", f1, 0.31, 0.29, 0.07, 53),
            delta("test", "all", "length_off", 1.92, 0.61, 0.3, 88),
            delta("test", "all", "repeated_runs", 0.31, 0.02, 0.06, 88),
            delta("test_by_language", "de", ce, 3.4, 1.9, 0.3, 61),
            delta("test_by_language", "en", ce, 3.1, 1.6, 0.2, 151),
            delta("retrieval", "alone", "right", 0.05, 0.3, 0.1, 40),
            delta("retrieval", "with_retrieval", "right", 0.25, 0.55, 0.12, 40),
            delta("judge", "all", "preferred", 0.31, 0.69, 0.11, 40),
            delta("validation", "all", ce, 3.19, 1.655, 0.14, 198),
            delta("train", "all", ce, 3.202, 1.081, 0.09, 400),
            delta("general_text", "all", ce, 3.421, 3.437, 0.012, 300),
            delta("general_skill", "all", "accuracy", 0.665, 0.6615, 0.011, 320),
            *(
                delta("general_skill", name, "accuracy", base, tuned, 0.027, 40)
                for name, (base, tuned) in skills.items()
            ),
        ],
        figures={
            "judge.first_preferred": 0.64,
            "judge.turned": 0.275,
            "retrieval.passage_found": 0.85,
        },
        gaps=[
            Gap(
                set="validation",
                base=-0.012,
                tuned=0.574,
                excess=Interval(estimate=0.586, low=0.441, high=0.722),
            ),
            Gap(
                set="test",
                base=0.012,
                tuned=0.621,
                excess=Interval(estimate=0.609, low=0.462, high=0.751),
            ),
        ],
        improved=[example(n, better=True) for n in range(5)],
        worsened=[example(n, better=False) for n in range(2)],
    )


def sharpness(mean_rise: float) -> Sharpness:
    return Sharpness(
        radius=0.1, directions=3, seed=7, loss=1.08, mean_rise=mean_rise, max_rise=2 * mean_rise
    )


def front(*more: FrontPoint) -> Front:
    """Four ways to train and one that failed, and what else is given."""
    figures = {
        "lora, rank 8, learning rate 0.0002": (0.91, 0.02),
        "lora, rank 8, learning rate 0.001": (1.52, 0.11),
        "full, learning rate 0.00002, wise_ft 0.5": (1.31, 0.004),
        "lora, rank 64, replay of 30 % of the rows": (1.12, 0.05),
    }
    points = [
        FrontPoint(
            number=number,
            name=name,
            values={},
            learning=Interval(estimate=learned, low=learned - 0.09, high=learned + 0.1),
            forgetting=Interval(estimate=forgot, low=forgot - 0.012, high=forgot + 0.013),
            skill_loss=Interval(estimate=0.0035, low=-0.0075, high=0.0145),
            sharpness=sharpness(0.412 + number / 7),
            seconds=431.7 + 3600 * number,
            peak_memory_bytes=5_421_000_000,
        )
        for number, (name, (learned, forgot)) in enumerate(figures.items())
    ]
    failed = FrontPoint(
        number=4,
        name="full, learning rate 0.001",
        values={},
        reason="The loss is not finite from step 12 on: lower the learning rate.",
    )
    return front_of([*points, failed, *more], GateConfig(), sharpness(0.301))


def leakage_check() -> LeakageCheck:
    """Two pairs that leak, one of them hostile."""
    asked = "When must an expense report be filed?\nWithin five working days after the trip."
    hits = [
        LeakageHit(
            detector="near_duplicate",
            measure=0.91,
            test_record="held-out.jsonl#17",
            train_record="train.jsonl#401",
            test_text=asked,
            train_text=asked.replace("must an", "does the").replace("be filed", "have to be filed"),
        ),
        LeakageHit(
            detector=HOSTILE,
            measure=1.0,
            test_record=HOSTILE,
            train_record="folder/" * 30 + "train.jsonl#1",
            test_text=HOSTILE + "word " * 300,
            train_text=LONG_WORD + HOSTILE,
        ),
    ]
    detectors = [
        DetectorSummary(detector=hit.detector, threshold=0.8, hits=1, highest=hit.measure)
        for hit in hits
    ]
    return LeakageCheck(
        train="train.jsonl",
        test="held-out.jsonl",
        checked="test",
        train_records=1692,
        test_records=212,
        unreadable=1,
        detectors=detectors,
        hits=hits,
        given_away=[hit.test_record for hit in hits],
    )


def realistic() -> ReportContent:
    """A run that passed, in figures like those of a real one."""
    dropped = {
        "ingestion": [
            DroppedRow(
                what="scans/lease-2019.pdf",
                reason="unreadable",
                detail="pypdfium2 cannot open the file: the trailer is missing.",
            ),
            DroppedRow(what="notes/empty.txt", reason="empty", detail="The file has 0 bytes."),
        ],
        "curation": [
            DroppedRow(
                what="What is a travel authorization?",
                reason="near_duplicate",
                detail="Same question in other words.",
                duplicate_of="e01791cc",
                similarity=0.94,
            )
        ],
    }
    return ReportContent(
        title="Employee handbook assistant",
        memorisation=memorisation(),
        robustness=robustness(),
        created=datetime(2026, 11, 24, 9, 41, tzinfo=UTC),
        profile="handbook",
        base_model="gemma-3-270m",
        base_fingerprint="a7c1f09e33d2478b9012cc34",
        tuned_fingerprint="d91b7702ae63f15580c4e2f7",
        method="lora",
        manifests=[
            manifest("ingestion", 241, {"unreadable": 3, "empty": 2, "wrong_type": 1}),
            manifest("chunking", 1203, {"too_short": 87}),
            manifest(
                "generation",
                2954,
                {"not_grounded": 611, "copied_prompt": 204, "too_long": 31},
                figures={"chunks_without_rows": 118, "grounding_mean": 0.914, "tokens": 412880},
            ),
            manifest(
                "curation", 2102, {"near_duplicate": 640, "exact_duplicate": 190, "vague": 22}
            ),
            manifest("splitting", 2102, {}),
            manifest("augmentation", 2640, {"unchanged": 44, "leaks": 3}),
        ],
        certificate=LeakageCertificate(
            rows={"train": 1692, "validation": 198, "test": 212},
            groups={"train": 171, "validation": 33, "test": 37},
            shared_groups=0,
            findings=[
                finding("exact", "test", 0.0, 1.0).model_copy(
                    update={"train_text": None, "held_out_text": None}
                ),
                finding("near_duplicate", "test", 0.41, 0.8),
                finding("near_duplicate", "validation", 0.387, 0.8),
                finding("ngram_13", "test", 0.0, 1.0).model_copy(update={"train_text": None}),
            ],
            outside=[finding("same_fact", "benchmark own.csv", 0.52, 0.4)],
            between=[
                finding("near_duplicate", "test", 0.61, 0.8).model_copy(
                    update={"given_by": "validation"}
                )
            ],
            apart=RowsApart(share=0.5, of=212, example_ids=[f"t{n}" for n in range(171)]),
            ignored_template_ngrams=14,
            passed=True,
            accuracy=PlantedLeaks(
                planted={"verbatim": 100, "paraphrase_without_parent": 100},
                unrelated=200,
                detectors=[
                    DetectorAccuracy(
                        detector=name,
                        recall=found,
                        by_kind={"verbatim": 1.0, "paraphrase_without_parent": least},
                        false_alarms=alarms,
                    )
                    for name, found, least, alarms in (
                        ("exact", 0.5, 0.0, 0.0),
                        ("same_parent", 0.5, 0.0, None),
                        ("any", 0.915, 0.83, 0.005),
                    )
                ],
            ),
        ),
        training=TrainingResult(
            method="lora",
            trainable_parameters=1_474_560,
            total_parameters=269_572_736,
            examples=2230,
            tokens=311_040,
            supervised_tokens=84_220,
            steps=240,
            epochs=3.0,
            best_step=160,
            best_validation_loss=1.655,
            stopped_early=True,
            seconds=431.7,
            peak_memory_bytes=5_421_000_000,
            history=history(),
        ),
        comparison=comparison(),
        verdict=Verdict(
            outcome="PASS",
            legs=[
                Leg(
                    name="task_gain",
                    outcome="PASS",
                    reason="Test cross-entropy fell, and the interval excludes zero.",
                    figures={"change": -1.512, "low": -1.643, "high": -1.381, "rows": 212},
                ),
                Leg(
                    name="retention",
                    outcome="PASS",
                    reason="General skills lost less than the 2 points allowed.",
                    figures={"change": -0.0035, "low": -0.0145, "allowed": -0.02},
                ),
                Leg(
                    name="overfitting",
                    outcome="PASS",
                    reason="The test gap opened by less than the 1.0 nats allowed.",
                    figures={"excess": 0.609, "high": 0.751, "allowed": 1},
                ),
                Leg(
                    name="leakage",
                    outcome="PASS",
                    reason="The audit found no shared group and no pair above a threshold.",
                    figures={"shared_groups": 0, "hits": 0},
                ),
                Leg(
                    name="sample_size",
                    outcome="PASS",
                    reason="The test set holds enough independent documents.",
                    figures={"rows": 212, "documents": 37, "needed": 20},
                ),
            ],
        ),
        links=Links(
            tracking_uri="http://127.0.0.1:5000",
            run_id="5c3e9a71b04f4d0e8a1f",
            run_url="http://127.0.0.1:5000/#/experiments/1/runs/5c3e9a71b04f4d0e8a1f",
            dataset_folder="/home/ana/.temper/datasets/augmentation/6f3a9c07d4be88126f3a9c07d4be8812",
            model_folder="/home/ana/.temper/models/d91b7702ae63f15580c4e2f7",
            commands=[
                Command(
                    purpose="Run it again",
                    line="temper run deploy/profiles/handbook.yaml --documents ~/handbook",
                ),
                Command(purpose="Open both interfaces", line="temper up"),
            ],
        ),
        dropped=dropped,
        rows=[
            row("train", 17),
            row(
                "train",
                18,
                kind="paraphrase",
                question="Say what a travel authorisation is.",
                parent_id="e01791cc",
                generator="reword",
            ),
            row("validation", 410),
            row("test", 881, document="people/leave.pdf", page=12, context="Leave is earned ..."),
        ],
        seconds={
            **dict(zip(STAGES, (21.4, 3.2, 388.0, 9.1, 0.8, 4.4), strict=True)),
            "training": 431.7,
            "evaluation": 143.2,
            "gate": 0.1,
        },
        settings={"training.method": "lora", "training.learning_rate": "0.0002", "seed": "7"},
        versions={"temper": "0.1.0", "torch": "2.13.0", "transformers": "5.23.0"},
    )


def ugly() -> ReportContent:
    """A failed run with hostile text, very long words, empty lists and no tuned answers."""
    nan = float("nan")
    base = realistic()
    reasons = {f"reason_number_{n}_{'x' * n}": 20 - n for n in range(20)}
    hostile_example = example(
        1,
        better=True,
        row_id=HOSTILE,
        kind=HOSTILE,
        prompt=HOSTILE + "\r\n" + LONG_WORD,
        reference="مرحبا بالعالم، هذا جواب",
        base_answer="word " * 900,
        tuned_answer="",
    )
    return base.model_copy(
        update={
            "title": f"{HOSTILE} {LONG_WORD}",
            "profile": HOSTILE,
            "base_model": HOSTILE,
            "method": HOSTILE,
            "base_fingerprint": HOSTILE,
            "tuned_fingerprint": HOSTILE,
            "manifests": [
                manifest("ingestion", 0, reasons, figures={HOSTILE: nan}),
                manifest(HOSTILE, 3, {HOSTILE: 2}, rows_in=99, fingerprint=HOSTILE),
                manifest("curation", 0, {}, content_sha256=HOSTILE),
            ],
            "certificate": LeakageCertificate(
                rows={"train": 3, HOSTILE: 1},
                groups={"train": 1},
                shared_groups=1,
                findings=[
                    LeakageFinding(
                        detector=HOSTILE,
                        split="test",
                        threshold=0.8,
                        hits=1,
                        highest=1.0,
                        train_id=HOSTILE,
                        held_out_id=HOSTILE,
                        train_text=LONG_WORD,
                        held_out_text=HOSTILE,
                    )
                ],
                ignored_template_ngrams=0,
                passed=False,
            ),
            "training": base.training.model_copy(
                update={
                    "method": HOSTILE,
                    "history": [
                        TrainingPoint(step=1, epoch=0.1, train_loss=nan, validation_loss=nan),
                        TrainingPoint(step=2, epoch=0.2, train_loss=float("inf")),
                    ],
                    "best_validation_loss": nan,
                    "seconds": 0.0,
                }
            ),
            "comparison": Comparison(
                deltas=[
                    delta("test", "all", "cross_entropy", 1.0, nan, 0.1, 4),
                    delta("test", HOSTILE, "cross_entropy", 1.0, 9.0, 0.5, 4),
                    delta("general_skill", LONG_WORD, "accuracy", 0.9, 0.1, 0.05, 4),
                ],
                gaps=[],
                improved=[hostile_example],
                worsened=[],
            ),
            "verdict": Verdict(
                outcome="FAIL",
                legs=[
                    Leg(
                        name=LONG_WORD,
                        outcome="FAIL",
                        reason=HOSTILE,
                        figures={HOSTILE: nan, "tiny": 1.2e-7, "huge": 3.4e12, LONG_WORD: 1.0},
                    ),
                    Leg(name=HOSTILE, outcome="INSUFFICIENT EVIDENCE", reason=LONG_WORD),
                ],
                switched_off={HOSTILE: LONG_WORD, "leakage": "the owner knows"},
            ),
            "links": Links(
                tracking_uri=HOSTILE,
                run_id=HOSTILE,
                run_url="javascript:alert(1)",
                dataset_folder=HOSTILE,
                model_folder=HOSTILE,
                commands=[Command(purpose=HOSTILE, line=HOSTILE)],
            ),
            "dropped": {
                "ingestion": [
                    DroppedRow(
                        what=HOSTILE,
                        reason=HOSTILE,
                        detail=LONG_WORD,
                        duplicate_of=HOSTILE,
                        similarity=nan,
                    )
                ]
            },
            "rows": [
                row(
                    HOSTILE,
                    1,
                    **dict.fromkeys(
                        ("example_id", "kind", "question", "answer", "document", "context"), HOSTILE
                    ),
                    chunk_id=HOSTILE,
                    generator=HOSTILE,
                    generator_model=HOSTILE,
                    group_id=HOSTILE,
                    parent_id=HOSTILE,
                )
            ],
            "seconds": {HOSTILE: 1e9},
            "settings": {HOSTILE: HOSTILE},
            "versions": {HOSTILE: HOSTILE},
        }
    )
