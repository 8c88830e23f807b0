"""Labelled sentences for the benchmark of scrubbing: values that must go, and look-alikes.

Values come from Faker in several locales, so that they are not made by the code that looks
for them; sentences and look-alikes are written here. Labels are `kind` and the value.
"""

# ruff: noqa: E501 a table of examples reads best one a line

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from faker import Faker

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "pt_PT")


@dataclass(frozen=True)
class Labelled:
    """A text and what is to be found in it, as (kind, start, end)."""

    text: str
    spans: tuple[tuple[str, int, int], ...] = ()


def _sentences(kind: str, values: list[str], templates: tuple[str, ...]) -> Iterator[Labelled]:
    for number, value in enumerate(values):
        template = templates[number % len(templates)]
        start = template.index("{}")
        spans = ((kind, start, start + len(value)),)
        yield Labelled(template.replace("{}", value), spans)


_PLAIN = ("Write to {} for help.", "| Ada | {} | Rome |", "- contact: {}", "({})", "{}\nRegards")
_EMAIL = (*_PLAIN, "mailto:{}?subject=leave", "Ada <{}>, see above", "E-Mail: {}.")
_PHONE = ("Call {} after nine.", "Tel.: {}", "Phone: {} (office)", "| Telefon | {} |", "Mobile {}")
_PHONE_INTERNATIONAL = ("Reach her under {}.", "| Ada | {} | Rome |", "- {}", "Call {}, please.")
_ADDRESS = ("We live at {}.", "Address: {}", "Send it to {}", "| Ada | {} |", "Ship to:\n{}\n")
_IBAN = ("IBAN: {}", "Please pay to {} by Friday.", "| Ada | {} |", "Konto {}.", "virement sur {}")
_CARD = ("My card is {}.", "Charged to {} today.", "| Ada | {} | 12/27 |", "Kreditkarte: {}", "{}")
_SECRET = (
    "export KEY={}",
    "The key {} was leaked.",
    'key: "{}"',
    "curl -H 'X-Key: {}' x.org",
    "{}",
)


def positives(seed: int = 0) -> Iterator[Labelled]:
    """Yield texts with one labelled value each."""
    rng = random.Random(seed)
    fakers = []
    for locale in LOCALES:
        faker = Faker(locale)
        faker.seed_instance(seed)
        fakers.append(faker)
    us = fakers[0]

    def many(make: Callable[[Faker], str], each: int = 6) -> list[str]:
        return [make(faker) for _ in range(each) for faker in fakers]

    yield from _sentences("email", many(lambda f: f.ascii_free_email()), _EMAIL)
    yield from _sentences("email", many(lambda f: f.ascii_company_email(), 3), _EMAIL)
    yield from _sentences(
        "phone",
        [f"({a}) {rng.randint(220, 989)}-{rng.randint(1000, 9999)}" for a in _AREAS * 2],
        _PHONE,
    )
    yield from _sentences(
        "phone",
        [f"{a}-{rng.randint(220, 989)}-{rng.randint(1000, 9999)}" for a in _AREAS * 2],
        (*_PHONE, "at {} today"),
    )
    yield from _sentences("phone", _INTERNATIONAL, _PHONE_INTERNATIONAL)
    yield from _sentences("phone", _NATIONAL, _PHONE)
    yield from _sentences("address", many(lambda f: f.address(), 8), _ADDRESS)
    yield from _sentences("iban", many(lambda f: f.iban(), 4), _IBAN)
    yield from _sentences("iban", many(lambda f: _grouped(f.iban()), 4), _IBAN)
    cards = [
        us.credit_card_number(t)
        for _ in range(15)
        for t in ("visa16", "mastercard", "amex", "discover")
    ]
    yield from _sentences("payment_card", cards, _CARD)
    yield from _sentences("payment_card", [_grouped(c) for c in cards if len(c) == 16], _CARD)
    yield from _national(seed)
    yield from _sentences(
        "ip_address",
        [_public(us.ipv4_public) for _ in range(40)],
        ("from {} at noon", "host {}:22", "IP {}", "| {} | up |", "ping {}"),
    )
    yield from _sentences(
        "ip_address",
        ["2a02:" + us.ipv6().split(":", 1)[1] for _ in range(40)],
        ("from {} at noon", "IP {}", "| {} | up |"),
    )
    yield from _sentences(
        "mac_address", [us.mac_address() for _ in range(40)], ("MAC {}", "| {} |", "card {} is")
    )
    yield from _sentences(
        "mac_address",
        [us.mac_address().upper().replace(":", "-") for _ in range(20)],
        ("MAC {}", "| {} |"),
    )
    yield from _sentences("api_key", _tokens(rng), _SECRET)
    yield from _sentences(
        "jwt", [_jwt(rng) for _ in range(40)], ("Bearer {}", "cookie={};", "The token {} is old.")
    )
    yield from _sentences(
        "private_key",
        [_pem(rng, kind) for kind in ("RSA ", "", "EC ", "OPENSSH ") * 10],
        ("Key:\n{}\nEnd.", "{}"),
    )
    yield from _passwords(rng)


