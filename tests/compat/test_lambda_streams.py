"""Event source mappings of DynamoDB streams, and filters of mappings: boto3 and real functions."""
import json
import re
import uuid

import pytest
from botocore.exceptions import ClientError

from test_lambda import FORWARD, Stage as LambdaStage, raw
from test_streams import Stage as StreamStage, item, refused
from weirtest import wait_for

# Tells the queue what it was given, and fails for items whose key begins with "bad".
CONSUMER = """
import boto3, json, os
sqs = boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
def handler(event, context):
    sqs.send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(event["Records"]))
    bad = [r["dynamodb"] for r in event["Records"] if r["dynamodb"]["Keys"]["id"]["S"].startswith("bad")]
    if os.environ.get("PARTIAL"):
        return {"batchItemFailures": [{"itemIdentifier": r["SequenceNumber"]} for r in bad]}
    if bad:
        raise ValueError("bad item")
"""

LEARN = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["dynamodb:GetRecords", "dynamodb:DescribeStream", "dynamodb:ListStreams"], "Resource": "*"}]})


class Stage(LambdaStage):
    def __init__(self, weir):
        super().__init__(weir)
        self.streams = StreamStage(weir)
        self.ddb = self.streams.ddb

    def consumer(self, **env):
        """(name, url of the queue that it tells)"""
        url, _ = self.queue()
        return self.function(CONSUMER, Environment={"Variables": {"OUT": url, **env}}), url

    def map(self, function, arn, **settings):
        return self.awslambda.create_event_source_mapping(**{
            "FunctionName": function, "EventSourceArn": arn, "StartingPosition": "TRIM_HORIZON", **settings})

    def batch(self, url):
        return json.loads(self.receive(url)["Body"])

    def told(self, url, n):
        """Numbers of the items in the first n records told."""
        got = []
        while len(got) < n:
            got += [r["dynamodb"]["NewImage"]["n"]["N"] for r in self.batch(url)]
        return got

    def put(self, table, key, n):
        self.ddb.put_item(TableName=table, Item=item(key, n=n))


@pytest.fixture(scope="module")
def stage(weir):
    return Stage(weir)


@pytest.fixture(scope="module")
def echo(stage):
    return stage.function()


def test_event_document(stage):
    table, arn = stage.streams.table()
    name, url = stage.consumer()
    made = stage.map(name, arn)
    stage.put(table, "a", 1)
    records = stage.batch(url)
    assert len(records) == 1
    r, d = records[0], records[0]["dynamodb"]
    assert set(r) == {"eventID", "eventName", "eventVersion", "eventSource", "awsRegion", "dynamodb", "eventSourceARN"}
    assert (r["eventName"], r["eventVersion"], r["eventSource"], r["awsRegion"]) == ("INSERT", "1.1", "aws:dynamodb", "us-east-1")
    assert r["eventSourceARN"] == arn
    assert set(d) == {"ApproximateCreationDateTime", "Keys", "NewImage", "SequenceNumber", "SizeBytes", "StreamViewType"}
    assert d["Keys"] == item("a") and d["NewImage"] == item("a", n=1)
    assert d["SizeBytes"] == 9 and d["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    read = stage.streams.read(arn)[0]
    assert (r["eventID"], d["SequenceNumber"]) == (read["eventID"], read["dynamodb"]["SequenceNumber"])
    stage.ddb.delete_item(TableName=table, Key=item("a"))
    assert stage.batch(url)[0]["dynamodb"]["OldImage"] == item("a", n=1)
    wait_for(lambda: stage.awslambda.get_event_source_mapping(UUID=made["UUID"])["LastProcessingResult"] == "OK")
    # Disabled it rests, enabled it goes on where it was.
    stage.awslambda.update_event_source_mapping(UUID=made["UUID"], Enabled=False)
    wait_for(lambda: stage.awslambda.get_event_source_mapping(UUID=made["UUID"])["State"] == "Disabled")
    stage.put(table, "a", 2)
    stage.awslambda.update_event_source_mapping(UUID=made["UUID"], Enabled=True, ParallelizationFactor=3)
    assert stage.told(url, 1)[-1] == "2"
    stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])


