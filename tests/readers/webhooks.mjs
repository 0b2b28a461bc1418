// Lets npm's standardwebhooks verify recorded deliveries; prints what came of each, as JSON.
//
//     node webhooks.mjs NODE_MODULES TASK
//
// The task is that of webhooks.py, which says what it is made of.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [modules, path] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), "/"));
const { Webhook, WebhookVerificationError } = require("standardwebhooks");
const { version } = require("./standardwebhooks/package.json");
const ownClock = Date.now;

function isLetterOrDigit(byte) {
  return /[0-9A-Za-z]/.test(String.fromCharCode(byte));
}

// The same with one bit changed, so that it stays UTF-8 and a number stays one.
function altered(what, headers, body) {
  if (what === "body") {
    const at = body.findLastIndex(isLetterOrDigit);
    body[at] ^= 1;
  } else if (what !== null) {
    const value = headers[what];
    const last = String.fromCharCode(value.charCodeAt(value.length - 1) ^ 1);
    headers = { ...headers, [what]: value.slice(0, -1) + last };
  }
  return [headers, body];
}

// The headline and the link in the body, or why it was not accepted.
function verified(check, delivery) {
  const bytes = Buffer.from(delivery.body, "base64");
  const [headers, body] = altered(check.alter, delivery.headers, bytes);
  const clock = () => (delivery.arrived + check.off) * 1000;
  Date.now = check.off === null ? ownClock : clock;
  try {
    const { title, url } = new Webhook(check.secret).verify(body, headers).data;
    return { title, url };
  } catch (error) {
    if (error instanceof WebhookVerificationError) return { refused: error.message };
    throw error;
  }
}

const task = JSON.parse(readFileSync(path, "utf8"));
const results = {};
for (const check of task.cases) {
  results[check.name] = check.deliveries.map((index) => verified(check, task.deliveries[index]));
}
console.log(JSON.stringify({ reader: `npm standardwebhooks ${version}`, results }));
