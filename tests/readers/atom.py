"""Prints what feedparser, and a strict XML parser, read in an Atom file, as JSON."""

import json
import pathlib
import sys
import xml.etree.ElementTree

import feedparser

ATOM = "{http://www.w3.org/2005/Atom}"


def ours(entry):
    return {
        "id": entry.get("id"),
        "title": entry.get("title"),
        "link": entry.get("link"),
        "updated": entry.get("updated_parsed") is not None,
        "content": entry.get("content", [{}])[0].get("value"),
    }


def strictly(data):
    """Links and titles, as a parser has them that repairs nothing."""
    try:
        tree = xml.etree.ElementTree.fromstring(data)
    except xml.etree.ElementTree.ParseError:
        return []
    link = lambda entry: entry.find(f"{ATOM}link").get("href")
    return [[link(entry), entry.findtext(f"{ATOM}title")] for entry in tree.iter(f"{ATOM}entry")]


def main():
    data = pathlib.Path(sys.argv[1]).read_bytes()
    feed = feedparser.parse(data, response_headers={"content-type": "application/atom+xml"})
    json.dump(
        {
            "reader": f"feedparser {feedparser.__version__}",
            "version": feed.version,
            "bozo": str(feed.bozo_exception) if feed.bozo else None,
            "title": feed.feed.get("title"),
            "entries": [ours(entry) for entry in feed.entries],
            "xml": strictly(data),
        },
        sys.stdout,
    )


main()
