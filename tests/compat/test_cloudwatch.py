"""CloudWatch through boto3, in each of its protocols."""
import json
import time
from datetime import datetime, timedelta, timezone

import pytest
from test_constraints import Service
from test_events import ACCOUNT, Queue, code, message

from weirtest import wait_for

ARN = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}"


@pytest.fixture
def cw(weir):
    return weir.client("cloudwatch")


@pytest.fixture
def space(request):
    """A namespace of the test's own."""
    return "T/" + request.node.name[:200].replace("[", "/").replace("]", "")


def minute(ago=0):
    """The start of a whole minute, so many before the last whole one."""
    now = datetime.now(timezone.utc).replace(second=0, microsecond=0)
    return now - timedelta(minutes=ago + 1)


def put(cw, space, name="m", values=(1,), at=None, **more):
    for v in values:
        cw.put_metric_data(Namespace=space, MetricData=[{"MetricName": name, "Value": v, "Timestamp": at or minute(), **more}])


def stats(cw, space, name="m", at=None, period=60, minutes=1, **more):
    start = at or minute()
    if not {"Statistics", "ExtendedStatistics"} & set(more):
        more["Statistics"] = ["SampleCount", "Sum", "Average", "Minimum", "Maximum"]
    points = cw.get_metric_statistics(Namespace=space, MetricName=name, StartTime=start, EndTime=start + timedelta(minutes=minutes),
                                      Period=period, **more)["Datapoints"]
    return sorted(points, key=lambda p: (p["Timestamp"], p["Unit"]))


def test_statistics(cw, space):
    at = minute()
    put(cw, space, values=[1, 2, 6], at=at + timedelta(seconds=17))
    assert stats(cw, space, at=at) == [{"Timestamp": at, "Unit": "None", "SampleCount": 3.0, "Sum": 9.0, "Average": 3.0, "Minimum": 1.0, "Maximum": 6.0}]
    assert stats(cw, space, at=at, Statistics=["Sum"]) == [{"Timestamp": at, "Unit": "None", "Sum": 9.0}]
    assert stats(cw, space, "other", at=at) == []
    assert stats(cw, space, at=at, Dimensions=[{"Name": "a", "Value": "b"}]) == []
