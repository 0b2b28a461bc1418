"""Lets PyPI's cloudevents read recorded requests; prints what it understood, as JSON."""

import base64
import importlib.metadata
import json
import pathlib
import sys

from cloudevents.core.bindings import http


def event_of(request):
    message = http.HTTPMessage(headers=request["headers"], body=base64.b64decode(request["body"]))
    try:
        event = http.from_http_event(message)
    except Exception as error:  # It raises several kinds, none of which may come.
        return {"refused": f"{type(error).__name__}: {error}"}
    return {
        "id": event.get_id(),
        "source": event.get_source(),
        "type": event.get_type(),
        "specversion": event.get_specversion(),
        "subject": event.get_subject(),
        "datacontenttype": event.get_datacontenttype(),
        "time": event.get_time().isoformat(),
        "extensions": sorted(set(event.get_attributes()) - KNOWN),
        "data": event.get_data(),
    }


KNOWN = {"id", "source", "type", "specversion", "subject", "datacontenttype", "time"}


def main():
    requests = json.loads(pathlib.Path(sys.argv[1]).read_text())
    version = importlib.metadata.version("cloudevents")
    events = [event_of(request) for request in requests]
    json.dump({"reader": f"PyPI cloudevents {version}", "events": events}, sys.stdout)


main()
