"""An exported q8_0 file holds what its format promises, by a reader that shares no code with it."""

from pathlib import Path

import gguf
import numpy as np
import pytest

from benchmarks.gguf_blocks import check_blocks
from data_contracts.results import ModelRef
from tasks.exporting.config import export_config
from tasks.exporting.export import write_export


@pytest.fixture(scope="module")
def files(gemma: ModelRef, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("exports")
    for precision in ("q8_0", "f16"):
        write_export(gemma, export_config(form="gguf", precision=precision), folder / precision)
    return {path.parent.name: path for path in folder.glob("*/*.gguf")}


def changed(file: Path, folder: Path, name: str, column: int, change: int) -> Path:
    """Return a copy in which one byte of a tensor's first block is another."""
    copy = folder / "changed.gguf"
    copy.write_bytes(file.read_bytes())
    reader = gguf.GGUFReader(copy, "r+")
    tensor = next(tensor for tensor in reader.tensors if tensor.name == name)
    rows = tensor.data.reshape(-1, 34) if tensor.data.dtype == np.uint8 else tensor.data[None]
    rows[0, column] += change
    reader.data.flush()
    return copy


def test_every_value_lies_within_what_blocks_of_8_bits_allow(files: dict[str, Path]) -> None:
    found = check_blocks(files["q8_0"], files["f16"])
    assert {entry.kind for entry in found} >= {"token_embd", "attn_q", "ffn_down"}
    for entry in found:
        assert entry.outside == entry.coarse == 0
        assert 0.5 < entry.highest <= 1  # the bound is near, so it would notice little
        assert 0 < entry.error < 1e-3 * entry.weight


def test_a_value_two_steps_away_is_noticed(files: dict[str, Path], tmp_path: Path) -> None:
    wrong = changed(files["q8_0"], tmp_path, "blk.0.attn_q.weight", column=9, change=2)
    found = {entry.kind: entry for entry in check_blocks(wrong, files["f16"])}
    assert found["attn_q"].outside == 1
    assert found["attn_k"].outside == 0


def test_a_scale_that_is_coarser_than_it_need_be_is_noticed(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gemma: ModelRef
) -> None:
    """As by a quantiser that divides by 63: each value is nearest to its step all the same."""

    def coarse(blocks: np.ndarray) -> np.ndarray:
        scale = (np.abs(blocks).max(1, keepdims=True) / 63).astype(np.float16)
        divisor = np.where(scale == 0, 1, scale).astype(np.float32)
        steps = np.round(blocks / divisor).astype(np.int8)
        return np.concatenate([scale.view(np.uint8), steps.view(np.uint8)], 1)

    monkeypatch.setattr(gguf.quants.Q8_0, "quantize_blocks", staticmethod(coarse))
    write_export(gemma, export_config(form="gguf", precision="q8_0"), tmp_path / "out")
    found = check_blocks(next((tmp_path / "out").glob("*.gguf")), files["f16"])
    assert all(entry.outside == 0 for entry in found)
    assert all(entry.coarse > 0.9 * entry.blocks for entry in found)  # the padding's row is zero


def test_what_both_files_keep_whole_must_be_equal(files: dict[str, Path], tmp_path: Path) -> None:
    wrong = changed(files["q8_0"], tmp_path, "output_norm.weight", column=3, change=1)
    with pytest.raises(ValueError, match=r"output_norm.weight is no block of 8 bits"):
        check_blocks(wrong, files["f16"])
