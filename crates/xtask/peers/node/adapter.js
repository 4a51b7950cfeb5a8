// What the adapters in JavaScript share: what they are asked, and how they write down what a library gave them.
//
// An adapter judges nothing: every message that the library hands to its user becomes one line of JSON, as it was given.
'use strict';

const fs = require('fs');

const HOST = '127.0.0.1';
const USERNAME = 'bench';
const SECRET = 'a-secret-of-peers';
// What is asked in place of a command of the console: the case is its answer.
const COMMAND = 'core show version';
// No case takes longer; who is still there then waits for what never comes.
const WITHIN_MS = 5000;
// An answer that was on the wire before the last event may be handed over behind it.
const GRACE_MS = 200;

const port = Number(process.argv[2]);
const asked = process.argv[3];

const write = (line) => fs.writeSync(1, JSON.stringify(line) + '\n');
const end = () => process.exit(0);

// The pairs of an object, those of objects and arrays in it beside them.
function pairs(message) {
  const found = [];
  for (const [name, value] of Object.entries(message)) {
    if (value === null || value === undefined) {
      continue;
    }
    if (Array.isArray(value)) {
      value.forEach((item) => found.push([name, String(item)]));
    } else if (typeof value === 'object') {
      Object.entries(value).forEach(([key, item]) => found.push([name, key + '=' + item]));
    } else {
      found.push([name, String(value)]);
    }
  }
  return found;
}

// One message, as an event, an answer, or neither. Behind the last one nothing follows but what was late.
function say(how, message, text) {
  const headers = pairs(message);
  write({ as: how, headers, text: text === undefined ? null : text });
  const has = (name, value) => headers.some(([key, found]) => key.toLowerCase() === name && found === value);
  if (how === 'event' && has('event', 'Next') && has('num', '2')) {
    setTimeout(end, GRACE_MS);
  }
}

// The connection or the login failed.
function refused(error) {
  write({ refused: String(error) });
  end();
}

// The library told its user of something else that went wrong.
function failed(error) {
  write({ failed: String(error) });
}

process.on('uncaughtException', (error) => {
  failed(error);
  end();
});
setTimeout(end, WITHIN_MS);

module.exports = { HOST, USERNAME, SECRET, COMMAND, port, asked, say, refused, failed };
