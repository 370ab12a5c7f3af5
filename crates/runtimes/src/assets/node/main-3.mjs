import { createRequire } from "node:module";
import { install as installSearch } from "./search.mjs";
import { run } from "./node_modules/aws-lambda-ric/dist/index.mjs";

const require = createRequire(import.meta.url);
require("./restored.cjs").install(() => require("./node_modules/aws-lambda-ric/dist/rapid-client.node"));
installSearch();

await run(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
