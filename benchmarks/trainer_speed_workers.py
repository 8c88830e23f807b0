"""One trainer on given rows in a process of its own; prints what it measured as JSON.

python benchmarks/trainer_speed_workers.py TOOL METHOD ROWS.json MODEL_FOLDER [selective|full]

TOOL is temper, trl or llamafactory. The last one runs under the Python of its own virtual
environment, so this file imports nothing of Temper's at the top.
"""

import json
import os
import resource
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

BATCH, SEED, RATE = 8, 17, 2e-4


class Meter:
    """Takes times at the end of each step; the first ones warm up and are not counted."""

    def __init__(self, warm_up: int = 1) -> None:
        self.warm_up = warm_up
        self.marks: list[tuple[float, float]] = []
        self.losses: list[float] = []

    def callback(self) -> Any:
        """Return the callback for transformers' trainer, which all three tools are built on."""
        from transformers import TrainerCallback

        meter = self

        class Callback(TrainerCallback):  # type: ignore[misc]
            def on_step_end(self, *_: Any, **__: Any) -> None:
                synchronise()
                meter.marks.append((time.process_time(), time.monotonic()))

            def on_log(
                self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any
            ) -> None:
                if "loss" in (logs or {}):
                    meter.losses.append(logs["loss"])

        return Callback()

    def report(self, at_start: int) -> str:
        """Return the figures as JSON; peaks are in bytes."""
        steps = len(self.marks) - self.warm_up
        (cpu, wall), (cpu_end, wall_end) = self.marks[self.warm_up - 1], self.marks[-1]
        return json.dumps(
            {
                "cpu": (cpu_end - cpu) / steps,
                "wall": (wall_end - wall) / steps,
                "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                "at_start": at_start,
                "losses": self.losses,
            }
        )


def synchronise() -> None:
    """Wait until the accelerator, if there is one, has done what it was given."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def main() -> None:
    """Run the tool that the command line names."""
    (tool, method, rows, model), recompute = sys.argv[1:5], "".join(sys.argv[5:])
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    content = json.loads(Path(rows).read_text(encoding="utf-8"))
    run = {"temper": temper, "trl": trl, "llamafactory": llamafactory}[tool]
    with tempfile.TemporaryDirectory() as folder:
        print(run(method, content, Path(model), Path(folder), recompute))


def prepared(method: str, folder: Path) -> tuple[Any, int]:
    """Return the prepared model, the same for Temper and TRL, and the memory it takes."""
    from transformers import set_seed

    from data_contracts.results import BaseModelRef
    from tasks.modeling.base_model import load_model
    from tasks.training.base_precision import held_base
    from tasks.training.config import TrainingConfig

    config = TrainingConfig.model_validate({"method": {"method": method}})
    set_seed(SEED)
    base = held_base(BaseModelRef(name="embedded", folder=folder, fingerprint=""), config)
    model = config.method.prepare(load_model(base, **config.method.base_options()))
    return model, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def temper(method: str, rows: list[Any], base: Path, folder: Path, recompute: str) -> str:
    """Train with Temper's trainer."""
    model, at_start = prepared(method, base)
    meter = Meter()
    supervised_trainer(model, method, rows, BATCH, folder, recompute, meter).train()
    return meter.report(at_start)


def supervised_trainer(
    model: Any,
    method: str,
    rows: list[Any],
    batch: int,
    folder: Path,
    recompute: str,
    meter: Meter,
) -> Any:
    """Return Temper's trainer for one pass that validates nothing and saves nothing."""
    from tasks.modeling.chat import EncodedExample
    from tasks.training.config import TrainingConfig
    from tasks.training.trainer import SupervisedTrainer

    encoded = [EncodedExample(tuple(row["input_ids"]), tuple(row["labels"])) for row in rows]
    config = TrainingConfig.model_validate(
        {
            "method": {"method": method},
            "epochs": 1,
            "batch_size": batch,
            "learning_rate": RATE,
            "schedule": "constant_with_warmup",
            "warmup_share": 0.0,
            "seed": SEED,
            "gradient_checkpointing": recompute or "none",
        }
    )
    trainer = SupervisedTrainer(model, config, encoded, encoded[:1], 0, folder, lambda point: None)
    trainer.add_callback(meter.callback())
    trainer.args.logging_steps = trainer.state.logging_steps = 1
    trainer.args.eval_strategy = trainer.args.save_strategy = "no"
    trainer.args.load_best_model_at_end = False
    trainer.callback_handler.callbacks = [
        c for c in trainer.callback_handler.callbacks if type(c).__name__ != "EarlyStoppingCallback"
    ]
    return trainer


def trl(method: str, rows: list[Any], base: Path, folder: Path, recompute: str) -> str:
    """Train with TRL's SFTTrainer: its fused loss, nothing computed twice unless asked."""
    model, at_start = prepared(method, base)
    meter = Meter()
    trl_trainer(model, rows, base, arguments_of_others(folder, recompute), meter).train()
    return meter.report(at_start)


def trl_trainer(
    model: Any, rows: list[Any], base: Path, arguments: dict[str, Any], meter: Meter
) -> Any:
    """Return TRL's SFTTrainer on rows that are tokens already."""
    from transformers import AutoTokenizer

    library = import_module("trl")
    return library.SFTTrainer(
        model=model,
        args=library.SFTConfig(
            **arguments,
            max_length=None,
            dataset_kwargs={"skip_prepare_dataset": True},
        ),
        train_dataset=import_module("datasets").Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(base),
        callbacks=[meter.callback()],
    )


def llamafactory(method: str, rows: list[Any], base: Path, folder: Path, recompute: str) -> str:
    """Train with LLaMA-Factory on tokens that were made beforehand."""
    datasets = import_module("datasets")
    for row in rows:
        row["attention_mask"] = [1] * len(row["input_ids"])
    datasets.DatasetDict({"train": datasets.Dataset.from_list(rows)}).save_to_disk(
        folder / "tokens"
    )
    meter = Meter()
    arguments = arguments_of_others(folder / "run", recompute) | {
        "model_name_or_path": str(base),
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "full" if method == "full" else "lora",
        "dataset": "tokens",  # it demands a name, and then reads what was made beforehand
        "tokenized_path": str(folder / "tokens"),
        "template": "empty",
        "remove_unused_columns": False,
        "disable_gradient_checkpointing": not recompute,
        "flash_attn": "sdpa",
    }
    arguments.pop("gradient_checkpointing")
    if method != "full":
        arguments |= {"lora_rank": 8, "lora_alpha": 16, "lora_target": "all"}
    if method == "qlora":
        arguments |= {"quantization_bit": 4, "quantization_method": "bnb"}
    import_module("llamafactory.train.tuner").run_exp(arguments, callbacks=[meter.callback()])
    return meter.report(0)


def arguments_of_others(folder: Path, recompute: str) -> dict[str, Any]:
    """Return what TRL and LLaMA-Factory are told, in the words of transformers' trainer."""
    return {
        "output_dir": str(folder),
        "per_device_train_batch_size": BATCH,
        "num_train_epochs": 1,
        "learning_rate": RATE,
        "lr_scheduler_type": "constant",
        "weight_decay": 0.01,
        "optim": "adamw_torch_fused",
        "train_sampling_strategy": "sequential",
        "gradient_checkpointing": bool(recompute),
        "bf16": False,
        "use_cpu": True,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
        "seed": SEED,
    }


if __name__ == "__main__":
    main()
