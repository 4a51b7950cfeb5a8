"""panoramisk, as its README and examples tell."""

import asyncio

import adapter
import panoramisk


def text(message):
    """What it calls the content of a message."""
    return message.content.split("\n") if message.content else None


def headers(message):
    return {name: value for name, value in message.items() if name != "content"}


async def main():
    manager = panoramisk.Manager(
        host=adapter.HOST, port=adapter.port, username=adapter.USERNAME, secret=adapter.SECRET
    )
    manager.register_event("*", lambda _, event: adapter.say("event", headers(event)))
    booted = asyncio.get_running_loop().create_future()
    manager.register_event("FullyBooted", lambda *_: booted.done() or booted.set_result(None))
    await manager.connect()
    await booted
    if adapter.asked == "ping":
        answer = await manager.send_action({"Action": "Ping"})
    else:
        answer = await manager.send_command(adapter.COMMAND)
    for message in answer if isinstance(answer, list) else [answer]:
        adapter.say("answer", headers(message), text(message))
    await asyncio.sleep(adapter.WITHIN)


try:
    asyncio.run(main())
except Exception as error:
    adapter.refused(error)