_AREAS = ("202", "212", "312", "415", "503", "617", "713", "808", "303", "206")
# Of the authorities' and libphonenumber's examples, digits changed where they were fiction.
_INTERNATIONAL = [
    "+49 30 901820", "+49 (0)89 2180-0", "+33 1 42 68 53 00", "+33 6 12 34 56 78", "+34 912 345 678",
    "+39 06 6982", "+39 312 345 6789", "+31 20 624 1111", "+48 22 694 60 00", "+351 21 323 7000",
    "+44 20 7219 3000", "+44 7911 123456", "+1 415 762 3310", "+1-202-456-1414", "+91 98765 43210",
    "+81 3-3581-5111", "+86 10 6596 1114", "+61 2 6277 7111", "+55 61 3411-1221", "+7 495 606-36-02",
    "+41 58 462 21 11", "+43 1 531150", "+46 8 405 10 00", "+47 22 24 90 90", "+45 33 92 33 00",
]  # fmt: skip
_NATIONAL = [
    "030 901820", "089/2180-0", "01 42 68 53 00", "912 345 678", "06 6982 1234", "020 7219 3000",
    "07911 123456", "020-6241111", "22 694 60 00", "213 237 000", "0151 23456789", "(0221) 4710",
    "0800 330 1000", "06-12345678", "08-405 10 00",
]  # fmt: skip


def _grouped(number: str) -> str:
    return " ".join(number[n : n + 4] for n in range(0, len(number), 4))


def _public(make: Callable[[], str]) -> str:
    address = make()
    return address if max(map(int, address.split("."))) > 30 else _public(make)


