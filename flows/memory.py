"""A run that will not fit is refused before its model is loaded."""

from pathlib import Path

from data_contracts.dataset import read_kept
from data_contracts.errors import TrainingError
from flows.build_dataset import BuiltDataset
from tasks.modeling.tuned import find_model
from tasks.training.base_precision import computes_in_bfloat16
from tasks.training.config import TrainingConfig
from tasks.training.task import model_fingerprint


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
    import torch

    from tasks.estimation.architecture import read_architecture
    from tasks.estimation.fit import fit, training_shape
    from tasks.modeling.base_model import load_tokenizer
    from tasks.training.train import encode_split

    available = free_memory()
    if available is None:
        return
    tokenizer = load_tokenizer(dataset.base)
    rows = encode_split(tokenizer, read_kept(dataset.examples), "train", training)
    longest = max(len(row.input_ids) for row in rows)
    supervised = max(len(row.supervised) for row in rows)
    if not torch.cuda.is_available():
        available //= training.processes  # they share the machine's
    accelerator, native = torch.cuda.is_available(), computes_in_bfloat16()
    shape = training_shape(training, longest, supervised, accelerator, native)
    found = fit(read_architecture(str(dataset.base.folder)), training.method, shape, available)
    if not found.fits:
        raise TrainingError(found.explanation)


def free_memory() -> int | None:
    """Return the free bytes of the accelerator, or of the machine where there is none."""
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    return _free_in_machine(Path("/proc/meminfo"))


def _free_in_machine(file: Path) -> int | None:
    """Return what Linux says is available; None on a system that does not say."""
    if not file.is_file():
        return None
    for line in file.read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None
