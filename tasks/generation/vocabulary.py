"""Closed word classes of English, and common verbs: all that the grammar knows."""


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

# Base forms of verbs that are seldom nouns in their -s form.
VERBS = word_set(
    "accept accrue add address agree aim allow apply approve arrange arrive ask assign assist "
    "attend become begin belong bring build buy calculate carry cause choose clean close collect "
    "come complete conduct connect consist contact contain continue coordinate cost cover create "
    "decide define depend describe determine develop divide earn enable end ensure establish "
    "evaluate expire explain file follow gather get give govern grant handle help hold identify "
    "include inform inspect involve issue keep lead leave let lie live maintain make manage "
    "measure meet monitor need notify occur offer open operate organise organize oversee own pay "
    "perform prepare present prevent produce promote protect provide publish reach receive "
    "recommend refer remain remind remove renew repair replace report represent require resolve "
    "review ring run save search see select sell send serve show sign speak stand start stay "
    "stop store submit support switch take teach tell test track train transport travel turn "
    "update use verify wait wear weigh work write last reserve inspect facilitate advise"
)

NUMBER_WORDS = word_set(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety "
    "hundred"
)
NUMBER = r"(?:\d[\d,]*(?:\.\d+)?|" + "|".join(sorted(NUMBER_WORDS, key=len, reverse=True)) + r")"

MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
DATE = (
    rf"(?:\d{{1,2}} {MONTH}(?: \d{{4}})?|{MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?:, \d{{4}})?|"
    rf"{MONTH} \d{{4}})"
)

# Verbs that open orders: "Click Save".
IMPERATIVES = VERBS | word_set(
    "abide access announce attach attract avoid bring check click complete configure consider copy "
    "delete describe dial discuss do don't download drain draft edit emphasize enable encourage "
    "enter export fill find forward foster fry go grease greet guide ignore install invite join "
    "learn listen locate log login look make mark measure navigate note offer orient photograph "
    "plan point post press proactively provide pull push put raise read refer request revise "
    "scan schedule scroll select set share shout show sign sit sound strategically switch sync "
    "take talk tap test throw tie tell treat try type upload use view visit wait walk watch wear "
    "write"
)


def is_order(text: str) -> bool:
    """Whether a sentence opens like an order."""
    return text.split(" ", 1)[0].lower().strip(",:") in IMPERATIVES
