"""Greets, and says which invocation this sandbox is at: module state lives as long as the sandbox."""

invocations = 0


def handler(event, context):
    global invocations
    invocations += 1
    print(f"greeting {event.get('name', 'world')}")
    return {
        "message": f"Hello, {event.get('name', 'world')}!",
        "function": context.function_name,
        "invocation": invocations,
    }