def test_settings_are_shown(stage, echo):
    _, arn = stage.streams.table()
    _, dead = stage.queue()
    made = stage.map(echo, arn, StartingPosition="LATEST", Enabled=False)
    assert (made["BatchSize"], made["ParallelizationFactor"], made["MaximumRetryAttempts"]) == (100, 1, -1)
    assert (made["MaximumRecordAgeInSeconds"], made["BisectBatchOnFunctionError"], made["TumblingWindowInSeconds"]) == (-1, False, 0)
    assert made["StartingPosition"] == "LATEST" and made["DestinationConfig"] == {"OnFailure": {}}
    told = {"BatchSize": 7, "ParallelizationFactor": 2, "MaximumRetryAttempts": 3, "MaximumRecordAgeInSeconds": 120,
            "BisectBatchOnFunctionError": True, "MaximumBatchingWindowInSeconds": 1, "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "FilterCriteria": {"Filters": [{"Pattern": '{"eventName": ["INSERT"]}'}]},
            "DestinationConfig": {"OnFailure": {"Destination": dead}}}
    stage.awslambda.update_event_source_mapping(UUID=made["UUID"], **told)
    shown = stage.awslambda.get_event_source_mapping(UUID=made["UUID"])
    assert {k: shown[k] for k in told} == told
    refused("ResourceConflictException", stage.map, "already exists", function=echo, arn=arn)
    stage.awslambda.update_event_source_mapping(UUID=made["UUID"], FilterCriteria={"Filters": []})
    assert "FilterCriteria" not in stage.awslambda.get_event_source_mapping(UUID=made["UUID"])
    stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])


def test_what_is_refused(stage, echo):
    _, arn = stage.streams.table()
    bad = "InvalidParameterValueException"
    create = stage.awslambda.create_event_source_mapping
    refused(bad, create, "startingPosition", FunctionName=echo, EventSourceArn=arn)
    refused(bad, stage.map, "starting position", function=echo, arn=arn, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=1)
    refused(bad, stage.map, "Stream not found", function=echo, arn=arn + "0")
    reply = raw(stage, "POST", "/2015-03-31/event-source-mappings/", {  # older clients do not know the member
        "FunctionName": echo, "EventSourceArn": arn, "StartingPosition": "LATEST", "ScalingConfig": {"MaximumConcurrency": 5}})
    assert "ScalingConfig" in reply["message"]
    refused(bad, stage.map, function=echo, arn=arn, MaximumRecordAgeInSeconds=5)
    refused(bad, stage.map, function=echo, arn=arn, DestinationConfig={"OnSuccess": {"Destination": arn}})
    refused(bad, stage.map, function=echo, arn=arn, DestinationConfig={"OnFailure": {"Destination": arn}})
    six = {"Filters": [{"Pattern": '{"eventName": ["INSERT"]}'}] * 6}
    refused(bad, stage.map, "At most 5", function=echo, arn=arn, FilterCriteria=six)
    for pattern in ("", "x", "[]", '{"eventName": "INSERT"}', '{"eventName": [{"prefixed": "I"}]}'):
        refused(bad, stage.map, function=echo, arn=arn, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    for code in ("ParallelizationFactor", "BatchSize"):
        with pytest.raises(ClientError):
            stage.map(echo, arn, **{code: 100_000})
    poor = stage.function(Role=stage.role(policy=LEARN))
    refused(bad, stage.map, "Cannot access stream", function=poor, arn=arn)


def test_stream_of_an_encrypted_table(stage, weir):
    """The function's role needs the table's key."""
    kms, (table, arn) = weir.client("kms"), stage.streams.table()
    key = kms.create_key()["KeyMetadata"]["Arn"]
    stage.ddb.update_table(TableName=table, SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key})
    allowed = {"Effect": "Allow", "Action": ["dynamodb:*", "sqs:*", "logs:*"], "Resource": "*"}
    policy = lambda *more: json.dumps({"Version": "2012-10-17", "Statement": [allowed, *more]})
    role = stage.role(policy=policy())
    url, _ = stage.queue()
    name = stage.function(CONSUMER, Role=role, Environment={"Variables": {"OUT": url}})
    made = stage.map(name, arn)["UUID"]
    stage.put(table, "a", 1)
    wait_for(lambda: "may not read" in stage.awslambda.get_event_source_mapping(UUID=made)["LastProcessingResult"])
    weir.client("iam").put_role_policy(RoleName=role.split("/")[-1], PolicyName="key", PolicyDocument=policy(
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key}))
    assert stage.told(url, 1) == ["1"]
    stage.awslambda.delete_event_source_mapping(UUID=made)


