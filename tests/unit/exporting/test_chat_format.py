"""Chat templates in Go's syntax say what they say in Jinja."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from data_contracts.errors import ExportError
from tasks.exporting.chat_format import ChatFormat, find_chat_format
from tasks.exporting.modelfile import go_template, modelfile
from tasks.modeling.base_model import load_tokenizer
from tasks.modeling.loaded_tokenizers import PLAIN_CHAT_TEMPLATE
from tests.tiny_models import tiny_base

# The shapes of three families: a role of its own name and a system message inside the first
# question; a default system message; a header before each message.
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{% set first = messages[0]['content'] + '\n\n' %}{% set loop_messages = messages[1:] %}"
    "{% else %}{% set first = '' %}{% set loop_messages = messages %}{% endif %}"
    "{% for m in loop_messages %}{% set role = 'model' if m['role'] == 'assistant' else 'user' %}"
    "<start_of_turn>{{ role }}\n{{ (first if loop.first else '') + m['content'] | trim }}"
    "<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
CHATML = (
    "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nYou are helpful.<|im_end|>\n"
    "{% endif %}{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA3 = (
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>\n\n"
    "{{ m['content'] | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
NO_SYSTEM = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'system' %}"
    "{{ raise_exception('no system role') }}{% endif %}"
    "{% if m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]"
    "{% else %} {{ m['content'] }}<eos>{% endif %}{% endfor %}"
)
TEMPLATES = {
    "plain": PLAIN_CHAT_TEMPLATE,
    "gemma": GEMMA,
    "chatml": CHATML,
    "llama3": LLAMA3,
    "no system": NO_SYSTEM,
    "braces": "{% for m in messages %}{{ '{{' + m['role'] + '}}' }}{{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}{{ '{{assistant}}' }}{% endif %}",
}

# Other ones than those by which templates are read off.
CONVERSATIONS = [
    [("user", "Where is the pier?")],
    [("system", "Speak plainly."), ("user", "Where is the pier?")],
    [
        ("system", "Speak plainly."),
        ("user", "Is it open?"),
        ("assistant", "It is."),
        ("user", "Until when?"),
        ("assistant", "Until nine."),
        ("user", "Thanks. And tomorrow?"),
    ],
]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory) -> Any:
    return load_tokenizer(tiny_base(tmp_path_factory.mktemp("base"), "llama"))


def rendered_by_go(template: str, conversation: Sequence[tuple[str, str]]) -> str:
    """Execute the part of Go's template language that we write; a test's stand-in for Ollama.

    That it does as Go's own text/template was seen once, by running both on these templates.
    """
    system = next((content for role, content in conversation if role == "system"), "")
    head, rest = template.split("{{ range .Messages }}")
    body, answer = rest.rsplit("{{ end }}", 1)
    head = head.removeprefix("{{ $merged := false }}")
    opening = re.fullmatch(r"(?s)\{\{ if not \.System \}\}(.*)\{\{ end \}\}", head)
    texts = [opening[1] if opening and not system else ""]
    pattern = r'(?s)if eq \.Role "(\w+)" \}\}(.*?)(?=\{\{ else if eq|\{\{ end \}\}$)'
    cases = dict(re.findall(pattern, body))
    merged = False
    for role, content in conversation:
        case = cases[role]
        case = re.sub(
            r"(?s)\{\{ if not \$merged \}\}(.*?)\{\{ end \}\}", "" if merged else r"\1", case
        )
        for told in re.findall(r"\{\{ \$merged = (\w+) \}\}", case):
            merged = told == "true"
        texts.append(
            re.sub(r"\{\{ \$merged = \w+ \}\}", "", case).replace("{{ .Content }}", content)
        )
    return "".join([*texts, answer]).replace('{{ "{{" }}', "{{")


@pytest.mark.parametrize("family", TEMPLATES)
def test_the_go_template_says_what_the_jinja_template_says(family, tokenizer):
    tokenizer.chat_template = TEMPLATES[family]
    form = find_chat_format(tokenizer)
    for conversation in CONVERSATIONS:
        if conversation[0][0] == "system" and not form.system_allowed:
            continue
        messages = [{"role": role, "content": content} for role, content in conversation]
        expected = tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        start = "<bos>" if form.adds_start else ""
        assert start + rendered_by_go(go_template(form), conversation) == expected
        assert start + form.render(conversation) == expected
    assert form.adds_start == TEMPLATES[family].startswith("{{ bos_token }}")


@pytest.mark.parametrize(
    "template",
    [
        "{% for m in messages %}{{ loop.index }}: {{ m['content'] }}\n{% endfor %}",
        "{% for m in messages %}{{ m['content'] | upper }}\n{% endfor %}",
        "{{ messages[-1]['content'] }}",
        "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
        "{% if messages | length > 3 %}(long){% endif %}",
    ],
)
def test_a_template_that_does_more_is_refused(template, tokenizer):
    tokenizer.chat_template = template
    with pytest.raises(ExportError, match="cannot be written as an Ollama template"):
        find_chat_format(tokenizer)


def test_the_modelfile_names_file_template_and_stops():
    form = ChatFormat(True, "", ("", "\n\n"), False, ("User: ", "\n"), (" ", "<eos>\n"), "A:", True)
    text = modelfile("model-q8_0.gguf", form, ["<eos>", 'end"ed'])
    assert text.startswith('FROM ./model-q8_0.gguf\nTEMPLATE """')
    assert 'PARAMETER stop "<eos>"\nPARAMETER stop "end\\"ed"\n' in text
