"use strict";
// Lets a function be saved after its initialisation, and takes from restored copies what they must not have in common.
//
// The Runtime API's client of Node.js knows nothing of restores, so the first call for an event waits here for one. What draws
// from OpenSSL is reseeded there, by a library that does nothing else; what Node.js keeps drawn in advance is used up. V8 cannot
// be reseeded, so Math.random has a generator of its own from the start.

const crypto = require("crypto");
const http = require("http");

// Both are drawn in advance by Node.js: 128 UUIDs, and 1024 integers of 48 bits.
const UUIDS_AHEAD = 128;
const INTEGERS_AHEAD = 1024;

// sfc32 by Chris Doty-Humphrey (PractRand), public domain: small, fast, 2^127 long on average.
const state = new Uint32Array(4);

function seed() {
  // From the kernel, whatever state OpenSSL is in.
  const fd = require("fs").openSync("/dev/urandom", "r");
  require("fs").readSync(fd, new Uint8Array(state.buffer), 0, 16, 0);
  require("fs").closeSync(fd);
}

function next() {
  const sum = (state[0] + state[1] + state[3]) >>> 0;
  state[3]++;
  state[0] = state[1] ^ (state[1] >>> 9);
  state[1] = state[2] + (state[2] << 3);
  state[2] = ((state[2] << 21) | (state[2] >>> 11)) + sum;
  return sum;
}

function random() {
  // 53 bits, as a double holds.
  return ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992;
}

function get(path) {
  const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
  return new Promise((resolve, reject) => {
    const request = http.get({ hostname, port, path, agent: false }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        answer.statusCode === 200 ? resolve(body) : reject(new Error(`${path}: ${answer.statusCode} ${body}`));
      });
    });
    request.on("error", reject);
  });
}

async function refreshEnvironment() {
  if (process.env.HEARTH_VARIABLES_URI) {
    Object.assign(process.env, JSON.parse(await get(new URL(process.env.HEARTH_VARIABLES_URI).pathname)));
  }
}

function reseed() {
  try {
    // Loading it is what does it; it has nothing to register.
    process.dlopen({ exports: {} }, "/var/runtime/reseed.node");
  } catch (error) {
    if (!/did not self-register/.test(error.message)) throw error;
  }
  for (let count = 0; count < UUIDS_AHEAD; count++) crypto.randomUUID();
  for (let count = 0; count < INTEGERS_AHEAD; count++) crypto.randomInt(2);
  seed();
}

async function waitForRestore() {
  await get("/2018-06-01/runtime/restore/next");
  reseed();
  await refreshEnvironment();
  // For functions that keep generators or connections of their own.
  process.emit("hearth:restored");
}

/** Has the client wait for a restore before its first event; `load` returns its native part. */
exports.install = function install(load) {
  if (process.env.AWS_LAMBDA_INITIALIZATION_TYPE !== "snap-start") return;
  // The client's other way to ask for events would pass by what is put in the way below.
  delete process.env.AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1;
  seed();
  Math.random = random;
  const native = load();
  const ask = native.next;
  native.next = async (...rest) => {
    native.next = ask;
    await waitForRestore();
    return ask.apply(native, rest);
  };
};
