"""DynamoDB Streams and time to live, driven by boto3."""
import uuid

import pytest
from botocore.exceptions import ClientError

from weirtest import wait_for


def refused(code, call, match="", **args):
    with pytest.raises(ClientError) as info:
        call(**args)
    assert info.value.response["Error"]["Code"] == code, info.value.response
    assert match in info.value.response["Error"]["Message"], info.value.response


class Stage:
    def __init__(self, weir):
        self.weir = weir
        self.ddb = weir.client("dynamodb")
        self.streams = weir.client("dynamodbstreams")

    def table(self, view="NEW_AND_OLD_IMAGES", keys="id:S", **more):
        name = "s-" + uuid.uuid4().hex[:12]
        pairs = [k.split(":") for k in keys.split(",")]
        if view:
            more["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
        made = self.ddb.create_table(
            TableName=name, BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": n, "KeyType": t} for (n, _), t in zip(pairs, ["HASH", "RANGE"])],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": t} for n, t in pairs], **more)
        return name, made["TableDescription"].get("LatestStreamArn")

    def shards(self, arn):
        return [s["ShardId"] for s in self.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]]

    def iterator(self, arn, shard, kind="TRIM_HORIZON", **more):
        return self.streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType=kind, **more)["ShardIterator"]

    def read(self, arn, **more):
        """All records: shard by shard, each in order."""
        found = []
        for shard in self.shards(arn):
            at = self.iterator(arn, shard)
            while at:
                page = self.streams.get_records(ShardIterator=at, **more)
                found += page["Records"]
                at = page.get("NextShardIterator") if page["Records"] else None
        return found


@pytest.fixture(scope="module")
def stage(weir):
    return Stage(weir)


def item(key, **more):
    return {"id": {"S": key}, **{k: {"N": str(v)} if isinstance(v, int) else {"S": v} for k, v in more.items()}}


