"""CloudWatch through boto3, in each of its protocols."""
import io
import json
import os
import struct
import sys
import urllib.error
import urllib.request
import zipfile
from datetime import datetime, timedelta, timezone

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from test_events import ACCOUNT, Queue, code, message

from weirtest import ROOT, wait_for

sys.path.insert(0, os.path.join(ROOT, "tests", "protocols"))
import readers  # noqa: E402

ARN = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}"


@pytest.fixture(scope="module")
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


def test_values_and_sets(cw, space):
    at = minute()
    cw.put_metric_data(Namespace=space, MetricData=[
        {"MetricName": "m", "Timestamp": at, "Values": [1, 2, 3], "Counts": [1, 2, 1], "Unit": "Seconds"},
        {"MetricName": "m", "Timestamp": at, "StatisticValues": {"SampleCount": 2, "Sum": 10, "Minimum": 4, "Maximum": 6}, "Unit": "Seconds"},
        {"MetricName": "m", "Timestamp": at, "Value": 7, "Unit": "Count"},
        {"MetricName": "m", "Timestamp": at, "Values": [9], "Counts": [0], "Unit": "Count"}])
    assert stats(cw, space, at=at) == [  # a point for each unit
        {"Timestamp": at, "Unit": "Count", "SampleCount": 1.0, "Sum": 7.0, "Average": 7.0, "Minimum": 7.0, "Maximum": 7.0},
        {"Timestamp": at, "Unit": "Seconds", "SampleCount": 6.0, "Sum": 18.0, "Average": 3.0, "Minimum": 1.0, "Maximum": 6.0}]
    assert [p["Sum"] for p in stats(cw, space, at=at, Unit="Seconds")] == [18.0]
    assert stats(cw, space, at=at, Unit="Bytes") == []
    # values that came as sums have no percentiles; a set of equal ones has
    assert stats(cw, space, at=at, Unit="Seconds", ExtendedStatistics=["p50"]) == []
    cw.put_metric_data(Namespace=space, MetricData=[{"MetricName": "e", "Timestamp": at, "StatisticValues": {"SampleCount": 2, "Sum": 8, "Minimum": 4, "Maximum": 4}}])
    assert stats(cw, space, "e", at=at, ExtendedStatistics=["p50"])[0]["ExtendedStatistics"] == {"p50": 4.0}


def test_percentiles(cw, space):
    at = minute()
    for part in range(2):
        cw.put_metric_data(Namespace=space, MetricData=[{"MetricName": "m", "Timestamp": at, "Values": list(range(1 + 50 * part, 51 + 50 * part))}])
    wanted = {"p0": 1, "p1": 1, "p50": 50, "p90": 90, "p99.9": 100, "p100": 100, "tm90": 45.5, "tc10": 10, "ts10": 55}
    names = list(wanted)
    assert stats(cw, space, at=at, ExtendedStatistics=names)[0]["ExtendedStatistics"] == wanted
    wanted = {"IQM": 50.5, "TM(10%:90%)": 50.5, "wm90": 50.0 - 4.5 + 4.05 + 0.0, "PR(:50)": 50, "TC(10:20)": 10, "TS(:3)": 6, "WM(10%:90%)": 50.4}
    got = stats(cw, space, at=at, ExtendedStatistics=list(wanted))[0]["ExtendedStatistics"]
    assert {k: v for k, v in got.items() if k not in ("wm90", "WM(10%:90%)")} == {k: v for k, v in wanted.items() if k not in ("wm90", "WM(10%:90%)")}
    assert got["wm90"] == pytest.approx((sum(range(1, 91)) + 10 * 90) / 100) and got["WM(10%:90%)"] == pytest.approx((sum(range(11, 91)) + 10 * 10 + 10 * 90) / 100)
    for bad in ("p101", "p", "p-1", "x50", "TM(90%:10%)", "TM(1:2%)", "PR(1%:2%)", "TM()", "Sum"):
        assert code(stats, cw=cw, space=space, ExtendedStatistics=[bad]) == "InvalidParameterValue", bad
    # many more different values than are kept one by one
    many = minute(1)
    for part in range(4):
        cw.put_metric_data(Namespace=space, MetricData=[{"MetricName": "n", "Timestamp": many, "Values": [i + part * 150.5 + 1 for i in range(150)]}])
    got = stats(cw, space, "n", at=many, ExtendedStatistics=["p50", "p90", "p100"], Statistics=["SampleCount", "Maximum"])[0]
    assert got["SampleCount"] == 600 and got["Maximum"] == got["ExtendedStatistics"]["p100"] == 601.5 - 0.5 + 0.5
    assert got["ExtendedStatistics"]["p50"] == pytest.approx(300, rel=0.04) and got["ExtendedStatistics"]["p90"] == pytest.approx(541, rel=0.04)


def test_periods(cw, space):
    hour = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    for m in range(0, 60, 4):
        put(cw, space, values=[m], at=hour + timedelta(minutes=m, seconds=59))
    for period in (60, 120, 300, 900, 3600):
        points = stats(cw, space, at=hour, period=period, minutes=60, Statistics=["Sum", "SampleCount"])
        assert sum(p["Sum"] for p in points) == sum(range(0, 60, 4)) and sum(p["SampleCount"] for p in points) == 15
        assert all((p["Timestamp"] - hour).total_seconds() % period == 0 for p in points)
    assert [(p["Timestamp"], p["Sum"]) for p in stats(cw, space, at=hour, period=3600, minutes=60, Statistics=["Sum"])] == [(hour, 420.0)]
    # from a start that is in no period's start
    start = hour + timedelta(minutes=2)
    assert [p["Timestamp"] for p in stats(cw, space, at=start, period=300, minutes=10, Statistics=["Sum"])] == [start, start + timedelta(minutes=5)]
    # by the second, where it is asked for
    for second in (1, 2, 11):
        put(cw, space, "fine", values=[second], at=hour + timedelta(seconds=second), StorageResolution=1)
    old = minute(200)
    put(cw, space, "fine", values=[1], at=old, StorageResolution=1)  # too old to be kept so finely
    assert [p["Sum"] for p in stats(cw, space, "fine", at=hour, period=10, Statistics=["Sum"])] == [3.0, 11.0]
    assert [p["Sum"] for p in stats(cw, space, "fine", at=hour, period=1, Statistics=["Sum"])] == [1.0, 2.0, 11.0]
    assert [p["Sum"] for p in stats(cw, space, "fine", at=hour, Statistics=["Sum"])] == [14.0]
    assert stats(cw, space, "fine", at=old, period=1) == [] and len(stats(cw, space, "fine", at=old)) == 1


