"""Blocks and sentences of a chunk, with spans that find them again."""

from hypothesis import given
from hypothesis import strategies as st

from tasks.generation.passage import parse_blocks, plain, sentences


def test_blocks_are_told_apart() -> None:
    text = "# Head\n\nA paragraph\nin two lines.\n\n- one\n  more of one\n- two\n\n1. step\n\n"
    text += "| a | b |"
    kinds = [(block.kind, block.text) for block in parse_blocks(text)]
    assert kinds == [
        ("heading", "Head"),
        ("paragraph", "A paragraph in two lines."),
        ("item", "one more of one"),
        ("item", "two"),
        ("step", "step"),
        ("row", "| a | b |"),
    ]


def test_code_is_left_out() -> None:
    assert [b.text for b in parse_blocks("Before.\n\n```\ncode.\n```\n\nAfter.")] == [
        "Before.",
        "After.",
    ]


def test_inline_markup_goes_and_names_with_underscores_stay() -> None:
    assert plain("**Bold** [link](http://x.example) `code` snake_case_name") == (
        "Bold link code snake_case_name"
    )


def test_sentences_are_not_cut_at_abbreviations_and_initials() -> None:
    text = "Ask Dr. Lund or J. Smith, e.g. by phone. It costs 2.5 euros. Done!"
    (block,) = parse_blocks(text)
    assert [s.text for s in sentences(text, block)] == [
        "Ask Dr. Lund or J. Smith, e.g. by phone.",
        "It costs 2.5 euros.",
        "Done!",
    ]


@given(st.text(alphabet="ab. A\n-#|1*?!", max_size=80))
def test_spans_lie_in_the_text_in_order(text: str) -> None:
    position = 0
    for block in parse_blocks(text):
        assert position <= block.start < block.end <= len(text)
        position = block.end
        for sentence in sentences(text, block):
            assert plain(text[sentence.start : sentence.end]) == sentence.text
