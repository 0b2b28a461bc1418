"""A hub of other people's making (flask-websub), for tests/hubs.rs.

Takes a port and a file for its memory. /hub is the hub; /pub?topic=URL has it bring that topic.
"""

import sys

from celery import Celery
from flask import Flask, request
from flask_websub.hub import Hub, SQLite3HubStorage

port, memory = int(sys.argv[1]), sys.argv[2]
app = Flask("hub")
celery = Celery("hub", broker="memory://")
celery.conf.task_always_eager = True
hub = Hub(
    SQLite3HubStorage(memory),
    celery,
    SIGNATURE_ALGORITHM="sha512",
)
# These are read from the application, whatever the hub's own documentation says.
app.config.update(
    HUB_MIN_LEASE_SECONDS=5, HUB_DEFAULT_LEASE_SECONDS=10, HUB_MAX_LEASE_SECONDS=20
)
hub.init_celery(celery)
app.register_blueprint(hub.build_blueprint(url_prefix="/hub"))


@app.route("/pub")
def pub():
    hub.send_change_notification.delay(request.args["topic"])
    return "ok"


app.run("127.0.0.1", port, threaded=True)
