import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
require("./restored.cjs").install(() => require("./node_modules/aws-lambda-ric/rapid-client.node"));

await import("./node_modules/aws-lambda-ric/index.mjs");
