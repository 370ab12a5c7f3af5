// Ordinary Node handlers: each shows one thing that a function sees or does on Lambda.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

const initId = randomUUID();
let calls = 0;
// Top-level await belongs to initialisation.
const ready = await Promise.resolve("ready");

export const echo = async (event) => event;

export const state = async () => ({ initId, calls: ++calls, ready });

export const context = async (event, context) => ({
  awsRequestId: context.awsRequestId,
  remaining: context.getRemainingTimeInMillis(),
  invokedFunctionArn: context.invokedFunctionArn,
  functionName: context.functionName,
  functionVersion: context.functionVersion,
  memoryLimitInMB: context.memoryLimitInMB,
  logGroupName: context.logGroupName,
  logStreamName: context.logStreamName,
  clientContext: context.clientContext ?? null,
  environment: process.env,
  cwd: process.cwd(),
});

export const sleep = async (event) => {
  await pause((event.seconds ?? 0) * 1000);
  return { slept: event.seconds };
};

class OrderRejected extends Error {
  constructor(message) {
    super(message);
    this.name = "OrderRejected";
  }
}

export const fail = async (event) => {
  throw new OrderRejected(event.message ?? "no such order");
};

export const rejectText = async () => {
  throw "only text";
};

export const unhandledRejection = async () => {
  Promise.reject(new Error("nobody listens"));
  await pause(5000);
};

export const uncaught = async () => {
  setTimeout(() => {
    throw new Error("outside of the handler");
  }, 10);
  await pause(5000);
};

export const exit = async (event) => process.exit(event.code);

export const size = async (event) => "x".repeat(event.bytes - 2);

export const length = async (event) => ({ length: event.text.length });

export const nothing = async () => undefined;

export const log = async (event) => {
  console.log("log %s", event.text);
  console.error("error %s", event.text);
  console.info("two\nlines");
};

export const layers = async () => {
  const { answer } = await import("/opt/nodejs/node_modules/from-layer/index.mjs");
  return { answer, file: readFileSync("/opt/nodejs/node_modules/from-layer/index.mjs", "utf8") };
};

export const callAnother = async (event) => {
  const { LambdaClient, InvokeCommand } = await import("@aws-sdk/client-lambda");
  const answer = await new LambdaClient({}).send(
    new InvokeCommand({ FunctionName: event.function, Payload: JSON.stringify(event.payload) }),
  );
  return { status: answer.StatusCode, payload: JSON.parse(Buffer.from(answer.Payload).toString()) };
};

export const stream = awslambda.streamifyResponse(async (event, output, context) => {
  output.setContentType("text/plain");
  for (let index = 0; index < event.chunks; index++) {
    output.write(`chunk ${index}\n`);
    await pause(event.pause ?? 0);
  }
  output.end();
});

export const streamHttp = awslambda.streamifyResponse(async (event, output) => {
  const http = awslambda.HttpResponseStream.from(output, {
    statusCode: 201,
    headers: { "content-type": "text/html" },
    cookies: ["a=1"],
  });
  http.write("<p>streamed</p>");
  http.end();
});

export const streamLarge = awslambda.streamifyResponse(async (event, output) => {
  const block = Buffer.alloc(64 * 1024, "x");
  for (let sent = 0; sent < event.bytes; sent += block.length) {
    if (!output.write(block)) await new Promise((resolve) => output.once("drain", resolve));
  }
  output.end();
});

export const streamFail = awslambda.streamifyResponse(async (event, output) => {
  output.write("before ");
  await pause(50);
  throw new OrderRejected("in the middle");
});

export const streamTimeout = awslambda.streamifyResponse(async (event, output) => {
  output.write("before ");
  await pause(60000);
});
