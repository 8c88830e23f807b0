"""Programming and settings languages: which files are in them, and what they are called."""

import re

# By extension; the names are Markdown's and Pygments' own.
LANGUAGES = {
    ".bash": "bash",
    ".bat": "batch",
    ".c": "c",
    ".cc": "cpp",
    ".cfg": "ini",
    ".conf": "ini",
    ".cpp": "cpp",
    ".cs": "csharp",
    ".cxx": "cpp",
    ".go": "go",
    ".h": "c",
    ".hpp": "cpp",
    ".ini": "ini",
    ".java": "java",
    ".js": "javascript",
    ".jsx": "javascript",
    ".kt": "kotlin",
    ".lua": "lua",
    ".mjs": "javascript",
    ".php": "php",
    ".pl": "perl",
    ".properties": "properties",
    ".ps1": "powershell",
    ".py": "python",
    ".pyi": "python",
    ".r": "r",
    ".rb": "ruby",
    ".rs": "rust",
    ".scala": "scala",
    ".sh": "bash",
    ".sql": "sql",
    ".swift": "swift",
    ".tf": "terraform",
    ".toml": "toml",
    ".ts": "typescript",
    ".tsx": "typescript",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".zsh": "bash",
}
_INTERPRETERS = {
    "bash": "bash",
    "dash": "bash",
    "node": "javascript",
    "perl": "perl",
    "php": "php",
    "python": "python",
    "Rscript": "r",
    "ruby": "ruby",
    "sh": "bash",
    "zsh": "bash",
}
_SHEBANG = re.compile(r"#!\s*(?:\S*/env\s+(?:-\S+\s+)*)?(?:\S*/)?([A-Za-z]+)")


def code_type(language: str) -> str:
    """Return the media type of a language."""
    return f"text/x-{language}"


def told_language(suffix: str, head: str) -> str:
    """Return the language of a file, or nothing if it is in none that is read.

    Args:
        suffix: Its extension in lower case, with the dot.
        head: How its text begins; `#!` names a language whatever the extension.
    """
    found = _SHEBANG.match(head)
    by_interpreter = _INTERPRETERS.get(found.group(1), "") if found else ""
    return by_interpreter or LANGUAGES.get(suffix, "")
