"""Closed word classes of English, and common verbs: all that the grammar knows."""

from tasks.text.words import (
    AUXILIARIES as AUXILIARIES,
)
from tasks.text.words import (
    BE as BE,
)
from tasks.text.words import (
    CLAUSE_WORDS as CLAUSE_WORDS,
)
from tasks.text.words import (
    DETERMINERS as DETERMINERS,
)
from tasks.text.words import (
    HAVE as HAVE,
)
from tasks.text.words import (
    MODALS as MODALS,
)
from tasks.text.words import (
    NUMBER as NUMBER,
)
from tasks.text.words import (
    NUMBER_WORDS as NUMBER_WORDS,
)
from tasks.text.words import (
    PLURAL_AUXILIARIES as PLURAL_AUXILIARIES,
)
from tasks.text.words import (
    PREPOSITIONS as PREPOSITIONS,
)
from tasks.text.words import (
    PRONOUNS as PRONOUNS,
)
from tasks.text.words import (
    SINGULAR_AUXILIARIES as SINGULAR_AUXILIARIES,
)
from tasks.text.words import (
    word_set as word_set,
)

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

# Further verbs that open orders, many of them nouns elsewhere: "Archive a channel".
_ORDERS = IMPERATIVES | word_set(
    "adjust adopt alert analyse analyze anchor appoint archive arrange assemble assess attempt "
    "authenticate authorise authorize back book borrow browse cancel capture change claim clear "
    "clone collaborate commit compare compile confirm contribute convert deploy design destroy "
    "detach detail dig disable display divide drag drop email embed enroll ensure escalate "
    "estimate execute extend fasten feel fetch finish fix forget freeze generate grab halt have "
    "highlight hit host import increase indicate inform input insert introduce isolate label lift "
    "limit list lock lower lookup map merge migrate mirror mount move name negotiate obtain opt "
    "outline park paste pay pick pin pivot place play preview print process promote propose prune "
    "purchase query reach rebase reboot rebuild recruit reduce register reindex reject release "
    "reload remember rename reopen reply requeue rerun reset respond restart restore retire "
    "retrieve retry return reuse revert revoke ring rinse roll rotate route secure separate ship "
    "signal skip slow solve sort specify spend state step stick subscribe substitute suspend swap "
    "tag tidy toggle touch transfer transition translate trigger troubleshoot trust uninstall "
    "unlock unplug unsubscribe upgrade validate warn wash whitelist wipe wrap"
)


def is_order(text: str) -> bool:
    """Whether a sentence opens like an order."""
    return text.split(" ", 1)[0].lower().strip(",:") in _ORDERS
