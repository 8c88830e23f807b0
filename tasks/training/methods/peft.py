"""Any tuner of PEFT's by name."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from data_contracts.errors import ConfigError, UnknownName
from tasks.modeling.shapes import ModelShapes
from tasks.training.method import METHODS
from tasks.training.peft_method import PeftMethod

if TYPE_CHECKING:
    from torch import nn


@METHODS.register
class AnyPeft(PeftMethod):
    """Any tuner that the installed PEFT has, with the options of PEFT's configuration class.

    What holds for a tuner (whether it starts as the base, whether it merges) is PEFT's to say;
    nothing is promised here. The methods with names of their own are tested further.
    """

    default_learning_rate: ClassVar[float] = 1e-3
    source: ClassVar[str] = "PEFT's documentation of the tuner"
    identity_at_start: ClassVar[bool] = False

    method: Literal["peft"] = "peft"
    tuner: str = Field("hra", description="PEFT's name of the tuner, e.g. hra, c3a, randlora.")
    options: dict[str, Any] = Field(
        default_factory=lambda: {"target_modules": "all-linear"},
        description="Options of the tuner's configuration class in PEFT, by their names there.",
    )

    @model_validator(mode="after")
    def _accepted_by_peft(self) -> Self:
        self.peft_config(None)
        return self

    def peft_config(self, model: "nn.Module | None") -> Any:
        """Return the tuner's configuration.

        Raises:
            UnknownName: PEFT has no such tuner.
            ConfigError: Its configuration class refuses the options.
        """
        from peft import PEFT_TYPE_TO_CONFIG_MAPPING

        known = {str(kind.value).lower(): cls for kind, cls in PEFT_TYPE_TO_CONFIG_MAPPING.items()}
        if self.tuner not in known:
            raise UnknownName("tuner of PEFT", self.tuner, known)
        try:
            return known[self.tuner](**{"task_type": "CAUSAL_LM", **self.options})
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"PEFT refuses training.method.options for {self.tuner}: {error} Its options are "
                f"the arguments of {known[self.tuner].__name__} in PEFT's documentation."
            ) from error

    def needs_float32(self) -> str:
        """Return that nothing is known of the tuner."""
        return "takes any tuner of PEFT's, and what one does to the base's weights is not known"

    def trainable_parameters(self, shapes: ModelShapes) -> int:
        """Return what PEFT makes trainable on linear layers of these shapes, without weights.

        Raises:
            ConfigError: The tuner needs more than linear layers, so that only a model can tell.
        """
        from peft import inject_adapter_in_model

        try:
            skeleton = inject_adapter_in_model(self.peft_config(None), _skeleton(shapes))
        except (TypeError, ValueError, AttributeError, NotImplementedError) as error:
            raise ConfigError(
                f"The size of a {self.tuner} adapter cannot be told before the model is loaded: "
                f"{error}"
            ) from error
        return sum(p.numel() for p in skeleton.parameters() if p.requires_grad)


def _skeleton(shapes: ModelShapes) -> "nn.Module":
    """Return modules with the names and shapes of the model's linear layers, on no device."""
    import torch
    from torch import nn

    root = nn.Module()
    with torch.device("meta"):
        for linear in shapes.linears:
            *parents, name = linear.name.split(".")
            place = root
            for parent in parents:
                if parent not in place._modules:
                    place.add_module(parent, nn.Module())
                place = place.get_submodule(parent)
            place.add_module(name, nn.Linear(linear.inputs, linear.outputs, bias=False))
    return root
