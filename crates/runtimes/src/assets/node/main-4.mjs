import { createRequire } from "node:module";
import { install as installSearch } from "./search.mjs";

const require = createRequire(import.meta.url);
require("./restored.cjs").install(() => require("./node_modules/aws-lambda-ric/rapid-client.node"));
installSearch();

await import("./node_modules/aws-lambda-ric/index.mjs");
