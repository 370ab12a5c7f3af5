import time


def handler(event, context):
    time.sleep(4)
    return {}
