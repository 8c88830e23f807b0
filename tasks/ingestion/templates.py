"""Takes out what static-site generators put between the words: Liquid, Nunjucks, kramdown."""

import re
from collections import Counter

# Code is left alone: there, braces are what the text is about.
_CODE = re.compile(
    r"(^[ \t]*(?:```|~~~).*?^[ \t]*(?:```|~~~)[^\n]*$|`[^`\n]+`"
    r"|<code>(?:(?!<code>).)*?</code>)",
    re.MULTILINE | re.DOTALL,
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
_NAME = re.compile(r"\{\{-?\s*([A-Za-z][\w.-]*)\s*-?\}\}")
_ARGUMENT = re.compile(r"""(["'])(.*?)\1""")

# Tags that stand for no words of the page.
_SILENT = re.compile(
    r"end\w*|if|else|elsif|elseif|for|set|assign|include|render|block|page|link|download|import|"
    r"extends|macro|\w*(image|img|icon|figure)\w*"
)


def remove_templates(text: str, changes: Counter[str]) -> str:
    """Return Markdown without template tags.

    A tag within a sentence, such as `{% slack_channel "travel" %}`, leaves its first
    argument: without it the sentence would lose a word. So does an output such as
    `{{ site.name }}`, which leaves the variable's name in angle brackets, as its value is not
    known. A tag alone on its line leaves nothing.

    Args:
        text: Markdown.
        changes: Gets the number of tags under `template`.
    """
    parts = _CODE.split(_RAW.sub("", text))
    return "".join(part if n % 2 else _remove(part, changes) for n, part in enumerate(parts))


def _remove(text: str, changes: Counter[str]) -> str:
    for pattern, replacement in (
        (_LINK_TARGET, "](/)"),
        (_REFERENCE, r"\1 /"),
        (_COMMENT, ""),
        (_ALONE, ""),
        (_OUTPUT, _value),
        (_ATTRIBUTES, ""),
        (_TAG, _words),
    ):
        text, count = pattern.subn(replacement, text)
        changes["template"] += count
    return text


def _value(output: re.Match[str]) -> str:
    """Return what is known of a value that the site's generator puts in."""
    literal = _ARGUMENT.search(output.group())
    if literal:
        return "" if "/" in literal.group(2) else literal.group(2)
    name = _NAME.match(output.group())
    return f"\\<{' '.join(re.split(r'[._-]+', name.group(1)))}>" if name else ""


def _words(tag: re.Match[str]) -> str:
    argument = _ARGUMENT.search(tag.group(2))
    if argument is None or _SILENT.fullmatch(tag.group(1)):
        return ""
    is_path = "/" in argument.group(2) or "." in argument.group(2)
    channel = "#" if "channel" in tag.group(1) else ""  # how Slack writes its channels
    return "" if is_path else channel + argument.group(2)
