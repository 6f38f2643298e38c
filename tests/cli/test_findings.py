import io

import pytest

from mitools.cli import console

LONG = [
    f"Setting {k} reads {k}.12 bits (1.00 to 2.00), which is told apart from none of the others."
    for k in range(4)
]


@pytest.fixture
def printed(monkeypatch):
    """Print a finding on a terminal of so many characters, or (None) into a pipe."""

    def at(width, said):
        file = io.StringIO()
        options = {"width": width, "force_terminal": True} if width else {}
        monkeypatch.setattr(console, "out", console._SafeConsole(file=file, color_system=None, **options))
        console.print_finding(said)
        return file.getvalue().splitlines()

    return at


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_long_finding_is_a_list_within_the_terminal(printed, width):
    lines = printed(width, LONG)
    assert max(map(len, lines)) <= width
    assert [line[:9] for line in lines if line.startswith("- ")] == ["- Setting"] * 4
    assert all(line.startswith(("- ", "  ")) for line in lines)
    assert " ".join(line[2:] for line in lines) == " ".join(LONG)


def test_a_short_finding_stands_as_it_is(printed):
    assert printed(80, LONG[:1]) == [
        "Setting 0 reads 0.12 bits (1.00 to 2.00), which is told apart from none of the",
        "others.",
    ]


def test_in_a_pipe_an_item_is_a_line_and_parts_stand_below_it(printed):
    parts = [
        f"method {k} holds {k}.00 bits of the input, {k}.10 at most and {k}.05 on average" for k in range(3)
    ]
    lines = printed(None, f"What each holds: {'; '.join(parts)}.")
    assert lines == ["- What each holds:", *(f"  - {one};" for one in parts[:2]), f"  - {parts[2]}."]
