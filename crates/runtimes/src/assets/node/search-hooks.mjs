// Lets `import` ask NODE_PATH, see search.mjs. Runs in a thread of its own.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// What Node.js finds there by the links comes in the order of NODE_PATH.
const LINKED = ["file:///opt/nodejs/", "file:///var/runtime/"];
let directories = [];

const isBare = (specifier) => !/^(\.{0,2}\/|\.{1,2}$|#|[a-z][a-z0-9+.-]*:)/i.test(specifier);

function lookIn(directory, specifier, context, next) {
  if (directory.endsWith("/node_modules")) {
    return next(specifier, { ...context, parentURL: pathToFileURL(`${directory}/../_`).href });
  }
  return next(pathToFileURL(createRequire(`${directory}/_`).resolve(`./${specifier}`)).href, context);
}

export function initialize(path) {
  directories = path;
}

export async function resolve(specifier, context, next) {
  if (!isBare(specifier)) return next(specifier, context);
  let found, error;
  try {
    found = await next(specifier, context);
  } catch (failure) {
    error = failure;
  }
  const isLinked = (place) => found.url.startsWith(place) && !context.parentURL?.startsWith(place);
  if (found && !LINKED.some(isLinked)) return found;
  for (const directory of directories) {
    try {
      return await lookIn(directory, specifier, context, next);
    } catch {
      // The next one may have it.
    }
  }
  if (found) return found;
  throw error;
}
