"""One measurement of `benchmarks.trainer_speed_gpu` in a process of its own; prints it as JSON.

python -m benchmarks.trainer_speed_gpu_worker SPEC.json

SPEC says what is run: `{"run": "speed", ...}`, one trainer on given rows, or `{"run": "rung",
...}`, two steps of QLoRA on random weights that are packed as they are made.
"""

import json
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.random_models import random_packed
from benchmarks.trainer_speed_workers import (
    SEED,
    Meter,
    arguments_of_others,
    prepared,
    supervised_trainer,
    trl_trainer,
)


def main() -> None:
    """Run what the file on the command line says."""
    spec = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    rows = json.loads(Path(spec["rows"]).read_text(encoding="utf-8"))
    run = {"speed": speed, "rung": rung}[spec["run"]]
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(run(spec, rows, Path(folder))))


def speed(spec: dict[str, Any], rows: list[Any], folder: Path) -> dict[str, Any]:
    """Train with one tool.

    Args:
        spec: `tool`, `method`, `model` (a folder), `batch`, `warm_up` (steps not counted).
        rows: Tokens and labels; a tool takes them in its own order.
        folder: For the trainer's files.
    """
    from tasks.training.train import count_parameters

    model, _ = prepared(spec["method"], Path(spec["model"]))
    trained, total = count_parameters(model)
    meter = Meter(spec["warm_up"])
    if spec["tool"] == "temper":
        trainer = supervised_trainer(
            model, spec["method"], rows, spec["batch"], folder, "none", meter
        )
    else:
        arguments = (
            arguments_of_others(folder, "")
            | _on_this_machine()
            | {
                "per_device_train_batch_size": spec["batch"],
                "use_liger_kernel": spec["liger"],
            }
        )
        trainer = trl_trainer(model, rows, Path(spec["model"]), arguments, meter)
    reset_peak()
    trainer.train()
    return json.loads(meter.report(0)) | peaks() | {"trained": trained, "total": total}


def rung(spec: dict[str, Any], rows: list[Any], folder: Path) -> dict[str, Any]:
    """Train two steps by QLoRA, so that the second one has the optimizer's state beside it.

    Args:
        spec: `architecture`, a JSON file.
        rows: Two rows, a step each.
        folder: For the trainer's files.
    """
    from transformers import set_seed

    from tasks.estimation.architecture import read_architecture
    from tasks.training.methods.qlora import QLora
    from tasks.training.train import count_parameters

    set_seed(SEED)
    started, method = time.monotonic(), QLora()
    config = read_architecture(spec["architecture"])
    model = method.prepare(random_packed(config, method.base_options()))
    built = time.monotonic() - started
    trained, total = count_parameters(model)
    meter = Meter()
    trainer = supervised_trainer(model, "qlora", rows, 1, folder, "full", meter)
    trainer.train()
    return (
        json.loads(meter.report(0))
        | peaks()
        | {"trained": trained, "total": total, "built": built, "finite": _finite(model)}
    )


def _finite(model: Any) -> bool:
    """Return whether what was trained is still numbers, and no longer what it began as."""
    changed = [p for name, p in model.named_parameters() if "lora_B" in name]
    return all(bool(p.isfinite().all()) for p in changed) and any(bool(p.any()) for p in changed)


def _on_this_machine() -> dict[str, Any]:
    """Return the arguments in which TRL is told of the accelerator, as Temper's trainer is."""
    import torch

    from tasks.training.base_precision import computing_type

    cuda, computed_in = torch.cuda.is_available(), computing_type()
    return {
        "use_cpu": not cuda,
        "bf16": computed_in == "bfloat16",
        "fp16": computed_in == "float16",
        "dataloader_pin_memory": cuda,
    }


def has_liger() -> bool:
    """Return whether Liger kernels are installed."""
    return find_spec("liger_kernel") is not None


def reset_peak() -> None:
    """Forget what loading took: it is the same for both."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def peaks() -> dict[str, Any]:
    """Return the card's name and its peaks in bytes; without a card, of this process."""
    import torch

    from tasks.training.train import peak_memory

    if not torch.cuda.is_available():
        return {"card": "", "allocated": peak_memory(), "reserved": peak_memory(), "memory": 0}
    return {
        "card": torch.cuda.get_device_name(),
        "allocated": torch.cuda.max_memory_allocated(),
        "reserved": torch.cuda.max_memory_reserved(),
        "memory": torch.cuda.get_device_properties(0).total_memory,
    }


if __name__ == "__main__":
    main()