@pytest.mark.parametrize("datum, wanted", [
    ({}, "MissingParameter"),
    ({"Value": 1.0, "StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 1, "Maximum": 1}}, "InvalidParameterCombination"),
    ({"Value": 1.0, "Values": [1.0]}, "InvalidParameterCombination"),
    ({"Values": [1.0], "Counts": [1.0, 2.0]}, "InvalidParameterValue"),
    ({"Values": [1.0], "Counts": [-1.0]}, "InvalidParameterValue"),
    ({"Values": [1.0] * 151}, "InvalidParameterValue"),
    ({"Value": float("nan")}, "InvalidParameterValue"),
    ({"Value": float("inf")}, "InvalidParameterValue"),
    ({"Value": 1e109}, "InvalidParameterValue"),
    ({"StatisticValues": {"SampleCount": 0, "Sum": 1, "Minimum": 1, "Maximum": 1}}, "InvalidParameterValue"),
    ({"StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 2, "Maximum": 1}}, "InvalidParameterCombination"),
    ({"Value": 1.0, "StorageResolution": 30}, "InvalidParameterValue"),
    ({"Value": 1.0, "Timestamp": "old"}, "InvalidParameterValue"),
    ({"Value": 1.0, "Timestamp": "new"}, "InvalidParameterValue"),
    ({"Value": 1.0, "Unit": "Parsecs"}, "ValidationError"),
    ({"Value": 1.0, "Dimensions": [{"Name": "a", "Value": "b"}] * 2}, "InvalidParameterValue"),
    ({"Value": 1.0, "Dimensions": [{"Name": f"a{i}", "Value": "b"} for i in range(31)]}, "ValidationError"),
    ({"Value": 1.0, "MetricName": ""}, "ValidationError")])
def test_bad_data(cw, datum, wanted):
    now = datetime.now(timezone.utc)
    times = {"old": now - timedelta(days=14, minutes=1), "new": now + timedelta(hours=2, minutes=1)}
    if "Timestamp" in datum:
        datum = {**datum, "Timestamp": times[datum["Timestamp"]]}
    good = {"MetricName": "good", "Value": 1.0}
    others = ["MalformedInput"] if str(datum.get("Value")) in ("nan", "inf") else []  # which some clients write so
    assert code(cw.put_metric_data, Namespace="T/bad", MetricData=[good, {"MetricName": "m", **datum}]) in (wanted, *others)
    assert stats(cw, "T/bad", "good", at=minute(-1)) == []  # all or nothing


def test_data_at_the_edges(cw, space):
    now = datetime.now(timezone.utc)
    for at in (now - timedelta(days=13, hours=23), now + timedelta(minutes=119)):
        put(cw, space, values=[1], at=at)
        assert [p["Sum"] for p in stats(cw, space, at=at.replace(second=0, microsecond=0), Statistics=["Sum"])] == [1.0]
    assert code(cw.put_metric_data, Namespace="AWS/Mine", MetricData=[{"MetricName": "m", "Value": 1.0}]) == "InvalidParameterValue"
    assert code(cw.put_metric_data, Namespace=space, MetricData=[{"MetricName": "m", "Value": 1.0}] * 1001) == "InvalidParameterValue"
    cw.put_metric_data(Namespace=space, MetricData=[{"MetricName": f"m{i}", "Value": 1.0} for i in range(1000)])
    assert len(cw.list_metrics(Namespace=space)["Metrics"]) == 500


def test_bad_statistics(cw, space):
    at = minute()
    for more in ({"Period": 7}, {"Period": 90}, {"EndTime": at}, {"Statistics": []}):
        asked = {"Namespace": space, "MetricName": "m", "StartTime": at, "EndTime": at + timedelta(hours=1), "Period": 60, "Statistics": ["Sum"], **more}
        if asked["Statistics"] == []:
            del asked["Statistics"]
        assert code(cw.get_metric_statistics, **asked) in ("InvalidParameterValue", "InvalidParameterCombination", "MissingParameter")
    assert "exceeds the limit of 1440" in message(cw.get_metric_statistics, Namespace=space, MetricName="m", StartTime=at - timedelta(days=2), EndTime=at,
                                                  Period=60, Statistics=["Sum"])


def test_list_metrics(cw, space):
    for name, dims in (("a", {}), ("a", {"x": "1"}), ("a", {"x": "1", "y": "2"}), ("b", {"x": "2"})):
        put(cw, space, name, Dimensions=[{"Name": k, "Value": v} for k, v in reversed(dims.items())])

    def listed(**asked):
        return sorted((m["MetricName"], "".join(d["Name"] + d["Value"] for d in m["Dimensions"])) for m in cw.list_metrics(Namespace=space, **asked)["Metrics"])
    assert listed() == [("a", ""), ("a", "x1"), ("a", "x1y2"), ("b", "x2")]
    assert listed(MetricName="a", Dimensions=[{"Name": "x"}]) == [("a", "x1"), ("a", "x1y2")]
    assert listed(Dimensions=[{"Name": "x", "Value": "2"}]) == [("b", "x2")]
    assert listed(RecentlyActive="PT3H") == listed()
    assert {"Namespace": space, "MetricName": "b", "Dimensions": [{"Name": "x", "Value": "2"}]} in cw.list_metrics(MetricName="b")["Metrics"]
    assert code(cw.list_metrics, NextToken="nonsense") == "InvalidNextToken"
    assert code(cw.list_metrics, IncludeLinkedAccounts=True) == "InvalidParameterValue"
    assert code(cw.list_metrics, OwningAccount="111111111111") == "InvalidParameterValue"


def test_list_metrics_pages(cw, space):
    cw.put_metric_data(Namespace=space, MetricData=[{"MetricName": f"m{i:03}", "Value": 1.0} for i in range(501)])
    first = cw.list_metrics(Namespace=space)
    second = cw.list_metrics(Namespace=space, NextToken=first["NextToken"])
    assert [m["MetricName"] for m in first["Metrics"] + second["Metrics"]] == [f"m{i:03}" for i in range(501)] and "NextToken" not in second
    assert code(cw.list_metrics, Namespace=space + "x", NextToken=first["NextToken"]) == "InvalidNextToken"


# --- GetMetricData --------------------------------------------------------------------------------------


def metric(space, name="m", id="m1", stat="Sum", period=60, returned=True, **more):
    return {"Id": id, "ReturnData": returned, "MetricStat": {"Metric": {"Namespace": space, "MetricName": name, **more}, "Period": period, "Stat": stat}}


def data(cw, queries, start, minutes=10, **more):
    return cw.get_metric_data(MetricDataQueries=queries, StartTime=start, EndTime=start + timedelta(minutes=minutes), **{"ScanBy": "TimestampAscending", **more})


@pytest.fixture
def series(cw, space):
    """m: 1, 2, 3, (none), 5 from `start` on; n: 10, 0, 30, 40."""
    start = minute(9)
    for name, values in (("m", [1, 2, 3, None, 5]), ("n", [10, 0, 30, 40])):
        for i, v in enumerate(values):
            if v is not None:
                put(cw, space, name, [v], at=start + timedelta(minutes=i))
    return start


def test_metric_data(cw, space, series):
    got = data(cw, [metric(space), metric(space, "n", "n1", returned=False), metric(space, "absent", "a1")], series)
    assert [(r["Id"], r["Label"], r["Values"], r["StatusCode"]) for r in got["MetricDataResults"]] == [
        ("m1", "m", [1.0, 2.0, 3.0, 5.0], "Complete"), ("a1", "absent", [], "Complete")]
    assert got["MetricDataResults"][0]["Timestamps"] == [series + timedelta(minutes=i) for i in (0, 1, 2, 4)]
    down = data(cw, [metric(space)], series, ScanBy="TimestampDescending")["MetricDataResults"][0]
    assert down["Values"] == [5.0, 3.0, 2.0, 1.0] == data(cw, [metric(space)], series, ScanBy="TimestampDescending")["MetricDataResults"][0]["Values"]
    # pages
    token, values = None, []
    for _ in range(10):
        page = data(cw, [metric(space), metric(space, "n", "n1")], series, MaxDatapoints=3, **({"NextToken": token} if token else {}))
        assert sum(len(r["Values"]) for r in page["MetricDataResults"]) <= 3
        values += [(r["Id"], v) for r in page["MetricDataResults"] for v in r["Values"]]
        token = page.get("NextToken")
        if not token:
            break
    assert values == [("m1", v) for v in (1.0, 2.0, 3.0, 5.0)] + [("n1", v) for v in (10.0, 0.0, 30.0, 40.0)]
    assert code(data, cw=cw, queries=[metric(space)], start=series, NextToken="x") == "InvalidNextToken"


@pytest.mark.parametrize("expression, wanted", [
    ("m1 + n1", [11, 2, 33]), ("m1 - 1", [0, 1, 2, 4]), ("2 * m1", [2, 4, 6, 10]), ("m1 / n1", [0.1, 0.1]), ("-m1", [-1, -2, -3, -5]),
    ("m1 ^ 2", [1, 4, 9, 25]), ("1 + 2 * m1 ^ 2", [3, 9, 19, 51]), ("(1 + m1) * 2", [4, 6, 8, 12]), ("m1 > 2", [0, 0, 1, 1]), ("m1 >= 2", [0, 1, 1, 1]),
    ("m1 == 2", [0, 1, 0, 0]), ("m1 != 2", [1, 0, 1, 1]), ("m1 > 1 AND m1 < 5", [0, 1, 1, 0]), ("m1 < 2 OR m1 > 3", [1, 0, 0, 1]),
    ("m1 < 2 || m1 > 3 && 0", [1, 0, 0, 0]), ("IF(m1 > 2, n1, 0)", [0, 0, 30]), ("IF(m1 > 2, m1)", [3, 5]), ("IF(m1 > 2, 1, 0)", [0, 0, 1, 1]),
    ("IF(1, m1, n1)", [1, 2, 3, 5]), ("ABS(m1 - 3)", [2, 1, 0, 2]), ("CEIL(m1 / 2)", [1, 1, 2, 3]), ("FLOOR(m1 / 2)", [0, 1, 1, 2]), ("LOG10(n1)", [1, 1.4771212547196624, 1.6020599913279623]),
    ("SUM([m1, n1])", [11, 2, 33, 40, 5]), ("AVG([m1, n1])", [5.5, 1, 16.5, 40, 5]), ("MIN([m1, n1])", [1, 0, 3, 40, 5]), ("MAX([m1, n1])", [10, 2, 30, 40, 5]),
    ("SUM(METRICS())", [11, 2, 33, 40, 5]), ("SUM(METRICS(\"n\"))", [10, 0, 30, 40]), ("STDDEV([m1, n1])", [4.5, 1, 13.5, 0, 0]), ("m1 * 0 + SUM(m1)", [11] * 4),
    ("m1 * 0 + AVG(m1)", [2.75] * 4), ("m1 * 0 + MAX(m1) - MIN(m1)", [4] * 4), ("m1 * 0 + DATAPOINT_COUNT(m1)", [4] * 4), ("m1 * PERIOD(m1)", [60, 120, 180, 300]),
    ("m1 * METRIC_COUNT(METRICS())", [2, 4, 6, 10]), ("RUNNING_SUM(m1)", [1, 3, 6, 11]), ("DIFF(m1)", [1, 1, 2]), ("DIFF_TIME(m1)", [60, 60, 120]),
    ("RATE(m1) * 60", [1, 1, 1]), ("FILL(m1, 0)", [1, 2, 3, 0, 5] + [0] * 5), ("FILL(m1, REPEAT)", [1, 2, 3, 3, 5] + [5] * 5), ("FILL(m1, LINEAR)", [1, 2, 3, 4, 5]),
    ("TIME_SERIES(7)", [7] * 10), ("FIRST(METRICS())", [1, 2, 3, 5]), ("LAST(METRICS())", [10, 0, 30, 40]), ("FIRST(SLICE(METRICS(), 1))", [10, 0, 30, 40]),
    ("FIRST(SORT(METRICS(), SUM, DESC))", [10, 0, 30, 40]), ("FIRST(REMOVE_EMPTY([a1, n1]))", [10, 0, 30, 40]), ("e0 + 1", [3, 5, 7, 11])])
def test_math(cw, space, series, expression, wanted):
    queries = [metric(space, returned=False), metric(space, "n", "n1", returned=False), metric(space, "absent", "a1", returned=False),
               {"Id": "e0", "Expression": "m1 * 2", "ReturnData": False}, {"Id": "e1", "Expression": expression, "Label": "L"}]
    if "METRICS" in expression:
        del queries[2]
    got = data(cw, queries, series)["MetricDataResults"]
    assert [(r["Id"], r["Label"]) for r in got] == [("e1", "L")] and got[0]["Values"] == pytest.approx(wanted)


def test_math_arrays(cw, space, series):
    got = data(cw, [metric(space), metric(space, "n", "n1", returned=False), {"Id": "e1", "Expression": "METRICS() * 2"}], series)["MetricDataResults"]
    assert [(r["Id"], r["Label"], r["Values"][0]) for r in got] == [("m1", "m", 1.0), ("e1", "e1 m", 2.0), ("e1", "e1 n", 20.0)]
    got = data(cw, [metric(space, returned=False), {"Id": "e1", "Expression": "HOUR(m1) * 100 + MINUTE(m1)"}, {"Id": "e2", "Expression": "YEAR(m1) * 10000 + MONTH(m1) * 100 + DATE(m1)"},
                    {"Id": "e3", "Expression": "DAY(m1)"}, {"Id": "e4", "Expression": "EPOCH(m1)"}], series)["MetricDataResults"]
    at = series.astimezone(timezone.utc)
    assert [r["Values"][0] for r in got] == [at.hour * 100 + at.minute, at.year * 10000 + at.month * 100 + at.day, at.isoweekday(), at.timestamp()]


def test_search(cw, space):
    """What a search finds, in GetMetricData and within expressions; the grammar has a test of its own."""
    at = minute()
    for n, (name, dims) in enumerate([("Errors", {"Function": "orders"}), ("Errors", {"Function": "bills"}), ("Errors", {"Function": "orders", "Stage": "x"}),
                                      ("Calls", {"Function": "orders"}), ("Errors", {})]):
        put(cw, space, name, [n + 1], at=at, Dimensions=[{"Name": k, "Value": v} for k, v in dims.items()])

    def found(expression, **more):
        got = data(cw, [{"Id": "e1", "Expression": expression, **more}], at)["MetricDataResults"]
        assert all(r["Id"] == "e1" and len(r["Timestamps"]) == 1 for r in got)
        return {r["Label"]: r["Values"][0] for r in got}
    schema = '{"%s",Function}' % space
    assert found(f"SEARCH('{schema}', 'Sum', 60)") == {"e1 orders Calls": 4, "e1 bills Errors": 2, "e1 orders Errors": 1}
    assert found(f"SEARCH('{schema} MetricName=\"Errors\"', 'Sum', 60)", Label="L") == {"L bills Errors": 2, "L orders Errors": 1}
    assert found(f"SEARCH('{schema} errors NOT bills', 'Sum')", Period=60) == {"e1 orders Errors": 1}
    assert found("SEARCH('{\"%s\"}', 'SampleCount', 300)" % space) == {"e1 Errors": 1}
    assert found(f"SUM(SEARCH('{schema} errors', 'Maximum', 60)) * 10") == {"e1": 30}
    assert found(f"SEARCH('Namespace=\"{space}\" Stage=x', 'Sum', 60)") == {"e1 orders x Errors": 3}
    assert found("SEARCH('{\"%s\",Nothing}', 'Sum', 60)" % space) == {}
    # alarms do not search
    asked = [{"Id": "e1", "Expression": f"SUM(SEARCH('{schema}', 'Sum', 60))", "Period": 60, "ReturnData": True}]
    assert "SEARCH is not supported" in message(cw.put_metric_alarm, AlarmName="s", Metrics=asked, EvaluationPeriods=1, Threshold=1, ComparisonOperator="LessThanThreshold")


@pytest.mark.parametrize("expression", ["m1 +", "(m1", "m1)", "x9", "NONSENSE(m1)", "SUM()", "SUM(m1, m1)", "e1", "5", "SUM(m1)", "SEARCH('{a,b', 'Sum')", "SEARCH('', 'Sum')", "SEARCH('{a}')", "SEARCH(a, 'Sum')",
    "SEARCH('{a}', 'Median')", "SEARCH('{a}', 'Sum', 7)", "[m1", "\"a\" + 1", "m1 m1",
                                        "ANOMALY_DETECTION_BAND(m1)", "SORT(METRICS(), SUM, UP)", "FILL(m1, NEVER)", "SELECT AVG(a) FROM b", "-" * 100 + "m1", "((" * 100])
def test_bad_math(cw, space, expression):
    assert code(data, cw=cw, queries=[metric(space), {"Id": "e1", "Expression": expression}], start=minute(10)) == "ValidationError"


@pytest.mark.parametrize("queries", [
    [{"Id": "M", "Expression": "1"}], [{"Id": "a"}], [{"Id": "a", "Expression": "TIME_SERIES(1)"}] * 2, [{"Id": "a", "Expression": "TIME_SERIES(1)", "Label": "${MAX}"}],
    [{"Id": "a", "Expression": "TIME_SERIES(1)", "AccountId": "111111111111"}], [metric("a", stat="p101")], [metric("a", period=7)], [{"Id": "a", "Expression": "TIME_SERIES(1)", "Period": 7}], []])
def test_bad_queries(cw, queries):
    assert code(data, cw=cw, queries=queries, start=minute(10)) == "ValidationError"


def test_bad_data_requests(cw, space):
    for more in ({"MaxDatapoints": 0}, {"MaxDatapoints": 100801}, {"LabelOptions": {"Timezone": "+0100"}}, {"minutes": 0}):
        assert code(data, cw=cw, queries=[metric(space)], start=minute(10), **more) == "ValidationError"


# --- alarms ---------------------------------------------------------------------------------------------


def alarm(cw, space, name=None, **more):
    name = name or "a-" + space[2:].replace("/", "-")
    cw.put_metric_alarm(**{"AlarmName": name, "Namespace": space, "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 5.0,
                           "ComparisonOperator": "GreaterThanThreshold", **more})
    return name


def described(cw, name, kind="MetricAlarm"):
    got = cw.describe_alarms(AlarmNames=[name], AlarmTypes=[kind])
    found = got["MetricAlarms" if kind == "MetricAlarm" else "CompositeAlarms"]
    return found[0] if found else None


def becomes(cw, name, state, kind="MetricAlarm"):
    """The alarm once it is in this state."""
    return wait_for(lambda: (lambda a: a if a and a["StateValue"] == state else None)(described(cw, name, kind)), seconds=15)


def test_alarm_record(cw, space, weir):
    topic = weir.client("sns").create_topic(Name="alarm-record")["TopicArn"]
    asked = {"AlarmDescription": "d", "ActionsEnabled": False, "OKActions": [topic], "AlarmActions": [topic], "InsufficientDataActions": [topic],
             "Dimensions": [{"Name": "x", "Value": "1"}], "Unit": "Seconds", "EvaluationPeriods": 3, "DatapointsToAlarm": 2, "TreatMissingData": "ignore"}
    name = alarm(cw, space, **asked, Tags=[{"Key": "k", "Value": "v"}])
    seen = described(cw, name)
    assert {k: seen[k] for k in asked} == asked
    assert seen["AlarmArn"] == f"{ARN}:alarm:{name}" and seen["StateValue"] == "INSUFFICIENT_DATA" and seen["StateReason"] == "Unchecked: Initial alarm creation"
    assert (seen["Period"], seen["Threshold"], seen["Statistic"], seen["ComparisonOperator"]) == (60, 5.0, "Sum", "GreaterThanThreshold")
    assert cw.list_tags_for_resource(ResourceARN=seen["AlarmArn"])["Tags"] == [{"Key": "k", "Value": "v"}]
    cw.enable_alarm_actions(AlarmNames=[name, "absent"])
    assert described(cw, name)["ActionsEnabled"] is True
    cw.disable_alarm_actions(AlarmNames=[name])
    assert described(cw, name)["ActionsEnabled"] is False
    cw.put_metric_alarm(AlarmName=name, Namespace=space, MetricName="m", ExtendedStatistic="p99", Period=10, EvaluationPeriods=1, Threshold=1,
                        ComparisonOperator="LessThanThreshold", EvaluateLowSampleCountPercentile="ignore")
    seen = described(cw, name)
    assert seen["ExtendedStatistic"] == "p99" and seen["EvaluateLowSampleCountPercentile"] == "ignore" and "AlarmDescription" not in seen and "Unit" not in seen
    for_metric = cw.describe_alarms_for_metric(Namespace=space, MetricName="m")["MetricAlarms"]
    assert [a["AlarmName"] for a in for_metric] == [name]
    assert cw.describe_alarms_for_metric(Namespace=space, MetricName="m", Period=60)["MetricAlarms"] == []
    assert cw.describe_alarms_for_metric(Namespace=space, MetricName="m", Dimensions=asked["Dimensions"])["MetricAlarms"] == []
    cw.delete_alarms(AlarmNames=[name])
    assert described(cw, name) is None and code(cw.delete_alarms, AlarmNames=[name]) == "ResourceNotFound"
    assert code(cw.list_tags_for_resource, ResourceARN=seen["AlarmArn"]) == "ResourceNotFoundException"
    history = cw.describe_alarm_history(AlarmName=name, HistoryItemType="ConfigurationUpdate", ScanBy="TimestampAscending")["AlarmHistoryItems"]
    assert [h["HistorySummary"].split()[-1] for h in history] == ["created", "updated", "deleted"]


@pytest.mark.parametrize("more", [
    {"ComparisonOperator": None}, {"EvaluationPeriods": None}, {"Threshold": None}, {"Period": None}, {"Period": 7}, {"Period": 5}, {"Statistic": None}, {"ExtendedStatistic": "p9"},
    {"Statistic": None, "ExtendedStatistic": "Sum"}, {"Statistic": None, "ExtendedStatistic": "p101"}, {"MetricName": None}, {"Namespace": None}, {"DatapointsToAlarm": 2},
    {"TreatMissingData": "x"}, {"EvaluateLowSampleCountPercentile": "ignore"}, {"Statistic": None, "ExtendedStatistic": "p9", "EvaluateLowSampleCountPercentile": "x"},
    {"EvaluationPeriods": 1441}, {"Period": 3600, "EvaluationPeriods": 169}, {"ComparisonOperator": "GreaterThanUpperThreshold"}, {"ThresholdMetricId": "m1"},
    {"AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop"]}, {"AlarmActions": ["nonsense"]}, {"Metrics": [{"Id": "m1", "Expression": "1"}]}])
def test_bad_alarm(cw, space, more):
    asked = {"AlarmName": "bad", "Namespace": space, "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 5.0,
             "ComparisonOperator": "GreaterThanThreshold", **more}
    assert code(cw.put_metric_alarm, **{k: v for k, v in asked.items() if v is not None}) == "ValidationError"
    assert described(cw, "bad") is None


@pytest.mark.parametrize("metrics", [
    [metric("a"), metric("a", id="m2")], [metric("a", returned=False)], [metric("a"), metric("a", id="m2", period=300, returned=False)], [{"Id": "e1", "Expression": "TIME_SERIES(1)"}],
    [metric("a", id=f"m{i}", returned=i == 0) for i in range(21)]])
def test_bad_math_alarm(cw, metrics):
    assert code(cw.put_metric_alarm, AlarmName="bad", Metrics=metrics, EvaluationPeriods=1, Threshold=1, ComparisonOperator="LessThanThreshold") == "ValidationError"


@pytest.mark.parametrize("operator, threshold, states", [
    ("GreaterThanThreshold", 5.0, ["OK", "OK", "ALARM"]), ("GreaterThanOrEqualToThreshold", 5.0, ["OK", "ALARM", "ALARM"]),
    ("LessThanThreshold", 5.0, ["ALARM", "OK", "OK"]), ("LessThanOrEqualToThreshold", 5.0, ["ALARM", "ALARM", "OK"])])
def test_comparisons(cw, space, operator, threshold, states):
    for value, state in zip((4, 5, 6), states):
        put(cw, space, f"m{value}", [value])
        name = alarm(cw, space, f"{operator}-{value}", MetricName=f"m{value}", ComparisonOperator=operator, Threshold=threshold)
        seen = becomes(cw, name, state)
        assert seen["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [%.1f (" % value)
        assert json.loads(seen["StateReasonData"])["recentDatapoints"] == [float(value)]


@pytest.mark.parametrize("treat, state", [("missing", "INSUFFICIENT_DATA"), ("ignore", "INSUFFICIENT_DATA"), ("breaching", "ALARM"), ("notBreaching", "OK")])
def test_no_data(cw, space, treat, state):
    name = alarm(cw, space, TreatMissingData=treat)
    seen = becomes(cw, name, state)
    assert "EvaluationState" not in seen
    cw.set_alarm_state(AlarmName=name, StateValue="OK" if state != "OK" else "ALARM", StateReason="by hand", StateReasonData='{"a": 1}')
    seen = described(cw, name)
    assert (seen["StateReason"], seen["StateReasonData"]) == ("by hand", '{"a": 1}')


def test_data_wakes(cw, space):
    """An alarm without data does nothing until some comes."""
    name = alarm(cw, space, Period=10)
    put(cw, space, values=[7], at=datetime.now(timezone.utc) - timedelta(seconds=11), StorageResolution=1)
    assert becomes(cw, name, "ALARM")["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [7.0 (")
    history = cw.describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert history[0]["HistorySummary"] == "Alarm updated from INSUFFICIENT_DATA to ALARM" and history[0]["AlarmType"] == "MetricAlarm"
    assert json.loads(history[0]["HistoryData"])["newState"]["stateValue"] == "ALARM"


def test_m_out_of_n(cw, space):
    for ago, v in ((2, 9), (1, 1), (0, 9)):
        put(cw, space, values=[v], at=minute(ago))
    assert becomes(cw, alarm(cw, space, EvaluationPeriods=3, DatapointsToAlarm=2), "ALARM")
    assert becomes(cw, alarm(cw, space, "all-" + space[-20:].replace("/", "-"), EvaluationPeriods=3), "OK")


def test_percentile_alarm(cw, space):
    cw.put_metric_data(Namespace=space, MetricData=[{"MetricName": "m", "Timestamp": minute(), "Values": [1, 9], "Counts": [95, 5]}])
    common = {"Namespace": space, "MetricName": "m", "Period": 60, "EvaluationPeriods": 1, "Threshold": 5, "ComparisonOperator": "GreaterThanThreshold"}
    for stat, low, state in (("p90", "evaluate", "OK"), ("p99", "evaluate", "ALARM"), ("p99", "ignore", "INSUFFICIENT_DATA"), ("p90", "ignore", "OK")):
        cw.put_metric_alarm(AlarmName=f"pc-{stat}-{low}", ExtendedStatistic=stat, EvaluateLowSampleCountPercentile=low, **common)
    for stat, low, state in (("p90", "evaluate", "OK"), ("p99", "evaluate", "ALARM"), ("p90", "ignore", "OK"), ("p99", "ignore", "INSUFFICIENT_DATA")):
        assert becomes(cw, f"pc-{stat}-{low}", state)


def test_math_alarm(cw, space):
    put(cw, space, "m", [8])
    put(cw, space, "n", [2])
    metrics = [metric(space, returned=False, Dimensions=[]), metric(space, "n", "n1", returned=False, Dimensions=[]),
               {"Id": "e1", "Expression": "m1 / n1", "Label": "ratio", "ReturnData": True}]
    cw.put_metric_alarm(AlarmName="math", Metrics=metrics, EvaluationPeriods=1, Threshold=3, ComparisonOperator="GreaterThanThreshold")
    seen = becomes(cw, "math", "ALARM")
    assert "4.0" in seen["StateReason"] and seen["Metrics"] == metrics and "MetricName" not in seen
    put(cw, space, "m", [-8])
    assert becomes(cw, "math", "OK")


def test_describe(cw, space):
    names = sorted(alarm(cw, space, f"list-{i}") for i in range(5))
    first = cw.describe_alarms(AlarmNamePrefix="list-", MaxRecords=3)
    rest = cw.describe_alarms(AlarmNamePrefix="list-", MaxRecords=3, NextToken=first["NextToken"])
    assert [a["AlarmName"] for a in first["MetricAlarms"] + rest["MetricAlarms"]] == names and "NextToken" not in rest
    assert code(cw.describe_alarms, AlarmNamePrefix="other", NextToken=first["NextToken"]) == "InvalidNextToken"
    cw.set_alarm_state(AlarmName="list-2", StateValue="OK", StateReason="r")
    assert [a["AlarmName"] for a in cw.describe_alarms(AlarmNamePrefix="list-", StateValue="OK")["MetricAlarms"]] == ["list-2"]
    assert cw.describe_alarms(AlarmNamePrefix="list-", ActionPrefix="arn:")["MetricAlarms"] == []
    assert cw.describe_alarms(AlarmNames=["list-1"], AlarmTypes=["CompositeAlarm"])["MetricAlarms"] == []
    assert code(cw.describe_alarms, AlarmNames=["a"], AlarmNamePrefix="a") == "InvalidParameterCombination"
    assert code(cw.set_alarm_state, AlarmName="absent", StateValue="OK", StateReason="r") == "ResourceNotFound"
    assert code(cw.set_alarm_state, AlarmName="list-1", StateValue="OK", StateReason="r", StateReasonData="{") == "InvalidFormat"
    assert code(cw.delete_alarms, AlarmNames=["list-1", "absent"]) == "ResourceNotFound" and described(cw, "list-1")


def test_history(cw, space):
    name = alarm(cw, space)
    for state in ("OK", "ALARM", "OK"):
        cw.set_alarm_state(AlarmName=name, StateValue=state, StateReason="r")
    page = cw.describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate", MaxRecords=2)
    more = cw.describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate", MaxRecords=2, NextToken=page["NextToken"])
    assert [h["HistorySummary"].split()[-1] for h in page["AlarmHistoryItems"] + more["AlarmHistoryItems"]] == ["OK", "ALARM", "OK"]
    everything = cw.describe_alarm_history(StartDate=minute(), MaxRecords=5)["AlarmHistoryItems"]
    assert everything[0]["AlarmName"] == name
    assert cw.describe_alarm_history(AlarmName=name, EndDate=minute(60))["AlarmHistoryItems"] == []
    assert cw.describe_alarm_history(AlarmName=name, AlarmTypes=["CompositeAlarm"])["AlarmHistoryItems"] == []
    assert code(cw.describe_alarm_history, NextToken="x") == "InvalidNextToken"


# --- what alarms do ---------------------------------------------------------------------------------------


def test_actions(cw, space, weir):
    """To a topic with the policy that it is made with, and to the default bus, each in its form."""
    sns, sqs, events = weir.client("sns"), weir.client("sqs"), weir.client("events")
    letters, happenings = Queue(sqs, "alarm-letters", "sns.amazonaws.com"), Queue(sqs, "alarm-events")
    topic = sns.create_topic(Name="alarm-topic")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=letters.arn)
    name = alarm(cw, space, "acts", AlarmActions=[topic], AlarmDescription="d", Dimensions=[{"Name": "x", "Value": "1"}], TreatMissingData="missing")
    events.put_rule(Name="alarms", EventPattern=json.dumps({"source": ["aws.cloudwatch"], "detail": {"alarmName": [name], "state": {"value": ["ALARM"]}}}))
    events.put_targets(Rule="alarms", Targets=[{"Id": "1", "Arn": happenings.arn}])
    put(cw, space, values=[7], Dimensions=[{"Name": "x", "Value": "1"}])
    becomes(cw, name, "ALARM")
    letter = letters.bodies()[0]
    assert letter["Subject"] == 'ALARM: "acts" in US East (N. Virginia)'
    told = json.loads(letter["Message"])
    assert (told["AlarmName"], told["NewStateValue"], told["OldStateValue"], told["AWSAccountId"]) == (name, "ALARM", "INSUFFICIENT_DATA", ACCOUNT)
    assert told["Trigger"]["MetricName"] == "m" and told["Trigger"]["Dimensions"] == [{"value": "1", "name": "x"}] and told["Trigger"]["Statistic"] == "SUM"
    event = happenings.bodies()[0]
    assert (event["detail-type"], event["resources"]) == ("CloudWatch Alarm State Change", [f"{ARN}:alarm:{name}"])
    detail = event["detail"]
    assert detail["state"]["value"] == "ALARM" and detail["previousState"]["value"] == "INSUFFICIENT_DATA"
    assert detail["configuration"]["metrics"][0]["metricStat"]["metric"] == {"namespace": space, "name": "m", "dimensions": {"x": "1"}}
    done = cw.describe_alarm_history(AlarmName=name, HistoryItemType="Action")["AlarmHistoryItems"]
    assert [h["HistorySummary"] for h in done] == [f"Successfully executed action {topic}"]
    # a policy that forbids it, and actions that are switched off
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish", "Resource": topic}]}))
    cw.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="r")
    cw.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="r")
    done = cw.describe_alarm_history(AlarmName=name, HistoryItemType="Action")["AlarmHistoryItems"]
    assert done[0]["HistorySummary"] == f"Failed to execute action {topic}"
    cw.disable_alarm_actions(AlarmNames=[name])
    cw.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="r")
    cw.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="r")
    assert len(cw.describe_alarm_history(AlarmName=name, HistoryItemType="Action")["AlarmHistoryItems"]) == 2


