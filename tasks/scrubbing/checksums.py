"""Check digits, as the standards and authorities define them."""

from collections.abc import Sequence

# The tables of Verhoeff's scheme (J. Verhoeff, Error Detecting Decimal Codes, 1969): the
# multiplication of the dihedral group D5, and the permutation whose powers weigh positions.
_D5 = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def digits(text: str) -> list[int]:
    """Return the decimal digits of a text; everything else is left out."""
    return [int(character) for character in text if character in "0123456789"]


def luhn(text: str) -> bool:
    """Whether the digits pass the Luhn check (ISO/IEC 7812-1, annex B)."""
    total = 0
    for position, digit in enumerate(reversed(digits(text))):
        doubled = digit * 2 if position % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def mod_97(text: str) -> bool:
    """Whether letters (A = 10) and digits, read as one number, leave 1 (ISO/IEC 7064)."""
    return int("".join(str(int(character, 36)) for character in text)) % 97 == 1


def mod_11_10(text: str) -> bool:
    """Whether the digits pass ISO/IEC 7064, MOD 11,10 (German tax number)."""
    product = 10
    *payload, check = digits(text)
    for digit in payload:
        product = ((product + digit) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == check


def weighted(text: str, weights: Sequence[int], modulus: int) -> int:
    """Return the weighted sum of the digits, modulo."""
    return sum(w * d for w, d in zip(weights, digits(text), strict=True)) % modulus


def verhoeff(text: str) -> bool:
    """Whether the digits pass Verhoeff's check (Indian Aadhaar)."""
    check = 0
    for position, digit in enumerate(reversed(digits(text))):
        for _ in range(position % 8):
            digit = _PERMUTATION[digit]
        check = _D5[check][digit]
    return check == 0
