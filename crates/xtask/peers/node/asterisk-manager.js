// asterisk-manager, as its README tells.
'use strict';

const adapter = require('./adapter');
const Manager = require('asterisk-manager');

const manager = new Manager(adapter.port, adapter.HOST, adapter.USERNAME, adapter.SECRET, true);
manager.on('managerevent', (event) => adapter.say('event', event));
manager.on('error', adapter.failed);

const action = adapter.asked === 'ping' ? { action: 'ping' } : { action: 'command', command: adapter.COMMAND };
manager.action(action, (error, answer) => {
  // An answer that says Error comes as the error.
  const { content, ...headers } = error || answer;
  adapter.say('answer', headers, content === undefined ? undefined : content.split('\n'));
});
