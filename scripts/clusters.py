"""What the scripts about stories share: reading items, running `replay`, and the figures.

A line of a set is one JSON object. It has a `cluster`, the event it tells of, and may have `title`,
`text` (or `snippet`, `description`, `summary`), `url`, `feed` (or `source`), `published` (or
`date`), `lang` and `topic`. `STORY`, `TITLE`, `URL`, `HOSTNAME` and `TIMESTAMP`, as some collections
write them, are understood. A line with `items` (copies of one text) stands for that many items of
one cluster.

Items go in order of time. An item without a time comes one second after the line before it, and the
first of all at a fixed date, so that no result depends on the clock.

With a half, only clusters whose number (CRC-32 of the name) is even or odd are scored. All items run
all the same: an item of the other half that gets into a story is an error there.
"""

import collections
import datetime
import email.utils
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zlib

START = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
SECOND = datetime.timedelta(seconds=1)

# Reading


def raw_lines(path):
    """The lines of a file, as bytes; a name that ends in .zst is unpacked."""
    if not pathlib.Path(path).is_file():
        sys.exit(f"{path}: there is no such file")
    if not path.endswith(".zst"):
        with open(path, "rb") as file:
            yield from file
        return
    if not shutil.which("zstd"):
        sys.exit(f"{path}: the program zstd is needed to unpack this file")
    with subprocess.Popen(["zstd", "-dqc", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as zstd:
        yield from zstd.stdout
    if zstd.returncode:
        sys.exit(f"{path}: zstd could not unpack this file")


def read(path):
    """The objects of a file with their line numbers, one by one."""
    for number, raw in enumerate(raw_lines(path), 1):
        if not raw.strip():
            continue
        try:
            line = json.loads(raw)
        except json.JSONDecodeError as error:
            sys.exit(f"{path}:{number}:{error.colno}: not JSON: {error.msg}")
        except UnicodeDecodeError:
            sys.exit(f"{path}:{number}: not UTF-8")
        if not isinstance(line, dict):
            sys.exit(f"{path}:{number}: not a JSON object")
        yield number, line


def first(line, *keys):
    """The first of these keys that has a text, or nothing."""
    return next((line[key] for key in keys if isinstance(line.get(key), str) and line[key]), "")


def when(value):
    """A time as a set gives it: ISO 8601, as in mails, or seconds or milliseconds since 1970."""
    text = str(value).strip() if value is not None else ""
    try:
        if re.fullmatch(r"\d{9,13}(\.\d+)?", text):
            number = float(text)
            return datetime.datetime.fromtimestamp(number / (1000 if number > 1e11 else 1), datetime.UTC)
        try:
            found = datetime.datetime.fromisoformat(text)
        except ValueError:
            found = email.utils.parsedate_to_datetime(text)
        return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def time_of(line):
    return when(next((line[key] for key in ("published", "date", "TIMESTAMP") if line.get(key)), None))


class FeedNames:
    """Names for feeds, of lower-case letters, digits and dashes; two feeds never get one name."""

    def __init__(self):
        self.by_source, self.taken = {}, set()

    def of(self, source):
        if source not in self.by_source:
            plain = re.sub(r"^https?://(www\.)?|[?#].*$", "", source.lower())
            base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "feed"
            name, number = base, 2
            while name in self.taken:
                name, number = f"{base}-{number}", number + 1
            self.taken.add(name)
            self.by_source[source] = name
        return self.by_source[source]


def items_of(path, chars=300):
    """The items of a set, in order of time, with so many characters of text each.

    They have no ids of their own: nothing but what they say may join them.
    """
    found, names, last = [], FeedNames(), START - SECOND
    for number, line in read(path):
        copies = line.get("items")
        cluster = number if copies else line.get("cluster", line.get("STORY"))
        if cluster is None:
            continue
        for each in copies or [line]:
            if not isinstance(each, dict):
                sys.exit(f"{path}:{number}: not a JSON object among its items")
            feed = names.of(first(each, "feed", "source", "HOSTNAME") or f"feed-{len(found)}")
            last = time_of(each) or last + SECOND
            found.append(item(each, feed, last, chars) | {"cluster": str(cluster), "topic": line.get("topic")})
    if not found:
        sys.exit(f'{path}: no line has a "cluster" or "items"')
    return sorted(found, key=lambda each: each["published"])


def item(line, feed, published, chars):
    text = first(line, "text", "snippet", "description", "summary")
    return {
        "title": first(line, "title", "TITLE"),
        "text": text[:chars],
        "url": first(line, "url", "URL") or None,
        "feed": feed,
        "lang": first(line, "lang") or None,
        "published": published.astimezone(datetime.UTC).isoformat(timespec="microseconds"),
    }


# Running


def replay(items, wirewatch, rules=""):
    """What `replay` says of each item, in the items' order; nothing for an item it left out."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(rules)
        file.flush()
        lines = "".join(json.dumps(each | {"id": number}) + "\n" for number, each in enumerate(items))
        command = [wirewatch, "replay", "--rules", file.name]
        try:
            done = subprocess.run(command, input=lines, capture_output=True, text=True, encoding="utf-8")
        except OSError as error:
            sys.exit(f"{wirewatch}: {error.strerror}")
    if done.returncode:
        sys.exit(f"{wirewatch} replay failed: {done.stderr.strip()}")
    answers = [None] * len(items)
    for answer in map(json.loads, filter(None, done.stdout.split("\n"))):
        answers[answer["id"]] = answer
    return answers


def newness(answer):
    """`new`, `known` or `revised`."""
    return (answer or {}).get("entry", "left out")


def stories_of(items, wirewatch):
    """The story of each item as `replay` decides it, and the seconds that took."""
    stories, _, seconds = stories_and_texts(items, wirewatch)
    return stories, seconds


def stories_and_texts(items, wirewatch):
    """The same, and for each item the first one that has its text, headline or link."""
    start = time.monotonic()
    answers = replay(items, wirewatch)
    seconds = time.monotonic() - start
    stories = [answer["story"] if answer else f"none-{number}" for number, answer in enumerate(answers)]
    texts = []
    for number, answer in enumerate(answers):
        of = answer["joined"].get("of") if answer else None
        texts.append(number if of is None else texts[of])
    return stories, texts, seconds


# Figures


def scored(clusters, half=None):
    """The names of the clusters that count."""
    names = set(clusters)
    if half is None:
        return names
    return {name for name in names if zlib.crc32(name.encode()) % 2 == ("even", "odd").index(half)}


def f1(precision, recall):
    return 2 * precision * recall / max(precision + recall, 1e-12)


def counts(stories, clusters):
    both = collections.Counter(zip(stories, clusters))
    return collections.Counter(stories), collections.Counter(clusters), both


def b_cubed(stories, clusters, names):
    """Bagga and Baldwin 1998: precision and recall of each scored item, averaged over them."""
    by_story, by_cluster, both = counts(stories, clusters)
    both = [(story, cluster, n) for (story, cluster), n in both.items() if cluster in names]
    total = max(sum(n for _, _, n in both), 1)
    precision = sum(n * n / by_story[story] for story, _, n in both) / total
    recall = sum(n * n / by_cluster[cluster] for _, cluster, n in both) / total
    return precision, recall


def pairs(counter):
    return sum(n * (n - 1) // 2 for n in counter.values())


def pairwise(stories, clusters, names):
    """Of the pairs in one story those in one cluster, and the other way round.

    Pairs with no item of a scored cluster are left out.
    """
    of_others = collections.Counter(story for story, cluster in zip(stories, clusters) if cluster not in names)
    by_story, by_cluster, both = counts(stories, clusters)
    in_story = pairs(by_story) - pairs(of_others)
    in_cluster = pairs({name: by_cluster[name] for name in names})
    in_both = pairs({key: n for key, n in both.items() if key[1] in names})
    return in_both / in_story if in_story else 1.0, in_both / in_cluster if in_cluster else 1.0


def look_alikes(items, stories, names):
    """Topics of several clusters: how many were merged, and how many there are.

    Merged is a topic when some story holds three items, and a quarter, of two of its clusters.
    """
    clusters_of = collections.defaultdict(set)
    for each in items:
        if each["topic"] is not None:
            clusters_of[each["topic"]].add(each["cluster"])
    shared = {topic: found for topic, found in clusters_of.items() if len(found) > 1 and found & names}
    sizes = collections.Counter(each["cluster"] for each in items)
    held = collections.Counter((story, each["topic"], each["cluster"]) for each, story in zip(items, stories))
    large = collections.defaultdict(set)
    for (story, topic, cluster), n in held.items():
        if topic in shared and n >= max(3, sizes[cluster] / 4):
            large[story, topic].add(cluster)
    merged = {topic for (_, topic), found in large.items() if len(found) > 1 and found & names}
    return len(merged), len(shared)


def figures(items, stories, half=None):
    """All figures of one set by their names."""
    clusters = [each["cluster"] for each in items]
    names = scored(clusters, half)
    found = {"items": sum(cluster in names for cluster in clusters), "clusters": len(names)}
    found["stories"] = len({story for story, cluster in zip(stories, clusters) if cluster in names})
    for name, measure in (("b_cubed", b_cubed), ("pairwise", pairwise)):
        precision, recall = measure(stories, clusters, names)
        found[name] = {"precision": precision, "recall": recall, "f1": f1(precision, recall)}
    merged, topics = look_alikes(items, stories, names)
    if topics:
        found["look_alikes"] = {"merged": merged, "topics": topics}
    return found


def worst(items, stories, limit, half=None):
    """The stories that join most pairs of items from different clusters, as lists of their items."""
    names = scored([each["cluster"] for each in items], half)
    members = collections.defaultdict(list)
    for each, story in zip(items, stories):
        members[story].append(each)
    touched = [each for each in members.values() if wrong_pairs(each) and {i["cluster"] for i in each} & names]
    return sorted(touched, key=wrong_pairs, reverse=True)[:limit]


def wrong_pairs(members):
    sizes = collections.Counter(each["cluster"] for each in members)
    return len(members) * (len(members) - 1) // 2 - pairs(sizes)