def test_latest_windows_and_filters(stage):
    table, arn = stage.streams.table()
    stage.put(table, "a", 0)
    name, url = stage.consumer()
    filters = {"Filters": [{"Pattern": '{"eventName": ["MODIFY"], "dynamodb": {"NewImage": {"n": {"N": [{"anything-but": ["13"]}]}}}}'},
                           {"Pattern": '{"dynamodb": {"Keys": {"id": {"S": [{"prefix": "x"}]}}}}'}]}
    stage.map(name, arn, StartingPosition="LATEST", MaximumBatchingWindowInSeconds=2, FilterCriteria=filters)
    for n in (11, 12, 13, 14):
        stage.put(table, "a", n)
    stage.put(table, "b", 1)
    assert stage.told(url, 3) == ["11", "12", "14"]
    stage.put(table, "x", 2)
    assert stage.told(url, 1) == ["2"]


def test_order_within_items(stage):
    table, arn = stage.streams.table("NEW_IMAGE")
    name, url = stage.consumer()
    stage.map(name, arn, BatchSize=5, ParallelizationFactor=2)
    for n in range(6):
        for key in "abcdef":
            stage.put(table, key, n)
    got = {}
    while sum(map(len, got.values())) < 36:
        for r in stage.batch(url):
            got.setdefault(r["dynamodb"]["Keys"]["id"]["S"], []).append((r["dynamodb"]["SequenceNumber"], r["dynamodb"]["NewImage"]["n"]["N"]))
    for told in got.values():  # messages of a queue come in any order: the numbers tell
        assert [n for _, n in sorted(told)] == list("012345")


