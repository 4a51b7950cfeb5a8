"""pyst2, as the documentation of its manager tells."""

import time
import warnings

import adapter

# It calls what Python has renamed since.
warnings.simplefilter("ignore")
from asterisk.manager import Manager  # noqa: E402


def lines(data):
    return data.split("\n") if data else None


manager = Manager()
try:
    manager.connect(adapter.HOST, adapter.port)
    manager.login(adapter.USERNAME, adapter.SECRET)
except Exception as error:
    adapter.refused(error)
manager.register_event(
    "*", lambda event, _: adapter.say("event", event.headers, lines(event.data))
)
try:
    answer = manager.ping() if adapter.asked == "ping" else manager.command(adapter.COMMAND)
    adapter.say("answer", answer.headers, lines(answer.data))
except Exception as error:
    adapter.failed(error)
time.sleep(adapter.WITHIN)
