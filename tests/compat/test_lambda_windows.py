"""Tumbling windows of event source mappings: boto3 and real functions."""
import json
import time

import pytest
from botocore.exceptions import ClientError

from test_lambda_mappings import map_queue, told
from test_lambda_streams import Stage
from test_streams import refused

# Sums up n in the state, and tells the queue each event without its records' bodies, and the sum.
SUMS = """
import boto3, json, os
sqs = boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
def handler(event, context):
    state = event["state"]
    ns = [int(r["dynamodb"]["NewImage"]["n"]["N"]) for r in event["Records"]]
    told = {k: event[k] for k in event if k != "Records"}
    if len(json.dumps(state)) > 1000:
        told["state"] = {"sum": state["sum"]}
    sqs.send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps({**told, "ns": ns}))
    if any(n < 0 for n in ns) and os.environ.get("PARTIAL"):
        at = next(i for i, n in enumerate(ns) if n < 0)
        state["sum"] = state.get("sum", 0) + sum(ns[:at])
        return {"state": state, "batchItemFailures": [{"itemIdentifier": event["Records"][at]["dynamodb"]["SequenceNumber"]}]}
    if any(n < 0 for n in ns):
        raise ValueError("negative")
    if 666 in ns:
        return {"sum": 1}
    state["sum"] = state.get("sum", 0) + sum(ns)
    if 777 in ns:
        state["much"] = "x" * (1 << 20)
    return {"state": state}
"""


@pytest.fixture(scope="module")
def stage(weir):
    return Stage(weir)


def sums(stage, **env):
    url, _ = stage.queue()
    return stage.function(SUMS, Environment={"Variables": {"OUT": url, **env}}), url


def long():
    """The length of windows whose next end is furthest away: none ends while a test runs."""
    now = int(time.time())
    return max(range(300, 901), key=lambda s: s - now % s)


def put_all(stage, table, *ns):
    """Items of one partition, so of one shard, and in order."""
    for n in ns:
        stage.ddb.put_item(TableName=table, Item={"g": {"S": "one"}, "id": {"S": str(n)}, "n": {"N": str(n)}})


class Windows:
    """What the function told, by window: messages of a queue come in any order."""

    def __init__(self, stage, url):
        self.stage, self.url, self.told = stage, url, []

    def until(self, condition):
        while not condition(self.told):
            self.told.append(told(self.stage, self.url))
        return self.told

    def finals(self, n=1):
        return [t for t in self.until(lambda ts: sum(t["isFinalInvokeForWindow"] for t in ts) >= n) if t["isFinalInvokeForWindow"]]


def test_tumbling_windows(stage):
    name, url = sums(stage)
    table, arn = stage.streams.table("NEW_IMAGE", keys="g:S,id:S")
    made = stage.map(name, arn, TumblingWindowInSeconds=1, BatchSize=3)
    assert made["TumblingWindowInSeconds"] == 1
    put_all(stage, table, *range(1, 11))
    windows = Windows(stage, url)
    # However the items fall into windows: their final states add up to all of them, once.
    windows.until(lambda ts: sum(t["state"].get("sum", 0) for t in ts if t["isFinalInvokeForWindow"]) == 55)
    by = {}
    for t in windows.told:
        by.setdefault(t["window"]["start"], []).append(t)
        assert set(t) == {"window", "state", "shardId", "eventSourceARN", "isFinalInvokeForWindow", "isWindowTerminatedEarly", "ns"}
        assert t["shardId"] in stage.streams.shards(arn) and t["eventSourceARN"] == arn
        assert not t["isWindowTerminatedEarly"] and set(t["window"]) == {"start", "end"}
    for ts in by.values():
        final = [t for t in ts if t["isFinalInvokeForWindow"]]
        assert len(final) == 1 and final[0]["ns"] == [] and final[0]["state"]["sum"] == sum(sum(t["ns"]) for t in ts)
        for t in ts:  # each batch was given what those before it had made
            if t["ns"]:
                assert t["state"].get("sum", 0) == sum(n for u in ts for n in u["ns"] if n < t["ns"][0])
    stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])


def test_a_window_ends_when_windows_are_turned_off(stage):
    name, url = sums(stage)
    table, arn = stage.streams.table("NEW_IMAGE", keys="g:S,id:S")
    made = stage.map(name, arn, TumblingWindowInSeconds=long())
    put_all(stage, table, 1, 2)
    windows = Windows(stage, url)
    windows.until(lambda ts: sum(sum(t["ns"]) for t in ts) == 3)
    stage.awslambda.update_event_source_mapping(UUID=made["UUID"], TumblingWindowInSeconds=0)
    assert [t["state"] for t in windows.finals()] == [{"sum": 3}]
    stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])


def test_a_state_that_is_too_large_ends_its_window(stage):
    name, url = sums(stage)
    table, arn = stage.streams.table("NEW_IMAGE", keys="g:S,id:S")
    made = stage.map(name, arn, TumblingWindowInSeconds=long())
    put_all(stage, table, 777)
    windows = Windows(stage, url)
    final = windows.finals()[0]
    assert final["isWindowTerminatedEarly"] and final["state"] == {"sum": 777}
    put_all(stage, table, 5)
    again = windows.until(lambda ts: any(t["ns"] == [5] for t in ts))[-1]
    assert again["state"] == {} and again["window"] == final["window"] and not again["isWindowTerminatedEarly"]
    stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])


