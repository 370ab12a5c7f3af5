// Greets, and says which invocation this sandbox is at: module state lives as long as the sandbox.

let invocations = 0;

export const handler = async (event, context) => {
  invocations += 1;
  console.log(`greeting ${event.name ?? "world"}`);
  return { message: `Hello, ${event.name ?? "world"}!`, function: context.functionName, invocation: invocations };
};
