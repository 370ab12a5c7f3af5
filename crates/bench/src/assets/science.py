import numpy
import pandas


def handler(event, context):
    frame = pandas.DataFrame({"number": numpy.arange(4)})
    return {"numpy": numpy.__version__, "pandas": pandas.__version__, "sum": int(frame["number"].sum())}
