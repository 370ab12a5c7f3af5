// Draws from every source of randomness at initialisation, so that copies which share a state would repeat themselves.
import crypto, { randomInt, randomUUID } from "node:crypto";
import { Duplex } from "node:stream";
import tls from "node:tls";

const initWall = Date.now();
const initMonotonic = process.hrtime.bigint();

function clientHello() {
  return new Promise((resolve) => {
    const wire = new Duplex({ read() {}, write(chunk, _encoding, done) { resolve(chunk); done(); } });
    tls.connect({ socket: wire, servername: "example.com" }).on("error", () => {});
  });
}

async function draw() {
  const hello = await clientHello();
  return {
    random: Math.random(),
    randomBytes: crypto.randomBytes(16).toString("hex"),
    randomUUID: randomUUID(),
    webUUID: globalThis.crypto.randomUUID(),
    randomInt: Array.from({ length: 4 }, () => randomInt(2 ** 47)).join(),
    values: globalThis.crypto.getRandomValues(new Uint32Array(4)).join(),
    tls_random: hello.subarray(11, 43).toString("hex"),
    tls_session: hello.subarray(44, 76).toString("hex"),
  };
}

const atInit = await draw();
let restored = 0;
process.on("hearth:restored", () => restored++);
await new Promise((resolve) => setTimeout(resolve, 300));

export async function handler(_event, context) {
  return {
    drawn: await draw(),
    at_init: atInit,
    restored,
    wall: Date.now() / 1000,
    since_init: (Date.now() - initWall) / 1000,
    monotonic: Number(process.hrtime.bigint() - initMonotonic) / 1e9,
    log_stream: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    initialization: process.env.AWS_LAMBDA_INITIALIZATION_TYPE,
    request_id: context.awsRequestId,
  };
}
