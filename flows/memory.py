"""A run that will not fit is refused before its model is loaded."""

from pathlib import Path
from typing import TYPE_CHECKING

from data_contracts.dataset import read_kept
from data_contracts.errors import TrainingError
from flows.build_dataset import BuiltDataset
from tasks.modeling.tuned import find_model
from tasks.training.base_precision import computes_in_bfloat16
from tasks.training.config import TrainingConfig
from tasks.training.task import model_fingerprint

if TYPE_CHECKING:
    from transformers import PretrainedConfig

# Tokens of the shortest row there could be: one of a question, one of an answer.
SHORTEST = 2

# Bytes of memory that are plenty for a byte of weights on disk, so that nothing need be estimated,
# which takes seconds: in 16 bits, trained whole in 32 with gradients and two moments, it is 8.
MOST_FOR_WEIGHTS = 20

MEMORY = Path("/proc/meminfo")


def require_any_fit(training: TrainingConfig, base_model: str, home: Path) -> None:
    """Estimate what training needs whatever the rows: asked before hours go into making them.

    Args:
        training: The options.
        base_model: Its name in the profile; only its configuration is read.
        home: Temper's home folder, for the embedded model.

    Raises:
        TrainingError: Even the shortest rows do not fit; the message names settings that would.
        ModelError: The name leads to no model.
    """
    from tasks.estimation.architecture import read_architecture

    # All of it, not what is free: by the time the rows are made, other programs have ended.
    available = whole_memory()
    if available is None or 0 < _weights(base_model, home) * MOST_FOR_WEIGHTS < available:
        return
    _require(training, read_architecture(base_model, home), SHORTEST, 1, available)


def _weights(base_model: str, home: Path) -> int:
    """Return the bytes of a base's weights on disk; 0 where they are not on this machine."""
    from tasks.modeling.base_model import EMBEDDED, resolve_base_model

    embedded = base_model == EMBEDDED
    folder = resolve_base_model(EMBEDDED, home).folder if embedded else Path(base_model)
    return sum(file.stat().st_size for file in folder.expanduser().glob("*.safetensors"))


def require_fit(training: TrainingConfig, dataset: BuiltDataset, home: Path) -> None:
    """Estimate what training on this dataset needs; nothing is loaded but the tokenizer.

    Args:
        training: The options.
        dataset: Rows and base model.
        home: Where a model that was trained already is looked for: it needs no memory.

    Raises:
        TrainingError: The device has too little memory; the message names settings that fit.
    """
    fingerprint = model_fingerprint(dataset.examples, dataset.base, training)
    if find_model(home, fingerprint) is not None:
        return
    # Only here: they take seconds to load, which a run that trains nothing is spared.
    from tasks.estimation.architecture import read_architecture
    from tasks.modeling.base_model import load_tokenizer
    from tasks.training.train import encode_split

    tokenizer = load_tokenizer(dataset.base)
    rows = encode_split(tokenizer, read_kept(dataset.examples), "train", training)
    longest = max(len(row.input_ids) for row in rows)
    supervised = max(len(row.supervised) for row in rows)
    architecture = read_architecture(str(dataset.base.folder))
    _require(training, architecture, longest, supervised, free_memory())


def _require(
    training: TrainingConfig,
    architecture: "PretrainedConfig",
    longest: int,
    supervised: int,
    available: int | None,
) -> None:
    """Refuse a run whose rows have so many tokens, and so many that are learnt, at most."""
    import torch

    from tasks.estimation.fit import fit, training_shape

    if available is None:
        return
    if not torch.cuda.is_available():
        available //= training.processes  # they share the machine's
    accelerator, native = torch.cuda.is_available(), computes_in_bfloat16()
    shape = training_shape(training, longest, supervised, accelerator, native)
    found = fit(architecture, training.method, shape, available)
    if not found.fits:
        raise TrainingError(found.explanation)


def free_memory() -> int | None:
    """Return the free bytes of the accelerator, or of the machine where there is none."""
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    return _of_machine("MemAvailable:", MEMORY)


def whole_memory() -> int | None:
    """Return all bytes of the accelerator, or of the machine where there is none."""
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[1])
    return _of_machine("MemTotal:", MEMORY)


def _of_machine(name: str, file: Path) -> int | None:
    """Return what Linux says; None on a system that does not say."""
    if not file.is_file():
        return None
    for line in file.read_text(encoding="ascii").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return None