def test_failures_within_a_window(stage):
    """Halves and retries are given the state of what was done; what is given up is not in it."""
    name, url = sums(stage)
    dead_url, dead = stage.queue()
    table, arn = stage.streams.table("NEW_IMAGE", keys="g:S,id:S")
    made = stage.map(name, arn, TumblingWindowInSeconds=long(), Enabled=False, MaximumRetryAttempts=0,
                     BisectBatchOnFunctionError=True, DestinationConfig={"OnFailure": {"Destination": dead}})
    put_all(stage, table, 1, 2, -1, 4)
    stage.awslambda.update_event_source_mapping(UUID=made["UUID"], Enabled=True)
    info = json.loads(stage.receive(dead_url)["Body"])["DDBStreamBatchInfo"]
    assert info["batchSize"] == 1
    windows = Windows(stage, url)
    last = windows.until(lambda ts: any(t["ns"] == [4] for t in ts))
    assert [t["state"] for t in last if t["ns"] == [4]] == [{"sum": 3}]
    put_all(stage, table, 666)  # an answer without a state is a failure
    assert json.loads(stage.receive(dead_url)["Body"])["DDBStreamBatchInfo"]["batchSize"] == 1
    shown = stage.awslambda.get_event_source_mapping(UUID=made["UUID"])
    assert "no state" in shown["LastProcessingResult"]
    stage.awslambda.update_event_source_mapping(UUID=made["UUID"], TumblingWindowInSeconds=0)
    assert [t["state"] for t in windows.finals()] == [{"sum": 7}]
    stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])


def test_partial_failures_within_a_window(stage):
    name, url = sums(stage, PARTIAL="1")
    dead_url, dead = stage.queue()
    table, arn = stage.streams.table("NEW_IMAGE", keys="g:S,id:S")
    made = stage.map(name, arn, TumblingWindowInSeconds=long(), Enabled=False, MaximumRetryAttempts=0,
                     FunctionResponseTypes=["ReportBatchItemFailures"], BatchSize=3,
                     DestinationConfig={"OnFailure": {"Destination": dead}})
    put_all(stage, table, 1, 2, -1, 4)
    stage.awslambda.update_event_source_mapping(UUID=made["UUID"], Enabled=True)
    assert json.loads(stage.receive(dead_url)["Body"])["DDBStreamBatchInfo"]["batchSize"] == 1
    windows = Windows(stage, url)
    windows.until(lambda ts: any(t["ns"] == [4] for t in ts))
    stage.awslambda.update_event_source_mapping(UUID=made["UUID"], TumblingWindowInSeconds=0)
    assert [t["state"] for t in windows.finals()] == [{"sum": 7}]
    stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])


def test_the_end_of_a_window_that_fails(stage):
    """It is tried again as batches are, and then given up, which the destination is told."""
    url, _ = stage.queue()
    name = stage.function(SUMS.replace("    ns = ", "    if event['isFinalInvokeForWindow']: raise ValueError('at the end')\n    ns = "),
                          Environment={"Variables": {"OUT": url}})
    dead_url, dead = stage.queue()
    table, arn = stage.streams.table("NEW_IMAGE", keys="g:S,id:S")
    made = stage.map(name, arn, TumblingWindowInSeconds=1, MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": dead}})
    put_all(stage, table, 1)
    note = json.loads(stage.receive(dead_url)["Body"])
    assert note["requestContext"]["condition"] == "RetryAttemptsExhausted" and note["requestContext"]["approximateInvokeCount"] == 2
    info, number = note["DDBStreamBatchInfo"], stage.streams.read(arn)[0]["dynamodb"]["SequenceNumber"]
    assert info["batchSize"] == 0 and info["startSequenceNumber"] == info["endSequenceNumber"] == number
    put_all(stage, table, 2)
    stage.receive(url)
    assert told(stage, url)["state"] == {}
    stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])


def test_windows_survive_kills_and_other_numbers_of_lanes(make_weir):
    """The state is that of the records that are done, after kill -9 and with lanes that begin anew."""
    weir = make_weir()
    stage = Stage(weir)
    name, url = sums(stage)
    table, arn = stage.streams.table("NEW_IMAGE", keys="g:S,id:S")
    made = stage.map(name, arn, TumblingWindowInSeconds=long(), BatchSize=2)
    windows = Windows(stage, url)
    for n in range(3):
        put_all(stage, table, *range(10 * n, 10 * n + 4))
        windows.until(lambda ts: any(10 * n + 3 in t["ns"] for t in ts))
        weir.kill9()
        weir.start()
    put_all(stage, table, 99)
    last = windows.until(lambda ts: any(99 in t["ns"] for t in ts))[-1]
    assert last["state"]["sum"] + sum(last["ns"]) == sum(10 * n + k for n in range(3) for k in range(4)) + 99
    stage.awslambda.update_event_source_mapping(UUID=made["UUID"], ParallelizationFactor=2)
    put_all(stage, table, 100)
    again = windows.until(lambda ts: any(100 in t["ns"] for t in ts))[-1]
    stage.awslambda.update_event_source_mapping(UUID=made["UUID"], TumblingWindowInSeconds=0)
    assert windows.finals()[0]["state"]["sum"] == sum(10 * n + k for n in range(3) for k in range(4)) + 199
    assert again["window"] == last["window"]


def test_settings_of_windows(stage):
    name = stage.function()
    _, arn = stage.streams.table("NEW_IMAGE")
    _, queue = stage.queue(VisibilityTimeout="60")
    for seconds in (-1, 901):
        with pytest.raises(ClientError):
            stage.map(name, arn, TumblingWindowInSeconds=seconds)
    refused("InvalidParameterValueException", map_queue, "TumblingWindowInSeconds", stage=stage, name=name, arn=queue,
            TumblingWindowInSeconds=5)
    made = stage.map(name, arn, TumblingWindowInSeconds=900, Enabled=False)
    assert stage.awslambda.get_event_source_mapping(UUID=made["UUID"])["TumblingWindowInSeconds"] == 900
    stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])
