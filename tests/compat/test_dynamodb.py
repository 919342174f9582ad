"""DynamoDB driven by boto3: tables, items, expressions, pages, indexes, batches, restarts."""
import decimal
import json
import threading
import urllib.error
import urllib.request
import uuid

import boto3
import boto3.dynamodb.conditions as cond
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from weirtest import wait_for

D = decimal.Decimal


def error(code, match=None):
    """Context that expects a ClientError with this code and a message that contains `match`."""
    class Expect:
        def __enter__(self):
            self.raised = pytest.raises(ClientError)
            self.info = self.raised.__enter__()
            return self

        def __exit__(self, *exc):
            done = self.raised.__exit__(*exc)
            self.response = self.info.value.response
            assert self.response["Error"]["Code"] == code, self.response
            if match:
                assert match in self.response["Error"]["Message"], self.response
            return done
    return Expect()


@pytest.fixture
def ddb(weir):
    return weir.client("dynamodb")


def raw(weir, operation, body, key="test"):
    """(status, reply) of a request that the installed SDK may be too old to make."""
    request = AWSRequest("POST", weir.endpoint + "/", data=body if isinstance(body, bytes) else json.dumps(body).encode(),
                         headers={"X-Amz-Target": "DynamoDB_20120810." + operation,
                                  "Content-Type": "application/x-amz-json-1.0"})
    SigV4Auth(Credentials(key, "test"), "dynamodb", weir.region).add_auth(request)
    try:
        with urllib.request.urlopen(urllib.request.Request(request.url, request.data, dict(request.headers))) as r:
            return r.status, json.load(r)
    except urllib.error.HTTPError as e:
        return e.code, json.load(e)


def test_global_table_settings_are_refused(weir):
    for operation in ("CreateTable", "UpdateTable"):
        status, reply = raw(weir, operation, {
            "TableName": "global-table", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "GlobalTableSettingsReplicationMode": "ENABLED"})
        assert status == 400 and "Global tables" in reply["message"]


def make(ddb, keys="id:S", **more):
    """A table on demand; keys "id:S" or "id:S,sk:N"."""
    name = "t-" + uuid.uuid4().hex[:12]
    pairs = [k.split(":") for k in keys.split(",")]
    schema = [{"AttributeName": n, "KeyType": t} for (n, _), t in zip(pairs, ["HASH", "RANGE"])]
    defs = [{"AttributeName": n, "AttributeType": t} for n, t in pairs]
    defs += more.pop("AttributeDefinitions", [])
    ddb.create_table(**{"TableName": name, "KeySchema": schema, "AttributeDefinitions": defs,
                        "BillingMode": "PAY_PER_REQUEST", **more})
    return name


# --- tables -------------------------------------------------------------------------------------


def test_table_life(weir, ddb):
    name = make(ddb, "id:S,sk:N", Tags=[{"Key": "a", "Value": "1"}])
    ddb.get_waiter("table_exists").wait(TableName=name)
    t = ddb.describe_table(TableName=name)["Table"]
    assert t["TableStatus"] == "ACTIVE"
    assert t["TableArn"].endswith(":table/" + name)
    assert t["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"},
                              {"AttributeName": "sk", "KeyType": "RANGE"}]
    assert t["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert t["ItemCount"] == 0 and t["TableSizeBytes"] == 0
    assert raw(weir, "DescribeTable", {"TableName": name})[1]["Table"]["DeletionProtectionEnabled"] is False
    assert ddb.describe_table(TableName=t["TableArn"])["Table"]["TableId"] == t["TableId"]
    assert name in ddb.list_tables()["TableNames"]
    assert ddb.list_tags_of_resource(ResourceArn=t["TableArn"])["Tags"] == [{"Key": "a", "Value": "1"}]
    ddb.tag_resource(ResourceArn=t["TableArn"], Tags=[{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "3"}])
    ddb.untag_resource(ResourceArn=t["TableArn"], TagKeys=["b"])
    assert ddb.list_tags_of_resource(ResourceArn=t["TableArn"])["Tags"] == [{"Key": "a", "Value": "3"}]
    assert ddb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"
    backups = ddb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"
    with error("ResourceNotFoundException"):
        ddb.describe_table(TableName=t["TableArn"].replace("us-east-1", "eu-west-1"))
    with error("ResourceInUseException"):
        ddb.create_table(TableName=name, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                         AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                         BillingMode="PAY_PER_REQUEST")
    assert ddb.delete_table(TableName=name)["TableDescription"]["TableStatus"] == "DELETING"
    ddb.get_waiter("table_not_exists").wait(TableName=name)
    with error("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found"):
        ddb.describe_table(TableName=name)
    with error("ResourceNotFoundException", "Requested resource not found"):
        ddb.get_item(TableName=name, Key={"id": {"S": "x"}, "sk": {"N": "1"}})
    with error("TableNotFoundException"):
        ddb.describe_continuous_backups(TableName=name)


def test_dropped_items_do_not_come_back(ddb):
    name = make(ddb)
    ddb.put_item(TableName=name, Item={"id": {"S": "1"}})
    ddb.delete_table(TableName=name)
    ddb.create_table(TableName=name, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                     AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                     BillingMode="PAY_PER_REQUEST")
    assert ddb.scan(TableName=name)["Count"] == 0


def test_provisioned_and_updates(weir, ddb):
    name = "t-" + uuid.uuid4().hex[:12]
    t = ddb.create_table(TableName=name, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                         AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                         ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 6})
    assert t["TableDescription"]["ProvisionedThroughput"]["ReadCapacityUnits"] == 5
    assert "BillingModeSummary" not in t["TableDescription"]
    ddb.update_table(TableName=name, ProvisionedThroughput={"ReadCapacityUnits": 7, "WriteCapacityUnits": 6})
    assert ddb.describe_table(TableName=name)["Table"]["ProvisionedThroughput"]["ReadCapacityUnits"] == 7
    with error("ValidationException", "will not change"):
        ddb.update_table(TableName=name, ProvisionedThroughput={"ReadCapacityUnits": 7, "WriteCapacityUnits": 6})
    ddb.update_table(TableName=name, BillingMode="PAY_PER_REQUEST")
    t = ddb.describe_table(TableName=name)["Table"]
    assert t["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert t["ProvisionedThroughput"]["ReadCapacityUnits"] == 0
    raw(weir, "UpdateTable", {"TableName": name, "DeletionProtectionEnabled": True})
    with error("ValidationException", "protected against deletion"):
        ddb.delete_table(TableName=name)
    raw(weir, "UpdateTable", {"TableName": name, "DeletionProtectionEnabled": False})
    with error("ValidationException", "At least one of"):
        ddb.update_table(TableName=name)
    ddb.delete_table(TableName=name)


def test_provisioned_throughput_is_enforced(ddb):
    name = "t-" + uuid.uuid4().hex[:12]
    ddb.create_table(TableName=name, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                     AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                     ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1})
    item = {"id": {"S": "1"}, "data": {"S": "x" * 390_000}}
    ddb.put_item(TableName=name, Item=item)  # 381 units: more than five minutes' worth
    with error("ProvisionedThroughputExceededException"):
        ddb.put_item(TableName=name, Item={"id": {"S": "2"}})
    for _ in range(4):
        ddb.get_item(TableName=name, Key={"id": {"S": "1"}}, ConsistentRead=True)  # 96 units each
    with error("ProvisionedThroughputExceededException"):
        ddb.get_item(TableName=name, Key={"id": {"S": "2"}})
    ddb.update_table(TableName=name, BillingMode="PAY_PER_REQUEST")
    ddb.put_item(TableName=name, Item={"id": {"S": "2"}})


