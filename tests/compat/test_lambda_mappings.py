"""Event source mappings of versions and aliases: boto3 and real functions."""
import json

import pytest
from botocore.exceptions import ClientError

from test_lambda import SIZES, code_of, raw, zipped
from test_lambda_streams import Stage
from test_streams import refused
from weirtest import wait_for

# Tells the queue which version it is, and by which name it was called.
VERSIONED = """
import boto3, json, os
sqs = boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
def handler(event, context):
    if os.environ.get("FAIL") == context.function_version:
        raise ValueError("this version fails")
    for r in event["Records"]:
        n = r["body"] if "body" in r else r["dynamodb"]["NewImage"]["n"]["N"]
        sqs.send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(
            [n, context.function_version, context.invoked_function_arn.split(":function:")[1]]))
"""


@pytest.fixture(scope="module")
def stage(weir):
    return Stage(weir)


def versioned(stage, **env):
    """(name, url that it tells), with the versions 1 and 2 and the alias live of the first."""
    url, _ = stage.queue()
    name = stage.function(VERSIONED, Environment={"Variables": {"OUT": url, **env}})
    for text in ("1", "2"):
        stage.awslambda.update_function_code(FunctionName=name, ZipFile=zipped(VERSIONED + "# " + text))
        assert stage.awslambda.publish_version(FunctionName=name)["Version"] == text
    stage.awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name, url


def told(stage, url):
    return json.loads(stage.receive(url)["Body"])


def map_queue(stage, name, arn, **settings):
    return stage.awslambda.create_event_source_mapping(FunctionName=name, EventSourceArn=arn, **settings)


def test_a_queue_to_an_alias_that_moves(stage):
    name, url = versioned(stage)
    in_url, in_arn = stage.queue(VisibilityTimeout="60")
    made = map_queue(stage, name + ":live", in_arn)
    assert made["FunctionArn"].endswith(f":function:{name}:live")
    refused("ResourceConflictException", map_queue, "already exists", stage=stage, name=name + ":live", arn=in_arn)
    send = lambda body: stage.sqs.send_message(QueueUrl=in_url, MessageBody=body)
    send("a")
    assert told(stage, url) == ["a", "1", name + ":live"]
    stage.awslambda.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    send("b")
    assert told(stage, url) == ["b", "2", name + ":live"]
    stage.awslambda.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}})
    seen = set()
    while seen != {"1", "2"}:  # each batch by itself
        send("c")
        seen.add(told(stage, url)[1])
    # Without its alias it waits; a new one of the name wakes it.
    stage.awslambda.delete_alias(FunctionName=name, Name="live")
    send("d")
    assert "Messages" not in stage.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
    stage.awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert told(stage, url) == ["d", "1", name + ":live"]
    stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])


def test_the_same_queue_to_version_alias_and_function(stage):
    """Each is a mapping of its own."""
    name, url = versioned(stage)
    _, arn = stage.queue(VisibilityTimeout="60")
    by = {q: map_queue(stage, name + q, arn, Enabled=False) for q in ("", ":1", ":live")}
    for q, m in by.items():
        shown = stage.awslambda.get_event_source_mapping(UUID=m["UUID"])
        assert shown["FunctionArn"].endswith(f":function:{name}{q}")
    uuids = lambda of: {m["UUID"] for m in stage.awslambda.list_event_source_mappings(FunctionName=of)["EventSourceMappings"]}
    assert uuids(name) == {m["UUID"] for m in by.values()}
    assert uuids(name + ":live") == {by[":live"]["UUID"]} and uuids(name + ":1") == {by[":1"]["UUID"]}
    # One of them moves on to another name, where it may.
    with pytest.raises(ClientError) as e:
        stage.awslambda.update_event_source_mapping(UUID=by[":1"]["UUID"], FunctionName=name + ":live")
    assert code_of(e) == "ResourceConflictException"
    moved = stage.awslambda.update_event_source_mapping(UUID=by[":1"]["UUID"], FunctionName=name + ":2")
    assert moved["FunctionArn"].endswith(f":function:{name}:2")
    map_queue(stage, name + ":1", arn, Enabled=False)
    for bad in (":9", ":nobody"):
        with pytest.raises(ClientError) as e:
            map_queue(stage, name + bad, arn)
        assert code_of(e) == "InvalidParameterValueException"
    for m in stage.awslambda.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]:
        stage.awslambda.delete_event_source_mapping(UUID=m["UUID"])


