"""The words of a page, explained: from the manual's own glossary."""

import re
from collections.abc import Iterable
from importlib.metadata import version
from importlib.resources import files

from mitools.report.html.parts import Block, Row, Section

_ENTRY = re.compile(r"^- \*\*(.+?)\*\*(.*?)(?=^- \*\*|^#|\Z)", re.MULTILINE | re.DOTALL)

CITATION = """@article{lee2023rigorous,
  title   = {Towards a Rigorous Analysis of Mutual Information in Contrastive Learning},
  author  = {Lee, Kyungeun and Kim, Jaeill and Kang, Suhyun and Rhee, Wonjong},
  journal = {arXiv preprint arXiv:2308.15704},
  year    = {2023}
}
@software{mitools,
  title   = {mitools: mutual information that can be trusted},
  version = {VERSION},
  year    = {2026}
}
"""


def glossary(words: Iterable[str]) -> list[Row]:
    """Find the entries of the manual that begin with these words, in the order of the words.

    Examples
    --------
    >>> glossary(["certificate"])[0].value[:13]
    'a lower bound'
    """
    text = files("mitools").joinpath("guide", "glossary.md").read_text(encoding="utf-8")
    entries = {
        name: " ".join(said.strip(" ,:\n").replace("`", "").replace("**", "").split())
        for name, said in _ENTRY.findall(text)
    }
    return [Row(name, said) for word in words for name, said in entries.items() if name.split(",")[0] == word]


def words_section(words: Iterable[str]) -> Section:
    """Explain the words of a page, folded."""
    return Section("glossary", "Glossary", [Block("glossary.html", {"rows": glossary(words)})], folded=True)


def citation_section() -> Section:
    """Say how the method and the tool are cited, folded."""
    text = CITATION.replace("VERSION", version("mitools"))
    return Section("cite", "Cite", [Block("code.html", {"name": "bibtex", "text": text})], folded=True)
