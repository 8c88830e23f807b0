"""Whether a national number can have been issued: check digits, dates, barred values.

Each function is given the number without separators, in capital letters.
"""

import re
from datetime import date

from tasks.scrubbing.checksums import digits, luhn, mod_11_10, verhoeff, weighted

_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_HETU_LETTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_PPS_LETTERS = "WABCDEFGHIJKLMNOPQRSTUV"
# Decree of the Italian finance ministry of 23 December 1976: values at odd positions.
_CODICE_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21] * 2
        + [2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23],
        strict=True,
    )
)


def is_day(year: int, month: int, day: int) -> bool:
    """Whether the calendar has such a day."""
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def ssn(number: str) -> bool:
    """United States, social security: areas and groups that are never issued."""
    barred = number[:3] in {"000", "666"} or number[0] == "9"
    return not barred and number[3:5] != "00" and number[5:] != "0000" and len(set(number)) > 1


def itin(number: str) -> bool:
    """United States, individual taxpayer: 9, and groups 50-65, 70-88, 90-92, 94-99."""
    group = int(number[3:5])
    return number[0] == "9" and (50 <= group <= 65 or (70 <= group <= 99 and group not in {89, 93}))


def nino(number: str) -> bool:
    """United Kingdom, national insurance: prefixes that are never issued."""
    return number[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


def nhs(number: str) -> bool:
    """United Kingdom, health service: modulo 11."""
    check = 11 - weighted(number[:9], range(10, 1, -1), 11)
    return check % 11 == int(number[9]) and check != 10 and len(set(number)) > 1


def sin(number: str) -> bool:
    """Canada, social insurance: Luhn; 0 and 8 are not issued as a first digit."""
    return luhn(number) and number[0] not in "08"


def tfn(number: str) -> bool:
    """Australia, tax file: modulo 11."""
    return weighted(number, (1, 4, 3, 7, 5, 8, 6, 9, 10), 11) == 0 and len(set(number)) > 1


def steuer_id(number: str) -> bool:
    """Germany, tax: one digit of the first ten stands there two or three times; MOD 11,10."""
    repeated = [n for n in map(number[:10].count, set(number[:10])) if n > 1]
    return number[0] != "0" and repeated in ([2], [3]) and mod_11_10(number)


def rentenversicherung(number: str) -> bool:
    """Germany, pension insurance: the letter counts as two digits; cross sums modulo 10."""
    spelled = f"{number[:8]}{ord(number[8]) - 64:02d}{number[9:11]}"
    weights = (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)
    products = [w * d for w, d in zip(weights, digits(spelled), strict=True)]
    return sum(n // 10 + n % 10 for n in products) % 10 == int(number[11])


def nir(number: str) -> bool:
    """France, INSEE: 97 less the remainder; Corsica's departments 2A and 2B count as 19 and 18."""
    payload = number[:13].replace("2A", "19").replace("2B", "18")
    return payload.isdigit() and 97 - int(payload) % 97 == int(number[13:])


def dni(number: str) -> bool:
    """Spain, DNI and NIE: the letter follows from the remainder modulo 23."""
    payload = number[:-1].translate(str.maketrans("XYZ", "012"))
    return _DNI_LETTERS[int(payload) % 23] == number[-1]


def codice_fiscale(number: str) -> bool:
    """Italy, tax code: the last letter follows from the other fifteen."""
    odd = sum(_CODICE_ODD[character] for character in number[:15:2])
    even = sum(int(c) if c.isdigit() else ord(c) - 65 for c in number[1:15:2])
    return chr(65 + (odd + even) % 26) == number[15]


def bsn(number: str) -> bool:
    """Netherlands, citizen service: the eleven test."""
    return weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, -1), 11) == 0 and len(set(number)) > 1


def pesel(number: str) -> bool:
    """Poland: a date whose month tells the century, and modulo 10."""
    month = int(number[2:4])
    century = {0: 1900, 1: 2000, 2: 2100, 3: 2200, 4: 1800}[month // 20]
    born = is_day(century + int(number[:2]), month % 20, int(number[4:6]))
    return born and weighted(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), 10) == 0


def nif(number: str) -> bool:
    """Portugal, tax: modulo 11."""
    check = 11 - weighted(number[:8], range(9, 1, -1), 11)
    return (0 if check > 9 else check) == int(number[8])


def rijksregister(number: str) -> bool:
    """Belgium, national register: 97 less the remainder, with a 2 before it from 2000 on."""
    payload, check = number[:9], int(number[9:])
    return check in {97 - int(payload) % 97, 97 - int("2" + payload) % 97}


def personnummer(number: str) -> bool:
    """Sweden: a date and Luhn over the last ten digits; coordination numbers add 60 to the day."""
    last = number[-10:]
    day = int(last[4:6])
    return is_day(2000, int(last[2:4]), day - 60 if day > 60 else day) and luhn(last)


def hetu(number: str) -> bool:
    """Finland: the last character follows from the remainder modulo 31."""
    payload = re.sub(r"\D", "", number[:-1])
    born = is_day(2000, int(number[2:4]), int(number[:2]))
    return born and _HETU_LETTERS[int(payload) % 31] == number[-1]


def fodselsnummer(number: str) -> bool:
    """Norway: a date and two check digits modulo 11."""
    first = weighted(number[:10], (3, 7, 6, 1, 8, 9, 4, 5, 2, 1), 11)
    second = weighted(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), 11)
    day = int(number[:2])
    born = is_day(2000, int(number[2:4]), day - 40 if day > 40 else day)
    return born and first == 0 and second == 0


def cpr(number: str) -> bool:
    """Denmark: a date; its check digit is not used any more."""
    return is_day(2000, int(number[2:4]), int(number[:2]))


def ahv(number: str) -> bool:
    """Switzerland: the check digit of EAN-13."""
    return weighted(number, (1, 3) * 6 + (1,), 10) == 0


def sozialversicherung(number: str) -> bool:
    """Austria: modulo 11, the check digit in fourth place; then the date of birth."""
    payload = number[:3] + number[4:]
    check = weighted(payload, (3, 7, 9, 5, 8, 4, 2, 1, 6), 11)
    return (
        number[0] != "0"
        and check == int(number[3])
        and is_day(2000, int(number[6:8]), int(number[4:6]))
    )


def cpf(number: str) -> bool:
    """Brazil: two check digits modulo 11."""
    first = (weighted(number[:9], range(10, 1, -1), 11) * 10) % 11 % 10
    second = (weighted(number[:10], range(11, 1, -1), 11) * 10) % 11 % 10
    return number[9:] == f"{first}{second}" and len(set(number)) > 1


def aadhaar(number: str) -> bool:
    """India: Verhoeff; the first digit is neither 0 nor 1."""
    return number[0] not in "01" and verhoeff(number)


def pps(number: str) -> bool:
    """Ireland: the letter follows from modulo 23; a second letter counts nine times."""
    second = number[8:9]
    extra = 9 * (ord(second) - 64 if second not in {"", "W"} else 0)
    total = sum(w * int(d) for w, d in zip(range(8, 1, -1), number[:7], strict=True)) + extra
    return _PPS_LETTERS[total % 23] == number[7]
