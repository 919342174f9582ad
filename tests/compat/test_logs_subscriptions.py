"""Subscription filters of CloudWatch Logs: boto3, and functions that tell a queue what they were sent."""
import base64
import gzip
import json
import re
import time
import urllib.request
import uuid

import pytest
from botocore.exceptions import ClientError

from test_lambda import FORWARD, Stage
from test_logs import ask
from weirtest import wait_for


@pytest.fixture(scope="module")
def stage(weir):
    return Stage(weir)


def now():
    return int(time.time() * 1000)


def group_of(stage, stream="s"):
    name = "/sub/" + uuid.uuid4().hex[:10]
    stage.logs.create_log_group(logGroupName=name)
    stage.logs.create_log_stream(logGroupName=name, logStreamName=stream)
    return name


def put(stage, group, *messages):
    stage.logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[{"timestamp": now(), "message": m} for m in messages])


def allow(stage, name, principal="logs.amazonaws.com", **kw):
    stage.awslambda.add_permission(FunctionName=name, StatementId=uuid.uuid4().hex, Action="lambda:InvokeFunction", Principal=principal, **kw)


def arn_of(stage, name):
    return stage.awslambda.get_function_configuration(FunctionName=name)["FunctionArn"]


def subscribe(stage, group, name, pattern="", filter_name="f", **kw):
    stage.logs.put_subscription_filter(logGroupName=group, filterName=filter_name, filterPattern=pattern, destinationArn=arn_of(stage, name), **kw)


def unpacked(body):
    return json.loads(gzip.decompress(base64.b64decode(json.loads(body)["awslogs"]["data"])))


