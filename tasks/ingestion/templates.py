"""Takes out what static-site generators put between the words: Liquid, Nunjucks, kramdown."""

import re

# Code is left alone: there, braces are what the text is about.
_CODE = re.compile(
    r"(^[ \t]*(?:```|~~~).*?^[ \t]*(?:```|~~~)[^\n]*$|`[^`\n]+`)", re.MULTILINE | re.DOTALL
)
# Neither runs over the next opening mark: a thousand unclosed ones must not cost a day.
_TAG_SOURCE = r"\{%(?:(?!\{%|%\}).)*%\}"
_OUTPUT_SOURCE = r"\{\{(?:(?!\{\{|\}\}).)*\}\}"
_EITHER = f"(?:{_TAG_SOURCE}|{_OUTPUT_SOURCE})"

_RAW = re.compile(r"\{%-?\s*(?:end)?raw\s*-?%\}")
_REFERENCE = re.compile(rf"^(\[[^\]\n]+\]:)[ \t]*{_EITHER}\S*", re.MULTILINE | re.DOTALL)
_LINK_TARGET = re.compile(rf"\]\(\s*{_EITHER}[^)\s]*\s*\)", re.DOTALL)
_COMMENT = re.compile(
    r"\{%-?\s*comment\b(?:(?!\bcomment\b).)*endcomment\s*-?%\}|\{#(?:(?!\{#|#\}).)*#\}", re.DOTALL
)
_ALONE = re.compile(rf"^[ \t>]*(?:{_EITHER}[ \t]*)+$", re.MULTILINE | re.DOTALL)
_OUTPUT = re.compile(_OUTPUT_SOURCE, re.DOTALL)
_TAG = re.compile(r"\{%-?\s*(\w*)((?:(?!\{%|%\}).)*?)-?%\}", re.DOTALL)
_ATTRIBUTES = re.compile(r"\{:{1,2}[^}\n]*\}|[ \t]+\{#[\w-]+\}[ \t]*$", re.MULTILINE)
_ARGUMENT = re.compile(r"""(["'])(.*?)\1""")

# Tags that stand for no words of the page.
_SILENT = re.compile(
    r"end\w*|if|else|elsif|elseif|for|set|assign|include|render|block|page|link|download|import|"
    r"extends|macro|\w*(image|img|icon|figure)\w*"
)


def remove_templates(text: str) -> str:
    """Return Markdown without template tags.

    A tag within a sentence, such as `{% slack_channel "travel" %}`, leaves its first
    argument: without it the sentence would lose a word. A tag alone on its line leaves nothing.
    """
    parts = _CODE.split(_RAW.sub("", text))
    return "".join(part if n % 2 else _remove(part) for n, part in enumerate(parts))


def _remove(text: str) -> str:
    for pattern, replacement in (
        (_LINK_TARGET, "](/)"),
        (_REFERENCE, r"\1 /"),
        (_COMMENT, ""),
        (_ALONE, ""),
        (_OUTPUT, ""),
        (_ATTRIBUTES, ""),
    ):
        text = pattern.sub(replacement, text)
    return _TAG.sub(_words, text)


def _words(tag: re.Match[str]) -> str:
    argument = _ARGUMENT.search(tag.group(2))
    if argument is None or _SILENT.fullmatch(tag.group(1)):
        return ""
    is_path = "/" in argument.group(2) or "." in argument.group(2)
    return "" if is_path else argument.group(2)