BASE = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST"}


@pytest.mark.parametrize("change, message", [
    ({"AttributeDefinitions": [{"AttributeName": "x", "AttributeType": "S"}]},
     "Some index key attributes are not defined in AttributeDefinitions. Keys: [id], AttributeDefinitions: [x]"),
    ({"AttributeDefinitions": BASE["AttributeDefinitions"] + [{"AttributeName": "x", "AttributeType": "S"}]},
     "Number of attributes in KeySchema does not exactly match"),
    ({"KeySchema": [{"AttributeName": "id", "KeyType": "RANGE"}]}, "is not a HASH key type"),
    ({"KeySchema": BASE["KeySchema"] * 2}, "Invalid KeySchema: Some index key attribute have no definition"),
    ({"AttributeDefinitions": BASE["AttributeDefinitions"] * 2}, "Attribute Name is duplicated: id"),
    ({"LocalSecondaryIndexes": []}, "List of LocalSecondaryIndexes is empty"),
    ({"GlobalSecondaryIndexes": []}, "List of GlobalSecondaryIndexes is empty"),
    ({"KeySchema": [*BASE["KeySchema"], {"AttributeName": "sk", "KeyType": "RANGE"}, {"AttributeName": "x", "KeyType": "RANGE"}]},
     "1 validation error detected: Value '[KeySchemaElement(attributeName=id, keyType=HASH), KeySchemaElement(attributeName=sk, "
     "keyType=RANGE), KeySchemaElement(attributeName=x, keyType=RANGE)]' at 'keySchema' failed to satisfy constraint: Member must "
     "have length less than or equal to 2"),
    ({"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}, "when BillingMode is PAY_PER_REQUEST"),
    ({"BillingMode": "PROVISIONED"}, "must both be specified when BillingMode is PROVISIONED"),
    ({"StreamSpecification": {"StreamEnabled": True}}, "UpdateViewType is required"),
    ({"SSESpecification": {"Enabled": True, "SSEType": "AES256"}}, "SSEType"),
    ({"SSESpecification": {"Enabled": False, "KMSMasterKeyId": "alias/k"}}, "KMSMasterKeyId"),
    ({"SSESpecification": {"Enabled": True, "KMSMasterKeyId": "alias/none"}}, "KMS validation error"),
    ({"LocalSecondaryIndexes": [{"IndexName": "abc", "KeySchema": BASE["KeySchema"],
                                 "Projection": {"ProjectionType": "ALL"}}]}, "does not have a range key"),
    ({"GlobalSecondaryIndexes": [{"IndexName": "abc", "KeySchema": BASE["KeySchema"], "Projection": {}}]},
     "Unknown ProjectionType"),
    ({"GlobalSecondaryIndexes": [{"IndexName": "abc", "KeySchema": BASE["KeySchema"],
                                  "Projection": {"ProjectionType": "INCLUDE"}}]}, "NonKeyAttributes is not specified"),
])
def test_create_table_refused(ddb, change, message):
    with error("ValidationException", message):
        ddb.create_table(**{"TableName": "refused", **BASE, **change})
    assert "refused" not in ddb.list_tables()["TableNames"]


def test_encryption_without_a_key(ddb, weir):
    """What Terraform's `server_side_encryption { enabled = true }` sends and reads back."""
    def description():
        return ddb.describe_table(TableName="sealed")["Table"].get("SSEDescription")
    ddb.create_table(**{"TableName": "sealed", **BASE, "SSESpecification": {"Enabled": True}})
    managed = weir.client("kms").describe_key(KeyId="alias/aws/dynamodb")["KeyMetadata"]["Arn"]
    assert description() == {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": managed}
    ddb.update_table(TableName="sealed", SSESpecification={"Enabled": False})
    assert description() is None
    ddb.update_table(TableName="sealed", SSESpecification={"Enabled": True})
    assert description()["KMSMasterKeyArn"] == managed


def test_list_tables_pages(fresh_weir):
    ddb = fresh_weir.client("dynamodb")
    names = [f"page-{i:02}" for i in range(7)]
    for n in names:
        ddb.create_table(TableName=n, **BASE)
    pages = list(ddb.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 3}))
    assert [len(p["TableNames"]) for p in pages] == [3, 3, 1]
    assert sum((p["TableNames"] for p in pages), []) == names


# --- items --------------------------------------------------------------------------------------


ALL_TYPES = {"id": "1", "s": "h\u00e9llo \U0001f600", "empty": "", "n": D("3.14"), "big": D("9" * 38), "neg": D("-0.001"),
             "b": b"\x00\xff", "t": True, "f": False, "null": None, "l": [1, "x", [None, {"k": D(2)}]],
             "m": {"a": {"b": {"c": "d"}}}, "ss": {"p", "q"}, "ns": {D(1), D("2.5")}, "bs": {b"x", b"y"}}


def test_round_trip_of_every_type(weir, ddb):
    table = weir.resource("dynamodb").Table(make(ddb))
    table.put_item(Item=ALL_TYPES)
    got = table.get_item(Key={"id": "1"})["Item"]
    got["b"] = got["b"].value
    got["bs"] = {x.value for x in got["bs"]}
    assert got == ALL_TYPES
    assert table.get_item(Key={"id": "1"}, ConsistentRead=True)["Item"]["s"] == ALL_TYPES["s"]
    assert "Item" not in table.get_item(Key={"id": "none"})


def test_projection(weir, ddb):
    table = weir.resource("dynamodb").Table(make(ddb))
    table.put_item(Item=ALL_TYPES)
    got = table.get_item(Key={"id": "1"}, ProjectionExpression="m.a.b, l[2][1], #t, gone",
                         ExpressionAttributeNames={"#t": "t"})["Item"]
    assert got == {"m": {"a": {"b": {"c": "d"}}}, "l": [[{"k": D(2)}]], "t": True}
    assert ddb.get_item(TableName=table.name, Key={"id": {"S": "1"}}, AttributesToGet=["n", "s"])["Item"].keys() == {"n", "s"}


@pytest.mark.parametrize("item, message", [
    ({"x": {"S": "1"}}, "Missing the key id in the item"),
    ({"id": {"N": "1"}}, "Type mismatch for key id expected: S actual: N"),
    ({"id": {"S": ""}}, "cannot contain an empty string value. Key: id"),
    ({"id": {"S": "x" * 2049}}, "Size of hashkey has exceeded the maximum size limit of2048 bytes"),
    ({"id": {"S": "1"}, "n": {"N": "abc"}}, "cannot be converted to a numeric value: abc"),
    ({"id": {"S": "1"}, "n": {"N": "1" * 39}}, "more than 38 significant digits"),
    ({"id": {"S": "1"}, "n": {"N": "1e126"}}, "Number overflow"),
    ({"id": {"S": "1"}, "ss": {"SS": ["a", "a"]}}, "Input collection [a, a] contains duplicates."),
    ({"id": {"S": "1"}, "ss": {"SS": []}}, "may not be empty"),
    ({"id": {"S": "1"}, "big": {"S": "x" * 409600}}, "Item size has exceeded the maximum allowed size"),
])
def test_put_refused(ddb, item, message):
    name = make(ddb)
    with error("ValidationException", message):
        ddb.put_item(TableName=name, Item=item)
    assert ddb.scan(TableName=name)["Count"] == 0


def test_item_at_the_size_limit(ddb):
    name = make(ddb)
    size = 409600 - len("id") - len("1") - len("big")
    ddb.put_item(TableName=name, Item={"id": {"S": "1"}, "big": {"S": "x" * size}})
    assert len(ddb.get_item(TableName=name, Key={"id": {"S": "1"}})["Item"]["big"]["S"]) == size
    with error("ValidationException", "Item size has exceeded"):
        ddb.put_item(TableName=name, Item={"id": {"S": "1"}, "big": {"S": "x" * (size + 1)}})
    with error("ValidationException", "Item size to update has exceeded"):
        ddb.update_item(TableName=name, Key={"id": {"S": "1"}}, UpdateExpression="SET c = :c",
                        ExpressionAttributeValues={":c": {"S": "x"}})


def test_key_refused(ddb):
    name = make(ddb, "id:S,sk:N")
    for key in ({"id": {"S": "1"}}, {"id": {"S": "1"}, "sk": {"S": "1"}},
                {"id": {"S": "1"}, "sk": {"N": "1"}, "x": {"S": "1"}}):
        with error("ValidationException", "The provided key element does not match the schema"):
            ddb.get_item(TableName=name, Key=key)


def test_conditions_and_returned_values(weir, ddb):
    name = make(ddb)
    item = {"id": {"S": "1"}, "n": {"N": "1"}}
    ddb.put_item(TableName=name, Item=item, ConditionExpression="attribute_not_exists(id)")
    with error("ConditionalCheckFailedException", "The conditional request failed"):
        ddb.put_item(TableName=name, Item=item, ConditionExpression="attribute_not_exists(id)")
    status, reply = raw(weir, "PutItem", {"TableName": name, "Item": item,
                                          "ConditionExpression": "attribute_not_exists(id)",
                                          "ReturnValuesOnConditionCheckFailure": "ALL_OLD"})
    assert status == 400 and reply["__type"].endswith("#ConditionalCheckFailedException") and reply["Item"] == item
    old = ddb.put_item(TableName=name, Item={**item, "n": {"N": "2"}}, ReturnValues="ALL_OLD")
    assert old["Attributes"] == item
    with error("ConditionalCheckFailedException"):
        ddb.delete_item(TableName=name, Key={"id": {"S": "1"}}, ConditionExpression="n = :n",
                        ExpressionAttributeValues={":n": {"N": "1"}})
    gone = ddb.delete_item(TableName=name, Key={"id": {"S": "1"}}, ReturnValues="ALL_OLD")
    assert gone["Attributes"]["n"] == {"N": "2"}
    assert "Attributes" not in ddb.delete_item(TableName=name, Key={"id": {"S": "1"}}, ReturnValues="ALL_OLD")


def test_updates(weir, ddb):
    table = weir.resource("dynamodb").Table(make(ddb))
    key = {"id": "1"}

    def update(expression, values=None, **more):
        if values:
            more["ExpressionAttributeValues"] = values
        return table.update_item(Key=key, UpdateExpression=expression, **more).get("Attributes")

    assert update("SET version = :v, m = :m, l = :l", {":v": 1, ":m": {"a": 1}, ":l": [1, 2]},
                  ReturnValues="UPDATED_NEW") == {"version": 1, "m": {"a": 1}, "l": [1, 2]}
    assert update("SET version = :n", {":n": 2, ":cv": 1}, ConditionExpression="version = :cv",
                  ReturnValues="UPDATED_NEW") == {"version": 2}
    with error("ConditionalCheckFailedException"):
        update("SET version = :n", {":n": 3, ":cv": 1}, ConditionExpression="version = :cv")
    assert update("SET m.b = :x, l[5] = :x REMOVE l[0]", {":x": "y"}, ReturnValues="ALL_NEW") == {
        "id": "1", "version": 2, "m": {"a": 1, "b": "y"}, "l": [2, "y"]}
    assert update("ADD version :x, tags :t", {":x": 5, ":t": {"a", "b"}}, ReturnValues="UPDATED_OLD") == {"version": 2}
    assert update("DELETE tags :t", {":t": {"a", "b"}}, ReturnValues="ALL_NEW") == {
        "id": "1", "version": 7, "m": {"a": 1, "b": "y"}, "l": [2, "y"]}
    assert update("SET c = if_not_exists(c, :z) + :one", {":z": 0, ":one": 1}, ReturnValues="UPDATED_NEW") == {"c": 1}
    with error("ValidationException", "This attribute is part of the key"):
        update("SET id = :x", {":x": "2"})
    with error("ValidationException", "refers to an attribute that does not exist"):
        update("SET q = gone + :x", {":x": 2})
    with error("ValidationException", 'Invalid UpdateExpression: Syntax error; token: "x", near: "a x b"'):
        update("SET a x b")
    with error("ValidationException", "reserved keyword: name"):
        update("SET name = :x", {":x": 2})
    with error("ValidationException", "unused in expressions: keys: {:y}"):
        update("SET a = :x", {":x": 2, ":y": 3})
    # no expression at all: the item comes to exist
    table.update_item(Key={"id": "2"})
    assert table.get_item(Key={"id": "2"})["Item"] == {"id": "2"}


@pytest.mark.parametrize("operation, body, code", [
    ("PutItem", b"{", "SerializationException"),
    ("PutItem", b"[]", "SerializationException"),
    ("PutItem", {"TableName": "x"}, "ValidationException"),
    ("PutItem", {"TableName": "x", "Item": []}, "SerializationException"),
    ("PutItem", {"TableName": "TABLE", "Item": {"id": {"S": 5}}}, "SerializationException"),
    ("PutItem", {"TableName": "TABLE", "Item": {"id": "x"}}, "SerializationException"),
    ("PutItem", {"TableName": "TABLE", "Item": {"id": {"B": "!"}}}, "SerializationException"),
    ("PutItem", {"TableName": "TABLE", "Item": {"id": {}}}, "ValidationException"),
    ("PutItem", {"TableName": "TABLE", "Item": {"id": {"S": "x"}}, "ReturnValues": "ALL_NEW"}, "ValidationException"),
    ("PutItem", {"TableName": "TABLE", "Item": {"id": {"S": "x"}}, "ReturnValues": "NOPE"}, "ValidationException"),
    ("GetItem", {"TableName": "TABLE", "Key": {}}, "ValidationException"),
    ("Query", {"TableName": "TABLE", "KeyConditionExpression": ""}, "ValidationException"),
    ("Scan", {"TableName": "TABLE", "Limit": 0}, "ValidationException"),
    ("Scan", {"TableName": "TABLE", "ExclusiveStartKey": {"x": {"S": "y"}}}, "ValidationException"),
    ("DescribeTableReplicaAutoScaling", {"TableName": "TABLE"}, "UnknownOperationException"),
    ("NoSuchThing", {}, "UnknownOperationException"),
])
def test_malformed(weir, ddb, operation, body, code):
    name = make(ddb)
    if isinstance(body, dict) and body.get("TableName") == "TABLE":
        body = {**body, "TableName": name}
    status, reply = raw(weir, operation, body)
    assert status == 400 and reply["__type"].endswith("#" + code), reply


def test_counter_under_contention(weir, ddb):
    name = make(ddb)

    def work():
        client = weir.client("dynamodb")
        for _ in range(25):
            client.update_item(TableName=name, Key={"id": {"S": "c"}}, UpdateExpression="ADD n :one",
                               ExpressionAttributeValues={":one": {"N": "1"}})
    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert ddb.get_item(TableName=name, Key={"id": {"S": "c"}})["Item"]["n"] == {"N": "100"}


# --- query and scan -----------------------------------------------------------------------------


def fill(weir, name, n=20):
    table = weir.resource("dynamodb").Table(name)
    with table.batch_writer() as w:
        for i in range(n):
            w.put_item(Item={"id": f"h{i % 2}", "sk": D(i - 5), "v": f"v{i:02}", "even": i % 2 == 0})
    return table


def test_query(weir, ddb):
    table = fill(weir, make(ddb, "id:S,sk:N"))
    key = cond.Key("id").eq("h0")

    def sks(expression, **more):
        return [int(i["sk"]) for i in table.query(KeyConditionExpression=expression, **more)["Items"]]

    every = list(range(-5, 15, 2))
    assert sks(key) == every
    assert sks(key, ScanIndexForward=False) == every[::-1]
    assert sks(key & cond.Key("sk").eq(3)) == [3]
    assert sks(key & cond.Key("sk").lt(-1)) == [-5, -3]
    assert sks(key & cond.Key("sk").lte(-1)) == [-5, -3, -1]
    assert sks(key & cond.Key("sk").gt(9)) == [11, 13]
    assert sks(key & cond.Key("sk").gte(9)) == [9, 11, 13]
    assert sks(key & cond.Key("sk").between(-1, 3)) == [-1, 1, 3]
    assert sks(key, Limit=2) == [-5, -3]
    assert sks(key, FilterExpression=cond.Attr("v").gt("v12")) == [9, 11, 13]
    assert sks(cond.Key("id").eq("none")) == []
    # pages, both ways
    for forward in (True, False):
        got, start = [], {}
        while True:
            page = table.query(KeyConditionExpression=key, Limit=3, ScanIndexForward=forward, **start)
            got += [int(i["sk"]) for i in page["Items"]]
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        assert got == (every if forward else every[::-1])
    counted = table.query(KeyConditionExpression=key, Select="COUNT", FilterExpression=cond.Attr("v").gt("v12"))
    assert (counted["Count"], counted["ScannedCount"]) == (3, 10) and "Items" not in counted
    used = table.query(KeyConditionExpression=key, ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
    assert used["CapacityUnits"] == 0.5


def test_query_strings(weir, ddb):
    name = make(ddb, "id:S,sk:S")
    table = weir.resource("dynamodb").Table(name)
    for sk in ["a", "a\0b", "ab", "abc", "b", "\u00e9", "\U0001f600"]:
        table.put_item(Item={"id": "x", "sk": sk})
    key = cond.Key("id").eq("x")
    assert [i["sk"] for i in table.query(KeyConditionExpression=key)["Items"]] == \
        ["a", "a\0b", "ab", "abc", "b", "\u00e9", "\U0001f600"]
    assert [i["sk"] for i in table.query(KeyConditionExpression=key & cond.Key("sk").begins_with("ab"))["Items"]] == \
        ["ab", "abc"]


@pytest.mark.parametrize("request_, message", [
    ({}, "Either the KeyConditions or KeyConditionExpression parameter must be specified"),
    ({"KeyConditionExpression": "sk = :n"}, "Query condition missed key schema element: id"),
    ({"KeyConditionExpression": "id > :s"}, "Query key condition not supported"),
    ({"KeyConditionExpression": "id = :n"}, "Condition parameter type does not match schema type"),
    ({"KeyConditionExpression": "id = :s", "FilterExpression": "sk > :n"},
     "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"),
    ({"KeyConditionExpression": "id = :s", "IndexName": "none"}, "The table does not have the specified index: none"),
])
def test_query_refused(ddb, request_, message):
    name = make(ddb, "id:S,sk:N")
    text = str(request_)
    values = {k: v for k, v in {":s": {"S": "x"}, ":n": {"N": "1"}}.items() if k in text}
    more = {"ExpressionAttributeValues": values} if values else {}
    with error("ValidationException", message):
        ddb.query(TableName=name, **request_, **more)


def test_scan(weir, ddb):
    table = fill(weir, make(ddb, "id:S,sk:N"))
    assert len(table.scan()["Items"]) == 20
    seen = []
    start = {}
    while True:
        page = table.scan(Limit=7, **start)
        seen += [(i["id"], i["sk"]) for i in page["Items"]]
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert len(seen) == len(set(seen)) == 20
    assert table.scan(FilterExpression=cond.Attr("even").eq(True), Select="COUNT")["Count"] == 10
    got = table.scan(ProjectionExpression="v", Limit=1)["Items"]
    assert list(got[0]) == ["v"]


def test_parallel_scan(weir, ddb):
    name = make(ddb)
    table = weir.resource("dynamodb").Table(name)
    with table.batch_writer() as w:
        for i in range(400):
            w.put_item(Item={"id": f"item-{i}"})
    parts = [table.scan(Segment=s, TotalSegments=4)["Items"] for s in range(4)]
    assert sorted(i["id"] for p in parts for i in p) == sorted(f"item-{i}" for i in range(400))
    assert min(len(p) for p in parts) > 50
    with error("ValidationException", "Segment: 4 is not less than TotalSegments: 4"):
        table.scan(Segment=4, TotalSegments=4)
    wait_for(lambda: ddb.describe_table(TableName=name)["Table"]["ItemCount"] == 400)


def test_pages_of_one_megabyte(weir, ddb):
    name = make(ddb, "id:S,sk:N")
    table = weir.resource("dynamodb").Table(name)
    for i in range(12):
        table.put_item(Item={"id": "x", "sk": i, "data": "y" * 200_000})
    page = table.query(KeyConditionExpression=cond.Key("id").eq("x"))
    assert page["Count"] == 6 and page["LastEvaluatedKey"] == {"id": "x", "sk": 5}
    filtered = table.query(KeyConditionExpression=cond.Key("id").eq("x"), FilterExpression=cond.Attr("data").eq("z"))
    assert filtered["Count"] == 0 and filtered["ScannedCount"] == 6 and "LastEvaluatedKey" in filtered
    pages = ddb.get_paginator("scan").paginate(TableName=name)
    assert sum(p["Count"] for p in pages) == 12


# --- batches ------------------------------------------------------------------------------------


def test_batches(ddb):
    one, two = make(ddb), make(ddb, "id:S,sk:N")
    reply = ddb.batch_write_item(RequestItems={
        one: [{"PutRequest": {"Item": {"id": {"S": str(i)}, "v": {"N": str(i)}}}} for i in range(10)],
        two: [{"PutRequest": {"Item": {"id": {"S": "x"}, "sk": {"N": str(i)}}}} for i in range(10)]},
        ReturnConsumedCapacity="TOTAL")
    assert reply["UnprocessedItems"] == {}
    assert sorted(c["CapacityUnits"] for c in reply["ConsumedCapacity"]) == [10.0, 10.0]
    got = ddb.batch_get_item(RequestItems={
        one: {"Keys": [{"id": {"S": str(i)}} for i in range(5, 15)], "ProjectionExpression": "#v",
              "ExpressionAttributeNames": {"#v": "v"}},
        two: {"Keys": [{"id": {"S": "x"}, "sk": {"N": "3"}}], "ConsistentRead": True}})
    assert sorted(i["v"]["N"] for i in got["Responses"][one]) == ["5", "6", "7", "8", "9"]
    assert got["Responses"][two] == [{"id": {"S": "x"}, "sk": {"N": "3"}}]
    assert got["UnprocessedKeys"] == {}
    ddb.batch_write_item(RequestItems={one: [{"DeleteRequest": {"Key": {"id": {"S": str(i)}}}} for i in range(10)]})
    assert ddb.scan(TableName=one)["Count"] == 0
    with error("ValidationException", "Provided list of item keys contains duplicates"):
        ddb.batch_write_item(RequestItems={one: [{"PutRequest": {"Item": {"id": {"S": "1"}}}}] * 2})
    with error("ValidationException", "Provided list of item keys contains duplicates"):
        ddb.batch_get_item(RequestItems={one: {"Keys": [{"id": {"S": "1"}}] * 2}})
    with error("ValidationException"):
        ddb.batch_write_item(RequestItems={one: [{"PutRequest": {"Item": {"id": {"S": str(i)}}}} for i in range(26)]})
    with error("ResourceNotFoundException"):
        ddb.batch_get_item(RequestItems={"no-such-table": {"Keys": [{"id": {"S": "1"}}]}})
    assert ddb.scan(TableName=one)["Count"] == 0


def test_batch_get_hands_back_what_is_too_much(ddb):
    name = make(ddb)
    keys = [{"id": {"S": str(i)}} for i in range(50)]
    for k in keys:
        ddb.put_item(TableName=name, Item={**k, "data": {"S": "y" * 399_000}})
    got, ask = [], {name: {"Keys": keys}}
    while ask:
        reply = ddb.batch_get_item(RequestItems=ask)
        assert len(reply["Responses"][name]) <= 16 * 1024 * 1024 // 399_000  # the item that crosses 16 MB is not in it
        got += [i["id"]["S"] for i in reply["Responses"][name]]
        ask = reply["UnprocessedKeys"]
    assert sorted(got) == sorted(str(i) for i in range(50))


# --- transactions -------------------------------------------------------------------------------


def test_transactions(weir, ddb):
    one, two = make(ddb), make(ddb, "id:S,sk:N")

    def put(table, item, **more):
        return {"Put": {"TableName": table, "Item": item, **more}}

    new = {"ConditionExpression": "attribute_not_exists(id)"}
    a, b = {"id": {"S": "a"}, "n": {"N": "1"}}, {"id": {"S": "b"}, "sk": {"N": "2"}}
    used = ddb.transact_write_items(TransactItems=[put(one, a, **new), put(two, b, **new)], ReturnConsumedCapacity="TOTAL")
    assert [c["CapacityUnits"] for c in used["ConsumedCapacity"]] == [2.0, 2.0]
    with error("TransactionCanceledException", "[None, ConditionalCheckFailed]") as e:
        ddb.transact_write_items(TransactItems=[put(one, {"id": {"S": "c"}}), put(two, b, **new)])
    assert [r["Code"] for r in e.response["CancellationReasons"]] == ["None", "ConditionalCheckFailed"]
    got = ddb.transact_get_items(TransactItems=[
        {"Get": {"TableName": one, "Key": {"id": {"S": "a"}}, "ProjectionExpression": "n"}},
        {"Get": {"TableName": one, "Key": {"id": {"S": "c"}}}},
        {"Get": {"TableName": two, "Key": b}}])["Responses"]
    assert got == [{"Item": {"n": {"N": "1"}}}, {}, {"Item": b}]
    ddb.transact_write_items(TransactItems=[
        {"Update": {"TableName": one, "Key": {"id": {"S": "a"}}, "UpdateExpression": "ADD n :n",
                    "ExpressionAttributeValues": {":n": {"N": "5"}}}},
        {"Delete": {"TableName": two, "Key": b, "ConditionExpression": "attribute_exists(id)"}},
        {"ConditionCheck": {"TableName": one, "Key": {"id": {"S": "zz"}}, "ConditionExpression": "attribute_not_exists(id)"}}])
    assert ddb.get_item(TableName=one, Key={"id": {"S": "a"}})["Item"]["n"] == {"N": "6"}
    assert ddb.scan(TableName=two)["Count"] == 0
    with error("ValidationException", "multiple operations on one item"):
        ddb.transact_write_items(TransactItems=[put(one, a), {"Delete": {"TableName": one, "Key": {"id": {"S": "a"}}}}])
    with error("TransactionCanceledException", "[ValidationError]"):
        ddb.transact_write_items(TransactItems=[
            {"Update": {"TableName": one, "Key": {"id": {"S": "a"}}, "UpdateExpression": "SET q = gone"}}])


def test_transaction_token(ddb):
    name = make(ddb)
    add = {"Update": {"TableName": name, "Key": {"id": {"S": "a"}}, "UpdateExpression": "ADD n :n",
                      "ExpressionAttributeValues": {":n": {"N": "5"}}}}
    token = uuid.uuid4().hex
    for _ in range(3):
        ddb.transact_write_items(TransactItems=[add], ClientRequestToken=token)
    assert ddb.get_item(TableName=name, Key={"id": {"S": "a"}})["Item"]["n"] == {"N": "5"}
    with error("IdempotentParameterMismatchException"):
        ddb.transact_write_items(TransactItems=[add, {"Delete": {"TableName": name, "Key": {"id": {"S": "b"}}}}],
                                 ClientRequestToken=token)


def test_transfers_keep_the_sum(weir, ddb):
    name = make(ddb)
    accounts = [{"id": {"S": str(i)}} for i in range(3)]
    for a in accounts:
        ddb.put_item(TableName=name, Item={**a, "n": {"N": "100"}})

    def work(seed):
        client = weir.client("dynamodb")
        for i in range(15):
            x, y = accounts[(seed + i) % 3], accounts[(seed + i + 1) % 3]
            client.transact_write_items(TransactItems=[
                {"Update": {"TableName": name, "Key": k, "UpdateExpression": "ADD n :n",
                            "ExpressionAttributeValues": {":n": {"N": n}}}} for k, n in ((x, "-1"), (y, "1"))])
    threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sum(int(i["n"]["N"]) for i in ddb.scan(TableName=name)["Items"]) == 300


# --- indexes ------------------------------------------------------------------------------------


GSI = {"IndexName": "by-owner", "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"},
                                              {"AttributeName": "at", "KeyType": "RANGE"}],
       "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["v"]}}
GSI_DEFS = [{"AttributeName": "owner", "AttributeType": "S"}, {"AttributeName": "at", "AttributeType": "N"}]


def index_items(table, owner, **more):
    return table.query(IndexName="by-owner", KeyConditionExpression=cond.Key("owner").eq(owner), **more)["Items"]


def test_global_index(weir, ddb):
    table = weir.resource("dynamodb").Table(
        make(ddb, AttributeDefinitions=GSI_DEFS, GlobalSecondaryIndexes=[GSI]))
    for i in range(6):
        table.put_item(Item={"id": str(i), "owner": f"o{i % 2}", "at": 10 - i, "v": i, "w": i})
    table.put_item(Item={"id": "sparse", "owner": "o0"})
    assert index_items(table, "o0") == [{"id": str(i), "owner": "o0", "at": 10 - i, "v": i} for i in (4, 2, 0)]
    table.update_item(Key={"id": "2"}, UpdateExpression="SET #o = :o", ExpressionAttributeNames={"#o": "owner"},
                      ExpressionAttributeValues={":o": "o1"})
    table.update_item(Key={"id": "4"}, UpdateExpression="SET v = :v", ExpressionAttributeValues={":v": "new"})
    table.delete_item(Key={"id": "0"})
    assert index_items(table, "o0") == [{"id": "4", "owner": "o0", "at": 6, "v": "new"}]
    assert [i["id"] for i in index_items(table, "o1")] == ["5", "3", "2", "1"]
    table.update_item(Key={"id": "4"}, UpdateExpression="REMOVE #a", ExpressionAttributeNames={"#a": "at"})
    assert index_items(table, "o0") == []
    got, start = [], {}
    while True:
        page = table.query(IndexName="by-owner", KeyConditionExpression=cond.Key("owner").eq("o1"), Limit=1, **start)
        got += [i["id"] for i in page["Items"]]
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        assert set(start["ExclusiveStartKey"]) == {"id", "owner", "at"}
    assert got == ["5", "3", "2", "1"]
    assert table.scan(IndexName="by-owner")["Count"] == 4
    with error("ValidationException", "Type mismatch for Index Key owner Expected: S Actual: N IndexName: by-owner"):
        table.put_item(Item={"id": "x", "owner": 1})
    with error("ValidationException", "Consistent reads are not supported on global secondary indexes"):
        index_items(table, "o1", ConsistentRead=True)
    with error("ValidationException", "does not project"):
        index_items(table, "o1", ProjectionExpression="w")
    used = table.put_item(Item={"id": "1", "owner": "o2", "at": 1}, ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"]
    assert used["CapacityUnits"] == 3.0 and used["GlobalSecondaryIndexes"]["by-owner"]["CapacityUnits"] == 2.0


def test_local_index(weir, ddb):
    table = weir.resource("dynamodb").Table(make(
        ddb, "id:S,sk:N", AttributeDefinitions=[{"AttributeName": "alt", "AttributeType": "S"}],
        LocalSecondaryIndexes=[{"IndexName": "alt", "Projection": {"ProjectionType": "KEYS_ONLY"},
                                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"},
                                              {"AttributeName": "alt", "KeyType": "RANGE"}]}]))
    for i in range(4):
        table.put_item(Item={"id": "x", "sk": i, "alt": "dcba"[i], "v": i})
    query = {"IndexName": "alt", "KeyConditionExpression": cond.Key("id").eq("x")}
    assert [i["alt"] for i in table.query(**query)["Items"]] == ["a", "b", "c", "d"]
    assert table.query(**query, Limit=1)["Items"] == [{"id": "x", "sk": 3, "alt": "a"}]
    full = table.query(**query, Limit=1, Select="ALL_ATTRIBUTES", ConsistentRead=True)["Items"]
    assert full == [{"id": "x", "sk": 3, "alt": "a", "v": 3}]
    assert table.query(**query, Limit=1, ProjectionExpression="v")["Items"] == [{"v": 3}]
    metrics = table.put_item(Item={"id": "x", "sk": 9}, ReturnItemCollectionMetrics="SIZE")["ItemCollectionMetrics"]
    assert metrics["ItemCollectionKey"] == {"id": "x"}


def test_index_made_later(weir, ddb):
    name = make(ddb)
    table = weir.resource("dynamodb").Table(name)
    with table.batch_writer() as w:
        for i in range(500):
            w.put_item(Item={"id": str(i), "owner": f"o{i % 5}", "at": i})
    table.put_item(Item={"id": "wrong", "owner": 5, "at": 1})
    ddb.update_table(TableName=name, AttributeDefinitions=GSI_DEFS, GlobalSecondaryIndexUpdates=[{"Create": GSI}])
    table.put_item(Item={"id": "during", "owner": "o0", "at": 1000})

    def active():
        t = ddb.describe_table(TableName=name)["Table"]
        return t["TableStatus"] == "ACTIVE" and t["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE"
    wait_for(active)
    assert len(index_items(table, "o0")) == 101
    assert table.scan(IndexName="by-owner", Select="COUNT")["Count"] == 501
    ddb.update_table(TableName=name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-owner"}}])
    t = ddb.describe_table(TableName=name)["Table"]
    assert "GlobalSecondaryIndexes" not in t and len(t["AttributeDefinitions"]) == 1
    with error("ValidationException", "does not have the specified index"):
        index_items(table, "o0")


# --- durability, regions ------------------------------------------------------------------------


def test_survives_restarts(fresh_weir):
    ddb = fresh_weir.client("dynamodb")
    name = make(ddb, AttributeDefinitions=GSI_DEFS, GlobalSecondaryIndexes=[GSI])
    dropped = make(ddb)
    for i in range(30):
        ddb.put_item(TableName=name, Item={"id": {"S": str(i)}, "owner": {"S": "o"}, "at": {"N": str(i)}})
        ddb.put_item(TableName=dropped, Item={"id": {"S": str(i)}})
    before = ddb.describe_table(TableName=name)["Table"]
    ddb.delete_table(TableName=dropped)
    fresh_weir.kill9()
    fresh_weir.start()
    ddb = fresh_weir.client("dynamodb")
    assert ddb.list_tables()["TableNames"] == [name]
    after = ddb.describe_table(TableName=name)["Table"]
    assert after["TableId"] == before["TableId"] and after["ItemCount"] == 30
    assert ddb.scan(TableName=name, IndexName="by-owner")["Count"] == 30
    fresh_weir.restart()
    ddb = fresh_weir.client("dynamodb")
    assert ddb.scan(TableName=name)["Count"] == 30


def test_tables_belong_to_a_region(weir, ddb):
    name = make(ddb)
    other = boto3.client("dynamodb", endpoint_url=weir.endpoint, region_name="eu-west-1", aws_access_key_id="test",
                         aws_secret_access_key="test")
    with error("ResourceNotFoundException"):
        other.describe_table(TableName=name)


def test_small_descriptions(ddb):
    assert ddb.describe_limits()["TableMaxReadCapacityUnits"] > 0
    assert ddb.describe_endpoints()["Endpoints"][0]["Address"]


# --- permissions --------------------------------------------------------------------------------


@pytest.fixture
def limited(weir, request):
    """limited(statements) -> client of a new user with this policy."""
    iam = weir.client("iam")

    def user(*statements, client="dynamodb"):
        name = "u-" + uuid.uuid4().hex[:8]
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": list(statements)}))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return weir.client(client, key["AccessKeyId"], key["SecretAccessKey"])
    return user


def test_permission_by_table(ddb, limited):
    mine, other = make(ddb), make(ddb)
    user = limited({"Effect": "Allow", "Action": ["dynamodb:PutItem", "dynamodb:BatchWriteItem", "dynamodb:Scan"],
                    "Resource": f"arn:aws:dynamodb:*:*:table/{mine}"})
    item = {"id": {"S": "x"}}
    user.put_item(TableName=mine, Item=item)
    assert user.scan(TableName=mine)["Count"] == 1
    with error("AccessDeniedException"):
        user.put_item(TableName=other, Item=item)
    with error("AccessDeniedException"):
        user.get_item(TableName=mine, Key=item)
    with error("AccessDeniedException"):
        user.list_tables()
    with error("AccessDeniedException"):
        user.batch_write_item(RequestItems={t: [{"PutRequest": {"Item": item}}] for t in (mine, other)})
    with error("AccessDeniedException"):
        user.transact_write_items(TransactItems=[{"Put": {"TableName": other, "Item": item}}])
    assert ddb.scan(TableName=other)["Count"] == 0


def test_permission_by_leading_key_and_attributes(ddb, limited):
    name = make(ddb, "id:S,sk:N")
    for who in ("me", "you"):
        ddb.put_item(TableName=name, Item={"id": {"S": who}, "sk": {"N": "1"}, "v": {"S": "x"}, "secret": {"S": "y"}})
    user = limited({"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*", "Condition": {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["me"], "dynamodb:Attributes": ["id", "sk", "v"]},
        "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"}}})

    def get(who, projection="v"):
        more = {"ProjectionExpression": projection} if projection else {}
        return user.get_item(TableName=name, Key={"id": {"S": who}, "sk": {"N": "1"}}, **more)

    assert get("me")["Item"] == {"v": {"S": "x"}}
    for who, projection in (("you", "v"), ("me", "secret"), ("me", "v, secret"), ("me", None)):
        with error("AccessDeniedException"):
            get(who, projection)
    query = {"TableName": name, "KeyConditionExpression": "id = :i AND sk > :n", "ProjectionExpression": "v"}
    assert user.query(**query, ExpressionAttributeValues={":i": {"S": "me"}, ":n": {"N": "0"}})["Count"] == 1
    with error("AccessDeniedException"):
        user.query(**query, ExpressionAttributeValues={":i": {"S": "you"}, ":n": {"N": "0"}})
    with error("AccessDeniedException"):
        user.query(**query, FilterExpression="secret = :s",
                   ExpressionAttributeValues={":i": {"S": "me"}, ":n": {"N": "0"}, ":s": {"S": "y"}})
    user.put_item(TableName=name, Item={"id": {"S": "me"}, "sk": {"N": "2"}, "v": {"S": "z"}})
    with error("AccessDeniedException"):
        user.put_item(TableName=name, Item={"id": {"S": "you"}, "sk": {"N": "2"}})
    with error("AccessDeniedException"):
        user.update_item(TableName=name, Key={"id": {"S": "me"}, "sk": {"N": "2"}},
                         UpdateExpression="SET secret = :s", ExpressionAttributeValues={":s": {"S": "z"}})
    with error("AccessDeniedException"):
        user.batch_get_item(RequestItems={name: {"Keys": [{"id": {"S": w}, "sk": {"N": "1"}} for w in ("me", "you")],
                                                 "ProjectionExpression": "v"}})


def test_large_transactional_reads_do_not_hold_up_the_loop(weir):
    """They count as work, as scans do: what is more than a slice goes on on the worker pool."""
    def handed_over():
        text = urllib.request.urlopen(weir.endpoint + "/_weir/metrics").read().decode()
        return int(next(line.split()[1] for line in text.splitlines() if line.startswith("weir_calls_handed_over_total ")))

    ddb, name = weir.client("dynamodb"), "large-reads"
    ddb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                     AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    for i in range(3):
        ddb.put_item(TableName=name, Item={"id": {"S": str(i)}, "v": {"S": "x" * 300_000}})
    before = handed_over()
    got = ddb.transact_get_items(TransactItems=[{"Get": {"TableName": name, "Key": {"id": {"S": str(i)}}}} for i in range(3)])
    assert [len(r["Item"]["v"]["S"]) for r in got["Responses"]] == [300_000] * 3
    assert handed_over() > before
