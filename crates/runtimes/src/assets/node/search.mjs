// Where modules are found. As on AWS, `require` and `import` look in the directories above the file that asks, then in those of NODE_PATH;
// in Node.js itself `import` knows nothing of that variable. Two links above all code, /var/node_modules and /node_modules, lead it to the
// modules of layers and of the runtime. `require` is not to see them, as they would come before NODE_PATH; and `import` needs hooks,
// which take time, where NODE_PATH leads to yet another directory.
import fs from "node:fs";
import module from "node:module";

const LINKS = ["/var/node_modules", "/node_modules"];
// Linked to, or the function's and the runtime's own.
const KNOWN = ["/opt/nodejs/node_modules", "/var/runtime/node_modules", "/var/runtime", "/var/task"];

export function install() {
  const above = module._nodeModulePaths;
  module._nodeModulePaths = (from) => above(from).filter((directory) => !LINKS.includes(directory));
  const directories = (process.env.NODE_PATH ?? "").split(":").filter((directory) => directory.startsWith("/"));
  const needsHooks = directories.some((directory) => !KNOWN.includes(directory) && fs.existsSync(directory));
  // Node.js 18 has them from its last minor version on.
  if (needsHooks) module.register?.("/var/runtime/search-hooks.mjs", import.meta.url, { data: directories });
}