# --- composite alarms -------------------------------------------------------------------------------------


def test_composite(cw, space):
    for name in ("c-a", "c-b"):
        alarm(cw, space, name)
    cw.put_composite_alarm(AlarmName="c-top", AlarmRule='ALARM("c-a") AND NOT OK(c-b)', AlarmDescription="d", Tags=[{"Key": "k", "Value": "v"}])
    seen = becomes(cw, "c-top", "OK", "CompositeAlarm")
    assert (seen["AlarmRule"], seen["AlarmDescription"], seen["AlarmArn"]) == ('ALARM("c-a") AND NOT OK(c-b)', "d", f"{ARN}:alarm:c-top")
    assert cw.list_tags_for_resource(ResourceARN=seen["AlarmArn"])["Tags"] == [{"Key": "k", "Value": "v"}]
    cw.set_alarm_state(AlarmName="c-a", StateValue="ALARM", StateReason="r")
    seen = becomes(cw, "c-top", "ALARM", "CompositeAlarm")
    assert seen["StateReason"].startswith(f"{ARN}:alarm:c-a transitioned to ALARM at ")
    assert json.loads(seen["StateReasonData"])["triggeringAlarms"][0]["arn"] == f"{ARN}:alarm:c-a"
    cw.set_alarm_state(AlarmName="c-b", StateValue="OK", StateReason="r")
    assert becomes(cw, "c-top", "OK", "CompositeAlarm")
    assert cw.describe_alarms(AlarmNames=["c-top"])["MetricAlarms"] == [] and "CompositeAlarms" in cw.describe_alarms(AlarmNames=["c-top"], AlarmTypes=["CompositeAlarm"])
    assert sorted(a["AlarmName"] for a in cw.describe_alarms(ChildrenOfAlarmName="c-top")["MetricAlarms"]) == ["c-a", "c-b"]
    assert [a["AlarmName"] for a in cw.describe_alarms(ParentsOfAlarmName="c-a")["CompositeAlarms"]] == ["c-top"]
    assert code(cw.describe_alarms, ParentsOfAlarmName="c-a", AlarmNames=["c-a"]) == "InvalidParameterCombination"
    assert code(cw.delete_alarms, AlarmNames=["c-a"]) == "ValidationError"
    assert "do not exist" in message(cw.put_composite_alarm, AlarmName="c-x", AlarmRule="ALARM(absent)")
    cw.put_composite_alarm(AlarmName="c-over", AlarmRule="ALARM(c-top)")
    assert "leads back" in message(cw.put_composite_alarm, AlarmName="c-top", AlarmRule="ALARM(c-over)")
    assert code(cw.put_metric_alarm, AlarmName="c-top", Namespace=space, MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
                ComparisonOperator="LessThanThreshold") == "ValidationError"
    cw.delete_alarms(AlarmNames=["c-a", "c-b", "c-top", "c-over"])


