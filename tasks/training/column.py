"""The new column of progressive fine-tuning, and how it reads the old one."""

from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


class Column(nn.Module):
    """Small layers, one for each layer of the frozen model.

    Args:
        layers: Number of layers.
        hidden_size: Width of the frozen model's states.
        width: Width of the column.
    """

    def __init__(self, layers: int, hidden_size: int, width: int) -> None:
        super().__init__()
        # The old column's states are scaled to a common size: they grow from layer to layer.
        self.norm = nn.RMSNorm(hidden_size, elementwise_affine=False)
        self.own = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
        self.lateral = nn.ModuleList(
            nn.Linear(hidden_size, width, bias=False) for _ in range(layers)
        )
        self.output = nn.Linear(width, hidden_size, bias=False)
        nn.init.zeros_(self.output.weight)
        self.width = width

    def forward(self, states: list[Tensor]) -> Tensor:
        """Return what is added to the last state.

        Args:
            states: The old column's state after each layer, shape (rows, length, hidden size).
        """
        dtype = self.output.weight.dtype
        current = states[0].new_zeros((*states[0].shape[:-1], self.width), dtype=dtype)
        for own, lateral, state in zip(self.own, self.lateral, states, strict=True):
            read = lateral(self.norm(state.detach().to(dtype)))
            current = current + nn.functional.gelu(own(current) + read)
        change: Tensor = self.output(current)
        return change


def attach(column: Column, layers: list[nn.Module], decoder: nn.Module) -> list[RemovableHandle]:
    """Let the column read every layer's state and change the decoder's last one.

    Returns:
        The hooks; removing them detaches the column.
    """
    states: list[Tensor] = []

    def begin(_decoder: nn.Module, _inputs: Any) -> None:
        states.clear()

    def read(_layer: nn.Module, _inputs: Any, output: Any) -> None:
        states.append(output[0] if isinstance(output, tuple) else output)

    def add(_decoder: nn.Module, _inputs: Any, output: Any) -> Any:
        last = output.last_hidden_state
        output.last_hidden_state = last + column(states).to(last.dtype)
        states.clear()
        return output

    hooks = [layer.register_forward_hook(read) for layer in layers]
    return [
        *hooks,
        decoder.register_forward_pre_hook(begin),
        decoder.register_forward_hook(add),
    ]
