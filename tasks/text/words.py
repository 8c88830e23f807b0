"""Closed word classes of English."""


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text as a set: how word lists are written here."""
    return frozenset(text.split())


PRONOUNS = word_set(
    "it they he she we i this that these those there here who which what where when why how "
    "them him her us me its their his our my one ones some many others both either neither "
    "everything nothing something anything none all everyone anyone someone nobody such"
)
DETERMINERS = word_set("a an the each every all any most your no both")
PREPOSITIONS = word_set(
    "of in on at to for from with by about after before during between into through under over "
    "within without against per across among above below until since via as than upon beyond "
    "along around behind beside near off onto outside inside toward towards except like "
    "regardless throughout"
)
CLAUSE_WORDS = word_set(
    "that which who whom whose what where when why how if because while although though unless "
    "until whether since so but than as whenever wherever once"
)
BE = word_set("is are was were")
MODALS = word_set("must may can should shall will could might would cannot")
HAVE = word_set("has have had")
AUXILIARIES = BE | MODALS | HAVE
PLURAL_AUXILIARIES = word_set("are were have")
SINGULAR_AUXILIARIES = word_set("is was has")

NUMBER_WORDS = word_set(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety "
    "hundred"
)
NUMBER = r"(?:\d[\d,]*(?:\.\d+)?|" + "|".join(sorted(NUMBER_WORDS, key=len, reverse=True)) + r")"
