"""All mitigations of one run, as the trainer calls them."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from tasks.training.mitigation import Guard, Mitigation, Run, trained


class Guards(TrainerCallback):  # type: ignore[misc]
    """Calls every active mitigation in the order in which the configuration names them.

    Args:
        mitigations: Of the configuration.
    """

    def __init__(self, mitigations: Sequence[Mitigation]) -> None:
        self.mitigations = [each for each in mitigations if each.active]
        self.guards: dict[str, Guard] = {}
        self.frozen: list[Tensor] = []

    def prepare(self, model: nn.Module) -> None:
        """Let each choose among the parameters that the method trains."""
        before = list(trained(model).values())
        for mitigation in self.mitigations:
            mitigation.prepare(model)
        self.frozen = [parameter for parameter in before if not parameter.requires_grad]

    def start(self, run: Run) -> None:
        """Let each take what it needs of the starting point."""
        self.guards = {each.mitigation: each.start(run) for each in self.mitigations}

    def penalties(self, step: int) -> Iterator[Tensor]:
        """Yield what joins the loss."""
        for guard in self.guards.values():
            penalty = guard.penalty(step)
            if penalty is not None:
                yield penalty

    def backward(self, once: Callable[[], Tensor]) -> Tensor:
        """Go through a batch as the mitigations want it, the first one outermost."""
        for guard in reversed(self.guards.values()):
            once = partial(guard.backward, once)
        return once()

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Tell each that a step comes."""
        for guard in self.guards.values():
            guard.before_step(state.global_step)

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Tell each that a step was taken."""
        for guard in self.guards.values():
            guard.after_step(state.global_step)

    def save(self, folder: Path) -> None:
        """Write what a checkpoint must hold."""
        for name, guard in self.guards.items():
            if state := guard.state():
                save_file(state, _file(folder, name))

    def load(self, folder: Path) -> None:
        """Read what `save` wrote."""
        for name, guard in self.guards.items():
            if _file(folder, name).is_file():
                guard.restore(load_file(_file(folder, name)))

    def finish(self, folder: Path) -> dict[str, float]:
        """End the run; what each has to say goes by `mitigation.name`."""
        for parameter in self.frozen:  # a method saves what it would have trained
            parameter.requires_grad_(True)
        return {
            f"{name}.{figure}": value
            for name, guard in self.guards.items()
            for figure, value in guard.finish(folder).items()
        }


def _file(folder: Path, name: str) -> Path:
    return folder / f"mitigation_{name}.safetensors"