def test_life_of_a_stream(stage):
    name, arn = stage.table(view=None)
    assert arn is None
    assert "StreamSpecification" not in stage.ddb.describe_table(TableName=name)["Table"]
    on = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    told = stage.ddb.update_table(TableName=name, StreamSpecification=on)["TableDescription"]
    assert told["StreamSpecification"] == on
    arn = told["LatestStreamArn"]
    assert arn == told["TableArn"] + "/stream/" + told["LatestStreamLabel"]
    refused("ValidationException", stage.ddb.update_table, "already has an enabled stream", TableName=name, StreamSpecification=on)
    d = stage.streams.describe_stream(StreamArn=arn)["StreamDescription"]
    assert (d["StreamStatus"], d["StreamViewType"], d["TableName"]) == ("ENABLED", "KEYS_ONLY", name)
    assert d["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert len(d["Shards"]) > 1 and "EndingSequenceNumber" not in d["Shards"][0]["SequenceNumberRange"]
    listed = stage.streams.list_streams(TableName=name)["Streams"]
    assert listed == [{"StreamArn": arn, "TableName": name, "StreamLabel": told["LatestStreamLabel"]}]
    stage.ddb.put_item(TableName=name, Item=item("a", n=1))
    off = stage.ddb.update_table(TableName=name, StreamSpecification={"StreamEnabled": False})["TableDescription"]
    assert "StreamSpecification" not in off and off["LatestStreamArn"] == arn
    refused("ValidationException", stage.ddb.update_table, "no stream", TableName=name, StreamSpecification={"StreamEnabled": False})
    stage.ddb.put_item(TableName=name, Item=item("b", n=1))
    d = stage.streams.describe_stream(StreamArn=arn)["StreamDescription"]
    assert d["StreamStatus"] == "DISABLED"
    assert all("EndingSequenceNumber" in s["SequenceNumberRange"] for s in d["Shards"])
    records = stage.read(arn)
    assert [r["dynamodb"]["Keys"] for r in records] == [{"id": {"S": "a"}}]
    ends = {s["SequenceNumberRange"]["EndingSequenceNumber"] for s in d["Shards"]}
    assert records[0]["dynamodb"]["SequenceNumber"] in ends
    for shard in stage.shards(arn):  # a closed shard ends
        page = stage.streams.get_records(ShardIterator=stage.iterator(arn, shard, "LATEST"))
        assert page["Records"] == [] and "NextShardIterator" not in page
    again = stage.ddb.update_table(TableName=name, StreamSpecification=on)["TableDescription"]["LatestStreamArn"]
    assert again != arn and stage.read(again) == []
    pages = stage.streams.list_streams(TableName=name, Limit=1)
    rest = stage.streams.list_streams(TableName=name, ExclusiveStartStreamArn=pages["LastEvaluatedStreamArn"])
    assert {s["StreamArn"] for s in pages["Streams"] + rest["Streams"]} == {arn, again}
    assert "LastEvaluatedStreamArn" not in rest
    stage.ddb.put_item(TableName=name, Item=item("c", n=1))
    stage.ddb.delete_table(TableName=name)
    assert len(stage.read(arn)) == 1 and len(stage.read(again)) == 1  # readable for a day


def test_specifications_that_are_refused(stage):
    def make(**spec):
        stage.ddb.create_table(TableName="s-refused", BillingMode="PAY_PER_REQUEST", StreamSpecification=spec,
                               KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                               AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    refused("ValidationException", make, StreamEnabled=True)
    refused("ValidationException", make, StreamEnabled=False, StreamViewType="KEYS_ONLY")
    refused("ValidationException", make, StreamEnabled=True, StreamViewType="EVERYTHING")
    make(StreamEnabled=False)
    stage.ddb.delete_table(TableName="s-refused")


@pytest.mark.parametrize("view, neu, old", [("KEYS_ONLY", False, False), ("NEW_IMAGE", True, False),
                                            ("OLD_IMAGE", False, True), ("NEW_AND_OLD_IMAGES", True, True)])
def test_views(stage, view, neu, old):
    name, arn = stage.table(view)
    stage.ddb.put_item(TableName=name, Item=item("a", n=1))
    stage.ddb.update_item(TableName=name, Key=item("a"), UpdateExpression="SET n = n + :one", ExpressionAttributeValues={":one": {"N": "1"}})
    stage.ddb.delete_item(TableName=name, Key=item("a"))
    insert, modify, remove = stage.read(arn)
    assert [r["eventName"] for r in (insert, modify, remove)] == ["INSERT", "MODIFY", "REMOVE"]
    images = [("NewImage" in r["dynamodb"], "OldImage" in r["dynamodb"]) for r in (insert, modify, remove)]
    assert images == [(neu, False), (neu, old), (False, old)]
    if neu:
        assert modify["dynamodb"]["NewImage"] == item("a", n=2)
    if old:
        assert modify["dynamodb"]["OldImage"] == item("a", n=1) and remove["dynamodb"]["OldImage"] == item("a", n=2)
    r = modify
    assert (r["eventVersion"], r["eventSource"], r["awsRegion"]) == ("1.1", "aws:dynamodb", "us-east-1")
    assert r["dynamodb"]["StreamViewType"] == view and r["dynamodb"]["Keys"] == item("a")
    assert r["dynamodb"]["SizeBytes"] == 3 + (6 if neu else 0) + (6 if old else 0)
    assert "userIdentity" not in r
    assert len({x["eventID"] for x in (insert, modify, remove)}) == 3
    numbers = [x["dynamodb"]["SequenceNumber"] for x in (insert, modify, remove)]
    assert numbers == sorted(numbers, key=int) == sorted(numbers) and len(numbers[0]) >= 21


def test_what_changes_nothing_has_no_record(stage):
    name, arn = stage.table()
    full = {"id": {"S": "a"}, "set": {"SS": ["x", "y"]}, "n": {"N": "1.0"}}
    stage.ddb.put_item(TableName=name, Item=full)
    stage.ddb.put_item(TableName=name, Item={"n": {"N": "1"}, "set": {"SS": ["y", "x"]}, "id": {"S": "a"}})
    stage.ddb.update_item(TableName=name, Key=item("a"), UpdateExpression="SET n = :one", ExpressionAttributeValues={":one": {"N": "1"}})
    stage.ddb.delete_item(TableName=name, Key=item("never"))
    stage.ddb.batch_write_item(RequestItems={name: [{"PutRequest": {"Item": full}}, {"DeleteRequest": {"Key": item("nor")}}]})
    refused("ConditionalCheckFailedException", stage.ddb.put_item, TableName=name, Item=item("a", n=7),
            ConditionExpression="attribute_not_exists(id)")
    assert [r["eventName"] for r in stage.read(arn)] == ["INSERT"]


def test_batches_and_transactions(stage):
    name, arn = stage.table(keys="id:S,sk:N")
    other, other_arn = stage.table("KEYS_ONLY")
    stage.ddb.batch_write_item(RequestItems={name: [{"PutRequest": {"Item": item("b", sk=i)}} for i in range(10)]})
    stage.ddb.transact_write_items(TransactItems=[
        {"Put": {"TableName": name, "Item": item("b", sk=3, n=1)}},
        {"Delete": {"TableName": name, "Key": item("b", sk=4)}},
        {"ConditionCheck": {"TableName": name, "Key": item("b", sk=5), "ConditionExpression": "attribute_exists(id)"}},
        {"Update": {"TableName": other, "Key": item("o"), "UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {":n": {"N": "1"}}}}])
    records = stage.read(arn)
    assert [r["eventName"] for r in records] == ["INSERT"] * 10 + ["MODIFY", "REMOVE"]
    assert [r["dynamodb"]["Keys"]["sk"]["N"] for r in records] == [str(i) for i in range(10)] + ["3", "4"]
    assert [r["eventName"] for r in stage.read(other_arn)] == ["INSERT"]
    refused("TransactionCanceledException", stage.ddb.transact_write_items, TransactItems=[
        {"Put": {"TableName": name, "Item": item("c", sk=1)}},
        {"ConditionCheck": {"TableName": name, "Key": item("z", sk=5), "ConditionExpression": "attribute_exists(id)"}}])
    assert len(stage.read(arn)) == 12


def test_iterators(stage):
    name, arn = stage.table("KEYS_ONLY")
    for i in range(5):
        stage.ddb.put_item(TableName=name, Item=item("a", n=i))
    shard = next(s for s in stage.shards(arn) if stage.streams.get_records(ShardIterator=stage.iterator(arn, s))["Records"])
    first = stage.streams.get_records(ShardIterator=stage.iterator(arn, shard), Limit=2)
    numbers = [r["dynamodb"]["SequenceNumber"] for r in stage.read(arn)]
    assert [r["dynamodb"]["SequenceNumber"] for r in first["Records"]] == numbers[:2]

    def at(kind, number):
        page = stage.streams.get_records(ShardIterator=stage.iterator(arn, shard, kind, SequenceNumber=number))
        return [r["dynamodb"]["SequenceNumber"] for r in page["Records"]]
    assert at("AT_SEQUENCE_NUMBER", numbers[2]) == numbers[2:]
    assert at("AFTER_SEQUENCE_NUMBER", numbers[2]) == numbers[3:]
    latest = stage.iterator(arn, shard, "LATEST")
    empty = stage.streams.get_records(ShardIterator=latest)
    assert empty["Records"] == []
    stage.ddb.put_item(TableName=name, Item=item("a", n=9))
    for token in (latest, empty["NextShardIterator"]):
        assert len(stage.streams.get_records(ShardIterator=token)["Records"]) == 1
    start = stage.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["SequenceNumberRange"]["StartingSequenceNumber"]
    assert len(at("AT_SEQUENCE_NUMBER", start)) == 6
    get = stage.streams.get_shard_iterator
    refused("ValidationException", get, StreamArn=arn, ShardId=shard, ShardIteratorType="AT_SEQUENCE_NUMBER")
    refused("ValidationException", get, StreamArn=arn, ShardId=shard, ShardIteratorType="AT_SEQUENCE_NUMBER", SequenceNumber="9" * 21)
    refused("ValidationException", get, StreamArn=arn, ShardId=shard, ShardIteratorType="SOMEWHERE")
    refused("ResourceNotFoundException", get, StreamArn=arn, ShardId="shardId-00000000000000000000-00000000", ShardIteratorType="LATEST")
    refused("ResourceNotFoundException", get, StreamArn=arn + "0", ShardId=shard, ShardIteratorType="LATEST")
    refused("ValidationException", stage.streams.get_records, ShardIterator="nonsense")
    refused("ValidationException", stage.streams.get_records, ShardIterator=latest[:-4] + "AAAA")
    refused("ValidationException", stage.streams.get_records, ShardIterator=latest, Limit=1001)


def test_pages_of_shards(stage):
    _, arn = stage.table("KEYS_ONLY")
    every = stage.shards(arn)
    seen, more = [], {}
    while True:
        d = stage.streams.describe_stream(StreamArn=arn, Limit=1, **more)["StreamDescription"]
        seen += [s["ShardId"] for s in d["Shards"]]
        if "LastEvaluatedShardId" not in d:
            break
        more = {"ExclusiveStartShardId": d["LastEvaluatedShardId"]}
    assert seen == every
    refused("ValidationException", stage.streams.describe_stream, StreamArn=arn, ExclusiveStartShardId="shardId-00000000000000000000-00000000")
    refused("ResourceNotFoundException", stage.streams.describe_stream, StreamArn=arn.replace("/s-", "/x-"))


def test_a_reply_holds_a_megabyte(stage):
    name, arn = stage.table("NEW_IMAGE")
    for i in range(4):
        stage.ddb.put_item(TableName=name, Item=item("a", n=i, text="x" * 300_000))
    shard = next(s for s in stage.shards(arn) if stage.streams.get_records(ShardIterator=stage.iterator(arn, s), Limit=1)["Records"])
    page = stage.streams.get_records(ShardIterator=stage.iterator(arn, shard))
    assert len(page["Records"]) == 3
    assert len(stage.streams.get_records(ShardIterator=page["NextShardIterator"])["Records"]) == 1


def test_items_spread_and_keep_their_order(stage):
    name, arn = stage.table("NEW_IMAGE")
    for i in range(5):
        for key in range(20):
            stage.ddb.put_item(TableName=name, Item=item(f"k{key}", n=i))
    busy, order = 0, {}
    for shard in stage.shards(arn):
        page = stage.streams.get_records(ShardIterator=stage.iterator(arn, shard))["Records"]
        busy += bool(page)
        for r in page:
            order.setdefault(r["dynamodb"]["Keys"]["id"]["S"], []).append((shard, int(r["dynamodb"]["NewImage"]["n"]["N"])))
    assert busy > 1 and len(order) == 20
    for got in order.values():
        assert len({s for s, _ in got}) == 1 and [n for _, n in got] == list(range(5))


def test_records_survive_a_restart(make_weir):
    own = Stage(make_weir())
    name, arn = own.table("NEW_IMAGE")
    for i in range(3):
        own.ddb.put_item(TableName=name, Item=item("a", n=i))
    before = [r["dynamodb"]["SequenceNumber"] for r in own.read(arn)]
    shard = next(s for s in own.shards(arn) if own.streams.get_records(ShardIterator=own.iterator(arn, s))["Records"])
    token = own.iterator(arn, shard, "AFTER_SEQUENCE_NUMBER", SequenceNumber=before[-1])
    own.weir.kill9()
    own.weir.start()
    for i in range(3, 6):
        own.ddb.put_item(TableName=name, Item=item("a", n=i))
    records = own.read(arn)
    assert [r["dynamodb"]["NewImage"]["n"]["N"] for r in records] == list("012345")
    assert [r["dynamodb"]["SequenceNumber"] for r in records][:3] == before
    assert len(own.streams.get_records(ShardIterator=token)["Records"]) == 3


# --- time to live -------------------------------------------------------------------------------


def ttl(stage, name, on=True, attribute="until"):
    return stage.ddb.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": on, "AttributeName": attribute})


def state(stage, name):
    return stage.ddb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]


def test_settings_of_time_to_live(stage):
    name, _ = stage.table(view=None)
    refused("ValidationException", ttl, "already disabled", stage=stage, name=name, on=False)
    assert ttl(stage, name)["TimeToLiveSpecification"] == {"Enabled": True, "AttributeName": "until"}
    wait_for(lambda: state(stage, name) == {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"})
    refused("ValidationException", ttl, "already enabled", stage=stage, name=name)
    refused("ValidationException", ttl, "different AttributeName", stage=stage, name=name, attribute="other")
    refused("ValidationException", ttl, "multiple times", stage=stage, name=name, on=False)
    refused("ResourceNotFoundException", ttl, stage=stage, name="no-such-table")
    refused("ResourceNotFoundException", state, stage=stage, name="no-such-table")
