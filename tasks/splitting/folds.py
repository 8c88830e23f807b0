"""Group k-fold cross-validation of a finished dataset; its test rows stay out of it."""

import pyarrow as pa

from data_contracts.errors import TooFewRows
from data_contracts.schemas import REPLAY
from tasks.splitting.config import KFoldStrategy, SplittingConfig
from tasks.splitting.groups import collect_groups
from tasks.splitting.strategies import assign
from tasks.text.rows import strings


def fold_examples(examples: pa.Table, folds: int, fold: int, salt: str = "folds") -> pa.Table:
    """Return the dataset as one fold sees it.

    The rows that are not `test` are dealt anew by group: one fold is `test` (it gives the
    score), the next `validation` (training stops by it), the others `train`. Rows made from
    others, and general rows mixed in, are trained on or left out, never scored.

    Args:
        examples: Rows in the EXAMPLE schema, split and perhaps augmented.
        folds: How many there are, 3 or more.
        fold: Which one is scored, from 0.
        salt: Goes into the hashes that deal groups to folds.

    Raises:
        TooFewRows: There are fewer groups than folds.
    """
    usable = examples.filter(pa.array([s != "test" for s in strings(examples, "split")]))
    own = usable.filter(_original(usable))
    groups = collect_groups(own, {})
    if len(groups) < folds:
        raise TooFewRows(
            f"{folds} folds need as many groups of related rows, and the rows outside the test "
            f"form {len(groups)}. Ask for fewer folds, or add documents."
        )
    strategy = KFoldStrategy(folds=folds, fold=fold)
    sides = assign(groups, SplittingConfig(strategy=strategy, salt=salt))
    # a group of general rows only is in no fold: it is trained on
    splits = [sides.get(name, "train") for name in strings(usable, "group_id")]
    dealt = usable.set_column(
        usable.schema.get_field_index("split"), usable.schema.field("split"), [splits]
    )
    scorable = zip(_original(dealt).to_pylist(), splits, strict=True)
    return dealt.filter(pa.array([own or split == "train" for own, split in scorable], pa.bool_()))


def _original(examples: pa.Table) -> pa.BooleanArray:
    """Return which rows are neither made from others nor general ones mixed in."""
    rows = examples.select(["parent_id", "kind"]).to_pylist()
    return pa.array([r["parent_id"] is None and r["kind"] != REPLAY for r in rows], pa.bool_())
