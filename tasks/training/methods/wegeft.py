"""WeGeFT: the update is generated from the pretrained weights themselves."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from tasks.modeling.shapes import ModelShapes, is_named
from tasks.training.method import METHODS, TrainingMethod
from tasks.training.peft_method import ALL_LINEAR

if TYPE_CHECKING:
    from torch import Tensor, nn

_NAME, _HOOK = "wegeft", "_wegeft_hook"


@METHODS.register
class WeGeFt(TrainingMethod):
    """Weight-generative fine-tuning: ΔW = W·φ·ψ with two small maps that all layers share.

    One pair of maps serves all layers of a kind (all q_proj, all up_proj, ...), so that the
    size does not grow with depth. ψ is zero at the start, so that the model begins as the base.
    """

    default_learning_rate: ClassVar[float] = 5e-4
    source: ClassVar[str] = "Savadikar et al. 2023, arXiv 2312.00700 v5"
    merges: ClassVar[bool] = True
    unloads: ClassVar[bool] = True

    method: Literal["wegeft"] = "wegeft"
    rank: int = Field(32, ge=1, description="Width between φ and ψ.")
    target_modules: tuple[str, ...] = Field(
        ALL_LINEAR,
        description="Names of the modules to adapt; `all-linear` takes all but the output layer.",
    )

    def prepare(self, model: "nn.Module") -> "nn.Module":
        """Add the maps; only they require gradients."""
        from torch import nn

        model.requires_grad_(False)
        maps = nn.ModuleDict()
        for name, layer in self._targets(model):
            kind = _kind(name, layer.in_features)
            if kind not in maps:
                maps[kind] = self._maps(layer)
            setattr(layer, _HOOK, layer.register_forward_pre_hook(_hook(maps[kind])))
        model.add_module(_NAME, maps)
        return model

    def needs_float32(self) -> str:
        """Return nothing: the maps are in single precision, whatever the model is in."""
        return ""

    def save(self, model: "nn.Module", folder: Path) -> None:
        """Write the maps."""
        from tasks.training.own_tensors import save_trainable

        save_trainable(model, folder)

    def load(self, base: "nn.Module", folder: Path) -> "nn.Module":
        """Add maps to the base and fill them."""
        from tasks.training.own_tensors import load_trainable

        tuned = self.prepare(base)
        load_trainable(tuned, folder)
        return tuned

    def trainable_parameters(self, shapes: ModelShapes) -> int:
        """Return the sizes of one pair of maps for each kind of layer."""
        linears = shapes.select(self.target_modules)
        kinds = {_kind(linear.name, linear.inputs): linear.inputs for linear in linears}
        return sum(2 * self.rank * inputs for inputs in kinds.values())

    def merge(self, model: "nn.Module") -> "nn.Module":
        """Add the generated updates to the weights and take the maps away."""
        import torch

        maps: Any = getattr(model, _NAME)
        with torch.no_grad():
            for name, layer in self._targets(model):
                phi, psi = maps[_kind(name, layer.in_features)]
                weight = layer.weight
                weight += (weight.to(phi.weight.dtype) @ phi.weight @ psi.weight).to(weight)
        return self.unload(model)

    def unload(self, model: "nn.Module") -> "nn.Module":
        """Take the maps away."""
        for _name, layer in self._targets(model):
            getattr(layer, _HOOK).remove()
            delattr(layer, _HOOK)
        delattr(model, _NAME)
        return model

    def _targets(self, model: "nn.Module") -> list[tuple[str, Any]]:
        from torch import nn

        head: Any = model.get_output_embeddings()  # type: ignore[operator]
        return [
            (name, module)
            for name, module in model.named_modules()
            if isinstance(module, nn.Linear)
            and module is not head
            and not name.startswith(_NAME)
            and (self.target_modules == ALL_LINEAR or is_named(name, self.target_modules))
        ]

    def _maps(self, layer: Any) -> "nn.Module":
        """Return φ and ψ as linear layers: an input is mapped by ψ first, then by φ."""
        from torch import nn

        phi = nn.Linear(self.rank, layer.in_features, bias=False)
        psi = nn.Linear(layer.in_features, self.rank, bias=False)
        nn.init.kaiming_uniform_(phi.weight, a=5**0.5)
        nn.init.zeros_(psi.weight)
        return nn.ModuleList([phi, psi]).to(layer.weight.device)


def _kind(name: str, inputs: int) -> str:
    """Return what layers have in common that share their maps; no dots, as in module names."""
    return f"{name.rpartition('.')[2]}_{inputs}"


def _hook(maps: Any) -> Any:
    """Return a hook that gives W·(x + φ·ψ·x), which is (W + W·φ·ψ)·x."""

    def generate(_layer: "nn.Module", inputs: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        phi, psi = maps
        change = phi(psi(inputs[0].to(psi.weight.dtype)))
        return (inputs[0] + change.to(inputs[0].dtype), *inputs[1:])

    return generate
