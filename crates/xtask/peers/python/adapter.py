"""What the adapters in Python share: what they are asked, and how they write down what a library gave them.

An adapter judges nothing: every message that the library hands to its user becomes one line of JSON, as it was given.
"""

import json
import os
import sys
import threading

HOST = "127.0.0.1"
USERNAME = "bench"
SECRET = "a-secret-of-peers"
# What is asked in place of a command of the console: the case is its answer.
COMMAND = "core show version"
# No case takes longer; who is still there then waits for what never comes.
WITHIN = 5
# An answer that was on the wire before the last event may be handed over behind it.
GRACE = 0.2

port = int(sys.argv[1])
asked = sys.argv[2]


def pairs(headers):
    """The pairs of a mapping, those of mappings and lists in it beside them."""
    found = []
    for name, value in dict(headers).items():
        if isinstance(value, dict):
            found.extend([name, f"{key}={item}"] for key, item in value.items())
        elif isinstance(value, (list, tuple)):
            found.extend([name, str(item)] for item in value)
        else:
            found.append([name, str(value)])
    return found


def write(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def say(how, headers, text=None):
    """One message, as an event, an answer, or neither. Behind the last one nothing follows but what was late."""
    write({"as": how, "headers": pairs(headers), "text": text})
    lowered = {str(name).lower(): value for name, value in dict(headers).items()}
    if how == "event" and lowered.get("event") == "Next" and lowered.get("num") == "2":
        threading.Timer(GRACE, end).start()


def refused(error):
    """The connection or the login failed."""
    write({"refused": f"{type(error).__name__}: {error}"})
    end()


def failed(error):
    """The library told its user of something else that went wrong."""
    write({"failed": f"{type(error).__name__}: {error}"})


def end():
    # Threads of a library that wait for ever would keep the process.
    os._exit(0)


def thread_failed(arguments):
    failed(arguments.exc_value)


threading.excepthook = thread_failed
bound = threading.Timer(WITHIN, end)
bound.daemon = True
bound.start()
