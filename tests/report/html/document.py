"""A page as a test reads it: its elements in order, and that every one was closed where it should be."""

import json
from html.parser import HTMLParser

VOID = {"meta", "input", "img", "br", "link", "hr", "wbr"}


class Document(HTMLParser):
    """Elements as (name, attributes, texts of their own); `left_open` names those that nothing closed."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self._open, self._goes_on = [], [], False
        self.feed(text)
        self.close()
        self.left_open = [name for name, *_ in self._open]

    def handle_starttag(self, tag, attrs):
        element = (tag, dict(attrs), [])
        self._goes_on = tag == "wbr"
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag):
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1][0] == tag, f"</{tag}> closes <{self._open[-1][0]}>"
        self._open.pop()

    def handle_data(self, data):
        if not self._open:
            return
        texts = self._open[-1][2]
        if self._goes_on and texts:  # a word that may be folded here is still one word
            texts[-1] += data
        else:
            texts.append(data)
        self._goes_on = False

    def named(self, *names):
        return [element for element in self.elements if element[0] in names]

    def text(self):
        return " ".join(part for name, _, texts in self.elements if name != "script" for part in texts)

    def data(self):
        """What the page's script reads."""
        return next(json.loads("".join(texts)) for _, a, texts in self.elements if a.get("id") == "data")
