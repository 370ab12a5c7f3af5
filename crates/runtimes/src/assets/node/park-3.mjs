// Waits, with the runtime client loaded, to become the runtime of one function.
import { createRequire } from "node:module";
import "/var/runtime/node_modules/aws-lambda-ric/dist/index.mjs";
import "/var/runtime/search.mjs";
import { become, warm } from "/.hearth/orders.mjs";

createRequire(import.meta.url)("/var/runtime/node_modules/aws-lambda-ric/dist/rapid-client.node");
// Loaded, not installed: that is for the function's environment to decide.
createRequire(import.meta.url)("/var/runtime/restored.cjs");
await warm();
await become();