def error_of(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


def test_events_come_to_the_function(stage):
    url, _ = stage.queue()
    name = stage.function(FORWARD, Environment={"Variables": {"OUT": url}})
    group = group_of(stage)
    allow(stage, name, "logs.us-east-1.amazonaws.com", SourceArn=f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*", SourceAccount="000000000000")
    subscribe(stage, group, name, "ERROR -debug", "errors")
    control = unpacked(stage.receive(url)["Body"])
    assert control["messageType"] == "CONTROL_MESSAGE" and control["subscriptionFilters"] == [] and control["logGroup"] == ""
    put(stage, group, "ERROR one", "fine", "ERROR debug", "ERROR two \u00e9\n")
    got = unpacked(stage.receive(url)["Body"])
    stored = stage.logs.filter_log_events(logGroupName=group, filterPattern="ERROR -debug")["events"]
    assert got == {"messageType": "DATA_MESSAGE", "owner": "000000000000", "logGroup": group, "logStream": "s", "subscriptionFilters": ["errors"],
                   "logEvents": [{"id": e["eventId"], "timestamp": e["timestamp"], "message": e["message"]} for e in stored]}
    assert [e["message"] for e in got["logEvents"]] == ["ERROR one", "ERROR two \u00e9\n"]
    seen = stage.logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    assert [(f["filterName"], f["filterPattern"], f["destinationArn"], f["distribution"], f["logGroupName"]) for f in seen] == [
        ("errors", "ERROR -debug", arn_of(stage, name), "ByLogStream", group)]
    assert ask(stage.weir, "DescribeSubscriptionFilters", logGroupName=group)["subscriptionFilters"][0]["applyOnTransformedLogs"] is False
    # Replaced, and gone: what is put then goes nowhere.
    subscribe(stage, group, name, "{ $.a = %^b% }", "errors")
    assert unpacked(stage.receive(url)["Body"])["messageType"] == "CONTROL_MESSAGE"
    put(stage, group, "ERROR three", '{"a": "bc"}')
    assert [e["message"] for e in unpacked(stage.receive(url)["Body"])["logEvents"]] == ['{"a": "bc"}']
    stage.logs.delete_subscription_filter(logGroupName=group, filterName="errors")
    put(stage, group, "part ERROR")
    assert stage.logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"] == []
    assert "Messages" not in stage.sqs.receive_message(QueueUrl=url)


def test_what_is_refused(stage):
    name, other = stage.function(), stage.function()
    group = group_of(stage)
    put_filter = stage.logs.put_subscription_filter
    args = dict(logGroupName=group, filterName="f", filterPattern="", destinationArn=arn_of(stage, name))
    could_not = ("InvalidParameterException", "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.")
    assert error_of(put_filter, **args) == could_not  # no permission
    allow(stage, name, SourceArn="arn:aws:logs:us-east-1:000000000000:log-group:/other:*")
    assert error_of(put_filter, **args) == could_not
    allow(stage, name)
    absent = args["destinationArn"].replace(name, "absent")
    assert error_of(put_filter, **{**args, "destinationArn": absent}) == could_not
    assert error_of(put_filter, **{**args, "destinationArn": args["destinationArn"].replace("us-east-1", "eu-west-1")}) == could_not
    assert error_of(put_filter, **{**args, "logGroupName": "/absent"})[0] == "ResourceNotFoundException"
    assert error_of(put_filter, **{**args, "logGroupName": "/absent", "destinationArn": args["destinationArn"].replace(":000000000000:", ":111111111111:")}) == (
        "AccessDeniedException", "Cross-account lambda invocation passing is not allowed. You must use DestinationPolicies to create cross account lambda triggers.")
    assert error_of(put_filter, **{**args, "destinationArn": "arn:aws:kinesis:us-east-1:000000000000:stream/s"}) == (
        "InvalidParameterException", "destinationArn for vendor kinesis cannot be used without roleArn")
    assert error_of(put_filter, **{**args, "filterPattern": "{ $.a = "}) == (
        "InvalidParameterException", "If a filter pattern starts with '{' it must end with '}'")
    assert error_of(put_filter, **{**args, "roleArn": stage.role()}) == (
        "InvalidParameterException", "destinationArn for vendor lambda cannot be used with roleArn")
    own = "/aws/lambda/" + name
    stage.logs.create_log_group(logGroupName=own)
    assert error_of(put_filter, **{**args, "logGroupName": own}) == (
        "InvalidParameterException", "The log group provided is reserved for the function logs of the destination function.")
    allow(stage, other)
    subscribe(stage, group, name, filter_name="one")
    subscribe(stage, group, other, filter_name="two")
    subscribe(stage, group, other, "again", filter_name="two")
    assert error_of(put_filter, **{**args, "filterName": "three"}) == ("LimitExceededException", "Resource limit exceeded.")
    page = stage.logs.describe_subscription_filters(logGroupName=group, limit=1)
    rest = stage.logs.describe_subscription_filters(logGroupName=group, limit=1, nextToken=page["nextToken"])
    assert [f["filterName"] for f in page["subscriptionFilters"] + rest["subscriptionFilters"]] == ["one", "two"] and "nextToken" not in rest
    assert [f["filterName"] for f in stage.logs.describe_subscription_filters(logGroupName=group, filterNamePrefix="t")["subscriptionFilters"]] == ["two"]
    assert error_of(stage.logs.delete_subscription_filter, logGroupName=group, filterName="three")[0] == "ResourceNotFoundException"
    # A function that is gone keeps nothing from being stored.
    stage.awslambda.delete_function(FunctionName=other)
    put(stage, group, "stored again")
    assert [e["message"] for e in stage.logs.filter_log_events(logGroupName=group)["events"]] == ["stored again"]
    # Filters with regular expressions, of both kinds.
    for i in range(5):
        stage.logs.put_metric_filter(logGroupName=group, filterName=f"m{i}", filterPattern=f"%a{i}%", metricTransformations=[
            {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}])
    assert error_of(put_filter, **{**args, "filterName": "one", "filterPattern": "%b%"})[0] == "LimitExceededException"
    stage.logs.put_metric_filter(logGroupName=group, filterName="m0", filterPattern="%c%", metricTransformations=[
        {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}])


def test_deliveries_survive_a_kill(fresh_weir):
    """What is stored is delivered: both were one commit."""
    stage = Stage(fresh_weir)
    url, _ = stage.queue()
    name = stage.function(FORWARD, Timeout=60, Environment={"Variables": {"OUT": url}})
    allow(stage, name)
    group = group_of(stage)
    subscribe(stage, group, name)
    for i in range(3):
        put(stage, group, str(i))
    fresh_weir.kill9()
    fresh_weir.start()
    stage, seen = Stage(fresh_weir), set()
    while len(seen) < 3:
        seen |= {e["message"] for e in unpacked(stage.receive(url)["Body"])["logEvents"] if e["message"].isdigit()}
    assert seen == {str(i) for i in range(3)}


def test_functions_that_feed_each_other_are_stopped(stage):
    """Each writes lines that the other is sent: a loop of functions as by queues and topics."""
    def stopped():
        text = urllib.request.urlopen(stage.weir.endpoint + "/_weir/metrics").read().decode()
        return int(re.search(r"^weir_lambda_recursive_invocations_dropped_total (\d+)", text, re.M)[1])
    before = stopped()
    names = [stage.function("def handler(event, context):\n    print('again')\n", MemorySize=128) for _ in range(2)]
    for name, other in (names, names[::-1]):
        stage.logs.create_log_group(logGroupName="/aws/lambda/" + name)
        allow(stage, other)
        stage.logs.put_subscription_filter(logGroupName="/aws/lambda/" + name, filterName="f", filterPattern="again", destinationArn=arn_of(stage, other))
    wait_for(lambda: stopped() > before, 90, "the end of the loop")
    for name in names:
        stage.logs.delete_subscription_filter(logGroupName="/aws/lambda/" + name, filterName="f")
