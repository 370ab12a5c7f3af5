// Waits to become the runtime of one function. This client runs as it is imported: only what it needs is loaded before.
import { createRequire } from "node:module";
import "node:http";
import "node:net";
import "node:util";
import "/var/runtime/search.mjs";
import { become, warm } from "/.hearth/orders.mjs";

// Loaded, not installed: that is for the function's environment to decide.
createRequire(import.meta.url)("/var/runtime/restored.cjs");
await warm();
await become();
