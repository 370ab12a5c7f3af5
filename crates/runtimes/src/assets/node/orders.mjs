// Standard input is a socket to the agent: a byte out says "ready", the orders come in. What follows must be what
// `node /var/runtime/index.mjs` would have been.
import fs from "node:fs";
import { createRequire } from "node:module";

function readOrders() {
  let received = Buffer.alloc(0);
  const chunk = Buffer.alloc(65536);
  while (received.length < 4 || received.length < 4 + received.readUInt32LE(0)) {
    const length = fs.readSync(0, chunk);
    if (length === 0) process.exit(0); // The agent is gone, or has no use for this process.
    received = Buffer.concat([received, chunk.subarray(0, length)]);
  }
  const [directory, count, ...rest] = received.toString("utf8", 4).split("\0").slice(0, -1);
  return { directory, command: rest.slice(0, +count), variables: rest.slice(+count) };
}

// Loads modules of both kinds once, in each way in which a handler is: the loaders do much when they are used first.
export async function warm() {
  createRequire(import.meta.url)("/.hearth/warm.cjs");
  await import("/.hearth/warm.cjs");
  await import("/.hearth/warm.mjs");
}

export function become() {
  fs.writeSync(0, "\n");
  const { directory, command, variables } = readOrders();
  fs.closeSync(0);
  fs.openSync("/dev/null", "r"); // The lowest number that is free: 0.
  process.chdir(directory);
  process.argv[1] = command.at(-1);
  for (const name of Object.keys(process.env)) delete process.env[name];
  for (const variable of variables) {
    const end = variable.indexOf("=");
    process.env[variable.slice(0, end)] = variable.slice(end + 1);
  }
  // By functions that V8 cannot follow, so that no stack of the function's leads to here.
  return new Promise((resolve, reject) => {
    import("/var/runtime/index.mjs").then(() => resolve(), (error) => reject(error));
  });
}
