import time


def handler(event, context):
    time.sleep(8)
    return {}
