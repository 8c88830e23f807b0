"""The Modelfile by which Ollama serves a GGUF, with the chat template in Go's syntax."""

from tasks.exporting.chat_format import ChatFormat

# Go's template language takes raw text as it is, but for its own delimiter.
_OPEN = '{{ "{{" }}'


def modelfile(gguf: str, form: ChatFormat, ends: list[str]) -> str:
    """Return a Modelfile.

    Args:
        gguf: Name of the model file beside it.
        form: The chat template.
        ends: Texts of the tokens that end an answer.
    """
    stops = [f'PARAMETER stop "{_escaped(end)}"' for end in ends]
    greedy = "PARAMETER temperature 0"  # as the parity check asked it
    return "\n".join([f"FROM ./{gguf}", f'TEMPLATE """{go_template(form)}"""', greedy, *stops, ""])


def go_template(form: ChatFormat) -> str:
    """Return the chat template in Go's syntax, over Ollama's `.Messages` and `.System`."""
    system = _turn(form.system)
    user = _turn(form.user)
    if form.merges_system:
        system += "{{ $merged = true }}"
        before, after = (_raw(text) for text in form.user)
        user = f"{{{{ if not $merged }}}}{before}{{{{ end }}}}{{{{ .Content }}}}{after}"
        user += "{{ $merged = false }}"
    roles = [("system", system), ("user", user), ("assistant", _turn(form.assistant))]
    cases = "{{ else ".join(f'if eq .Role "{role}" }}}}{text}' for role, text in roles)
    start = "{{ $merged := false }}" if form.merges_system else ""
    opening = f"{{{{ if not .System }}}}{_raw(form.opening)}{{{{ end }}}}" if form.opening else ""
    body = f"{{{{ range .Messages }}}}{{{{ {cases}{{{{ end }}}}{{{{ end }}}}"
    return f"{start}{opening}{body}{_raw(form.answer)}"


def _turn(around: tuple[str, str]) -> str:
    before, after = around
    return f"{_raw(before)}{{{{ .Content }}}}{_raw(after)}"


def _raw(text: str) -> str:
    return text.replace("{{", _OPEN)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
