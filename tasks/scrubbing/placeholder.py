"""Placeholders: the same value gets the same one, in all documents, runs and increments."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from functools import cache

# Letters only, so that no placeholder holds a number to be learnt as a fact; no vowels, so
# that none spells a word.
_ALPHABET = "bcdfghjklmnpqrstvwxz"
_LETTERS = 8
PLACEHOLDER = re.compile(rf"\[[A-Z][A-Z_]*_[{_ALPHABET}]{{{_LETTERS}}}\]")

# Without a key everybody can compute the placeholder of a value that they guess.
_PUBLIC = "temper: no scrubbing key is set"
_SALT = b"temper.scrubbing.v1"
# Percival, Stronger Key Derivation via Sequential Memory-Hard Functions (2009), 6: parameters
# for interactive use; every process that parses documents pays them.
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**14, 8, 1


@dataclass(frozen=True)
class Keys:
    """What is derived from the secret; the secret itself cannot be got back.

    Attributes:
        placeholders: Key of the HMAC that names placeholders.
        vault: Key that encrypts the values.
        name: Tells keys apart, in file names and fingerprints.
    """

    placeholders: bytes
    vault: bytes
    name: str

    def __repr__(self) -> str:
        """Show the name alone: keys are never logged."""
        return f"Keys(name={self.name!r})"


@cache
def derive_keys(secret: str | None) -> Keys:
    """Derive all keys from the secret, slowly, so that short secrets cannot be tried out."""
    master = hashlib.scrypt(
        (secret or _PUBLIC).encode(),
        salt=_SALT,
        n=_SCRYPT_N,
        r=_SCRYPT_R,
        p=_SCRYPT_P,
        maxmem=2**26,
        dklen=32,
    )
    parts = [hmac.digest(master, use, "sha256") for use in (b"placeholders", b"vault", b"name")]
    return Keys(parts[0], parts[1], parts[2].hex()[:12])


def placeholder(kind: str, value: str, keys: Keys) -> str:
    """Return what stands for a value: `[EMAIL_bcdfghjk]`."""
    hashed = hmac.digest(keys.placeholders, f"{kind}\0{value}".encode(), "sha256")
    number = int.from_bytes(hashed[:8])
    letters = []
    for _ in range(_LETTERS):
        number, letter = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[letter])
    return f"[{kind.upper()}_{''.join(letters)}]"


def has_placeholder(text: str) -> bool:
    """Whether something was taken out of a text: such an answer is of no use."""
    return PLACEHOLDER.search(text) is not None
