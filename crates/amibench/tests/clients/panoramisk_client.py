"""What a user of panoramisk does on a PBX: log in, ping, list, run a command, place a call and hear of it.

Prints one JSON object of what came back. Arguments: port, secret, channel, context, extension.
"""

import asyncio
import json
import sys

import panoramisk

WITHIN = 20


async def main(port, secret, channel, context, exten):
    manager = panoramisk.Manager(
        host="127.0.0.1", port=int(port), username="bench", secret=secret, events="on"
    )
    events = []
    hung_up = asyncio.get_running_loop().create_future()

    def heard(_, event):
        events.append(event.event)
        if event.event == "Hangup" and not hung_up.done():
            hung_up.set_result(None)

    manager.register_event("*", heard)
    await manager.connect()
    while manager.authenticated_future is None and not manager.authenticated:
        await asyncio.sleep(0)
    if manager.authenticated_future is not None:
        await manager.authenticated_future

    ping = await manager.send_action({"Action": "Ping"})
    unknown = await manager.send_action({"Action": "NoSuchAction"})
    command = await manager.send_command("core show version")
    originated = await manager.send_action(
        {
            "Action": "Originate",
            "Channel": channel,
            "Context": context,
            "Exten": exten,
            "Priority": 1,
            "Timeout": 10000,
            "CallerID": "Client <100>",
            "Async": "true",
        },
    )
    originated = originated[-1] if isinstance(originated, list) else originated
    listed = await manager.send_action({"Action": "CoreShowChannels"}, as_list=True)
    channels = [item.channel for item in listed if item.event == "CoreShowChannel"]
    status = await manager.send_action({"Action": "Status"}, as_list=True)
    answers = [
        (await manager.send_action({"Action": "Hangup", "Channel": name})).response
        for name in channels[:1]
    ]
    await hung_up
    goodbye = await manager.send_action({"Action": "Logoff"})
    manager.close()
    return {
        "authenticated": manager.authenticated,
        "ping": ping.ping,
        "unknown": unknown.response,
        "command": [command.response, command.content or command.output],
        "originated": [originated.event or "", originated.response],
        "channels": channels,
        "complete": listed[-1].event,
        "status": [item.event for item in status if item.event == "Status"],
        "hangup": answers,
        "goodbye": goodbye.response,
        "events": sorted(set(events)),
    }


print(json.dumps(asyncio.run(asyncio.wait_for(main(*sys.argv[1:]), WITHIN))))
