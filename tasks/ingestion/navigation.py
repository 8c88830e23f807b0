"""What a page carries for finding one's way on a site, and no reader of a document needs."""

import re
from collections.abc import Sequence

from markdown_it.tree import SyntaxTreeNode

_ARROWS = r"[«»‹›←→↑↓⇐⇒<>|·•^*\s-]*"
_PHRASES = (
    # English
    r"edit (?:this|the) page(?: on [\w ]+)?|"
    r"(?:improve|view|suggest changes to) this page(?: on \w+)?|"
    r"(?:back|return|go) to (?:the )?top(?: of (?:the )?page)?|"
    r"(?:skip|jump) to (?:the )?(?:main )?(?:content|navigation|search)|"
    r"(?:previous|next)(?: page| article)?|"
    r"(?:previous|next) \| (?:previous|next)|"
    r"on this page|in this (?:section|article)|toggle navigation|main menu|"
    r"print this page|share this(?: page| article)?|table of contents|"
    r"was this (?:page|article) helpful\??(?: yes| no| yes no)?|"
    # German, French, Spanish, Italian, Dutch, Portuguese
    r"(?:nach|zurück nach) oben|zum (?:seitenanfang|inhalt(?: springen)?)|"
    r"diese seite bearbeiten|auf dieser seite|seite drucken|(?:vorherige|nächste) seite|"
    r"haut de page|retour en haut|aller au contenu(?: principal)?|"
    r"modifier cette page|sur cette page|page (?:précédente|suivante)|"
    r"volver arriba|(?:saltar|ir) al contenido(?: principal)?|editar esta página|"
    r"en esta página|página (?:anterior|siguiente)|"
    r"torna su|vai al contenuto|modifica (?:questa )?pagina|"
    r"(?:naar boven|terug naar boven)|(?:ga|spring) naar (?:de )?inhoud|bewerk deze pagina|"
    r"voltar ao topo|(?:ir|pular) para o conteúdo"
)
_LINE = re.compile(rf"{_ARROWS}(?:\d+\.\s+)?(?:{_PHRASES}){_ARROWS}[.:]?", re.IGNORECASE)
# "Home > Docs > Install", also with other signs; by itself on a line
_TRAIL = re.compile(
    r"\W{0,3}(?:you are here:? ?)?(?:home|start(?:seite)?|accueil|inicio|docs|documentation)"
    r"(?:\s*(?:>|»|›|→|/|::)\s*[^>»›→/|.!?]{1,50}){1,8}",
    re.IGNORECASE,
)
_HEADING = re.compile(
    r"(?:table of )?contents|on this page|in this (?:section|article)|navigation|site ?map|"
    r"quick links|"
    r"related (?:pages|articles|links)|inhalt(?:sverzeichnis)?|auf dieser seite|sommaire|"
    r"sur cette page|índice|en esta página|indice|inhoud",
    re.IGNORECASE,
)
# Two links may be a choice that the text offers; a list of them is a menu.
_LEAST_LINKS = 3


def is_navigation(line: str) -> bool:
    """Whether a line of plain text leads elsewhere and says nothing."""
    return bool(line.strip()) and bool(
        _LINE.fullmatch(line.strip()) or _TRAIL.fullmatch(line.strip())
    )


def without_menus(nodes: Sequence[SyntaxTreeNode]) -> tuple[list[SyntaxTreeNode], int]:
    """Take out lists of nothing but links: before a page's first words, and under "Contents".

    Elsewhere such a list may be what the text is about, so it stays.

    Returns:
        The blocks that stay, and how many lists were taken out.
    """
    kept: list[SyntaxTreeNode] = []
    removed = 0
    for node in nodes:
        begun = any(other.type in {"paragraph", "heading"} for other in kept if not _leads(other))
        if (not begun or _is_called_contents(kept)) and _is_menu(node):
            removed += 1
            if kept and _is_called_contents(kept):
                kept.pop()  # a heading with nothing under it
        else:
            kept.append(node)
    return kept, removed


def _leads(node: SyntaxTreeNode) -> bool:
    """Whether a block is itself navigation, such as the path to the page."""
    texts = [part.content for part in node.walk() if part.type == "text"]
    return node.type == "paragraph" and is_navigation("".join(texts))


def _is_called_contents(nodes: Sequence[SyntaxTreeNode]) -> bool:
    if not nodes or nodes[-1].type != "heading":
        return False
    words = "".join(inline.content for inline in nodes[-1].children)
    return _HEADING.fullmatch(words.strip(" :#*")) is not None


def _is_menu(node: SyntaxTreeNode) -> bool:
    if node.type not in {"bullet_list", "ordered_list"}:
        return False
    inlines = [inline for inline in node.walk() if inline.type == "inline"]
    parts = [child for inline in inlines for child in inline.children]
    links = [part for part in parts if part.type == "link"]
    others = [part for part in parts if part.type not in {"link", "softbreak", "hardbreak"}]
    return len(links) >= _LEAST_LINKS and not any(part.content.strip() for part in others)