def _national(seed: int) -> Iterator[Labelled]:
    def values(locale: str, make: Callable[[Faker], str], count: int = 40) -> list[str]:
        faker = Faker(locale)
        faker.seed_instance(seed)
        return [make(faker) for _ in range(count)]

    plain = ("No. {}", "| Ada | {} |", "Her number, {}, is known.", "{}")
    ssn = values("en_US", lambda f: f.ssn(taxpayer_identification_number_type="SSN"))
    yield from _sentences("us_ssn", ssn, ("SSN {}", *plain))
    itin = values("en_US", lambda f: f.ssn(taxpayer_identification_number_type="ITIN"))
    yield from _sentences("us_itin", itin, ("ITIN {}", *plain))
    # Faker's own have a prefix that is never issued
    nino = values("en_GB", lambda f: f.bothify("%# ## ## ?", letters="ABCD").replace("%", "", 1))
    nino = [f"{a}{b} {n[-10:]}" for a, b, n in zip("AJLMS" * 8, "BHKST" * 8, nino, strict=True)]
    yield from _sentences("uk_nino", nino, ("NI number {}", *plain))
    yield from _sentences("fr_nir", values("fr_FR", lambda f: f.ssn()), ("NIR {}", *plain))
    yield from _sentences("es_dni", values("es_ES", lambda f: f.nif()), ("DNI {}", *plain))
    yield from _sentences("es_nie", values("es_ES", lambda f: f.nie()), ("NIE {}", *plain))
    yield from _sentences(
        "it_codice_fiscale", values("it_IT", lambda f: f.ssn()), ("CF {}", *plain)
    )
    yield from _sentences(
        "pl_pesel", values("pl_PL", lambda f: f.pesel()), ("PESEL {}", "PESEL: {}.")
    )
    yield from _sentences(
        "nl_bsn", values("nl_NL", lambda f: f.ssn()), ("BSN {}", "burgerservicenummer {}")
    )
    yield from _sentences("br_cpf", values("pt_BR", lambda f: f.cpf()), ("CPF {}", *plain))
    yield from _sentences("fi_hetu", values("fi_FI", lambda f: f.ssn()), ("hetu {}", *plain))
    yield from _sentences(
        "se_personnummer", values("sv_SE", lambda f: f.ssn()), ("personnummer {}", *plain)
    )
    yield from _sentences("de_tax_id", values("de_DE", _steuer_id), ("Steuer-ID {}", "IdNr. {}"))
    yield from _sentences("ch_ahv", values("de_CH", lambda f: f.ssn()), ("AHV {}", *plain))
    yield from _sentences(
        "ca_sin",
        [n for n in values("en_CA", lambda f: f.ssn(), 80) if n[0] not in "08"][:40],
        ("SIN {}", "social insurance {}"),
    )


def _steuer_id(faker: Faker) -> str:
    """ISO 7064 MOD 11,10, written anew so that the check is not tested with itself."""
    while True:
        pool = faker.random.sample("123456789", 8)
        first = faker.random.sample([*pool, faker.random.choice(pool), "0"], 10)
        if first[0] == "0" or len(set(first)) != 9:
            continue
        rest = 10
        for digit in first:
            total = (int(digit) + rest) % 10
            rest = 2 * (10 if total == 0 else total) % 11
        return "".join(first) + str((11 - rest) % 10)


def _chars(rng: random.Random, alphabet: str, count: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(count))


def _tokens(rng: random.Random) -> list[str]:
    mixed, upper = string.ascii_letters + string.digits, string.ascii_uppercase + "234567"
    hexed = "0123456789abcdef"
    makers: tuple[Callable[[], str], ...] = (
        lambda: "AKIA" + _chars(rng, upper, 16),
        lambda: "ghp_" + _chars(rng, mixed, 36),
        lambda: "github_pat_" + _chars(rng, mixed, 22) + "_" + _chars(rng, mixed, 59),
        lambda: "glpat-" + _chars(rng, mixed, 20),
        lambda: (
            f"xoxb-{rng.randint(10**11, 10**12)}-{rng.randint(10**11, 10**12)}-{_chars(rng, mixed, 24)}"
        ),
        lambda: "sk_live_" + _chars(rng, mixed, 24),
        lambda: "sk-proj-" + _chars(rng, mixed, 48),
        lambda: "sk-ant-api03-" + _chars(rng, mixed, 80),
        lambda: "AIza" + _chars(rng, mixed, 35),
        lambda: "hf_" + _chars(rng, string.ascii_letters, 34),
        lambda: "npm_" + _chars(rng, mixed, 36),
        lambda: "SG." + _chars(rng, mixed, 22) + "." + _chars(rng, mixed, 43),
        lambda: "dapi" + _chars(rng, hexed, 32),
        lambda: "pypi-AgEIcHlwaS5vcmc" + _chars(rng, mixed, 90),
        lambda: f"{rng.randint(10**8, 10**9)}:{_chars(rng, mixed, 35)}",
        lambda: _chars(rng, hexed, 32) + "-us12",
        lambda: "SK" + _chars(rng, hexed, 32),
        lambda: "dop_v1_" + _chars(rng, hexed, 64),
    )
    return [make() for _ in range(4) for make in makers]