def test_a_stream_to_an_alias(stage):
    """A failing version holds its shards up until the alias moves away from it."""
    name, url = versioned(stage, FAIL="1")
    table, arn = stage.streams.table("NEW_IMAGE")
    dead_url, dead = stage.queue()
    made = stage.map(name + ":live", arn, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": dead}})
    stage.put(table, "a", 1)
    note = json.loads(stage.receive(dead_url)["Body"])
    assert note["requestContext"]["functionArn"].endswith(f":function:{name}:live")
    assert note["responseContext"]["executedVersion"] == "1"
    stage.awslambda.update_event_source_mapping(UUID=made["UUID"], MaximumRetryAttempts=-1)
    stage.put(table, "a", 2)
    wait_for(lambda: "failed" in stage.awslambda.get_event_source_mapping(UUID=made["UUID"])["LastProcessingResult"])
    stage.awslambda.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    assert told(stage, url) == ["2", "2", name + ":live"]
    stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])


# --- concurrency ------------------------------------------------------------------------------------

COUNTS = """
import time
def handler(event, context):
    time.sleep(0.05)
    for r in event["Records"]:
        print("count", r["attributes"]["ApproximateReceiveCount"], r["body"])
"""


@pytest.mark.parametrize("reserved", [True, False])
def test_concurrency_limits_a_mapping(stage, reserved):
    """Whose the limit is, the function's or the mapping's: messages wait in the queue and are received once."""
    url, arn = stage.queue(VisibilityTimeout="60")
    name = stage.function(COUNTS, MemorySize=128)
    if reserved:
        stage.awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    settings = {} if reserved else {"ScalingConfig": {"MaximumConcurrency": 2}}
    for i in range(4):
        stage.sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": f"{i}-{n}"} for n in range(10)])
    body = {"FunctionName": name, "EventSourceArn": arn, "BatchSize": 1, **settings}
    made = raw(stage, "POST", "/2015-03-31/event-source-mappings/", body)  # older clients do not know ScalingConfig
    assert made.get("ScalingConfig") == settings.get("ScalingConfig")
    lines = lambda: [line.split() for line in stage.log_lines(name) if line.startswith("count")]
    wait_for(lambda: len(lines()) == 40, 60, "all messages")
    assert {count for _, count, _ in lines()} == {"1"} and len({body for _, _, body in lines()}) == 40
    streams = stage.logs.describe_log_streams(logGroupName="/aws/lambda/" + name)["logStreams"]
    assert 1 <= len(streams) <= 2  # one an environment
    stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])


@pytest.mark.parametrize("window", [0, 1])
def test_a_backlog_is_received_for_several_batches(stage, window):
    """At once, as many as could begin now; each batch has what it may have, each message comes once."""
    url, arn = stage.queue(VisibilityTimeout="60")
    out, _ = stage.queue()
    name = stage.function(SIZES, MemorySize=128, Environment={"Variables": {"OUT": out}})
    for i in range(9):
        stage.sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": str(n)} for n in range(10)])
    made = map_queue(stage, name, arn, BatchSize=4, MaximumBatchingWindowInSeconds=window)
    batches = []
    while sum(map(len, batches)) < 90:
        batches.append(json.loads(stage.receive(out)["Body"]))
    assert {message.split()[1] for batch in batches for message in batch} == {"1"}
    assert sorted(message[0] for batch in batches for message in batch) == sorted("0123456789" * 9)
    assert max(map(len, batches)) == 4 and (not window or sorted(map(len, batches))[:1] >= [2])
    stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])
