"""What a way kept of each set, and how it ended beside the first way."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_contracts.dataset import KEPT, DatasetRef
from data_contracts.schemas import PREDICTION
from tasks.continual.arm import Walk, arm_of
from tasks.evaluation.config import EvaluationConfig

CONFIG = EvaluationConfig(bootstrap_resamples=300)

# Loss on each of three sets after so many steps, the base first; and on general text.
PLAIN = [[4.0, 5.0, 6.0], [1.0, 4.5, 6.0], [2.0, 1.5, 5.0], [2.5, 1.75, 2.0]]
REPLAY = [[4.0, 5.0, 6.0], [1.0, 4.5, 6.0], [1.25, 1.5, 5.0], [1.5, 1.25, 2.25]]
TEXT = [3.0, 3.125, 3.25, 3.5]


def stored(folder: Path, losses: list[float], text: float) -> list[DatasetRef]:
    """Store a model's predictions on each set: rows of two documents around the loss."""
    refs = []
    for number, loss in enumerate(losses):
        rows = [
            dict.fromkeys(PREDICTION.names)
            | {"set": set_, "name": "fact", "row_id": f"{set_}{at}", "cluster": f"d{at // 2}"}
            | {"n_tokens": 10, "cross_entropy": middle + (-0.5 if at % 2 else 0.5)}
            for set_, middle in (("test", loss), ("general_text", text))
            for at in range(8)
        ]
        place = folder / str(number)
        place.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=PREDICTION), place / KEPT)
        refs.append(
            DatasetRef(
                stage="evaluation", fingerprint="f", folder=str(place), content_sha256="0", rows=16
            )
        )
    return refs


@pytest.fixture
def walk(tmp_path):
    def made(name: str, losses: list[list[float]]) -> Walk:
        steps = [
            stored(tmp_path / name / str(step), of_step, text)
            for step, (of_step, text) in enumerate(zip(losses, TEXT, strict=True))
        ]
        return Walk(name, steps, ["a", "b", "c"], [1.0, 2.0, 3.0])

    return made


def test_a_set_is_compared_from_the_step_that_learned_it_to_the_end(walk):
    plain = walk("plain", PLAIN)
    arm = arm_of(plain, plain, CONFIG)
    assert arm.losses == PLAIN and arm.text == TEXT
    assert [lost.estimate for lost in arm.lost] == pytest.approx([1.5, 0.25])
    assert all(lost.low <= lost.estimate <= lost.high for lost in arm.lost)
    assert arm.text_lost.estimate == pytest.approx(0.5)
    assert (arm.beside_first, arm.text_beside_first) == ([], None)


def test_a_way_is_compared_with_the_first_at_the_end_on_every_set(walk):
    arm = arm_of(walk("replay", REPLAY), walk("plain", PLAIN), CONFIG)
    beside = [change.estimate for change in arm.beside_first]
    assert beside == pytest.approx([-1.0, -0.5, 0.25])
    assert arm.text_beside_first.estimate == pytest.approx(0.0)
    assert [lost.estimate for lost in arm.lost] == pytest.approx([0.5, -0.25])
