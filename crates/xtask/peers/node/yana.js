// yana, as its README tells.
'use strict';

const adapter = require('./adapter');
const AMI = require('yana');

const ami = new AMI({
  port: adapter.port,
  host: adapter.HOST,
  login: adapter.USERNAME,
  password: adapter.SECRET,
});
let connected = false;
ami.on('error', (error) => (connected ? adapter.failed(error) : adapter.refused(error)));
ami.on('event', (event) => adapter.say('event', event));
ami.connect(() => {
  connected = true;
  const action = adapter.asked === 'ping' ? { Action: 'Ping' } : { Action: 'Command', Command: adapter.COMMAND };
  ami.send(action, (answer) => {
    const { CMD, ...headers } = answer;
    adapter.say('answer', headers, CMD);
  });
});
