"""AdaLoRA: a low-rank update whose rank goes where it matters."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tasks.modeling.shapes import LinearShape
from tasks.training.method import METHODS
from tasks.training.peft_method import LinearPeftMethod

if TYPE_CHECKING:
    from torch import Tensor, nn

# The allocator's running averages, by PEFT's names; they decide which ranks are kept.
_AVERAGES = ("ipt", "exp_avg_ipt", "exp_avg_unc")


@METHODS.register
class AdaLora(LinearPeftMethod):
    """Adaptive LoRA: W + P·Λ·Q starts with a high rank; the least important parts of Λ go.

    Warms up for a tenth of the run, prunes until two thirds, then trains what is left.
    """

    default_learning_rate: ClassVar[float] = 1e-3
    source: ClassVar[str] = "Zhang et al. 2023, arXiv 2303.10512"

    method: Literal["adalora"] = "adalora"
    initial_rank: int = Field(12, ge=2, description="Rank of every update at the start.")
    rank: int = Field(8, ge=1, description="Mean rank of the updates at the end.")
    alpha: float = Field(32.0, gt=0, description="The update is scaled by alpha / initial rank.")
    orthogonality: float = Field(
        0.1, ge=0, description="Weight of the penalty that keeps P and Q orthogonal."
    )

    def peft_config(self, model: "nn.Module") -> Any:
        """Return an AdaLoraConfig; `start` tells it the length of the run."""
        from peft import AdaLoraConfig

        return AdaLoraConfig(
            init_r=self.initial_rank,
            target_r=self.rank,
            lora_alpha=self.alpha,
            total_step=1,
            target_modules=self.targets,
            task_type="CAUSAL_LM",
        )

    def parameters_of(self, linear: LinearShape) -> int:
        """Return the sizes of P, Λ and Q before anything is pruned."""
        return self.initial_rank * (linear.outputs + linear.inputs + 1)

    def start(
        self, model: "nn.Module", batches: "Iterable[Mapping[str, Tensor]]", total_steps: int
    ) -> None:
        """Lay out warm-up, pruning and the rest over the run."""
        config = _config(model)
        config.total_step = total_steps
        config.tinit, config.tfinal = total_steps // 10, total_steps // 3
        config.deltaT = max(1, total_steps // 100)

    def penalty(self, model: "nn.Module") -> "Tensor":
        """Return the mean distance of P·Pᵀ and Q·Qᵀ from the identity (paper, section 3.1)."""
        import torch

        grams = [
            p @ p.T if "lora_A" in name else p.T @ p
            for name, p in model.named_parameters()
            if "lora_A" in name or "lora_B" in name
        ]
        distances = [torch.linalg.norm(g - torch.eye(len(g), device=g.device)) for g in grams]
        return self.orthogonality * torch.stack(distances).mean()

    def after_step(self, model: "nn.Module", step: int) -> None:
        """Update the importances, and prune where it is time to."""
        model.base_model.update_and_allocate(step)  # type: ignore[operator, union-attr]

    def state(self, model: "nn.Module") -> "dict[str, Tensor]":
        """Add the importances and the ranks that are gone."""
        import torch

        allocator = model.base_model.rankallocator  # type: ignore[union-attr]
        state = super().state(model)
        for average in _AVERAGES:
            for name, value in getattr(allocator, average).items():
                state[f"{average}/{name}"] = value
        for name, kept in (_config(model).rank_pattern or {}).items():
            state[f"kept/{name}"] = torch.tensor(kept)
        return state

    def restore(self, model: "nn.Module", state: "dict[str, Tensor]") -> None:
        """Put parameters, importances and kept ranks back."""
        allocator = model.base_model.rankallocator  # type: ignore[union-attr]
        parts: dict[str, dict[str, Tensor]] = {name: {} for name in (*_AVERAGES, "kept")}
        parameters = {}
        for key, value in state.items():
            part, _, name = key.partition("/")
            if name:
                parts[part][name] = value
            else:
                parameters[key] = value
        super().restore(model, parameters)
        for average in _AVERAGES:
            setattr(allocator, average, parts[average])
        kept = {name: mask.tolist() for name, mask in parts["kept"].items()}
        _config(model).rank_pattern = kept or None

    def save(self, model: "nn.Module", folder: Path) -> None:
        """Write the adapter with pruned values as zeros, so that it loads like any other."""
        _config(model).rank_pattern = None
        super().save(model, folder)


def _config(model: "nn.Module") -> Any:
    return model.peft_config["default"]  # type: ignore[index]
