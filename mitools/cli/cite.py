"""``mitools cite``: how to name the program in a paper."""

from typing import Annotated, Literal

import typer

from mitools.cli.terminal.tables import between_words

BIBTEX_INDENT, BIBTEX_WIDTH = 14, 44
"""Of a field's further lines, and characters of its text in one."""


def cite(
    form: Annotated[
        Literal["bibtex", "cff"], typer.Option("--as", help="BibTeX, or the content of a CITATION.cff.")
    ] = "bibtex",
) -> None:
    """Print how to cite mitools; the papers of its methods are named in the guide."""
    from importlib.metadata import metadata

    about = metadata("mitools")
    title = f"{about['Name']}: {about['Summary'][0].lower()}{about['Summary'][1:]}"
    fields = {
        "title": title,
        "author": (about.get_all("Author") or ["The mitools authors"])[0],
        "version": about["Version"],
        "license": (about.get_all("License-Expression") or ["Apache-2.0"])[0],
    }
    if form == "bibtex":
        # A field may go on in the next line, so that none is longer than a narrow terminal.
        folded = {
            name: f"\n{' ' * BIBTEX_INDENT}".join(between_words(value, BIBTEX_WIDTH))
            for name, value in fields.items()
        }
        lines = [f"  {name:<7} = {{{{{value}}}}}," for name, value in folded.items()]
        print("\n".join(["@software{mitools,", *lines, "}"]))
        return
    print(
        "\n".join(
            [
                "cff-version: 1.2.0",
                "message: If you use this software, please cite it as below.",
                "type: software",
                f"title: '{fields['title']}'",
                f"version: {fields['version']}",
                f"license: {fields['license']}",
                "authors:",
                f"  - name: {fields['author']}",
            ]
        )
    )
