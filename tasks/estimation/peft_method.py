"""Any method of PEFT, named by the `adapter_config.json` that PEFT writes."""

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from data_contracts.errors import ConfigError, UnknownName

if TYPE_CHECKING:
    from torch import nn

    from tasks.estimation.trace import Prepare

# What PEFT writes about a finished adapter, and which is no option of a new one.
RECORDS = {"auto_mapping", "peft_type", "peft_version", "inference_mode"}


def peft_preparation(options: Mapping[str, Any], single_precision: bool = True) -> "Prepare":
    """Return what makes a model trainable by the method that these options describe.

    Args:
        options: The content of an `adapter_config.json`; keys that the installed PEFT does
            not know are left out.
        single_precision: Whether the adapter's weights are in single precision, as PEFT does
            by itself, and not in the base's type.

    Raises:
        UnknownName: PEFT has no such method.
        ConfigError: PEFT refuses the options.
    """
    from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING

    name = str(options.get("peft_type"))
    known = {str(getattr(k, "value", k)): v for k, v in PEFT_TYPE_TO_CONFIG_MAPPING.items()}
    if name not in known:
        raise UnknownName("PEFT method", name, known)
    accepted = set(inspect.signature(known[name]).parameters) - RECORDS
    if name == "ADALORA":
        accepted.discard("rank_pattern")  # the ranks that a finished run ended with
    try:
        chosen = {k: v for k, v in options.items() if k in accepted}
        config = known[name](**{"task_type": "CAUSAL_LM", **chosen})
    except (TypeError, ValueError) as error:
        raise ConfigError(f"PEFT refuses these options of {name}: {error}") from error

    def prepare(model: "nn.Module") -> "nn.Module":
        from peft import get_peft_model

        wrapped: nn.Module = get_peft_model(model, config, autocast_adapter_dtype=single_precision)
        return wrapped

    return prepare
