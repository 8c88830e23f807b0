"""Languages that documents are in, and texts that are too short to tell."""

import pytest

from tasks.text.language import detect_language

SENTENCES = {
    "en": "Every employee has 25 days of annual leave.",
    "de": "Jeder Mitarbeiter hat 25 Urlaubstage im Jahr.",
    "fr": "Chaque salarié dispose de 25 jours de congé.",
    "es": "Cada empleado tiene 25 días de vacaciones.",
    "it": "Ogni dipendente ha 25 giorni di ferie.",
    "nl": "Iedere medewerker heeft 25 vakantiedagen.",
    "pt": "Cada funcionário tem 25 dias de férias.",
    "pl": "Każdy pracownik ma 25 dni urlopu rocznie.",
    "sv": "Varje anställd har 25 semesterdagar om året.",
    "ru": "Каждый сотрудник имеет 25 дней отпуска.",
    "ja": "社員は年に二十五日の休暇があります。",
    "zh": "每位员工每年有二十五天的年假。",
    "ar": "لكل موظف خمسة وعشرون يوما من الإجازة السنوية.",
}


@pytest.mark.parametrize(("language", "sentence"), SENTENCES.items())
def test_one_sentence_is_enough(language: str, sentence: str) -> None:
    assert detect_language(sentence) == language


TOO_LITTLE = (
    "",
    "Leave",
    "42 | 17 | 9",
    "- Jane Doe\n- Bob Smith\n- Maria Schmidt-Rottluff",
    "```py\ndef main(): return zero_or_one_or_two\n```",
    "[EMAIL_bcdfghjk] " * 9,
    "https://www.example.org/the-office-opens-at-eight-and-closes-at-six",
)


@pytest.mark.parametrize("text", TOO_LITTLE)
def test_too_little_to_tell(text: str) -> None:
    assert detect_language(text) is None


def test_code_does_not_hide_the_language() -> None:
    code = "```py\n" + "for line in open(name):  # print the line\n    print(line)\n" * 9 + "```"
    assert detect_language(f"{code}\n\n{SENTENCES['de']}") == "de"