def test_retries_halves_and_the_destination(stage):
    table, arn = stage.streams.table("NEW_IMAGE", keys="g:S,id:S")
    name, url = stage.consumer()
    dead_url, dead = stage.queue()
    made = stage.map(name, arn, Enabled=False, MaximumRetryAttempts=1, BisectBatchOnFunctionError=True,
                     DestinationConfig={"OnFailure": {"Destination": dead}})
    for n, key in enumerate(["a", "b", "bad", "c"]):
        stage.ddb.put_item(TableName=table, Item={"g": {"S": "one"}, **item(key, n=n)})
    numbers = [r["dynamodb"]["SequenceNumber"] for r in stage.streams.read(arn)]
    stage.awslambda.update_event_source_mapping(UUID=made["UUID"], Enabled=True)
    note = json.loads(stage.receive(dead_url)["Body"])
    assert note["version"] == "1.0" and note["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert note["requestContext"]["approximateInvokeCount"] >= 2
    assert note["requestContext"]["functionArn"].endswith(":function:" + name)
    assert note["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    info = note["DDBStreamBatchInfo"]
    assert (info["startSequenceNumber"], info["endSequenceNumber"], info["batchSize"]) == (numbers[2], numbers[2], 1)
    assert info["streamArn"] == arn and info["shardId"] in stage.streams.shards(arn)
    assert {"approximateArrivalOfFirstRecord", "approximateArrivalOfLastRecord"} <= set(info)
    shapes = []
    while not shapes or shapes[-1] != ["c"]:
        shapes.append([r["dynamodb"]["Keys"]["id"]["S"] for r in stage.batch(url)])
    assert sorted(map("".join, shapes)) == sorted(["abbadc", "ab", "badc", "bad", "bad", "c"])


def test_a_bucket_has_what_failed(stage):
    """The records, too, which the other destinations do not have."""
    table, arn = stage.streams.table("NEW_IMAGE")
    bucket = "failed-" + uuid.uuid4().hex[:10]
    stage.s3.create_bucket(Bucket=bucket)
    to = {"OnFailure": {"Destination": "arn:aws:s3:::" + bucket}}
    poor = stage.function(Role=stage.role(json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]})))
    refused("InvalidParameterValueException", stage.map, "PutObject", function=poor, arn=arn, DestinationConfig=to)
    name, url = stage.consumer()
    made = stage.map(name, arn, Enabled=False, MaximumRetryAttempts=0, DestinationConfig=to)
    assert made["DestinationConfig"]["OnFailure"] == to["OnFailure"]

    def found(n):
        """The first n records, by key."""
        def all_():
            keys = [o["Key"] for o in stage.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
            return len(keys) >= n and keys
        return {k: json.load(stage.s3.get_object(Bucket=bucket, Key=k)["Body"]) for k in wait_for(all_, 60, "record")}

    stage.put(table, "bad", 1)
    stage.put(table, "bad", 2)
    stage.awslambda.update_event_source_mapping(UUID=made["UUID"], Enabled=True)
    told = stage.batch(url)
    (key, note), = found(1).items()
    shard = note["DDBStreamBatchInfo"]["shardId"]
    assert re.fullmatch(f"aws/lambda/{made['UUID']}/{shard}/\\d{{4}}/\\d\\d/\\d\\d/\\d{{4}}-\\d\\d-\\d\\dT\\d\\d\\.\\d\\d\\.\\d\\d-[0-9a-f-]{{36}}", key)
    assert note["requestContext"]["condition"] == "RetryAttemptsExhausted" and note["DDBStreamBatchInfo"]["batchSize"] == 2
    assert json.loads(note["payload"]) == {"Records": told}
    # More than may wait in the store is left out, the record is not.
    stage.awslambda.update_event_source_mapping(UUID=made["UUID"], Enabled=False)
    for n in range(4):
        stage.ddb.put_item(TableName=table, Item=item("bad", n=n, text="x" * 300_000))
    stage.awslambda.update_event_source_mapping(UUID=made["UUID"], Enabled=True)
    large = [note for key_, note in found(2).items() if key_ != key]
    assert all(note["requestContext"]["condition"] == "RetryAttemptsExhausted" for note in large)
    assert any("payload" not in note for note in large) or sum(n["DDBStreamBatchInfo"]["batchSize"] for n in large) < 4


def test_what_the_response_says_failed(stage):
    table, arn = stage.streams.table("NEW_IMAGE", keys="g:S,id:S")
    name, url = stage.consumer(PARTIAL="1")
    dead_url, dead = stage.queue()
    made = stage.map(name, arn, Enabled=False, MaximumRetryAttempts=0, FunctionResponseTypes=["ReportBatchItemFailures"],
                     BatchSize=3, DestinationConfig={"OnFailure": {"Destination": dead}})
    for n, key in enumerate(["a", "b", "bad", "c"]):
        stage.ddb.put_item(TableName=table, Item={"g": {"S": "one"}, **item(key, n=n)})
    stage.awslambda.update_event_source_mapping(UUID=made["UUID"], Enabled=True)
    info = json.loads(stage.receive(dead_url)["Body"])["DDBStreamBatchInfo"]
    assert info["batchSize"] == 1
    shapes = [[r["dynamodb"]["Keys"]["id"]["S"] for r in stage.batch(url)] for _ in range(2)]
    assert sorted(shapes) == [["a", "b", "bad"], ["c"]]


def test_a_failing_shard_blocks_itself_alone(stage):
    table, arn = stage.streams.table("NEW_IMAGE")
    name, url = stage.consumer()
    made = stage.map(name, arn)
    stage.put(table, "bad", 0)
    assert stage.batch(url)
    for n in range(40):
        stage.put(table, f"k{n}", n)
    told, shard_of = set(), {}
    for shard in stage.streams.shards(arn):
        at = stage.streams.iterator(arn, shard)
        for r in stage.streams.streams.get_records(ShardIterator=at)["Records"]:
            shard_of[r["dynamodb"]["Keys"]["id"]["S"]] = shard
    others = {k for k, s in shard_of.items() if s != shard_of["bad"]}
    assert others
    while not others <= told:
        told |= {r["dynamodb"]["Keys"]["id"]["S"] for r in stage.batch(url)}
    wait_for(lambda: "failed" in stage.awslambda.get_event_source_mapping(UUID=made["UUID"])["LastProcessingResult"])
    stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])


def test_filters_of_queues(stage):
    """What no filter wants is deleted from the queue; bodies that are JSON are matched as such."""
    in_url, in_arn = stage.queue(VisibilityTimeout="60")
    out_url, _ = stage.queue()
    name = stage.function(FORWARD, Environment={"Variables": {"OUT": out_url}})
    made = stage.awslambda.create_event_source_mapping(
        FunctionName=name, EventSourceArn=in_arn,
        FilterCriteria={"Filters": [{"Pattern": '{"body": {"kind": ["wanted"]}}'}, {"Pattern": '{"body": ["plain"]}'}]})
    for body in ('{"kind": "other"}', '{"kind": "wanted"}', "noise", "plain"):
        stage.sqs.send_message(QueueUrl=in_url, MessageBody=body)
    got = []
    while len(got) < 2:
        got += [r["body"] for r in stage.batch(out_url)["Records"]]
    assert sorted(got) == ["plain", '{"kind": "wanted"}']

    def empty():
        a = stage.sqs.get_queue_attributes(QueueUrl=in_url, AttributeNames=["All"])["Attributes"]
        return a["ApproximateNumberOfMessages"] == a["ApproximateNumberOfMessagesNotVisible"] == "0"
    wait_for(empty)
    stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])