@pytest.mark.parametrize("rule", ["", "ALARM", "ALARM()", "ALARM(k", "ALARM(k))", "ALARM(k) AND", "AND ALARM(k)", "ALARM(k) ALARM(k)", "NOT", "MAYBE(k)", "(TRUE", "TRUE FALSE", 'ALARM("k)',
                                  "(" * 100 + "TRUE" + ")" * 100, "NOT " * 100 + "TRUE", "ALARM(arn:aws:cloudwatch:eu-west-1:000000000000:alarm:k)"])
def test_bad_rule(cw, space, rule):
    alarm(cw, space, "k")
    assert code(cw.put_composite_alarm, AlarmName="bad-rule", AlarmRule=rule) == "ValidationError"


def test_suppression(cw, space, weir):
    topic = weir.client("sns").create_topic(Name="quiet")["TopicArn"]
    for name in ("q-child", "q-quiet"):
        alarm(cw, space, name)
    common = {"AlarmName": "q-top", "AlarmRule": "ALARM(q-child)", "AlarmActions": [topic]}
    for bad in ({"ActionsSuppressor": "q-quiet"}, {"ActionsSuppressorWaitPeriod": 1, "ActionsSuppressorExtensionPeriod": 1},
                {"ActionsSuppressor": "absent", "ActionsSuppressorWaitPeriod": 1, "ActionsSuppressorExtensionPeriod": 1}):
        assert code(cw.put_composite_alarm, **common, **bad) == "ValidationError"
    cw.put_composite_alarm(**common, ActionsSuppressor="q-quiet", ActionsSuppressorWaitPeriod=0, ActionsSuppressorExtensionPeriod=0)
    becomes(cw, "q-top", "OK", "CompositeAlarm")
    cw.set_alarm_state(AlarmName="q-quiet", StateValue="ALARM", StateReason="r")
    cw.set_alarm_state(AlarmName="q-child", StateValue="ALARM", StateReason="r")
    seen = becomes(cw, "q-top", "ALARM", "CompositeAlarm")
    assert (seen["ActionsSuppressedBy"], seen["ActionsSuppressor"]) == ("Alarm", "q-quiet")

    def acted():
        return [h["HistorySummary"] for h in cw.describe_alarm_history(AlarmName="q-top", AlarmTypes=["CompositeAlarm"], HistoryItemType="Action")["AlarmHistoryItems"]]
    assert acted() == []
    cw.set_alarm_state(AlarmName="q-quiet", StateValue="OK", StateReason="r")
    wait_for(lambda: acted() == [f"Successfully executed action {topic}"])
    assert "ActionsSuppressedBy" not in described(cw, "q-top", "CompositeAlarm")


