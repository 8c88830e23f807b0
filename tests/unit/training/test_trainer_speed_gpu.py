"""The benchmark for a GPU, run as a trial on shrunken models: its real processes and its page."""

import re
from pathlib import Path

import pytest
import torch

from benchmarks.cards import Products, peak_of, products
from benchmarks.random_models import random_packed
from benchmarks.trainer_speed_gpu import LADDER, ROOT, main
from benchmarks.trainer_speed_gpu_page import not_measured
from tasks.estimation.architecture import read_architecture
from tasks.modeling.base_model import load_model
from tasks.training.methods.qlora import QLora
from tests.tiny_models import tiny_base


def test_the_benchmark_trains_with_both_tools_and_climbs_the_ladder(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    only = ["--methods", "lora", "--rows", "answers", "--ladder", "qwen2.5-14b"]
    short = ["--steps", "3", "--warm-up", "1", "--rounds", "1"]
    main(["--tiny", "--page", str(page), *only, *short])
    text = page.read_text(encoding="utf-8")
    cells = [[cell.strip() for cell in line.split("|")] for line in text.splitlines()]
    temper, peer = ([row for row in cells if row[1:3] == ["lora, answers", tool]] for tool in TOOLS)
    first, last = ((row[7], row[8]) for (row,) in (temper, peer))
    assert first == last, "the same model, the same rows, the same order"
    assert float(temper[0][3].replace(",", "")) > 0
    (rung,) = [row for row in cells if row[1:2] == ["qwen2.5-14b"]]
    assert float(rung[6]) > 0 and "not numbers" not in text and "do not compare" not in text
    assert "no figure here means anything" in text


TOOLS = ("temper", "trl")


def test_a_machine_without_a_gpu_is_said_to_have_measured_nothing(tmp_path: Path) -> None:
    text = not_measured("python -m benchmarks.trainer_speed_gpu")
    assert "**Not measured.**" in text and re.search(r"20\d\d-\d\d-\d\d", text)
    if not torch.cuda.is_available():
        main(["--page", str(tmp_path / "page.md")])
        assert "**Not measured.**" in (tmp_path / "page.md").read_text(encoding="utf-8")


def test_a_trial_does_not_overwrite_the_page() -> None:
    with pytest.raises(SystemExit):
        main(["--tiny"])


def test_a_model_packed_as_it_is_made_is_the_one_that_is_loaded_packed(tmp_path: Path) -> None:
    base, options = tiny_base(tmp_path, "llama"), QLora().base_options()
    loaded = load_model(base, **options)
    made = random_packed(read_architecture(str(base.folder)), options)
    assert parts(made) == parts(loaded)
    assert not any(p.is_meta for p in [*made.parameters(), *made.buffers()])
    assert made.get_output_embeddings().weight is made.get_input_embeddings().weight
    weight = made.model.layers[0].mlp.up_proj.weight
    unlike = loaded.model.layers[0].mlp.up_proj.weight
    assert weight.quant_state.nested == unlike.quant_state.nested
    assert made.quantization_method == loaded.quantization_method


def parts(model: torch.nn.Module) -> dict[str, tuple[str, torch.dtype, tuple[int, ...]]]:
    """Return kind, type and shape of each parameter."""
    return {
        name: (type(p).__name__, p.dtype, tuple(p.shape)) for name, p in model.named_parameters()
    }


@pytest.mark.parametrize(
    ("card", "teraflops"),
    [
        ("NVIDIA H200", 989.5),
        ("NVIDIA H100 80GB HBM3", 989.5),
        ("NVIDIA H100 PCIe", 756.5),
        ("NVIDIA H100 NVL", 835.5),
        ("NVIDIA A100-SXM4-80GB", 312.0),
        ("NVIDIA A10", 125.0),
        ("NVIDIA L4", 121.0),
        ("NVIDIA L40S", 362.05),
        ("Tesla T4", 65.0),
        ("NVIDIA GeForce RTX 4090", 165.2),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", None),
        ("NVIDIA H200 MIG 1g.18gb", None),
        ("NVIDIA A10G", None),
        ("AMD Instinct MI300X", None),
    ],
)
def test_a_card_is_known_by_its_whole_name(card: str, teraflops: float | None) -> None:
    found = peak_of(card)
    assert found == (None if teraflops is None else pytest.approx(teraflops * 1e12))


def test_a_step_takes_six_operations_a_weight_and_token_and_four_where_it_is_frozen() -> None:
    one = Products(layers=1_000, head=100)
    assert one.operations("full", tokens=50, supervised=10, adapters=1_100) == 6 * 51_000
    assert one.operations("lora", tokens=50, supervised=10, adapters=7) == 4 * 51_000 + 6 * 350


def test_the_products_are_those_of_the_published_architecture() -> None:
    found = products(read_architecture(str(ROOT / "benchmarks/architectures/llama-3.2-1b.json")))
    width, inner, keys = 2048, 8192, 8 * 64
    assert found.layers == 16 * (2 * width * width + 2 * width * keys + 3 * width * inner)
    assert found.head == 128_256 * width


@pytest.mark.parametrize(
    ("name", "billions"),
    list(zip(LADDER, (1.24, 3.21, 8.03, 14.77, 32.76, 70.55, 122.6, 175, 405.9), strict=True)),
)
def test_the_ladder_is_of_the_published_sizes(name: str, billions: float) -> None:
    config = read_architecture(str(ROOT / "benchmarks/architectures" / f"{name}.json"))
    found = products(config)
    embeddings = found.head * (1 if config.tie_word_embeddings else 2)
    assert (found.layers + embeddings) / 1e9 == pytest.approx(billions, rel=0.01)
