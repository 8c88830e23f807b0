"""A small corpus, and a model on a real endpoint that answers every kind of prompt about it."""

import json
from typing import Any

from tasks.generation.asking import prompt
from tests.endpoint import Reply, completion

VISITORS = (
    "Visitors park on level 2 of the north garage. A day ticket costs EUR 8 and is sold at the "
    "front desk. The garage closes at 22:00, because the guard goes home then. Whoever comes back "
    "later calls the guard on extension 4711. Cars that stay overnight are not towed, but the "
    "owner pays EUR 40.\n\n"
    "- Electric cars charge for three hours at the posts.\n"
    "- Motorcycles stand in the yard behind the kitchen.\n"
    "- Trailers are left at the gate."
)
BICYCLES = (
    "Bicycles stand under the roof near the canteen. Every bicycle carries a blue sticker, and "
    "the caretaker removes bicycles without one in March."
)
DESK = (
    "The front desk is open from 07:30 to 18:00 on weekdays. It sells the day ticket for the "
    "north garage to visitors and hands out badges. On Saturdays the front desk is closed."
)
CORPUS = (
    ("Parking rules", [(["Visitors"], VISITORS), (["Bicycles"], BICYCLES)]),
    ("Front desk", [(["Opening hours"], DESK)]),
)

_TICKET = "A day ticket costs EUR 8 and is sold at the front desk."
_CLOSES = "The garage closes at 22:00, because the guard goes home then."
_OPEN = "The front desk is open from 07:30 to 18:00 on weekdays."
_ASKED = {"evidence": _TICKET, "question": "What does a day ticket for visitors cost?"}

GOOD: dict[str, dict[str, Any]] = {
    "single_fact": _ASKED | {"answer": "A day ticket costs EUR 8."},
    "raft": _ASKED | {"answer": "A day ticket costs EUR 8."},
    "explanatory": {
        "evidence": [_CLOSES, "Whoever comes back later calls the guard on extension 4711."],
        "question": "Why does the garage for visitors close at 22:00?",
        "answer": "The garage closes at 22:00, because the guard goes home then. Whoever comes "
        "back later calls the guard on extension 4711.",
    },
    "multi_hop": {
        "evidence_1": _OPEN,
        "evidence_2": _TICKET,
        "question": "At which times on weekdays can visitors buy a day ticket for EUR 8?",
        "side_1": _OPEN,
        "side_2": _TICKET,
    },
    "comparison": {
        "evidence_1": _OPEN,
        "evidence_2": _CLOSES,
        "question": "How do the closing times of the front desk and the garage differ?",
        "side_1": _OPEN,
        "side_2": "The garage closes at 22:00.",
    },
    "multiple_choice": _ASKED | {"answer": "EUR 8", "distractors": ["EUR 5", "EUR 9", "EUR 12"]},
    "yes_no": {
        "evidence": _CLOSES,
        "question": "Does the garage close at 22:00?",
        "explanation": _CLOSES,
    },
    "summary": {
        "key_sentences": [_TICKET, _CLOSES],
        "summary": f"{_TICKET} {_CLOSES}",
    },
    "conversation": {
        "evidence_1": _TICKET,
        "question_1": "Where is the day ticket for visitors sold?",
        "answer_1": "A day ticket is sold at the front desk.",
        "evidence_2": _TICKET,
        "question_2": "What does the day ticket for visitors cost?",
        "follow_up": "And what does it cost?",
        "answer_2": "A day ticket costs EUR 8.",
    },
    "out_of_scope": {
        "covers": "Where visitors park and what it costs.",
        "missing": "Whether a monthly pass can be had.",
        "question": "What does a monthly pass for the garage cost visitors?",
    },
    "style": _ASKED
    | {"answer": "A day ticket costs EUR 8.", "styled_answer": "You pay EUR 8 for a day ticket."},
    "cross_lingual": _ASKED
    | {
        "answer": "A day ticket costs EUR 8.",
        "translated_question": "Was kostet eine Tageskarte für Besucher?",
        "translated_answer": "Eine Tageskarte kostet EUR 8.",
    },
    "instruction": {"output": ""},
}

NO = {
    "evidence": _CLOSES,
    "question": "Does the garage close at 20:00?",
    "explanation": _CLOSES,
}

OUTPUTS = {
    "figure": "level 2: where visitors park\nEUR 8: a day ticket costs\n22:00: the garage closes\n"
    "extension 4711: calls the guard\nEUR 40: the owner pays\nthree hours: electric cars charge",
    "bullet": f"- Visitors park on level 2 of the north garage.\n- {_TICKET}\n- {_CLOSES}",
    "sentence": "Visitors park on level 2 of the north garage.",
    "table": "| Item | Details |\n|---|---|\n"
    "| Electric cars | charge for three hours at the posts |\n"
    "| Motorcycles | stand in the yard behind the kitchen |\n"
    "| Trailers | are left at the gate |",
}


def good_reply(kind: str, asked: str) -> dict[str, Any]:
    """The right reply of a kind to what it was asked about the visitors' passage."""
    if kind == "instruction":
        return {"output": next(text for word, text in OUTPUTS.items() if word in asked.lower())}
    if kind == "yes_no" and "must be: no" in asked:
        return NO
    reply = GOOD[kind]
    if "<passage_1>" in asked and asked.index("level 2") < asked.index("07:30"):
        return reply | {
            f"{name}_{ours}": reply[f"{name}_{theirs}"]
            for name in ("evidence", "side")
            for ours, theirs in ((1, 2), (2, 1))
        }
    return reply


def kind_of(body: dict[str, Any]) -> str:
    """The kind that a request is of: its instructions say it."""
    told = body["messages"][0]["content"]
    return next(kind for kind in GOOD if prompt(kind).instructions == told)


def respond(number: int, body: dict[str, Any]) -> Reply:
    """Answer every request about the visitors' passage well, and any other with nonsense."""
    asked = body["messages"][3]["content"]
    reply = good_reply(kind_of(body), asked) if "level 2" in asked else {}
    return completion(json.dumps(reply))
