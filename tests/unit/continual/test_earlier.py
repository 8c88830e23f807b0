"""Which rows of earlier document sets replay draws from."""

import pyarrow as pa

from data_contracts.schemas import EXAMPLE, REPLAY, blank_row
from tasks.continual.earlier import earlier_rows


def table(*rows: tuple[str, dict[str, str]]) -> pa.Table:
    plain = blank_row(EXAMPLE) | {"split": "train", "kind": "fact"}
    told = [plain | {"example_id": name} | changes for name, changes in rows]
    return pa.Table.from_pylist(told, schema=EXAMPLE)


def test_training_rows_of_all_sets_once_and_neither_variants_nor_replay_nor_held_out_rows():
    first = table(
        ("a", {}), ("b", {"split": "test"}), ("c", {"split": "validation"}), ("d", {"kind": REPLAY})
    )
    second = table(("e", {}), ("a", {}), ("f", {"parent_id": "e"}))
    result = earlier_rows([first, second])
    assert result.kept["example_id"].to_pylist() == ["a", "e"]
    assert result.rows_in == 2
