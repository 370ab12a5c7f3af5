// Waits to become the runtime of one function. This client runs as it is imported: only what it needs is loaded before.
import "node:http";
import "node:net";
import "node:util";
import { become, warm } from "/.hearth/orders.mjs";

await warm();
become();
await import("/var/runtime/index.mjs");
