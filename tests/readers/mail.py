"""Prints what Python's email package reads in the messages (*.eml) of a folder, as JSON.

It judges nothing but what the package itself calls a defect: while a message is taken apart by a
policy that raises, in every part, in every header, and in the text of every part.
"""

import email
import email.errors
import email.policy
import html.parser
import json
import pathlib
import platform
import sys

STRICT = email.policy.SMTP.clone(raise_on_defect=True)
# Elements that have no end.
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Page(html.parser.HTMLParser):
    """The elements of an HTML part, and the words of its headline."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.heading = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append([tag, attrs])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open[-1:] == [tag]:
            self.open.pop()
        else:
            self.tags.append(["/" + tag, []])

    def handle_data(self, data):
        if "h1" in self.open:
            self.heading += data


def named(defect):
    return f"{type(defect).__name__}: {defect}"


def strictly(data):
    """What a reader says that gives up at the first defect."""
    try:
        message = email.message_from_bytes(data, policy=STRICT)
        for part in message.walk():
            if not part.is_multipart():
                part.get_content()
    except Exception as error:  # Whatever it is, the message could not be read.
        return [f"strictly: {named(error)}"]
    return []


def part_of(part, defects):
    text = ""
    try:
        text = part.get_content(errors="strict")
    except Exception as error:  # A charset that is none, or bytes that are not of it.
        defects.append(f"content: {named(error)}")
    page = Page()
    if part.get_content_type() == "text/html":
        page.feed(text)
        page.close()
    return {
        "kind": part.get_content_type(),
        "charset": part.get_param("charset"),
        "text": text,
        "tags": page.tags + [["unclosed " + tag, []] for tag in page.open],
        "heading": page.heading,
    }


def headers_of(part, defects):
    """Each is parsed when it is asked for, which takes longest of all, so this is done once."""
    headers = part.items()
    for name, value in headers:
        defects += [f"{name}: {named(defect)}" for defect in value.defects]
    return headers


def letter(path):
    data = path.read_bytes()
    defects = strictly(data)
    message = email.message_from_bytes(data, policy=email.policy.SMTP)
    headers = headers_of(message, defects)
    leaves = [part for part in message.walk() if not part.is_multipart()]
    parts = [part_of(part, defects) for part in leaves]
    for part in message.walk():
        if part is not message:
            headers_of(part, defects)
        defects += [named(defect) for defect in part.defects]
    named_here = lambda wanted: [value for name, value in headers if name.lower() == wanted]
    people = lambda header: [
        [address.display_name, address.addr_spec]
        for value in named_here(header)
        for address in value.addresses
    ]
    dates = [value.datetime.isoformat() for value in named_here("date") if value.datetime]
    return {
        "defects": defects,
        "headers": [[name, str(value)] for name, value in headers],
        "from": people("from"),
        "to": people("to"),
        "date": dates[0] if dates else None,
        "kind": message.get_content_type(),
        "parts": parts,
    }


def main():
    paths = sorted(pathlib.Path(sys.argv[1]).glob("*.eml"))
    reader = f"Python {platform.python_version()} email"
    json.dump({"reader": reader, "letters": [letter(path) for path in paths]}, sys.stdout)


main()