def _jwt(rng: random.Random) -> str:
    def part(value: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    body = part({"sub": str(rng.randint(1, 10**9)), "iat": rng.randint(10**9, 2 * 10**9)})
    signature = _chars(rng, string.ascii_letters + string.digits + "-_", 43)
    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{body}.{signature}"


def _pem(rng: random.Random, kind: str) -> str:
    lines = [_chars(rng, string.ascii_letters + string.digits + "+/", 64) for _ in range(6)]
    return "\n".join(
        [f"-----BEGIN {kind}PRIVATE KEY-----", *lines, f"-----END {kind}PRIVATE KEY-----"]
    )


def _passwords(rng: random.Random) -> Iterator[Labelled]:
    words = ["hunter2", "Tr0ub4dor&3", "s3cr3t!", "Sommer2024!", "qwerty123", "pa$$w0rd-9"]
    random_ones = [
        _chars(rng, string.ascii_letters + string.digits + "!@#%*", 14) for _ in range(20)
    ]
    templates = (
        "DB_PASSWORD={}", 'password = "{}"', "password: {}", "The password is {}",
        "postgres://app:{}@db.internal:5432/x", "Server=db;User=sa;Pwd={};", "mysql --password={} x",
        "curl -u admin:{} https://x.org", "passwd: '{}'", "Kennwort: {}", "mot de passe : {}",
        "spring.datasource.password={}",
    )  # fmt: skip
    values = [
        v for v in (words * 3 + random_ones) if "@" not in v and "#" not in v and "%" not in v
    ]
    yield from _sentences("password", values * 2, templates)
    secrets = [_chars(rng, "0123456789abcdef", 32) for _ in range(20)]
    secrets += [_chars(rng, string.ascii_letters + string.digits, 24) + "7x" for _ in range(24)]
    keyed = (
        "client_secret: {}",
        'API_KEY="{}"',
        "auth_token={}",
        "secret_key = '{}'",
        "x-api-key: {}",
    )
    yield from _sentences("secret", secrets, keyed)


def negatives(seed: int = 0) -> Iterator[Labelled]:
    """Yield texts with nothing to find in them."""
    rng = random.Random(seed)
    mixed = string.ascii_letters + string.digits

    def number(count: int) -> str:
        return str(rng.randint(10 ** (count - 1), 10**count - 1))

    makers: tuple[Callable[[], str], ...] = (
        lambda: f"Order {number(10)} was shipped.",
        lambda: f"Invoice no. {number(16)} of {number(2)} May",
        lambda: f"tracking number {number(12)}",
        lambda: f"ISBN 978-3-{number(2)}-{number(6)}-{number(1)}",
        lambda: f"EAN {number(13)}",
        lambda: (
            f"version {rng.randint(1, 30)}.{rng.randint(0, 30)}.{rng.randint(0, 30)}.{rng.randint(0, 9)}"
        ),
        lambda: f"package=={rng.randint(1, 30)}.{rng.randint(0, 30)}.{rng.randint(0, 30)}",
        lambda: (
            f"see section {rng.randint(1, 9)}.{rng.randint(1, 9)}.{rng.randint(1, 9)}.{rng.randint(1, 9)}"
        ),
        lambda: (
            f"on 20{rng.randint(10, 26)}-0{rng.randint(1, 9)}-{rng.randint(10, 28)} at {rng.randint(10, 23)}:30:15"
        ),
        lambda: f"from {rng.randint(10, 28)}.0{rng.randint(1, 9)}.20{rng.randint(10, 26)} on",
        lambda: f"commit {_chars(rng, '0123456789abcdef', 40)}",
        lambda: f"sha256:{_chars(rng, '0123456789abcdef', 64)}",
        lambda: f"md5 {_chars(rng, '0123456789abcdef', 32)}",
        lambda: f"id {_uuid(rng)}",
        lambda: f"$ {rng.randint(1, 999)},{number(3)},{number(3)}.00 in total",
        lambda: f"{number(3)} of {number(4)} people, {number(2)}.{number(2)} %",
        lambda: f"timestamp {rng.randint(1_500_000_000, 1_800_000_000)}",
        lambda: f"coordinates {rng.randint(1, 80)}.{number(6)}, -{rng.randint(1, 80)}.{number(6)}",
        lambda: f"jane{number(2)}@example.com and bob@example.org",
        lambda: f"git@github.com:org{number(2)}/repo.git",
        lambda: f"icon@{rng.randint(1, 3)}x.png, @user{number(2)}, a @ b",
        lambda: f"IBAN DE00 {number(4)} {number(4)} {number(4)} {number(4)} 00 is a form",
        lambda: f"part 45-{number(4)}-{number(3)}",
        lambda: (
            f"10.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}, mask 255.255.255.0"
        ),
        lambda: f"127.0.0.{rng.randint(1, 9)} and 192.168.{rng.randint(0, 99)}.1",
        lambda: (
            f"{rng.randint(10, 23)}:{rng.randint(10, 59)}:{rng.randint(10, 59)} h; std::map<a::b>"
        ),
        lambda: f"color #{_chars(rng, '0123456789abcdef', 6)}, class a1-b2-c3-{number(2)}",
        lambda: (
            "password: "
            + rng.choice(["see the vault", "required", "(hidden)", "********", "${DB_PASSWORD}"])
        ),
        lambda: (
            "Your password must have " + rng.choice(["12 characters.", "a digit.", "no spaces."])
        ),
        lambda: rng.choice(
            [
                "token: str",
                "secret_key=os.environ['KEY']",
                "api_key: <your-key>",
                "key = config.api_key",
                "token = get_token(user)",
            ]
        ),
        lambda: f"passport office opens at {rng.randint(7, 9)}; passing grade {number(2)}",
        lambda: f"in {rng.randint(1900, 2020)} the {rng.randint(2, 99)} main streets were paved",
        lambda: f"Grade {rng.randint(1, 15)} Step {rng.randint(1, 9)} pays {number(5)} dollars",
        lambda: (
            f"file {_chars(rng, mixed, 8)}.pdf, page {number(3)}, table {rng.randint(1, 9)}-{rng.randint(1, 9)}"
        ),
        lambda: f"https://x.org/a/{number(10)}/b?page={number(3)}&v={_chars(rng, mixed, 11)}",
        lambda: (
            f"SKU {_chars(rng, string.ascii_uppercase, 3)}-{number(6)}, serial {_chars(rng, mixed.upper(), 10)}"
        ),
        lambda: f"case {number(2)}-cv-{number(5)}, docket {number(4)}-{number(4)}",
        lambda: (
            rng.choice(["During ", "In spring ", "Engineering ", "String "])
            + f"{number(4)}, Ada said"
        ),
        lambda: (
            rng.choice(["auf Platz ", "Am Montag ", "Im Jahr "]) + f"{rng.randint(1, 99)} war es so"
        ),
        lambda: f"RFC {number(4)}, ISO {number(4)}-{rng.randint(1, 9)}:20{number(2)}",
        lambda: f"base64 {base64.b64encode(_chars(rng, mixed, 30).encode()).decode()}",
        lambda: (
            "-----BEGIN CERTIFICATE-----\n" + _chars(rng, mixed, 64) + "\n-----END CERTIFICATE-----"
        ),
    )
    for make in makers:
        for _ in range(12):
            yield Labelled(make())


def _uuid(rng: random.Random) -> str:
    return "-".join(_chars(rng, "0123456789abcdef", n) for n in (8, 4, 4, 4, 12))
