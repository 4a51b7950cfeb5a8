// asterisk-ami-client, as its README tells.
'use strict';

const adapter = require('./adapter');
const AmiClient = require('asterisk-ami-client');

const client = new AmiClient();
const { HOST: host, port } = adapter;
client.on('event', (event) => adapter.say('event', event));
client.on('response', (answer) => {
  const { $content, ...headers } = answer;
  adapter.say('answer', headers, $content === undefined ? undefined : $content.split('\n'));
});
client.on('internalError', adapter.failed);
client
  .connect(adapter.USERNAME, adapter.SECRET, { host, port })
  .then(
    () => client.action(adapter.asked === 'ping' ? { Action: 'Ping' } : { Action: 'Command', Command: adapter.COMMAND }),
    adapter.refused,
  );
