"""O-LoRA: a new adapter reads other directions than the adapters before it."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from data_contracts.errors import ConfigError
from tasks.training.mitigation import MITIGATIONS, Guard, Mitigation, Run, trained

if TYPE_CHECKING:
    from torch import Tensor

FILE = "adapter_model.safetensors"


@MITIGATIONS.register
class OLora(Mitigation):
    """Orthogonal LoRA: overlap of the new adapter's inputs with earlier adapters' joins the loss.

    For a sequence of trainings, each on the merged model of the one before. It protects what
    the earlier adapters taught, and nothing of what the base knew before them.
    """

    source: ClassVar[str] = "Wang et al. 2023, arXiv 2310.14152"
    strength_option: ClassVar[str] = "strength"

    mitigation: Literal["o_lora"] = "o_lora"
    strength: float = Field(
        0.5, ge=0, description="Weight of the squared overlap (the paper's experiments take 0.5)."
    )
    adapters: tuple[Path, ...] = Field(
        (),
        description="Folders of the earlier LoRA adapters (`weights` of a tuned model, or the "
        "model's own).",
    )

    def files(self) -> tuple[Path, ...]:
        """Return the earlier adapters' files."""
        return tuple(_file(folder) for folder in self.adapters)

    def start(self, run: Run) -> Guard:
        """Read the earlier adapters.

        Raises:
            ConfigError: None are named, they do not fit, or the method has no such matrices.
        """
        new = {name: p for name, p in trained(run.model).items() if ".lora_A." in name}
        if not new:
            raise ConfigError(
                "The mitigation o_lora goes with methods that train LoRA's matrices (lora, rslora, "
                "dora, qlora...); this one has none. Take another method, or l2_sp or ewc."
            )
        if not self.adapters:
            raise ConfigError(
                "training.mitigations: o_lora names no earlier adapter. Give their folders under "
                "`adapters`; the first training of a sequence does without o_lora."
            )
        earlier = [_directions(_file(folder), new) for folder in self.adapters]
        return _Overlap(new, earlier, self.strength)


class _Overlap(Guard):
    def __init__(
        self, new: "dict[str, Tensor]", earlier: "list[dict[str, Tensor]]", strength: float
    ) -> None:
        self.new, self.earlier, self.strength = new, earlier, strength

    def penalty(self, step: int) -> "Tensor":
        """Return strength times the squared lengths of the new rows within the old spans."""
        import torch

        overlaps = [
            (self.new[name].float() @ directions).square().sum()
            for adapter in self.earlier
            for name, directions in adapter.items()
        ]
        return self.strength * torch.stack(overlaps).sum()


def _file(folder: Path) -> Path:
    inner = folder / "weights" / FILE
    return inner if inner.is_file() else folder / FILE


def _directions(path: Path, new: "dict[str, Tensor]") -> "dict[str, Tensor]":
    """Return an orthonormal basis, shape (inputs, rank), of what each matrix of a file reads.

    Raises:
        ConfigError: The file cannot be read, or has no matrix where the new adapter has one.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"{path} is no LoRA adapter: {error}.") from error
    found = {}
    for name, parameter in new.items():
        old = tensors.get(name.replace(".default.", "."))
        if old is not None and old.shape[1] == parameter.shape[1]:
            basis = torch.linalg.qr(old.float().T).Q
            found[name] = basis.to(parameter.device)
    if not found:
        raise ConfigError(
            f"{path} adapts nothing that the new adapter adapts: target_modules and base must be "
            "alike."
        )
    return found
