"""asterisk-ami, as its README tells."""

import time

import adapter
from asterisk.ami import AMIClient, SimpleAction


def event_listener(event, **_):
    adapter.say("event", {"Event": event.name, **event.keys})


def answered(response):
    adapter.say("answer", {"Response": response.status, **response.keys}, response.follows or None)


client = AMIClient(address=adapter.HOST, port=adapter.port)
client.add_event_listener(event_listener)
try:
    login = client.login(username=adapter.USERNAME, secret=adapter.SECRET).response
    if login is None or login.is_error():
        raise ConnectionError(f"the login was answered by {login}")
except Exception as error:
    adapter.refused(error)
if adapter.asked == "ping":
    action = SimpleAction("Ping")
else:
    action = SimpleAction("Command", Command=adapter.COMMAND)
client.send_action(action, callback=answered)
time.sleep(adapter.WITHIN)
