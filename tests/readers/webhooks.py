"""Lets PyPI's standardwebhooks verify recorded deliveries; prints what came of each, as JSON.

The file named has `deliveries`, with headers and the body in base64, and `cases`: which of them
to verify with which secret, what to alter before, and by how many seconds the clock is off from
the moment of arrival. Without that the library reads the system's own clock.
"""

import base64
import datetime
import importlib.metadata
import json
import pathlib
import sys

import standardwebhooks
import standardwebhooks.webhooks


def clock_at(moment):
    class Stopped(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime.fromtimestamp(moment, tz)

    return Stopped


def altered(what, headers, body):
    """The same with one bit changed, so that it stays UTF-8 and a number stays one."""
    headers = dict(headers)
    if what == "body":
        # The last letter or digit lies inside the JSON text, and its lowest bit keeps it ASCII.
        at = max(at for at, byte in enumerate(body) if byte < 128 and chr(byte).isalnum())
        body = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
    elif what is not None:
        value = headers[what]
        headers[what] = value[:-1] + chr(ord(value[-1]) ^ 1)
    return headers, body


def verified(case, delivery):
    """The headline and the link in the body, or why it was not accepted."""
    headers, body = altered(case["alter"], delivery["headers"], base64.b64decode(delivery["body"]))
    clock = datetime.datetime
    if case["off"] is not None:
        clock = clock_at(delivery["arrived"] + case["off"])
    standardwebhooks.webhooks.datetime = clock
    try:
        read = standardwebhooks.Webhook(case["secret"]).verify(body, headers)
    except standardwebhooks.webhooks.WebhookVerificationError as error:
        return {"refused": str(error)}
    return {"title": read["data"]["title"], "url": read["data"]["url"]}


def main():
    task = json.loads(pathlib.Path(sys.argv[1]).read_text())
    results = {}
    for case in task["cases"]:
        chosen = (task["deliveries"][index] for index in case["deliveries"])
        results[case["name"]] = [verified(case, delivery) for delivery in chosen]
    version = importlib.metadata.version("standardwebhooks")
    json.dump({"reader": f"PyPI standardwebhooks {version}", "results": results}, sys.stdout)


main()
