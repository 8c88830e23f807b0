# ruff: noqa: E501 (patterns are easier to check with their words unbroken)
"""How orders to a language model are worded in English."""

_MODEL = (
    r"(?:(?:ai|a\.i\.|llm|gpt|chat ?gpt|claude|gemini|copilot|chat ?bots?|(?:large )?language models?|"
    r"(?:ai|virtual|digital) (?:assistants?|agents?|models?|systems?|tools?)))"
)
# What a model was told: its orders, not a form's or a machine's.
_ORDERS = (
    r"(?:instructions?|prompts?|directions?|directives?|guidelines|commands?|orders|context|"
    r"rules|constraints|restrictions|guardrails|programming|training|messages?|system prompt|"
    r"conversations?|tasks?|assignments?|text|information|everything|requests?|inputs?|content|"
    r"filters?|policies|safeguards)"
)
_IGNORE = (
    r"(?:ignore|disregard|forget|override|bypass|overlook|do not (?:follow|obey)|"
    r"don't (?:follow|obey)|stop (?:following|obeying)|pay no attention to)"
)
# Forms are cancelled and lists are cleared as well: these need an object that only a model has.
_CANCEL = r"(?:neglect|skip|discard|drop|abandon|delete|erase|cancel|reset|disable|nullify|clear)"
# all of your previous
_MINE = (
    r"(?:(?:all|any|every|each|of|the|these|those|your|my|our|its|that|what|and|whatever) ){0,4}"
    r"(?:(?:previous|prior|preceding|above|earlier|initial|original|existing|foregoing|former|system|"
    r"current|old|other|safety|ethical|hidden|developer|default)(?: and (?:previous|prior|above|"
    r"earlier|current))?,? )+(?:\w+ )?"
)
_MODEL_ORDERS = (
    r"(?:instructions|prompts?|guidelines|programming|constraints|guardrails|safeguards|context|"
    r"directives|system prompt)"
)
ENGLISH_FORMS: tuple[tuple[str, str], ...] = (
    (
        "override",
        rf"\b(?:{_IGNORE}|{_CANCEL}|lift|remove) (?:all |any )?(?:of )?(?:the |your |its )?(?:\w+ )?(?:rules|"
        r"orders|instructions|guidelines|restrictions) (?:that )?(?:you (?:were|have been|are|had been) "
        r"(?:given|told|taught)|you (?:follow|obey)|from (?:your )?(?:developers?|makers?|creators?|openai))\b|"
        r"\b(?:drop|lift|remove|abandon|disable|turn off) all (?:of )?(?:your )?(?:restrictions|filters|"
        r"guardrails|safeguards|safety \w+) and (?:\w+ )?(?:say|help|tell|print|do|write|generate|give|answer)\b",
    ),
    # ignore all previous instructions; the object must be what a model was told
    (
        "override",
        rf"\b(?:{_IGNORE} {_MINE}{_ORDERS}|{_CANCEL} {_MINE}{_MODEL_ORDERS})\b"
        r"(?! (?:of|for|on|in) (?:this|the) (?:form|page|guide|manual|notice|letter|handbook|policy))",
    ),
    (
        "override",
        rf"\b{_IGNORE} (?:(?:all|any|the|these|those|of) ){{1,3}}{_ORDERS} (?:above|before this|that came "
        r"before|so far|(?:you were |you have been |that were )?given (?:above|before|earlier|to you))\b",
    ),
    (
        "override",
        rf"\b(?:{_IGNORE}|{_CANCEL}) (?:all |any )?(?:of )?(?:your|the system's|the assistant's) (?:own |"
        r"current )?(?:\w+ )?(?:instructions?|prompts?|guidelines|programming|rules|constraints|"
        r"restrictions|guardrails|training|system prompt|directives?|orders|filters?|safeguards|context|"
        r"memory)\b",
    ),
    (
        "override",
        r"\b(?:ignore|disregard|forget|override|bypass) (?:everything|anything|all|whatever|what)(?: that| "
        r"of)? (?:(?:is|was|were|you|i|we|they|has|have|been|the|it|which|comes?) ){0,4}(?:above|before|"
        r"said|told|learned|so far|previously|prior)\b",
    ),
    (
        "override",
        r"\b(?:new|secret|hidden|your new|system) (?:system )?(?:instructions?|prompts?|orders|directives?|"
        r"(?<=your new )task)(?: for (?:the |"
        rf"any |all |this )?{_MODEL})?\s*[:=>]",
    ),
    (
        "override",
        r"\b(?:these|the following|my|this) (?:new )?(?:instructions?|orders|commands?|prompts?|"
        r"rules|text|message) (?:override|overrides|supersede|supersedes|replace|replaces|take "
        r"precedence over|takes precedence over|outrank) (?:all |any |your |every |the )",
    ),
    (
        "override",
        r"\b(?:system|safety|security|admin|administrator|developer|root|emergency) override\b"
        r"(?=[:.!,]| (?:mode|engaged|activated|initiated|code))|\boverride (?:mode|protocol)\b|"
        r"\bend of (?:the )?(?:document|context|prompt|instructions|user input|data)\b\W{0,4}"
        r"(?:new |begin |system|now |start)",
    ),
    # you are now ...
    (
        "role",
        r"\byou are (?:now|no longer|henceforth) (?:\w+ ){0,4}?(?:an? )?(?:unrestricted|unfiltered|"
        r"uncensored|bound|restricted|limited|dan\b|free|jailbroken|evil|in \w+ mode|"
        rf"an? (?:\w+ ){{0,3}}(?:assistant|bot|ai|model|hacker|expert|terminal|interpreter)|{_MODEL})",
    ),
    ("role", r"\byou are (?:now )?(?:DAN|STAN|AIM|DUDE)\b"),
    (
        "role",
        r"\b(?:from now on|from this (?:point|moment)(?: on(?:wards?)?)?|henceforth),? (?:you (?:are an? |"
        r"answer|respond|reply|speak|act\b|(?:must|will|shall|should) (?:only |always |never )?(?:answer|"
        r"respond|reply|speak|act\b|say|obey|be an?))|your (?:name|role|answers?|repl|respons|only task)|"
        r"(?:only |always |never )*(?:answer|respond|reply|pretend|act as|say|output)\b|every (?:answer|"
        r"reply|response|question))",
    ),
    (
        "role",
        r"\b(?:act|behave|respond|pretend|role-?play|answer) (?:as if (?:you (?:are|were)|you have)"
        rf"|(?:as|to be|like|that you are)) (?:an? )?(?:\w+ ){{0,2}}(?:{_MODEL}|unrestricted|"
        r"unfiltered|uncensored|evil|dan\b|jailbroken|without (?:any )?(?:rules|restrictions|limits))",
    ),
    (
        "role",
        r"\b(?:act|behave|respond|pretend|answer|speak) (?:as if|that|as though) you (?:have|had) no "
        r"(?:\w+ )?(?:limits|rules|restrictions|filters|guidelines|boundaries)\b",
    ),
    (
        "role",
        r"\b(?:do anything now|(?:developer|god|debug|jailbreak|dan|sudo|admin) mode "
        r"(?:is )?(?:now )?(?:enabled|activated|on|engaged|unlocked)|"
        r"(?:enter|enable|activate|switch to|engage|unlock) (?:\w+ )?(?:developer|god|jailbreak|"
        r"dan|sudo|unrestricted|unfiltered|uncensored) mode)\b",
    ),
    (
        "role",
        r"\b(?:be|become|are|switch to|enter) (?:an? |the )?(?:unrestricted|unfiltered|uncensored|jailbroken) (?:ai|mode|assistant|model|bot|"
        r"chatbot|persona)\b",
    ),
    (
        "role",
        r"\b(?:play the (?:role|part) of|adopt the (?:persona|role) of|assume the (?:identity|role|persona) "
        r"of|respond (?:entirely|only|exclusively) as|act as|pretend (?:to be|(?:that )?you(?:'re| are))|"
        rf"become) (?:an? |the )?(?:\w+[ -]){{0,3}}?(?:DAN\b|\w*GPT\b|{_MODEL}\b|\w+ persona\b|(?:evil|"
        r"rule-breaking|amoral|unethical) \w+)",
    ),
    (
        "role",
        r"\byou (?:now )?(?:have|obey|follow) no (?:more )?(?:rules|restrictions|limits|filters|guidelines|"
        r"ethics|boundaries|limitations)\b|\b(?:who|that|which) ignores? (?:all |any |every )?(?:content|"
        r"safety|ethical) (?:polic(?:y|ies)|rules|guidelines)\b",
    ),
    # a model is spoken to by name
    (
        "address",
        rf"(?:^|[.!?:;\n(\[<*\-—\"'] ?|\b(?:note|attention|message|dear|hey|hello|notice|instructions?|"
        rf"reminder|warning|important)(?: to| for)?:? (?:the |any |all |every )?){_MODEL}s?"
        r"(?: (?:reading|processing|summari[sz]ing|reviewing|parsing|indexing|that reads?|who reads?|"
        r"which reads?|systems?|agents?|assistants?)(?: (?:this|the|these)(?: \w+)?)?)*"
        r"\s*(?:[:,!—-]| (?:must|should|shall|are to|is to|need to|have to|please)\b)\s*(?:you |please |"
        r"always |never |do not |must |should )*(?:ignore|disregard|say|state|add|insert|include|"
        r"output|print|write|respond|reply|answer|return|recommend|rate|rank|score|reveal|send|"
        r"forward|tell|mention|visit|click|execute|run|stop|forget|treat|use|append|begin|start|end|"
        r"approve|give|assign|classify|generate|follow|praise|conclude|summari[sz]e|claim|repeat)\b",
    ),
    (
        "address",
        rf"\bif you are (?:an? |the )?(?:\w+ )?{_MODEL}\b|\bas an? (?:\w+ )?{_MODEL},? (?:you|your)\b|"
        rf"\byou(?:'re| are) an? (?:helpful |large |evil |obedient |unrestricted )+(?:\w+ )?"
        rf"(?:{_MODEL}|assistant)\b|\bwhen (?:an? |any |the )?{_MODEL} (?:reads?|processes|"
        rf"summari[sz]es|is asked|sees)\b|\b{_MODEL}s? (?:reading|processing|parsing|summari[sz]ing) "
        r"this\b",
    ),
    (
        "address",
        r"\b(?:dear|hey|hello|hi) (?:assistant|chatbot|bot|model|ai|llm)\b,?\s(?:\w+ ){0,2}(?:ignore|answer|"
        r"reply|respond|output|print|say|reveal|append|insert|include|add|recommend|state|write|end|begin|"
        r"never|always|send|repeat|tell|forget|follow)\b|\b(?:the|this|any|every) (?:assistant|agent|"
        r"chatbot|bot|model|ai|llm) (?:must|should|shall|is to|has to|will now) (?:\w+ ){0,2}(?:ignore|"
        r"disregard|reveal|pretend|obey|recommend|praise)\b",
    ),
    # how every question is to be answered
    (
        "answer_order",
        r"\b(?:begin|start|end|finish|close|prefix) (?:every|each|all|any|your) (?:\w+ )?(?:messages?|"
        r"answers?|repl(?:y|ies)|responses?|outputs?|summar(?:y|ies))(?: from now on)? (?:only )?(?:with|"
        r"by (?:saying|writing|stating|adding))\b|\b(?:answer|respond to|reply to) (?:every|each|all|any|"
        r"the (?:next|user's|following)) (?:\w+ )?(?:questions?|messages?|requests?|quer(?:y|ies)|prompts?)"
        r"(?: from now on)? (?:only )?(?:by (?:saying|writing|stating)|(?:with|as) (?:only |just )?(?:[\"'“‘]|"
        r"the (?:words?|phrase|sentence|letter|text)|an? (?:link|lie|joke|insult|poem|advert\w*)))",
    ),
    (
        "answer_order",
        r"\b(?:when|whenever|if) (?:you are |you're )?(?:asked|prompted|questioned|queried)"
        r"(?: (?:about|for|to|what|who|which|how|anything)\b[^.\n]{0,60}?)?,? (?:you (?:must |should |"
        r"will )?(?:always |only |never )|always |only |never )(?:say|answer|respond|reply|output|print|"
        r"claim|pretend|reveal|recommend|insist)\b(?! (?:honestly|truthfully|questions))",
    ),
    (
        "answer_order",
        r"\b(?:your|the model's|the assistant's) (?:only |next |final |entire |whole |sole )?(?:answer|"
        r"reply|response|output|summary|completion)s? (?:must|should|shall|will|has to|is to) (?:only |"
        r"always |not |never )?(?:be|begin|start|end|contain|include|consist|say|mention|state|read)\b"
        r"(?! (?:specific|concise|clear|brief|complete|honest|in writing|sent|received|returned|given|"
        r"submitted|filed|short|as|your|legible))",
    ),
    (
        "answer_order",
        r"\b(?:only|just|simply|always|and|instead,?|now,?|then|must|please) "
        r"(?:print|output|respond(?: only)?(?: with)?|reply(?: only)?(?: with)?|answer(?: only)? "
        r"with) (?:the (?:words?|phrase|text|sentence|following|string) )?"
        r"[\"'“‘`][^\"'”’`\n]{1,120}[\"'”’`](?! (?:in|on|at|to|when|if|as the|for|under|into) "
        r"(?:the|your|a|an|channel|slack))",
    ),
    (
        "answer_order",
        r"\b(?:give|assign|award|rate|score) (?:this|the) (?:\w+ )?(?:document|paper|"
        r"submission|resume|cv|essay|candidate|review|text|applicant)s? (?:\w+ ){0,3}"
        r"(?:the )?(?:highest|maximum|top|perfect|best|positive|10/10|5 stars|full marks)",
    ),
    (
        "answer_order",
        r"\b(?:do not|don't|never) (?:mention|reveal|tell|disclose|inform|show|say)(?: \w+){0,4}? (?:(?:about )?"
        r"(?:these|this) (?:hidden |secret |system )?(?:instructions?|prompt|order|command)|(?:the|this|"
        r"these) (?:hidden|secret|system) (?:instructions?|prompt|message|text|note|order|command)s?)\b",
    ),
    # what a model keeps to itself
    (
        "exfiltration",
        r"\b(?:reveal|print|show|output|repeat|display|tell me|leak|expose|dump|disclose|give me|"
        r"what (?:is|are|was|were)|share|summari[sz]e|translate|list|recite|return|write out|copy) "
        r"(?:(?:me|us|all|the|of|your|its|that|any|out|full|entire|exact|complete|original|initial|"
        r"first|hidden|secret|verbatim|contents?) ){0,6}(?:system (?:prompts?|messages?|"
        r"instructions?)|(?:initial|hidden|original|secret|internal|pre-?) ?prompts?|hidden "
        r"instructions|(?<=your )(?:initial |original |hidden |previous )?(?:prompts?|instructions|"
        r"guidelines|directives|rules))\b",
    ),
    (
        "exfiltration",
        r"\b(?:repeat|print|output|say|write|copy|translate) (?:all |everything |the |of |every )+"
        r"(?:words?|text|lines?|content|instructions?|sentences?) (?:above|before this|"
        r"that came before|up to this point|prior to this)\b|\brepeat everything above\b",
    ),
    (
        "exfiltration",
        r"\b(?:send|post|forward|upload|exfiltrate|transmit|append|email) (?:(?:all|the|any|your|this|of|"
        r"user'?s?|full|entire|whole|a copy of) ){1,4}(?:conversation(?: history)?|chat(?: history|"
        r" log)?|system prompt|api keys?|credentials|passwords?|session|secrets) "
        r"(?:history |data |log )?(?:to|as|into)\b",
    ),
    (
        "exfiltration",
        r"\b(?:reveal|print|output|show|repeat|tell me|disclose) your (?:base|system|initial|hidden|internal|"
        r"original|secret|full|exact) (?:prompt|instructions|rules|configuration)\b|\b(?:print|output|repeat) "
        r"everything above\b|\bwhat were you told before (?:this|the|our) conversation\b|\bwhat (?:rules|"
        r"instructions|guidelines) (?:do you follow|were you given|are you following)\b",
    ),
    (
        "decode",
        r"\b(?:decode|decrypt|de-?obfuscate|base64-decode|rot13)\b[^.\n]{0,60}\b(?:and|then)\b"
        r"[^.\n]{0,30}\b(?:follow|execute|obey|run|do|carry out|perform|comply|act|answer)",
    ),
    (
        "decode",
        r"\b(?:execute|follow|obey|carry out|comply with) (?:the )?(?:instructions?|commands?|"
        r"orders) (?:hidden|encoded|embedded)\b",
    ),
)