# --- dashboards -------------------------------------------------------------------------------------------


def test_dashboards(cw):
    body = json.dumps({"widgets": [{"type": "text", "x": 0, "y": 0, "width": 3, "height": 3, "properties": {"markdown": "hello"}}]})
    assert cw.put_dashboard(DashboardName="d-1", DashboardBody=body)["DashboardValidationMessages"] == []
    cw.put_dashboard(DashboardName="d-2", DashboardBody='{"widgets": []}')
    seen = cw.get_dashboard(DashboardName="d-1")
    assert (seen["DashboardArn"], seen["DashboardBody"], seen["DashboardName"]) == (f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/d-1", body, "d-1")
    listed = cw.list_dashboards(DashboardNamePrefix="d-")["DashboardEntries"]
    assert [(d["DashboardName"], d["Size"]) for d in listed] == [("d-1", len(body)), ("d-2", 15)]
    cw.tag_resource(ResourceARN=seen["DashboardArn"], Tags=[{"Key": "k", "Value": "v"}])
    assert cw.list_tags_for_resource(ResourceARN=seen["DashboardArn"])["Tags"] == [{"Key": "k", "Value": "v"}]
    cw.delete_dashboards(DashboardNames=["d-1"])
    assert code(cw.get_dashboard, DashboardName="d-1") == "ResourceNotFound" and code(cw.delete_dashboards, DashboardNames=["d-2", "d-1"]) == "ResourceNotFound"
    assert cw.get_dashboard(DashboardName="d-2")
    for name, bad in (("a b", "{}"), ("a", "{"), ("a", "[]"), ("a", "{}"), ("a", '{"widgets": [1]}'), ("a", '{"widgets": [{"type": "x"}]}'), ("a", '{"widgets": [{"type": "text"}]}')):
        assert code(cw.put_dashboard, DashboardName=name, DashboardBody=bad) == "InvalidParameterInput"
    assert code(cw.list_dashboards, NextToken="x") == "InvalidParameterValue"


def test_tags(cw, space):
    name = alarm(cw, space)
    arn = f"{ARN}:alarm:{name}"
    cw.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    cw.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert cw.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    for call, more in ((cw.tag_resource, {"Tags": [{"Key": "a", "Value": "1"}]}), (cw.untag_resource, {"TagKeys": ["a"]}), (cw.list_tags_for_resource, {})):
        assert code(call, ResourceARN=arn + "x", **more) == "ResourceNotFoundException"
    assert code(cw.tag_resource, ResourceARN=arn, Tags=[{"Key": "aws:a", "Value": "1"}]) == "InvalidParameterValue"


# --- protocols --------------------------------------------------------------------------------------------


def to_cbor(v):
    """RFC 8949, as much as requests need; a time is a tagged number."""
    def head(major, n):
        size = next(i for i, top in enumerate((24, 1 << 8, 1 << 16, 1 << 32, 1 << 64)) if n < top)
        return bytes([major << 5 | (n if size == 0 else 23 + size)]) + (n.to_bytes(1 << size - 1, "big") if size else b"")
    if isinstance(v, dict):
        return head(5, len(v)) + b"".join(to_cbor(k) + to_cbor(x) for k, x in v.items())
    if isinstance(v, list):
        return head(4, len(v)) + b"".join(map(to_cbor, v))
    if isinstance(v, str):
        return head(3, len(v.encode())) + v.encode()
    if isinstance(v, bool):
        return b"\xf5" if v else b"\xf4"
    if isinstance(v, datetime):
        return b"\xc1" + to_cbor(v.timestamp())
    return head(0, v) if isinstance(v, int) else b"\xfb" + struct.pack(">d", v)


class Protocol:
    """An operation in one of the three protocols: asked by JSON's types, answered by them; times are seconds."""

    def __init__(self, weir, name):
        self.weir, self.name = weir, name

    def cbor(self, raw):
        def plain(v):
            if isinstance(v, tuple):  # a time
                return v[1]
            return {k: plain(x) for k, x in v.items()} if isinstance(v, dict) else [plain(x) for x in v] if isinstance(v, list) else v
        return plain(readers.cbor(raw))

    def send(self, op, params):
        if self.name == "json":
            params = json.loads(json.dumps(params, default=lambda t: t.timestamp()))
            headers, body, path = {"X-Amz-Target": "GraniteServiceVersion20100801." + op, "Content-Type": "application/x-amz-json-1.0", "x-amzn-query-mode": "true"}, \
                json.dumps(params).encode(), "/"
        else:
            headers, body, path = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor", "Accept": "application/cbor", "x-amzn-query-mode": "true"}, \
                to_cbor(params), "/service/GraniteServiceVersion20100801/operation/" + op
        signed = AWSRequest(method="POST", url=self.weir.endpoint + path, data=body, headers=headers)
        SigV4Auth(Credentials("test", "test"), "monitoring", "us-east-1").add_auth(signed)
        asked = urllib.request.Request(self.weir.endpoint + path, data=body, headers=dict(signed.prepare().headers), method="POST")
        read = json.loads if self.name == "json" else self.cbor
        try:
            with urllib.request.urlopen(asked, timeout=30) as reply:
                raw = reply.read()
                return read(raw) if raw else {}
        except urllib.error.HTTPError as e:
            return e.headers["x-amzn-query-error"], read(e.read())["__type"]


@pytest.mark.parametrize("protocol", ["json", "cbor"])
def test_protocols(weir, cw, space, protocol):
    """What boto3 of this age says by the query protocol, by those that newer SDKs speak."""
    p = Protocol(weir, protocol)
    at = minute()
    for v in (1.0, 2.5):
        assert p.send("PutMetricData", {"Namespace": space, "MetricData": [{"MetricName": "m", "Value": v, "Timestamp": at}]}) == {}
    point, = p.send("GetMetricStatistics", {"Namespace": space, "MetricName": "m", "StartTime": at, "EndTime": at + timedelta(minutes=1), "Period": 60,
                                            "Statistics": ["Sum"]})["Datapoints"]
    assert point == {"Timestamp": at.timestamp(), "Sum": 3.5, "Unit": "None"}
    name = "p-" + protocol
    assert p.send("PutMetricAlarm", {"AlarmName": name, "Namespace": space, "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 3.0,
                                     "ComparisonOperator": "GreaterThanThreshold"}) == {}
    becomes(cw, name, "ALARM")
    seen, = p.send("DescribeAlarms", {"AlarmNames": [name]})["MetricAlarms"]
    assert (seen["StateValue"], seen["Threshold"], seen["ActionsEnabled"]) == ("ALARM", 3.0, True)
    asked = [metric(space), {"Id": "e1", "Expression": "m1 * 2", "ReturnData": True}]
    got = p.send("GetMetricData", {"MetricDataQueries": asked, "StartTime": at, "EndTime": at + timedelta(minutes=1)})["MetricDataResults"]
    assert [(r["Id"], r["Timestamps"], r["Values"]) for r in got] == [("m1", [at.timestamp()], [3.5]), ("e1", [at.timestamp()], [7.0])]
    assert p.send("ListMetrics", {"Namespace": space})["Metrics"] == [{"Namespace": space, "MetricName": "m", "Dimensions": []}]
    for op, params, wanted in (("SetAlarmState", {"AlarmName": "absent", "StateValue": "OK", "StateReason": "r"}, ("ResourceNotFound", "ResourceNotFound")),
                               ("PutMetricData", {"Namespace": "AWS/x", "MetricData": [{"MetricName": "m", "Value": 1.0}]},
                                ("InvalidParameterValue", "InvalidParameterValueException")),
                               ("GetDashboard", {"DashboardName": "absent"}, ("ResourceNotFound", "DashboardNotFoundError")),
                               ("PutMetricData", {}, ("MissingParameter", "MissingRequiredParameterException"))):
        query, kind = p.send(op, params)
        assert (query.split(";"), kind.split("#")) == ([wanted[0], "Sender"], ["com.amazonaws.cloudwatch", wanted[1]])
    cw.delete_alarms(AlarmNames=[name])


def test_unsupported(cw):
    assert code(cw.put_anomaly_detector, Namespace="n", MetricName="m", Stat="Sum") == "InvalidAction"


# --- services' own metrics ----------------------------------------------------------------------------------


def total_of(cw, space, name, stat="Sum", **dims):
    points = cw.get_metric_statistics(Namespace=space, MetricName=name, StartTime=minute(60), EndTime=minute(-2), Period=3600, Statistics=[stat],
                                      Dimensions=[{"Name": k, "Value": v} for k, v in dims.items()])["Datapoints"]
    return sum(p[stat] for p in points)


def test_services_measure_themselves(weir, cw):
    """Each service in its own words. What is asked last was told last, so most is there at once."""
    sqs, sns, ddb, logs, events = (weir.client(s) for s in ("sqs", "sns", "dynamodb", "logs", "events"))
    queue = Queue(sqs, "measured")
    for body in ("a", "bcd"):
        sqs.send_message(QueueUrl=queue.url, MessageBody=body)
    sqs.send_message_batch(QueueUrl=queue.url, Entries=[{"Id": "1", "MessageBody": "x"}, {"Id": "2", "MessageBody": "y"}])
    got = queue.take(4)
    assert len(got) == 4
    sqs.receive_message(QueueUrl=queue.url)
    fifo = Queue(sqs, "measured.fifo", FifoQueue="true")
    for _ in range(3):
        sqs.send_message(QueueUrl=fifo.url, MessageBody="a", MessageGroupId="g", MessageDeduplicationId="d")
    topic = sns.create_topic(Name="measured")["TopicArn"]
    fed = Queue(sqs, "measured-topic", "sns.amazonaws.com")
    for more in ({"Endpoint": fed.arn}, {"Endpoint": fed.arn.replace("measured-topic", "absent")},
                 {"Endpoint": fed.arn.replace("measured-topic", "none"), "Attributes": {"FilterPolicy": '{"a": ["b"]}'}},
                 {"Endpoint": fed.arn.replace("measured-topic", "text"), "Attributes": {"FilterPolicy": '{"a": ["b"]}', "FilterPolicyScope": "MessageBody"}}):
        sns.subscribe(TopicArn=topic, Protocol="sqs", **more)
    sns.publish(TopicArn=topic, Message="four")
    ddb.create_table(TableName="measured", BillingMode="PROVISIONED", ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
                     KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                     AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("id", "by")],
                     GlobalSecondaryIndexes=[{"IndexName": "by-x", "KeySchema": [{"AttributeName": "by", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"},
                                              "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}])
    ddb.put_item(TableName="measured", Item={"id": {"S": "1"}, "by": {"S": "x"}, "large": {"S": "l" * 1500}})
    ddb.get_item(TableName="measured", Key={"id": {"S": "1"}}, ConsistentRead=True)
    ddb.query(TableName="measured", IndexName="by-x", KeyConditionExpression="#b = :x", ExpressionAttributeNames={"#b": "by"}, ExpressionAttributeValues={":x": {"S": "x"}})
    assert code(ddb.put_item, TableName="measured", Item={"id": {"S": "1"}}, ConditionExpression="attribute_exists(nothing)") == "ConditionalCheckFailedException"
    ddb.batch_write_item(RequestItems={"measured": [{"PutRequest": {"Item": {"id": {"S": i}}}} for i in "23"]})
    ddb.transact_write_items(TransactItems=[{"Put": {"TableName": "measured", "Item": {"id": {"S": i}}}} for i in "23"])
    ddb.transact_get_items(TransactItems=[{"Get": {"TableName": "measured", "Key": {"id": {"S": "2"}}}}])
    ddb.batch_get_item(RequestItems={"measured": {"Keys": [{"id": {"S": "2"}}]}})
    logs.create_log_group(logGroupName="measured")
    logs.create_log_stream(logGroupName="measured", logStreamName="s")
    logs.put_log_events(logGroupName="measured", logStreamName="s", logEvents=[{"timestamp": int(minute().timestamp() * 1000), "message": "four"}] * 3)
    absent = queue.arn.replace("measured", "absent")
    dead = Queue(sqs, "measured-dead", "events.amazonaws.com")
    events.put_rule(Name="measured", EventPattern='{"source": ["measured"]}')
    events.put_targets(Rule="measured", Targets=[{"Id": "1", "Arn": Queue(sqs, "measured-rule", "events.amazonaws.com").arn}, {"Id": "2", "Arn": absent},
                                                 {"Id": "3", "Arn": absent, "DeadLetterConfig": {"Arn": dead.arn}}])
    events.put_events(Entries=[{"Source": "measured", "DetailType": "t", "Detail": "{}"}])
    wanted = [
        ("AWS/Events", {"RuleName": "measured"}, {"MatchedEvents": 1, "TriggeredRules": 1, "Invocations": 3, "FailedInvocations": 2, "InvocationsSentToDlq": 1,
                                                   "InvocationAttempts": 3, "SuccessfulInvocationAttempts": 1}),
        ("AWS/SQS", {"QueueName": "measured"}, {"NumberOfMessagesSent": 4, "SentMessageSize": 6, "NumberOfMessagesReceived": 4}),
        ("AWS/SQS", {"QueueName": "measured.fifo"}, {"NumberOfMessagesSent": 1, "NumberOfDeduplicatedSentMessages": 2}),
        ("AWS/SQS", {"QueueName": "measured-topic"}, {"NumberOfMessagesSent": 1}),
        ("AWS/SNS", {"TopicName": "measured"}, {"NumberOfMessagesPublished": 1, "PublishSize": 4, "NumberOfNotificationsDelivered": 1, "NumberOfNotificationsFailed": 1,
                                                "NumberOfNotificationsFilteredOut": 2, "NumberOfNotificationsFilteredOut-NoMessageAttributes": 1,
                                                "NumberOfNotificationsFilteredOut-InvalidMessageBody": 1}),
        ("AWS/DynamoDB", {"TableName": "measured"}, {"ConditionalCheckFailedRequests": 1, "ConsumedWriteCapacityUnits": 8, "ConsumedReadCapacityUnits": 3.5}),
        ("AWS/DynamoDB", {"TableName": "measured", "GlobalSecondaryIndexName": "by-x"}, {"ConsumedWriteCapacityUnits": 2, "ConsumedReadCapacityUnits": 0.5}),
        ("AWS/DynamoDB", {"TableName": "measured", "Operation": "Query"}, {"ReturnedItemCount": 1}),
        ("AWS/Logs", {"LogGroupName": "measured"}, {"IncomingLogEvents": 3, "IncomingBytes": 12}),
    ]
    for space, dims, values in wanted:
        for name, value in values.items():
            wait_for(lambda: total_of(cw, space, name, **dims) == value, what=f"{space} {name} {dims}")
    assert total_of(cw, "AWS/SQS", "SentMessageSize", "Maximum", QueueName="measured") == 3
    assert total_of(cw, "AWS/SQS", "NumberOfEmptyReceives", QueueName="measured") >= 1
    assert total_of(cw, "AWS/DynamoDB", "SuccessfulRequestLatency", "SampleCount", TableName="measured", Operation="GetItem") == 1
    for operation in ("BatchWriteItem", "BatchGetItem", "TransactWriteItems", "TransactGetItems"):
        assert total_of(cw, "AWS/DynamoDB", "SuccessfulRequestLatency", "SampleCount", TableName="measured", Operation=operation) == 1, operation
    for name in ("PutEventsApproximateCallCount", "PutEventsApproximateSuccessCount", "PutEventsEntriesCount", "PutEventsRequestSize"):
        assert total_of(cw, "AWS/Events", name) >= 1, name
    assert total_of(cw, "AWS/Logs", "IncomingLogEvents") >= 3


def test_buckets_measure_requests(weir, cw):
    """Those for which the bucket has a metrics configuration, told to each that matches."""
    s3, large = weir.client("s3"), b"l" * (1 << 20)
    for bucket in ("measured-bucket", "measured-source"):
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket="measured-bucket", Key="in/before", Body=b"not told")
    for bucket, id, more in (("measured-bucket", "all", {}), ("measured-bucket", "in", {"Filter": {"Prefix": "in/"}}), ("measured-source", "s", {})):
        s3.put_bucket_metrics_configuration(Bucket=bucket, Id=id, MetricsConfiguration={"Id": id, **more})
    s3.put_object(Bucket="measured-bucket", Key="in/small", Body=b"12345")
    s3.put_object(Bucket="measured-bucket", Key="out/large", Body=large)
    s3.copy_object(Bucket="measured-source", Key="copy", CopySource="measured-bucket/in/small")
    assert s3.get_object(Bucket="measured-bucket", Key="in/small")["Body"].read() == b"12345"
    assert s3.get_object(Bucket="measured-bucket", Key="out/large")["Body"].read() == large
    s3.head_object(Bucket="measured-bucket", Key="in/small")
    assert code(s3.get_object, Bucket="measured-bucket", Key="in/none") == "NoSuchKey"
    s3.list_objects_v2(Bucket="measured-bucket")
    s3.delete_objects(Bucket="measured-bucket", Delete={"Objects": [{"Key": "in/before"}]})
    s3.delete_object(Bucket="measured-bucket", Key="in/small")
    wanted = {
        ("measured-bucket", "in"): {"AllRequests": 5, "PutRequests": 1, "GetRequests": 3, "HeadRequests": 1, "DeleteRequests": 1, "4xxErrors": 1, "5xxErrors": 0,
                                    "BytesUploaded": 5, "ListRequests": 0},
        ("measured-bucket", "all"): {"PutRequests": 2, "GetRequests": 4, "HeadRequests": 1, "DeleteRequests": 2, "ListRequests": 1, "4xxErrors": 1},
        ("measured-source", "s"): {"PutRequests": 1, "GetRequests": 0},
    }
    for (bucket, id), values in wanted.items():
        for name, value in values.items():
            wait_for(lambda: total_of(cw, "AWS/S3", name, BucketName=bucket, FilterId=id) == value, what=f"{name} {id}")
    assert 5 <= total_of(cw, "AWS/S3", "BytesDownloaded", BucketName="measured-bucket", FilterId="in") < 2000  # and an error's
    assert total_of(cw, "AWS/S3", "BytesDownloaded", "Maximum", BucketName="measured-bucket", FilterId="all") == len(large)
    assert total_of(cw, "AWS/S3", "BytesUploaded", "Maximum", BucketName="measured-bucket", FilterId="all") == len(large)
    for latency in ("FirstByteLatency", "TotalRequestLatency"):
        assert total_of(cw, "AWS/S3", latency, "SampleCount", BucketName="measured-bucket", FilterId="in") == 5
    s3.delete_bucket_metrics_configuration(Bucket="measured-bucket", Id="all")
    assert code(s3.get_bucket_metrics_configuration, Bucket="measured-bucket", Id="all") == "NoSuchConfiguration"


def test_metrics_configurations(weir):
    s3 = weir.client("s3")
    s3.create_bucket(Bucket="metered")

    def put(id, inner=None, **filter):
        s3.put_bucket_metrics_configuration(Bucket="metered", Id=id, MetricsConfiguration={"Id": inner or id, **({"Filter": filter} if filter else {})})
    ids = sorted(f"id{i}" for i in range(101))
    for id in ids:
        put(id)
    put("id0", Prefix="p/")
    assert s3.get_bucket_metrics_configuration(Bucket="metered", Id="id0")["MetricsConfiguration"] == {"Id": "id0", "Filter": {"Prefix": "p/"}}
    assert "Filter" not in s3.get_bucket_metrics_configuration(Bucket="metered", Id="id1")["MetricsConfiguration"]
    page = s3.list_bucket_metrics_configurations(Bucket="metered")
    rest = s3.list_bucket_metrics_configurations(Bucket="metered", ContinuationToken=page["NextContinuationToken"])
    assert page["IsTruncated"] and not rest["IsTruncated"]
    assert [c["Id"] for c in page["MetricsConfigurationList"] + rest["MetricsConfigurationList"]] == ids
    for call, error in ((lambda: put("a b"), "InvalidArgument"), (lambda: put("a" * 65), "InvalidArgument"), (lambda: put("a", "b"), "InvalidArgument"),
                        (lambda: put("a", Tag={"Key": "k", "Value": "v"}), "NotImplemented"), (lambda: put("a", Prefix="p" * 1025), "InvalidRequest"),
                        (lambda: s3.delete_bucket_metrics_configuration(Bucket="metered", Id="none"), "NoSuchConfiguration"),
                        (lambda: s3.list_bucket_metrics_configurations(Bucket="metered", ContinuationToken="x"), "InvalidArgument")):
        assert code(call) == error


def test_tables_measure_refusals(weir, cw):
    ddb = weir.client("dynamodb", config=Config(retries={"total_max_attempts": 1}))
    ddb.create_table(TableName="held-up", BillingMode="PROVISIONED", ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
                     KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    before = total_of(cw, "AWS/DynamoDB", "UserErrors")
    assert code(ddb.put_item, TableName="held-up", Item={"none": {"S": "x"}}) == "ValidationException"
    ddb.put_item(TableName="held-up", Item={"id": {"S": "x"}, "large": {"S": "l" * 390 * 1024}})  # over what was saved up
    assert code(ddb.put_item, TableName="held-up", Item={"id": {"S": "y"}}) == "ProvisionedThroughputExceededException"
    for name in ("WriteThrottleEvents", "WriteProvisionedThroughputThrottleEvents"):
        wait_for(lambda: total_of(cw, "AWS/DynamoDB", name, TableName="held-up") == 1, what=name)
    assert total_of(cw, "AWS/DynamoDB", "ThrottledRequests", TableName="held-up", Operation="PutItem") == 1
    wait_for(lambda: total_of(cw, "AWS/DynamoDB", "UserErrors") > before, what="UserErrors")


def test_streams_measure_themselves(weir, cw):
    """By table, stream and operation, under the table's service."""
    ddb, streams = weir.client("dynamodb"), weir.client("dynamodbstreams")
    arn = ddb.create_table(TableName="streamed", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                           AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                           StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})["TableDescription"]["LatestStreamArn"]
    for id in "ab":
        ddb.put_item(TableName="streamed", Item={"id": {"S": id}})
    sizes = []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        it = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        sizes += [r["dynamodb"]["SizeBytes"] for r in streams.get_records(ShardIterator=it)["Records"]]
    dims = {"Operation": "GetRecords", "StreamLabel": arn.split("/stream/")[1], "TableName": "streamed"}
    for name, value in {"ReturnedRecordsCount": 2, "ReturnedBytes": sum(sizes)}.items():
        wait_for(lambda: total_of(cw, "AWS/DynamoDB", name, **dims) == value, what=name)
    assert total_of(cw, "AWS/DynamoDB", "SuccessfulRequestLatency", "SampleCount", **dims) >= 1


def test_functions_measure_themselves(weir, cw):
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as z:
        z.writestr("f.py", "def h(event, context):\n    if event.get('fail'):\n        raise ValueError('x')\n    return 1\n")
    role = weir.client("iam").create_role(RoleName="measured", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    functions = weir.client("lambda")
    functions.create_function(FunctionName="measured", Runtime=f"python3.{sys.version_info.minor}", Handler="f.h", Role=role, Code={"ZipFile": package.getvalue()})
    for event in ({}, {"fail": 1}, {}):
        functions.invoke(FunctionName="measured", Payload=json.dumps(event))
    queues = {n: Queue(weir.client("sqs"), "measured-fn-" + n) for n in ("dead", "gone")}
    weir.client("iam").put_role_policy(RoleName="measured", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["sqs:*", "dynamodb:*"], "Resource": "*"}]}))
    functions.update_function_configuration(FunctionName="measured", DeadLetterConfig={"TargetArn": queues["dead"].arn})
    functions.put_function_event_invoke_config(FunctionName="measured", MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": queues["gone"].arn}})
    for queue in queues.values():
        weir.client("sqs").delete_queue(QueueUrl=queue.url)
    functions.invoke(FunctionName="measured", InvocationType="Event", Payload=json.dumps({"fail": 1}))
    for name in ("AsyncEventsReceived", "AsyncEventsDropped", "DeadLetterErrors", "DestinationDeliveryFailures"):
        wait_for(lambda: total_of(cw, "AWS/Lambda", name, FunctionName="measured") == 1, what=name)
    assert total_of(cw, "AWS/Lambda", "AsyncEventAge", "SampleCount", FunctionName="measured") == 1
    ddb = weir.client("dynamodb")
    stream = ddb.create_table(TableName="measured-fn", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                              AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                              StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})["TableDescription"]["LatestStreamArn"]
    mapping = functions.create_event_source_mapping(FunctionName="measured", EventSourceArn=stream, StartingPosition="TRIM_HORIZON")["UUID"]
    ddb.put_item(TableName="measured-fn", Item={"id": {"S": "a"}})
    wait_for(lambda: total_of(cw, "AWS/Lambda", "IteratorAge", "SampleCount", FunctionName="measured") == 1, what="IteratorAge")
    functions.delete_event_source_mapping(UUID=mapping)
    functions.put_function_concurrency(FunctionName="measured", ReservedConcurrentExecutions=0)
    assert code(functions.invoke, FunctionName="measured") == "TooManyRequestsException"

    def total(name, stat="Sum", **dims):
        points = cw.get_metric_statistics(Namespace="AWS/Lambda", MetricName=name, StartTime=minute(60), EndTime=minute(-2), Period=3600, Statistics=[stat],
                                          Dimensions=[{"Name": k, "Value": v} for k, v in dims.items()])["Datapoints"]
        return sum(p[stat] for p in points)
    wait_for(lambda: total("Throttles", FunctionName="measured") >= 1)  # the client tries again
    assert (total("Invocations", FunctionName="measured"), total("Errors", FunctionName="measured")) == (5, 2)
    assert total("Duration", "Minimum", FunctionName="measured", Resource="measured") > 0 and total("ConcurrentExecutions", "Maximum", FunctionName="measured") == 1
    assert total("Invocations") >= 3
    cw.put_metric_alarm(AlarmName="measured", Namespace="AWS/Lambda", MetricName="Errors", Dimensions=[{"Name": "FunctionName", "Value": "measured"}], Statistic="Sum",
                        Period=10, EvaluationPeriods=1, Threshold=0, ComparisonOperator="GreaterThanThreshold")
    cw.delete_alarms(AlarmNames=["measured"])
