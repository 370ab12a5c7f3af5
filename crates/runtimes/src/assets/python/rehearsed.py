"""The function of a rehearsal: read, compiled and run as any other."""

import json

invocations = 0


def handler(event, context):
    global invocations
    invocations += 1
    print(json.dumps({"name": event.get("name", ""), "function": context.function_name, "id": context.aws_request_id}))
    return {"message": f"Hello, {event['name']}!", "invocation": invocations}
