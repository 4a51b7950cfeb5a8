// What a user of asterisk-manager does on a PBX: log in, ping, list, run a command, place a call and hear of it.
// Prints one JSON object of what came back. Arguments: port, secret, channel, context, extension.
'use strict';

const Manager = require('asterisk-manager');

const WITHIN_MS = 20_000;
const [port, secret, channel, context, exten] = process.argv.slice(2);

const bound = setTimeout(() => {
  console.error('no end within ' + WITHIN_MS + ' ms');
  process.exit(1);
}, WITHIN_MS);

const manager = new Manager(Number(port), '127.0.0.1', 'bench', secret, true);
const events = new Set();
const named = (name) => new Promise((resolve) => manager.once(name, resolve));
const act = (action) =>
  new Promise((resolve) => manager.action(action, (error, answer) => resolve(error || answer)));

function items(name, complete) {
  const found = [];
  const take = (event) => found.push(event);
  manager.on(name, take);
  return named(complete).then((end) => {
    manager.removeListener(name, take);
    return { found, end };
  });
}

async function main() {
  manager.on('managerevent', (event) => events.add(event.event));
  const ping = await act({ action: 'Ping' });
  const unknown = await act({ action: 'NoSuchAction' });
  const command = await act({ action: 'Command', command: 'core show version' });
  const response = named('originateresponse');
  const queued = await act({
    action: 'Originate',
    channel,
    context,
    exten,
    priority: 1,
    timeout: 10000,
    callerid: 'Client <100>',
    async: 'true',
  });
  const originated = await response;
  const listed = items('coreshowchannel', 'coreshowchannelscomplete');
  await act({ action: 'CoreShowChannels' });
  const { found, end } = await listed;
  const statuses = items('status', 'statuscomplete');
  await act({ action: 'Status' });
  const status = (await statuses).found.map((event) => event.event);
  const hungUp = named('hangup');
  const hangup = await act({ action: 'Hangup', channel: found[0].channel });
  await hungUp;
  const goodbye = named('response');
  manager.action({ action: 'Logoff' });
  const said = await goodbye;
  manager.disconnect();
  return {
    authenticated: true,
    ping: ping.ping,
    unknown: unknown.response,
    command: [command.response, command.content || command.output || ''],
    queued: queued.response,
    originated: [originated.event, originated.response],
    channels: found.map((item) => item.channel),
    complete: end.event,
    status,
    hangup: [hangup.response],
    goodbye: said.response,
    events: [...events].sort(),
  };
}

main().then(
  (seen) => {
    clearTimeout(bound);
    console.log(JSON.stringify(seen));
    process.exit(0);
  },
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
