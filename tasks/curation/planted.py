"""What the detectors are worth on this very dataset: leaks planted, and rows known to differ.

Leaks of ten kinds are made from held-out rows and compared with the rows they came from.
False alarms are counted on training rows of different groups. Groups are formed by the same
rules, embedding excepted: for a dataset of the pipeline the figure shows that grouping missed
nothing, and on groups that come from elsewhere it is a measurement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data_contracts.results import DetectorAccuracy, PlantedLeaks
from data_contracts.schemas import EXAMPLE, blank_row
from tasks.curation.config import CurationConfig
from tasks.curation.detectors import ORIGINS, Counted
from tasks.curation.planters import PARENTAGE, PLANTERS, Row
from tasks.text.closest import remembered_closest
from tasks.text.detectors import Detector, Positions, text_detectors
from tasks.text.rows import RowTexts, strings
from tasks.text.template import Templates

ANY = "any"

Found = NDArray[np.bool_]


@dataclass(frozen=True)
class Plants:
    """Leaks made from rows of a table.

    Attributes:
        rows: The leaks, as training rows.
        sources: Position of the row that each was made from.
        kinds: Kind of each.
    """

    rows: pa.Table
    sources: Positions
    kinds: list[str]


def plant(
    examples: pa.Table,
    sources: Sequence[int],
    count: int,
    seed: int,
    kinds_planted: Sequence[str] = tuple(PLANTERS),
) -> Plants:
    """Make leaks of all kinds in turn from rows of a table.

    Args:
        examples: Rows in the EXAMPLE schema.
        sources: Positions of the rows that leak; drawn anew for each kind.
        count: How many leaks.
        seed: Of the draw and of the edits.
        kinds_planted: Which kinds of `PLANTERS`.
    """
    random = Random(seed)  # noqa: S311 - a reproducible sample, not a secret
    kinds = [kinds_planted[n % len(kinds_planted)] for n in range(count)]
    drawn: list[int] = []
    for kind in kinds_planted:
        drawn += _draw(sources, kinds.count(kind), random)
    kinds.sort(key=kinds_planted.index)
    stock = strings(examples, "answer")
    origins = examples.take(pa.array(drawn, pa.int64())).to_pylist()
    rows = [
        _planted(number, kind, row, random, stock)
        for number, (kind, row) in enumerate(zip(kinds, origins, strict=True))
    ]
    table = pa.Table.from_pylist(rows, EXAMPLE)
    return Plants(table, np.array(drawn, np.int64), kinds)


def _draw(sources: Sequence[int], count: int, random: Random) -> list[int]:
    """Draw without putting back, as long as there are enough."""
    drawn: list[int] = []
    while len(drawn) < count:
        drawn += random.sample(list(sources), min(len(sources), count - len(drawn)))
    return drawn


def _planted(
    number: int, kind: str, row: Row, random: Random, stock: Sequence[str]
) -> dict[str, object]:
    question, answer = PLANTERS[kind](row, random, stock)
    name = f"planted-{number}"
    own = dict.fromkeys(("example_id", "document_id", "chunk_id", "group_id"), name)
    said = {"question": question, "answer": answer, "kind": kind, "generator": "planted"}
    parentage = PARENTAGE[kind](row) if kind in PARENTAGE else {}
    return blank_row(EXAMPLE) | own | said | {"split": "train"} | parentage


def measure_detectors(
    examples: pa.Table,
    train: Positions,
    held_out: Positions,
    config: CurationConfig,
    parentage: bool = True,
    counted: Counted | None = None,
) -> PlantedLeaks | None:
    """Return recall on planted leaks and false alarms on unrelated rows, by detector.

    Args:
        examples: Rows in the EXAMPLE schema, with `group_id`.
        train: Positions of the training rows.
        held_out: Positions of the rows that leaks are made from.
        config: Thresholds, and how many leaks; None is returned for 0.
        parentage: Whether the rows tell where they come from; without it, only what they say
            counts.
        counted: The detectors over the rows, where they are made already.
    """
    if not config.planted or not held_out.size:
        return None
    kinds_planted = [kind for kind in PLANTERS if parentage or kind not in PARENTAGE]
    plants = plant(examples, held_out.tolist(), config.planted, config.seed, kinds_planted)
    known = counted or _counted(examples, config)
    # the leaks are compared with the rows they were made from, and with no other
    pairs = pa.concat_tables([examples.take(pa.array(plants.sources, pa.int64())), plants.rows])
    detectors = known.of(pairs, config.similarity, parentage)
    found = {d.name: _found(d, len(plants.kinds)) for d in detectors}
    unrelated = unrelated_rows(examples, train, config.planted, config.seed)
    saying = [detector for detector in known.detectors if detector.name not in ORIGINS]
    alarms = _alarms(unrelated, saying)
    kinds = np.array(plants.kinds, dtype=object)
    return PlantedLeaks(
        planted={kind: plants.kinds.count(kind) for kind in dict.fromkeys(plants.kinds)},
        unrelated=int(unrelated[0].size),
        detectors=[
            DetectorAccuracy(
                detector=name,
                recall=float(hits.mean()),
                by_kind=_by_kind(hits, kinds),
                false_alarms=float(alarms[name].mean()) if name in alarms else None,
            )
            for name, hits in _with_any(found).items()
        ],
    )


def _counted(examples: pa.Table, config: CurationConfig) -> Counted:
    templates = Templates()
    return Counted(text_detectors(RowTexts(examples), config.similarity, templates), templates)


def _found(detector: Detector, leaks: int) -> Found:
    """Return which leaks are found: each is compared only with the row it was made from.

    Args:
        detector: Over the rows that leak, and over the leaks in the same order after them.
        leaks: How many there are.
    """
    pairs = (
        detector.closest(np.array([n], np.int64), np.array([leaks + n], np.int64))
        for n in range(leaks)
    )
    return np.array([pair.value[0] >= detector.threshold for pair in pairs], bool)


def _with_any(found: Mapping[str, Found]) -> dict[str, Found]:
    """Add what at least one detector found."""
    if not found:
        return {}
    return {**found, ANY: np.any(list(found.values()), axis=0)}


def _by_kind(hits: Found, kinds: NDArray[np.object_]) -> dict[str, float]:
    return {str(kind): float(hits[kinds == kind].mean()) for kind in dict.fromkeys(kinds)}


def unrelated_rows(
    examples: pa.Table, rows: Positions, count: int, seed: int
) -> tuple[Positions, Positions]:
    """Return a sample of rows and the rows of other groups to compare them with.

    Half of the groups, drawn at random, stand against the other half; no side is larger
    than needed. Both are empty where there is one group only.
    """
    groups = np.array(examples.column("group_id").to_pylist(), dtype=object)[rows]
    names = sorted({str(name) for name in groups})
    random = Random(seed)  # noqa: S311 - a reproducible sample, not a secret
    random.shuffle(names)
    left = np.isin(groups.astype(str), names[: len(names) // 2])
    ours, theirs = rows[left], rows[~left]
    if not ours.size:
        return ours, ours
    chosen = sorted(random.sample(ours.tolist(), min(count, ours.size)))
    return np.array(chosen, np.int64), theirs


def _alarms(
    unrelated: tuple[Positions, Positions], detectors: Sequence[Detector]
) -> dict[str, Found]:
    """Return for each detector of what is said which rows it calls close to an unrelated one."""
    rows, others = unrelated
    if not rows.size:
        return {}
    return _with_any(
        {
            detector.name: (
                remembered_closest(detector, rows, others, "unrelated").value >= detector.threshold
            )
            for detector in detectors
        }
    )
