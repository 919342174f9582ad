"""DynamoDB's corners as boto3 sees them: parameters from before expressions, what updates and transactions do at
their edges, what is refused and in which words."""
import gzip
import json
import urllib.error
import urllib.request
import uuid
import zlib

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from test_dynamodb import error, fill, limited, make, raw  # noqa: F401

KEY = {"id": {"S": "1"}}


@pytest.fixture(scope="module")
def ddb(weir):
    return weir.client("dynamodb")


@pytest.fixture(scope="module")
def table(ddb):
    return make(ddb)


@pytest.fixture(scope="module")
def sorted_table(weir, ddb):
    return fill(weir, make(ddb, "id:S,sk:N")).name


# --- names --------------------------------------------------------------------------------------

PATTERN = "failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"


@pytest.mark.parametrize("name, match", [
    ("invalid;name", f"1 validation error detected: Value 'invalid;name' at 'tableName' {PATTERN}"),
    ("a b c", f"Value 'a b c' at 'tableName' {PATTERN}"),
    ("\u00fc-table", f"Value '\u00fc-table' at 'tableName' {PATTERN}"),
    ("ab", "Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3"),
    ("x" * 256, "at 'tableName' failed to satisfy constraint: Member must have length less than or equal to 255"),
])
def test_names_are_validated(weir, name, match):
    schema = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST",
              "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}
    for operation, more in (("CreateTable", schema), ("DescribeTable", {}), ("GetItem", {"Key": KEY}), ("Scan", {}),
                            ("DeleteTable", {})):
        status, reply = raw(weir, operation, {"TableName": name, **more})
        assert status == 400 and reply["__type"].endswith("#ValidationException") and match in reply["message"], reply
    status, reply = raw(weir, "Scan", {"TableName": "some-table", "IndexName": name})
    assert status == 400 and match.replace("tableName", "indexName") in reply["message"], reply


# --- updates ------------------------------------------------------------------------------------


@pytest.mark.parametrize("expression, more", [
    ("REMOVE a", {}),
    ("REMOVE a.b, c[0]", {}),
    ("DELETE a :s", {"ExpressionAttributeValues": {":s": {"SS": ["x"]}}}),
    ("REMOVE b DELETE a :s", {"ExpressionAttributeValues": {":s": {"SS": ["x"]}}}),
])
def test_taking_away_makes_no_item(ddb, table, expression, more):
    key = {"id": {"S": uuid.uuid4().hex}}
    got = ddb.update_item(TableName=table, Key=key, UpdateExpression=expression, ReturnValues="ALL_NEW", **more)
    assert "Attributes" not in got
    assert "Item" not in ddb.get_item(TableName=table, Key=key)
    ddb.transact_write_items(TransactItems=[{"Update": {"TableName": table, "Key": key, "UpdateExpression": expression, **more}}])
    assert "Item" not in ddb.get_item(TableName=table, Key=key)


def test_operands_see_the_key_of_a_new_item(ddb, table):
    key = {"id": {"S": uuid.uuid4().hex}}
    got = ddb.update_item(TableName=table, Key=key, UpdateExpression="SET b = id", ReturnValues="ALL_NEW")
    assert got["Attributes"] == {**key, "b": key["id"]}


@pytest.mark.parametrize("key, expression, extra, most", [
    ("K", "SET p = :p", {}, 409600 - 19), ("k" * 50, "SET p = :p", {}, 409600), ("K", "SET p = :p REMOVE r", {}, 409600 - 21),
    ("K", "SET p = :p, q = :q", {":q": {"S": "y"}}, 409600 - 38),
])
def test_what_an_update_may_write(ddb, table, key, expression, extra, most):
    """AWS counts what UpdateItem writes, and its clauses, besides the item itself."""
    key = {"id": {"S": key}}
    room = most - len("id") - len(key["id"]["S"]) - len("p") - (2 if extra else 0)
    for bytes_, fits in ((room, True), (room + 1, False)):
        ask = {"TableName": table, "Key": key, "UpdateExpression": expression, "ExpressionAttributeValues": {":p": {"S": "x" * bytes_}, **extra}}
        if fits:
            ddb.update_item(**ask)
            continue
        with error("ValidationException", "Item size to update has exceeded the maximum allowed size"):
            ddb.update_item(**ask)
    ddb.delete_item(TableName=table, Key=key)


def test_null_has_one_value(ddb, table):
    ddb.put_item(TableName=table, Item={"id": {"S": "null"}, "a": {"NULL": False}})
    assert ddb.get_item(TableName=table, Key={"id": {"S": "null"}})["Item"]["a"] == {"NULL": True}


# --- transactions -------------------------------------------------------------------------------


def put(table, item, **more):
    return {"Put": {"TableName": table, "Item": item, **more}}


def update(table, expression, values, key=KEY):
    return {"Update": {"TableName": table, "Key": key, "UpdateExpression": expression, "ExpressionAttributeValues": values}}


@pytest.mark.parametrize("action, message", [
    (lambda t: put(t, {"id": {"N": "5"}}), "Type mismatch for key id expected: S actual: N"),
    (lambda t: put(t, {"x": {"N": "5"}}), "Missing the key id in the item"),
    (lambda t: update(t, "SET x = :v", {":v": {"S": "y" * 409600}}, {"id": {"S": "large"}}), "Item size to update has exceeded the maximum allowed size"),
    (lambda t: update(t, "SET a = :v", {":v": {"S": "x"}}, {"id": {"N": "1"}}), "The provided key element does not match the schema"),
    (lambda t: {"Delete": {"TableName": t, "Key": {"no": {"S": "1"}}}}, "The provided key element does not match the schema"),
])
def test_an_invalid_action_cancels_the_transaction(ddb, table, action, message):
    with error("TransactionCanceledException", "[ValidationError, None, None]") as e:
        ddb.transact_write_items(TransactItems=[action(table), put(table, {"id": {"S": "never-1"}}), put(table, {"id": {"S": "never-2"}})])
    reasons = e.response["CancellationReasons"]
    assert [r["Code"] for r in reasons] == ["ValidationError", "None", "None"] and message in reasons[0]["Message"]
    assert "Item" not in ddb.get_item(TableName=table, Key={"id": {"S": "never-1"}})


def test_index_keys_in_transactions(ddb):
    name = make(ddb, AttributeDefinitions=[{"AttributeName": "g", "AttributeType": "S"}], GlobalSecondaryIndexes=[
        {"IndexName": "gsi", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}}])
    wrong = "Type mismatch for Index Key g Expected: S Actual: N IndexName: gsi"
    for action in (put(name, {**KEY, "g": {"N": "5"}}), update(name, "SET g = :v", {":v": {"N": "5"}})):
        with error("TransactionCanceledException", "[ValidationError]") as e:
            ddb.transact_write_items(TransactItems=[action])
        assert wrong in e.response["CancellationReasons"][0]["Message"]
    with error("ValidationException", "cannot contain an empty string value. IndexName: gsi, IndexKey: g"):
        ddb.transact_write_items(TransactItems=[put(name, {**KEY, "g": {"S": ""}})])
    with error("ValidationException", "The update expression attempted to update a secondary index key to a value that is not supported"):
        ddb.transact_write_items(TransactItems=[update(name, "SET g = :v", {":v": {"S": ""}})])
    assert ddb.scan(TableName=name)["Count"] == 0


def test_a_read_without_a_key_cancels_its_transaction(ddb, table):
    with error("TransactionCanceledException", "[None, ValidationError]") as e:
        ddb.transact_get_items(TransactItems=[{"Get": {"TableName": table, "Key": KEY}}, {"Get": {"TableName": table, "Key": {}}}])
    assert e.response["CancellationReasons"][1]["Message"] == "The provided key element does not match the schema"


def test_what_refuses_a_transaction_as_a_whole(ddb, table):
    with error("ValidationException", "Item size has exceeded the maximum allowed size"):  # the request alone says so
        ddb.transact_write_items(TransactItems=[put(table, {**KEY, "x": {"S": "y" * 409600}})])
    for action in (put(table, {"id": {"S": ""}}), update(table, "SET a = :v", {":v": {"S": "x"}}, {"id": {"S": ""}})):
        with error("ValidationException", "cannot contain an empty string value. Key: id"):
            ddb.transact_write_items(TransactItems=[action])
    with error("ValidationException", "Number overflow"):
        ddb.transact_write_items(TransactItems=[put(table, {**KEY, "n": {"N": "1e126"}})])
    with error("ValidationException", "cannot include multiple operations on one item"):
        ddb.transact_get_items(TransactItems=[{"Get": {"TableName": table, "Key": KEY}}] * 2)
    with error("ValidationException", "Transaction size has exceeded the maximum allowed size of 4 MB"):
        ddb.transact_write_items(TransactItems=[put(table, {"id": {"S": f"big-{i}"}, "x": {"S": "x" * 390_000}}) for i in range(11)])


def test_a_repeated_token_reads(ddb, table):
    request = {"TransactItems": [put(table, {"id": {"S": "token"}, "x": {"S": "x" * 3000}})],
               "ClientRequestToken": uuid.uuid4().hex, "ReturnConsumedCapacity": "TOTAL"}
    first = ddb.transact_write_items(**request)["ConsumedCapacity"]
    again = ddb.transact_write_items(**request)["ConsumedCapacity"]
    assert first == [{"TableName": table, "CapacityUnits": 6.0, "WriteCapacityUnits": 6.0}]
    assert again == [{"TableName": table, "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0}]


# --- refused ------------------------------------------------------------------------------------


def test_tables_refused(weir, ddb, table):
    index = {"IndexName": "gsi", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
             "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["a", "b", "a"]}}
    with error("ValidationException", "Duplicate element in NonKeyAttributes: a"):
        make(ddb, GlobalSecondaryIndexes=[index])
    status, reply = raw(weir, "UpdateTable", {"TableName": table, "GlobalSecondaryIndexUpdates": []})
    assert status == 400 and "At least one of ProvisionedThroughput" in reply["message"]
    with error("ValidationException", "Table has no stream to disable"):
        ddb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    make(ddb, StreamSpecification={"StreamEnabled": False})
    for write in (lambda: ddb.put_item(TableName=table, Item={**KEY, "": {"S": "x"}}),
                  lambda: ddb.transact_write_items(TransactItems=[put(table, {**KEY, "": {"S": "x"}})])):
        with error("ValidationException", "Attribute name must not be empty"):
            write()
    ddb.put_item(TableName=table, Item={**KEY, "m": {"M": {"": {"S": "x"}}}})


def test_query_refused(ddb, table, sorted_table):
    with error("ValidationException", "The query can return at most one row and cannot be restarted"):
        ddb.query(TableName=table, KeyConditionExpression="id = :i", ExpressionAttributeValues={":i": {"S": "1"}}, ExclusiveStartKey=KEY)
    strings = make(ddb, "id:S,sk:S")
    with error("ValidationException", "cannot contain an empty string value. Key: sk"):
        ddb.query(TableName=strings, KeyConditionExpression="id = :i AND sk = :s",
                  ExpressionAttributeValues={":i": {"S": "1"}, ":s": {"S": ""}})
    with error("ValidationException", "Non-expression parameters: {AttributesToGet} Expression parameters: {FilterExpression}"):
        ddb.scan(TableName=table, AttributesToGet=["a"], FilterExpression="attribute_exists(a)")
    got = ddb.query(TableName=sorted_table, KeyConditionExpression=":p = id AND :s < sk",
                    ExpressionAttributeValues={":p": {"S": "h0"}, ":s": {"N": "9"}})
    assert [i["sk"]["N"] for i in got["Items"]] == ["11", "13"]


INVALID = "One or more parameter values were invalid: "
UNITS = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
NEW = {"TableName": "is-not-made", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
       "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}


@pytest.mark.parametrize("operation, body, message", [
    ("CreateTable", {"TableName": None}, "The parameter 'TableName' is required but was not present in the request"),
    ("DescribeTable", {"TableName": None}, "The parameter 'TableName' is required but was not present in the request"),
    ("DeleteTable", {"TableName": None}, "The parameter 'TableName' is required but was not present in the request"),
    ("UpdateTable", {"TableName": None}, "The parameter 'TableName' is required but was not present in the request"),
    ("PutItem", {"TableName": None, "Item": KEY},
     "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null"),
    ("PutItem", {"TableName": "", "Item": {}, "ReturnValues": "INVALID"},
     "1 validation error detected: Value '' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 1"),
    ("UpdateItem", {"TableName": "", "UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {":a": {"S": "x"}}},
     "2 validation errors detected: Value '' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 1; "
     "Value null at 'key' failed to satisfy constraint: Member must not be null"),
    ("UpdateItem", {"TableName": "", "ReturnConsumedCapacity": "INVALID", "ReturnValues": "INVALID"},
     "4 validation errors detected: Value 'INVALID' at 'returnConsumedCapacity' failed to satisfy constraint: "
     "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; "
     "Value '' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 1; "
     "Value 'INVALID' at 'returnValues' failed to satisfy constraint: "
     "Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]; "
     "Value null at 'key' failed to satisfy constraint: Member must not be null"),
    ("UpdateItem", {"ConditionalOperator": "XOR", "AttributeUpdates": {"x": {"Action": "PUT", "Value": {"S": "1"}}}},
     "2 validation errors detected: Value 'XOR' at 'conditionalOperator' failed to satisfy constraint: Member must satisfy enum value set: [OR, AND]; "
     "Value null at 'key' failed to satisfy constraint: Member must not be null"),
    ("Query", {"Limit": 0},
     "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1"),
    ("Scan", {"Limit": 0},
     "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"),
    ("PutItem", {"Item": {**KEY, "s": {"SS": []}}}, INVALID + "An string set  may not be empty"),
    ("PutItem", {"Item": {**KEY, "s": {"NS": []}}}, INVALID + "An number set  may not be empty"),
    ("PutItem", {"Item": {**KEY, "s": {"BS": []}}}, INVALID + "Binary sets should not be empty"),
    ("PutItem", {"Item": {**KEY, "s": {"BS": ["Yg==", "Yg=="]}}},
     INVALID + "Input collection [Yg==, Yg==]of type BS contains duplicates."),
    ("GetItem", {"Key": KEY, "ProjectionExpression": "!!! INVALID !!!"},
     'Invalid ProjectionExpression: Syntax error; token: "!", near: "!!"'),
    ("GetItem", {"Key": KEY, "ProjectionExpression": "a", "ExpressionAttributeNames": {"#" + "n" * 255: "a"}},
     'ExpressionAttributeNames contains invalid key: Syntax error; key: "#' + "n" * 255 + '"'),
    ("Scan", {"FilterExpression": "a = :v", "ExpressionAttributeValues": {":v": {"S": "x" * (2 * 1024 * 1024)}}},
     "ExpressionAttributeValues exceeds max size; the limit is 2097152 bytes"),
    ("TagResource", {"ResourceArn": "ARN", "Tags": [{"Key": "hi!", "Value": "x"}]}, "The Tag Key provided is invalid, Key: hi!"),
    ("TagResource", {"ResourceArn": "ARN", "Tags": [{"Key": "k", "Value": "hi!"}]}, "The Tag Value provided is invalid, Value: hi!"),
    ("TagResource", {"ResourceArn": "ARN", "Tags": [{"Key": "aws:k", "Value": "x"}]}, "Tag Key cannot be prefixed with aws:, Key: aws:k"),
    ("TagResource", {"ResourceArn": "ARN", "Tags": [{"Key": "k", "Value": "x"}] * 2},
     "Duplicate Tag Keys provided as input: Duplicate Tag Key found k"),
    ("TagResource", {"ResourceArn": "ARN", "Tags": []}, "Atleast one Tag needs to be provided as Input."),
    ("UntagResource", {"ResourceArn": "ARN", "TagKeys": []}, "Atleast one Tag Key needs to be provided as Input."),
    ("Scan", {"ExclusiveStartKey": {"id": {"N": "1"}}},
     "The provided starting key is invalid: The provided key element does not match the schema"),
    ("Scan", {"ExclusiveStartKey": {"x": {"S": "1"}}},
     "The provided starting key is invalid: The provided key element does not match the schema"),
    ("Scan", {"ExclusiveStartKey": {"id": {"SS": []}}}, "The provided starting key is invalid: " + INVALID + "An string set  may not be empty"),
    ("UpdateTable", {"GlobalSecondaryIndexUpdates": [{}]},
     INVALID + "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null"),
    ("UpdateTable", {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "abc"}}] * 2},
     INVALID + "Only one global secondary index update per index is allowed simultaneously. Index: abc"),
    ("UpdateTable", {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]},
     "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required"),
    ("UpdateTable", {"StreamSpecification": {"StreamEnabled": True}}, INVALID + "If stream is being enabled then UpdateViewType is required"),
    ("UpdateTable", {"StreamSpecification": {"StreamEnabled": False, "StreamViewType": "NEW_IMAGE"}},
     INVALID + "If stream is being disabled, then UpdateViewType must not be specified"),
    ("CreateTable", {**NEW, "StreamSpecification": {"StreamEnabled": True}}, INVALID + "Table is being created with a stream enabled, UpdateViewType is required"),
    ("CreateTable", {**NEW, "StreamSpecification": {"StreamEnabled": False, "StreamViewType": "NEW_IMAGE"}},
     INVALID + "Table is being created with a stream disabled, UpdateViewType should not be specified"),
    ("CreateTable", {**NEW, "SSESpecification": {"Enabled": False, "SSEType": "KMS"}}, INVALID + "SSEType can not be specified if Enabled is false"),
    ("UpdateTable", {"SSESpecification": {"Enabled": False, "KMSMasterKeyId": "k"}}, INVALID + "KMSMasterKeyId can not be specified if Enabled is false"),
    ("UpdateTable", {"BillingMode": "PROVISIONED"}, INVALID + "ProvisionedThroughput must be specified when BillingMode is PROVISIONED"),
    ("UpdateTable", {"SSESpecification": {"Enabled": True}, "DeletionProtectionEnabled": True},
     INVALID + "Server-Side Encryption modification must be the only operation in the request"),
    ("UpdateTable", {"TableClass": "STANDARD", "BillingMode": "PAY_PER_REQUEST"}, INVALID + "TableClass modification must be the only operation in the request"),
    ("UpdateTable", {"DeletionProtectionEnabled": True, "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "abc"}}]},
     INVALID + "DeletionProtection modification must be the only operation in the request"),
    ("UpdateTable", {"ProvisionedThroughput": UNITS, "BillingMode": "PROVISIONED", "StreamSpecification": {"StreamEnabled": False}},
     INVALID + "You cannot modify stream status while updating table IOPS"),
    ("UpdateTable", {"ProvisionedThroughput": UNITS, "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "abc"}}]},
     INVALID + "You cannot create or delete index while updating table IOPS"),
    ("UpdateTable", {"StreamSpecification": {"StreamEnabled": False}, "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "abc"}}]},
     INVALID + "You cannot create or delete index while changing stream status"),
    ("TransactWriteItems", {"TableName": None, "TransactItems": [{}]},
     "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request"),
    ("TransactWriteItems", {"TableName": None, "TransactItems": [{"Put": {"TableName": "abc", "Item": KEY}, "Delete": {"TableName": "abc", "Key": KEY}}]},
     "TransactItems can only contain one of Check, Put, Update or Delete"),
    ("RestoreTableToPointInTime", {"TableName": None, "TargetTableName": "abc", "UseLatestRestorableTime": True},
     "Invalid Request: Must provide exactly one of: sourceTableArn, sourceTableName"),
    ("UpdateContinuousBackups", {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False, "RecoveryPeriodInDays": 3}},
     "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery."),
    ("BatchGetItem", {"RequestItems": {"TABLE": {"Keys": []}}},
     "1 validation error detected: Value at 'RequestItems.TABLE.member.Keys' failed to satisfy constraint: "
     "Member must have length greater than or equal to 1"),
    ("BatchGetItem", {"RequestItems": {"TABLE": {"Keys": [KEY] * 101}}},
     "1 validation error detected: Value at 'RequestItems.TABLE.member.Keys' failed to satisfy constraint: "
     "Member must have length less than or equal to 100"),
    ("BatchGetItem", {"RequestItems": {}}, "The requestItems parameter is required for BatchGetItem"),
    ("BatchWriteItem", {"RequestItems": {}}, "The requestItems parameter is required for BatchWriteItem"),
    ("BatchWriteItem", {"RequestItems": {"TABLE": [{"PutRequest": {"Item": {"id": {"N": "5"}}}}]}}, "The provided key element does not match the schema"),
    ("BatchWriteItem", {"RequestItems": {"TABLE": [{"PutRequest": {"Item": {}}}]}}, "The provided key element does not match the schema"),
    ("BatchGetItem", {"RequestItems": {"TABLE": {"Keys": [KEY], "ProjectionExpression": "a"}, "other": {"Keys": [KEY], "AttributesToGet": ["a"]}}},
     "Can not use both expression and non-expression parameters in the same request: "
     "Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}"),
    ("BatchWriteItem", {"RequestItems": {"TABLE": []}},
     "1 validation error detected: Value '{TABLE=[]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy "
     "constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]"),
])
def test_wordings(weir, ddb, table, operation, body, message):
    if operation.startswith("Batch"):
        body = {"RequestItems": {table if k == "TABLE" else k: v for k, v in body["RequestItems"].items()}}
    elif "ResourceArn" in body:
        body = {**body, "ResourceArn": ddb.describe_table(TableName=table)["Table"]["TableArn"]}
    else:
        body = {k: v for k, v in {"TableName": table, **body}.items() if v is not None}
    status, reply = raw(weir, operation, body)
    assert (status, reply["message"]) == (400, message.replace("TABLE", table)), reply


def test_starting_keys_elsewhere(ddb, sorted_table):
    name = make(ddb)
    ddb.batch_write_item(RequestItems={name: [{"PutRequest": {"Item": {"id": {"S": str(i)}}}} for i in range(20)]})
    other = ddb.scan(TableName=name, Segment=1, TotalSegments=2)["Items"][0]
    with error("ValidationException", "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with "
               "correct Segment. TotalSegments: 2 Segment: 0"):
        ddb.scan(TableName=name, Segment=0, TotalSegments=2, ExclusiveStartKey=other)
    query = {"TableName": sorted_table, "KeyConditionExpression": "id = :i AND sk > :s",
             "ExpressionAttributeValues": {":i": {"S": "h0"}, ":s": {"N": "9"}}}
    for start, message in (({"id": {"S": "h0"}, "sk": {"N": "3"}}, "The provided starting key does not match the range key predicate"),
                           ({"id": {"S": "h1"}, "sk": {"N": "11"}}, "The provided starting key is outside query boundaries"),
                           ({"id": {"S": "h0"}, "sk": {"S": "3"}}, "invalid: The provided key element does not match the schema"),
                           ({"id": {"S": "h0"}}, "The provided starting key is invalid")):
        with error("ValidationException", message):
            ddb.query(**query, ExclusiveStartKey=start)


def test_indexes_are_counted_and_charged(ddb):
    def index(name, *keys, **projection):
        return {"IndexName": name, "Projection": projection or {"ProjectionType": "ALL"},
                "KeySchema": [{"AttributeName": n, "KeyType": t} for n, t in zip(keys, ["HASH", "RANGE"])]}
    attributes = [{"AttributeName": n, "AttributeType": "S"} for n in "gl"]
    name = make(ddb, "id:S,sk:N", AttributeDefinitions=attributes, GlobalSecondaryIndexes=[index("ggg", "g")],
                LocalSecondaryIndexes=[index("lll", "id", "l", ProjectionType="KEYS_ONLY")])
    for i in range(3):
        ddb.put_item(TableName=name, Item={**KEY, "sk": {"N": str(i)}, "l": {"S": "l"}, "x": {"S": "x" * 5000}, **({"g": {"S": "g"}} if i else {})})
    told = ddb.describe_table(TableName=name)["Table"]
    with error("ValidationException", "Cannot delete an index that is not a GlobalSecondaryIndex: lll"):
        ddb.update_table(TableName=name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "lll"}}])
    assert told["ItemCount"] == 3 and told["GlobalSecondaryIndexes"][0]["ItemCount"] == 2 and told["LocalSecondaryIndexes"][0]["ItemCount"] == 3
    assert 10000 < told["GlobalSecondaryIndexes"][0]["IndexSizeBytes"] < 10100 and told["LocalSecondaryIndexes"][0]["IndexSizeBytes"] < 100
    got = ddb.query(TableName=name, IndexName="lll", KeyConditionExpression="id = :i", ExpressionAttributeValues={":i": {"S": "1"}},
                    Select="ALL_ATTRIBUTES", ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"]
    assert got["Table"] == {"CapacityUnits": 3.0} and got["LocalSecondaryIndexes"] == {"lll": {"CapacityUnits": 0.5}}, got
    got = ddb.scan(TableName=name, FilterExpression="attribute_not_exists(x)", ReturnConsumedCapacity="TOTAL")
    assert got["Count"] == 0 and got["ConsumedCapacity"]["CapacityUnits"] == 2.0  # by what was looked at
    with error("ValidationException", "Attempting to create an index which already exists"):
        ddb.update_table(TableName=name, AttributeDefinitions=attributes[:1], GlobalSecondaryIndexUpdates=[{"Create": index("ggg", "g")}])
    told = ddb.delete_table(TableName=name)["TableDescription"]
    assert told["TableStatus"] == "DELETING" and not {"KeySchema", "AttributeDefinitions", "CreationDateTime", "GlobalSecondaryIndexes",
                                                      "LocalSecondaryIndexes"} & set(told), told


def test_throttled_batches_hand_back(ddb):
    name = make(ddb, BillingMode="PROVISIONED", ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1})
    big = [{"PutRequest": {"Item": {"id": {"S": str(i)}, "x": {"S": "x" * 150_000}}}} for i in range(4)]  # 147 units each, 300 there are
    left = ddb.batch_write_item(RequestItems={name: big})["UnprocessedItems"]
    assert left == {name: big[3:]}
    with error("ProvisionedThroughputExceededException"):
        ddb.batch_write_item(RequestItems=left)
    strong = {"Keys": [{"id": {"S": str(i)}} for i in range(3)], "ConsistentRead": True}  # 37 units a key, 300 there are
    for _ in range(2):
        assert ddb.batch_get_item(RequestItems={name: strong})["UnprocessedKeys"] == {}
    ddb.get_item(TableName=name, Key=strong["Keys"][0], ConsistentRead=True)
    got = ddb.batch_get_item(RequestItems={name: strong})  # of 41 units, two keys go in
    assert len(got["Responses"][name]) == 2 and got["UnprocessedKeys"] == {name: {**strong, "Keys": strong["Keys"][2:]}}
    with error("ProvisionedThroughputExceededException"):
        ddb.batch_get_item(RequestItems={name: strong})


# --- keys of several attributes -----------------------------------------------------------------


def multi(hashes, ranges, name="multi"):
    """A global index; keys "h1:S h2:N"."""
    keys = [(k.split(":")[0], t) for part, t in ((hashes, "HASH"), (ranges, "RANGE")) for k in part.split()]
    return {"IndexName": name, "Projection": {"ProjectionType": "ALL"}, "KeySchema": [{"AttributeName": n, "KeyType": t} for n, t in keys]}


def defined(keys):
    return [{"AttributeName": n, "AttributeType": t} for n, t in (k.split(":") for k in keys.split())]


@pytest.fixture(scope="module")
def wide(ddb):
    """Two HASH and three RANGE attributes, items in the index's order but the last, which lacks one of them."""
    name = make(ddb, AttributeDefinitions=defined("h1:S h2:N r1:S r2:N r3:B"), GlobalSecondaryIndexes=[multi("h1:S h2:N", "r1:S r2:N r3:B")])
    rows = [("a", -5, b"x"), ("a", 2, b"x"), ("a", 10, b"a"), ("a", 10, b"ab"), ("ab", 1, b"a"), ("b", 0, b"z")]
    items = [{"id": {"S": f"i{i}"}, "h1": {"S": "h"}, "h2": {"N": "7"}, "r1": {"S": r1}, "r2": {"N": str(r2)}, "r3": {"B": r3}, "v": {"N": str(i)}}
             for i, (r1, r2, r3) in enumerate(rows)]
    for item in [*reversed(items), {k: v for k, v in {**items[0], "id": {"S": "i6"}}.items() if k != "r2"}, {**items[0], "id": {"S": "i7"}, "h2": {"N": "8"}}]:
        ddb.put_item(TableName=name, Item=item)
    return name, items


VALUES = {":h": {"S": "h"}, ":n": {"N": "7"}, ":a": {"S": "a"}, ":10": {"N": "10"}, ":2": {"N": "2"}, ":m5": {"N": "-5"}, ":x": {"B": b"a"}, ":v": {"N": "3"}}


def ask(ddb, wide, condition, **more):
    used = {k: v for k, v in VALUES.items() if k in (condition + " " + more.get("FilterExpression", "")).replace(")", " ").replace("(", " ").replace(",", " ").split()}
    return ddb.query(TableName=wide[0], IndexName="multi", KeyConditionExpression=condition, ExpressionAttributeValues=used, **more)


@pytest.mark.parametrize("condition, want", [
    ("h1 = :h AND h2 = :n", "012345"),
    ("h2 = :n AND h1 = :h AND r1 = :a", "0123"),
    ("h1 = :h AND h2 = :n AND r1 > :a", "45"),
    ("h1 = :h AND h2 = :n AND begins_with ( r1 , :a )", "01234"),
    ("h1 = :h AND h2 = :n AND r1 = :a AND r2 < :10", "01"),
    ("h1 = :h AND h2 = :n AND r1 = :a AND r2 BETWEEN :m5 AND :2", "01"),
    ("r2 = :10 AND r1 = :a AND h1 = :h AND h2 = :n AND r3 > :x", "3"),
    ("h1 = :h AND h2 = :n AND r1 = :a AND r2 = :10 AND begins_with ( r3 , :x )", "23"),
])
def test_multi_attribute_queries(ddb, wide, condition, want):
    got = ask(ddb, wide, condition)
    assert [i["v"]["N"] for i in got["Items"]] == list(want)
    back = ask(ddb, wide, condition, ScanIndexForward=False)
    assert [i["v"]["N"] for i in back["Items"]] == list(reversed(want))


def test_multi_attribute_pages(ddb, wide):
    name, items = wide
    got = ask(ddb, wide, "h1 = :h AND h2 = :n", Limit=2)
    assert got["LastEvaluatedKey"] == {k: v for k, v in items[1].items() if k != "v"}
    more = ask(ddb, wide, "h1 = :h AND h2 = :n", ExclusiveStartKey=got["LastEvaluatedKey"], FilterExpression="v > :v")
    assert [i["v"]["N"] for i in more["Items"]] == ["4", "5"] and more["ScannedCount"] == 4
    seen, start = [], {}
    while start is not None:
        page = ddb.scan(TableName=name, IndexName="multi", Limit=3, **start)
        seen += [i["id"]["S"] for i in page["Items"]]
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if "LastEvaluatedKey" in page else None
    assert sorted(seen) == ["i0", "i1", "i2", "i3", "i4", "i5", "i7"]
    short = {k: v for k, v in got["LastEvaluatedKey"].items() if k != "h2"}
    with error("ValidationException", "The provided starting key is invalid"):
        ask(ddb, wide, "h1 = :h AND h2 = :n", ExclusiveStartKey=short)


def test_multi_attribute_refusals(ddb, wide):
    name, items = wide
    for condition, message in (("h1 = :h", "Query condition missed key schema element: h2"),
                               ("h1 = :h AND h2 > :n", "Query key condition not supported"),
                               ("h1 = :h AND h2 = :n AND r2 = :2", "RANGE key attributes r1 must have equality conditions specified in the "
                                "query because a condition is present on key attribute r2"),
                               ("h1 = :n AND h2 = :n", "Condition parameter type does not match schema type")):
        with error("ValidationException", message):
            ask(ddb, wide, condition)
    for attribute in ("h2", "r3"):
        with error("ValidationException", f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {attribute}"):
            ask(ddb, wide, "h1 = :h AND h2 = :n", FilterExpression=f"attribute_exists({attribute})")
    with error("ValidationException", "Type mismatch for Index Key r2 Expected: N Actual: S IndexName: multi"):
        ddb.put_item(TableName=name, Item={**items[0], "r2": {"S": "x"}})
    with error("ValidationException", "cannot contain an empty string value. IndexName: multi, IndexKey: r1"):
        ddb.put_item(TableName=name, Item={**items[0], "r1": {"S": ""}})
    with error("ValidationException", "PartiQL statements cannot be executed on tables with multi-attribute HASH keys"):
        ddb.execute_statement(Statement=f'SELECT * FROM "{name}"."multi" WHERE h1 = \'h\'')
    assert len(ddb.execute_statement(Statement=f'SELECT * FROM "{name}" WHERE id = \'i0\'')["Items"]) == 1
    with error("ValidationException", "multi-attribute keys"):
        ddb.query(TableName=name, IndexName="multi", KeyConditions={k: {"AttributeValueList": [items[0][k]], "ComparisonOperator": "EQ"} for k in ("h1", "h2")})


@pytest.mark.parametrize("hashes, ranges, message", [
    ("a b c d e", "", "The KeySchema exceeds the maximum allowed number of HASH key attributes"),
    ("a", "b c d e f", "The KeySchema exceeds the maximum allowed number of RANGE key attributes"),
    ("", "a b", "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"),
    ("a a", "", "The KeySchema contains multiple key attributes with the same name"),
    ("a b", "a", "The KeySchema contains multiple key attributes with the same name"),
    ("a b z", "", "Some index key attributes are not defined in AttributeDefinitions. Keys: [a, b, z]"),
])
def test_multi_attribute_schemas_refused(ddb, table, hashes, ranges, message):
    names = sorted(set((hashes + " " + ranges).split()) - {"z"})
    definitions, index = [{"AttributeName": n, "AttributeType": "S"} for n in names], multi(hashes, ranges)
    with error("ValidationException", message):
        make(ddb, AttributeDefinitions=definitions, GlobalSecondaryIndexes=[index])
    with error("ValidationException", message):
        ddb.update_table(TableName=table, AttributeDefinitions=definitions, GlobalSecondaryIndexUpdates=[{"Create": index}])
    between = {**index, "KeySchema": [{"AttributeName": n, "KeyType": t} for n, t in (("a", "HASH"), ("b", "RANGE"), ("c", "HASH"))]}
    with error("ValidationException", "All HASH key attributes must precede RANGE key attributes in the KeySchema"):
        make(ddb, AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in "abc"], GlobalSecondaryIndexes=[between])


def test_multi_attribute_index_made_later(ddb):
    name = make(ddb, StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    key = {"id": {"S": "1"}}
    names = "h1 h2 h3 h4 r1 r2 r3 r4".split()
    item = {**key, **{n: {"S": n} for n in names}}
    ddb.put_item(TableName=name, Item=item)
    index = multi("h1 h2 h3 h4", "r1 r2 r3 r4")
    ddb.update_table(TableName=name, AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in names],
                     GlobalSecondaryIndexUpdates=[{"Create": index}])
    while ddb.describe_table(TableName=name)["Table"]["GlobalSecondaryIndexes"][0]["IndexStatus"] != "ACTIVE":
        pass
    told = ddb.describe_table(TableName=name)["Table"]["GlobalSecondaryIndexes"][0]
    assert told["KeySchema"] == index["KeySchema"] and told["ItemCount"] == 1
    query = {"TableName": name, "IndexName": "multi", "KeyConditionExpression": " AND ".join(f"{n} = :{n}" for n in names[:6]),
             "ExpressionAttributeValues": {f":{n}": {"S": n} for n in names[:6]}}
    assert ddb.query(**query)["Items"] == [item]
    ddb.update_item(TableName=name, Key=key, UpdateExpression="REMOVE r4")
    assert ddb.query(**query)["Items"] == []
    ddb.update_item(TableName=name, Key=key, UpdateExpression="SET r4 = :v", ExpressionAttributeValues={":v": {"S": "r4"}})
    assert ddb.query(**query)["Items"] == [item]
    with error("ValidationException", "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"):
        ddb.update_item(TableName=name, Key=key, UpdateExpression="SET r1 = :v, r2 = :v", ExpressionAttributeValues={":v": {"S": "x" * 513}})


# --- encodings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("coding, pack, status", [
    ("gzip", gzip.compress, 200),
    ("deflate", zlib.compress, 200),
    ("gzip", lambda b: b"garbage" + b, 400),
    ("deflate", lambda b: zlib.compress(b)[:-3], 400),
    ("deflate", gzip.compress, 400),
    ("br", lambda b: b, 415),
    ("gzip, deflate", gzip.compress, 415),
])
def test_bodies_in_codings(weir, table, coding, pack, status):
    """The signature is of what is sent, the reply's CRC32 of what comes back, packed or not."""
    body = json.dumps({"TableName": table, "Item": {**KEY, "x": {"S": "x" * 3000}}, "ReturnValues": "ALL_OLD"}).encode()
    for packed in (False, True):
        request = AWSRequest("POST", weir.endpoint + "/", data=pack(body), headers={
            "X-Amz-Target": "DynamoDB_20120810.PutItem", "Content-Type": "application/x-amz-json-1.0", "Content-Encoding": coding,
            **({"Accept-Encoding": "deflate, gzip"} if packed else {})})
        SigV4Auth(Credentials("test", "test"), "dynamodb", weir.region).add_auth(request)
        try:
            reply = urllib.request.urlopen(urllib.request.Request(request.url, request.data, dict(request.headers)))
        except urllib.error.HTTPError as e:
            reply = e
        got = reply.read()
        assert reply.status == status and int(reply.headers["x-amz-crc32"]) == zlib.crc32(got)
        if status == 200 and packed:
            assert reply.headers["Content-Encoding"] == "gzip" and json.loads(gzip.decompress(got))["Attributes"]["x"] == {"S": "x" * 3000}


# --- resource policies ----------------------------------------------------------------------------


def document(arn, *actions, effect="Allow", principal="*", resource=None):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Principal": principal, "Action": list(actions),
                                                               "Resource": resource or [arn, arn + "/*"]}]})


def policy(weir, operation, arn, **more):
    """(status, reply): the installed SDK may be too old for these operations."""
    return raw(weir, operation + "ResourcePolicy", {"ResourceArn": arn, **more})


def test_resource_policies(weir, ddb, limited):  # noqa: F811
    name = make(ddb, StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}, AttributeDefinitions=defined("g:S"),
                GlobalSecondaryIndexes=[multi("g:S", "")])
    told = ddb.describe_table(TableName=name)["Table"]
    arn, stream = told["TableArn"], told["LatestStreamArn"]
    user = limited({"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"})

    def may(action, *args, **more):
        try:
            getattr(user, action)(*args, **more)
            return True
        except ClientError as e:
            assert e.response["Error"]["Code"] == "AccessDeniedException", e.response
            return False

    query = {"TableName": name, "IndexName": "multi", "KeyConditionExpression": "g = :g", "ExpressionAttributeValues": {":g": {"S": "x"}}}
    status, reply = policy(weir, "Get", arn)
    assert status == 400 and reply["__type"].endswith("#PolicyNotFoundException")
    assert not may("get_item", TableName=name, Key=KEY) and not may("query", **query)
    status, first = policy(weir, "Put", arn, Policy=document(arn, "dynamodb:GetItem", "dynamodb:Query"), ExpectedRevisionId="NO_POLICY")
    assert status == 200 and first["RevisionId"]
    assert may("get_item", TableName=name, Key=KEY) and may("query", **query) and not may("put_item", TableName=name, Item=KEY)
    assert policy(weir, "Put", arn, Policy=document(arn, "dynamodb:GetItem", "dynamodb:Query")) == (200, first)  # the same again
    status, got = policy(weir, "Get", arn)
    assert got["RevisionId"] == first["RevisionId"] and json.loads(got["Policy"])["Statement"][0]["Action"] == ["dynamodb:GetItem", "dynamodb:Query"]
    for more in ({"ExpectedRevisionId": "NO_POLICY"}, {"ExpectedRevisionId": "1"}):
        status, reply = policy(weir, "Put", arn, Policy=document(arn, "dynamodb:PutItem"), **more)
        assert status == 400 and reply["__type"].endswith("#PolicyNotFoundException"), reply
    status, second = policy(weir, "Put", arn, Policy=document(arn, "dynamodb:PutItem"), ExpectedRevisionId=first["RevisionId"])
    assert int(second["RevisionId"]) > int(first["RevisionId"]) and may("put_item", TableName=name, Item=KEY)
    assert not may("get_item", TableName=name, Key=KEY)
    assert policy(weir, "Delete", arn, ExpectedRevisionId=first["RevisionId"])[0] == 400
    assert policy(weir, "Delete", arn) == (200, second) and not may("put_item", TableName=name, Item=KEY)
    assert policy(weir, "Delete", arn) == (200, {})
    assert policy(weir, "Delete", arn, ExpectedRevisionId=second["RevisionId"])[0] == 400

    streams = limited({"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}, client="dynamodbstreams")
    with error("AccessDeniedException"):
        streams.describe_stream(StreamArn=stream)
    assert policy(weir, "Put", stream, Policy=document(stream, "dynamodb:DescribeStream"))[0] == 200
    assert streams.describe_stream(StreamArn=stream)["StreamDescription"]["StreamArn"] == stream
    assert policy(weir, "Delete", stream)[0] == 200
    with error("AccessDeniedException"):
        streams.describe_stream(StreamArn=stream)


@pytest.mark.parametrize("arn, text, message", [
    ("t", None, INVALID + "ARNs must start with 'arn:': t"),
    ("arn:aws:s3:::b", None, INVALID + "Provided Arn is not a DynamoDB resource arn: arn:aws:s3:::b"),
    ("<arn>/index/i", None, INVALID + "Invalid resource arn provided, only table or stream is accepted. Provided resource arn: <arn>/index/i"),
    ("arn:aws:dynamodb:us-east-1:111122223333:table/t", None,
     "This action is only supported by accounts that match the resource owner\u2019s account."),
    ("<arn>", "{", INVALID + "Invalid policy document: This policy contains invalid Json"),
    ("<arn>", "{}", INVALID + "Invalid policy document: "),
    ("<arn>", " " * 20481, INVALID + "Maximum policy size of 20480 bytes exceeded"),
])
def test_resource_policies_refused(weir, ddb, table, arn, text, message):
    own = ddb.describe_table(TableName=table)["Table"]["TableArn"]
    arn = arn.replace("<arn>", own)
    status, reply = policy(weir, "Put", arn, Policy=document(own, "dynamodb:GetItem") if text is None else text)
    assert status == 400 and reply["message"].startswith(message.replace("<arn>", own)), reply


def test_a_policy_from_the_start(weir, ddb):
    schema = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST",
              "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}
    name = "t-" + uuid.uuid4().hex[:12]
    arn = f"arn:aws:dynamodb:{weir.region}:000000000000:table/{name}"
    deny = document(arn, "dynamodb:PutResourcePolicy", effect="Deny")
    status, reply = raw(weir, "CreateTable", {"TableName": name, "ResourcePolicy": deny, **schema})
    assert status == 400 and "ConfirmRemoveSelfResourceAccess" in reply["message"], reply
    status, reply = raw(weir, "CreateTable", {"TableName": name, "ResourcePolicy": document(arn, "dynamodb:GetItem"), **schema})
    assert status == 200, reply
    assert json.loads(policy(weir, "Get", arn)[1]["Policy"])["Statement"][0]["Effect"] == "Allow"
    assert policy(weir, "Put", arn, Policy=deny)[0] == 400
    assert policy(weir, "Put", arn, Policy=deny, ConfirmRemoveSelfResourceAccess=True)[0] == 200
    ddb.delete_table(TableName=name)
    assert raw(weir, "CreateTable", {"TableName": name, **schema})[0] == 200
    assert policy(weir, "Get", arn)[0] == 400  # it went with the table


# --- what there is nothing of ---------------------------------------------------------------------


def test_what_others_have(weir, ddb, table):
    def ask(operation, **body):
        status, reply = raw(weir, operation, body)
        return reply if status == 200 else (reply["__type"].rpartition("#")[2], reply["message"])
    assert ask("DescribeContributorInsights", TableName=table) == {"TableName": table, "ContributorInsightsStatus": "DISABLED"}
    assert ask("DescribeContributorInsights", TableName=table, IndexName="none")[0] == "ResourceNotFoundException"
    assert ask("UpdateContributorInsights", TableName=table, ContributorInsightsAction="DISABLE")["ContributorInsightsStatus"] == "DISABLED"
    assert ask("UpdateContributorInsights", TableName=table, ContributorInsightsAction="ENABLE") == (
        "ValidationException", "Contributor Insights is not supported here")
    assert ask("ListContributorInsights") == {"ContributorInsightsSummaries": []}
    assert ask("DescribeKinesisStreamingDestination", TableName=table) == {"TableName": table, "KinesisDataStreamDestinations": []}
    stream = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
    for operation in ("Enable", "Disable", "Update"):
        assert ask(operation + "KinesisStreamingDestination", TableName=table, StreamArn=stream)[0] == "ValidationException"
    assert ask("DescribeGlobalTable", GlobalTableName=table)[0] == "GlobalTableNotFoundException"
    assert ask("DescribeGlobalTableSettings", GlobalTableName=table)[0] == "GlobalTableNotFoundException"
    assert ask("ListGlobalTables") == {"GlobalTables": []}
    for operation, more in (("CreateGlobalTable", {"ReplicationGroup": [{"RegionName": "us-east-1"}]}), ("UpdateGlobalTable", {"ReplicaUpdates": []})):
        assert "version 2017.11.29 is not supported" in ask(operation, GlobalTableName=table, **more)[1]


# --- parameters from before expressions ---------------------------------------------------------

LEGACY_ITEM = {"s": {"S": "hello"}, "n": {"N": "5"}, "ss": {"SS": ["a", "b"]}, "l": {"L": [{"S": "x"}]}, "t": {"BOOL": True},
               "b": {"B": b"abc"}, "z": {"NULL": True}}


def S(*texts):
    return [{"S": t} for t in texts]


def N(*texts):
    return [{"N": t} for t in texts]


@pytest.fixture(scope="module")
def legacy(ddb):
    name = make(ddb)
    ddb.put_item(TableName=name, Item={**KEY, **LEGACY_ITEM})
    return name


@pytest.mark.parametrize("attribute, operator, values, holds", [
    ("s", "EQ", S("hello"), True), ("s", "EQ", S("hell"), False), ("gone", "EQ", S("x"), False), ("ss", "EQ", [{"SS": ["b", "a"]}], True),
    ("t", "EQ", [{"BOOL": True}], True), ("l", "EQ", [{"L": S("x")}], True),
    ("s", "NE", S("hello"), False), ("s", "NE", N("5"), True), ("gone", "NE", S("x"), True),
    ("n", "LT", N("6"), True), ("n", "LT", N("5"), False), ("n", "LE", N("5"), True), ("n", "GT", N("4"), True), ("n", "GT", S("4"), False),
    ("n", "GE", N("5.0"), True), ("gone", "LT", N("1"), False),
    ("n", "BETWEEN", N("5", "9"), True), ("n", "BETWEEN", N("6", "9"), False), ("b", "BETWEEN", [{"B": b"a"}, {"B": b"b"}], True),
    ("s", "IN", S("x", "hello"), True), ("s", "IN", S("x"), False), ("n", "IN", N("4", "5"), True),
    ("s", "NOT_NULL", [], True), ("gone", "NOT_NULL", [], False), ("z", "NOT_NULL", [], True),
    ("s", "NULL", [], False), ("gone", "NULL", [], True),
    ("s", "CONTAINS", S("ell"), True), ("ss", "CONTAINS", S("a"), True), ("l", "CONTAINS", S("x"), True), ("gone", "CONTAINS", S("x"), False),
    ("s", "NOT_CONTAINS", S("ell"), False), ("s", "NOT_CONTAINS", S("x"), True), ("gone", "NOT_CONTAINS", S("x"), False),
    ("s", "BEGINS_WITH", S("he"), True), ("s", "BEGINS_WITH", S("e"), False), ("b", "BEGINS_WITH", [{"B": b"ab"}], True),
])
def test_comparison_operators(ddb, legacy, attribute, operator, values, holds):
    condition = {"ComparisonOperator": operator, **({"AttributeValueList": values} if values else {})}
    assert ddb.scan(TableName=legacy, ScanFilter={attribute: condition})["Count"] == int(holds)
    got = ddb.query(TableName=legacy, QueryFilter={attribute: condition},
                    KeyConditions={"id": {"ComparisonOperator": "EQ", "AttributeValueList": S("1")}})
    assert (got["Count"], got["ScannedCount"]) == (int(holds), 1)
    write = {"TableName": legacy, "Item": {**KEY, **LEGACY_ITEM}, "Expected": {attribute: condition}}
    if holds:
        ddb.put_item(**write)
    else:
        with error("ConditionalCheckFailedException", "The conditional request failed"):
            ddb.put_item(**write)


SAME = "One or more parameter values were invalid: "


@pytest.mark.parametrize("condition, message", [
    ({"ComparisonOperator": "EQ"}, SAME + "Invalid number of argument(s) for the EQ ComparisonOperator"),
    ({"ComparisonOperator": "EQ", "AttributeValueList": S("a", "b")}, SAME + "Invalid number of argument(s) for the EQ ComparisonOperator"),
    ({"ComparisonOperator": "NULL", "AttributeValueList": S("a")}, SAME + "Invalid number of argument(s) for the NULL ComparisonOperator"),
    ({"ComparisonOperator": "BETWEEN", "AttributeValueList": S("a")}, SAME + "Invalid number of argument(s) for the BETWEEN ComparisonOperator"),
    ({"ComparisonOperator": "IN"}, SAME + "Invalid number of argument(s) for the IN ComparisonOperator"),
    ({"ComparisonOperator": "LT", "AttributeValueList": [{"SS": ["a"]}]}, SAME + "ComparisonOperator LT is not valid for SS AttributeValue type"),
    ({"ComparisonOperator": "BEGINS_WITH", "AttributeValueList": N("1")}, SAME + "ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type"),
    ({"ComparisonOperator": "BETWEEN", "AttributeValueList": S("a") + N("1")}, SAME + "AttributeValues inside AttributeValueList must be of same type"),
    ({"ComparisonOperator": "BETWEEN", "AttributeValueList": N("2", "1")},
     "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"),
    ({"ComparisonOperator": "LIKE", "AttributeValueList": S("a")}, "Member must satisfy enum value set"),
    ({"ComparisonOperator": "EQ", "AttributeValueList": N("abc")}, "cannot be converted to a numeric value: abc"),
])
def test_filters_refused(ddb, legacy, condition, message):
    with error("ValidationException", message):
        ddb.scan(TableName=legacy, ScanFilter={"a": condition})


@pytest.mark.parametrize("expected, message", [
    ({"ComparisonOperator": "EQ", "Exists": True, "Value": {"S": "x"}}, "Exists and ComparisonOperator cannot be used together for Attribute: a"),
    ({"ComparisonOperator": "EQ", "Value": {"S": "x"}, "AttributeValueList": S("x")},
     "Value and AttributeValueList cannot be used together for Attribute: a"),
    ({"AttributeValueList": S("x")}, "AttributeValueList can only be used with a ComparisonOperator for Attribute: a"),
    ({}, "Value must be provided when Exists is null for Attribute: a"),
    ({"Exists": True}, "Value must be provided when Exists is true for Attribute: a"),
    ({"Exists": False, "Value": {"S": "x"}}, "Value cannot be used when Exists is false for Attribute: a"),
])
def test_expected_refused(ddb, legacy, expected, message):
    with error("ValidationException", SAME + message):
        ddb.delete_item(TableName=legacy, Key=KEY, Expected={"a": expected})


def test_expected_in_its_first_form(ddb):
    name = make(ddb)
    ddb.put_item(TableName=name, Item={**KEY, "a": {"S": "x"}}, Expected={"id": {"Exists": False}})
    with error("ConditionalCheckFailedException"):
        ddb.put_item(TableName=name, Item=KEY, Expected={"id": {"Exists": False}})
    with error("ConditionalCheckFailedException"):
        ddb.delete_item(TableName=name, Key=KEY, Expected={"a": {"Value": {"S": "y"}}})
    ddb.update_item(TableName=name, Key=KEY, AttributeUpdates={"b": {"Value": {"N": "1"}}},
                    Expected={"a": {"Value": {"S": "y"}}, "id": {"Exists": True, "Value": {"S": "1"}}}, ConditionalOperator="OR")
    with error("ConditionalCheckFailedException"):
        ddb.update_item(TableName=name, Key=KEY, AttributeUpdates={"b": {"Value": {"N": "2"}}},
                        Expected={"a": {"Value": {"S": "y"}}, "id": {"Value": {"S": "1"}}}, ConditionalOperator="AND")
    assert ddb.get_item(TableName=name, Key=KEY)["Item"] == {**KEY, "a": {"S": "x"}, "b": {"N": "1"}}


@pytest.mark.parametrize("before, updates, after", [
    ({}, {"a": {"Value": {"S": "x"}}}, {"a": {"S": "x"}}),
    ({"a": {"S": "y"}}, {"a": {"Action": "PUT", "Value": {"N": "1"}}}, {"a": {"N": "1"}}),
    ({"a": {"S": "y"}}, {"a": {"Action": "DELETE"}}, {}),
    ({"a": {"SS": ["x", "y"]}}, {"a": {"Action": "DELETE", "Value": {"SS": ["x", "q"]}}}, {"a": {"SS": ["y"]}}),
    ({"a": {"SS": ["x"]}}, {"a": {"Action": "DELETE", "Value": {"SS": ["x"]}}}, {}),
    ({"a": {"N": "1"}}, {"a": {"Action": "ADD", "Value": {"N": "-3"}}}, {"a": {"N": "-2"}}),
    ({}, {"a": {"Action": "ADD", "Value": {"N": "4"}}}, {"a": {"N": "4"}}),
    ({"a": {"NS": ["1"]}}, {"a": {"Action": "ADD", "Value": {"NS": ["1", "2"]}}}, {"a": {"NS": ["1", "2"]}}),
    ({"a": {"L": S("x")}}, {"a": {"Action": "ADD", "Value": {"L": S("y")}}}, {"a": {"L": S("x", "y")}}),
    ({}, {"a": {"Action": "ADD", "Value": {"L": S("y")}}}, {"a": {"L": S("y")}}),
    ({"name": {"S": "old"}, "x": {"S": "go"}},
     {"name": {"Value": {"S": "new"}}, "n": {"Action": "ADD", "Value": {"N": "9"}}, "x": {"Action": "DELETE"}},
     {"name": {"S": "new"}, "n": {"N": "9"}}),
])
def test_attribute_updates(ddb, table, before, updates, after):
    key = {"id": {"S": uuid.uuid4().hex}}
    ddb.put_item(TableName=table, Item={**key, **before})
    got = ddb.update_item(TableName=table, Key=key, AttributeUpdates=updates, ReturnValues="ALL_NEW")["Attributes"]
    for item in (got, ddb.get_item(TableName=table, Key=key)["Item"]):
        for value in item.values():
            for members in value.values():
                if isinstance(members, list) and "L" not in value:
                    members.sort()
        assert item == {**key, **after}


@pytest.mark.parametrize("updates, message", [
    ({"a": {"Action": "PUT"}}, SAME + "Only DELETE action is allowed when no attribute value is specified"),
    ({"a": {}}, SAME + "Only DELETE action is allowed when no attribute value is specified"),
    ({"a": {"Action": "DELETE", "Value": {"S": "x"}}}, SAME + "DELETE action with value is not supported for the type S"),
    ({"a": {"Action": "ADD", "Value": {"S": "x"}}}, SAME + "ADD action is not supported for the type S"),
    ({"s": {"Action": "ADD", "Value": {"N": "1"}}}, "Type mismatch for attribute to update"),
    ({"ss": {"Action": "DELETE", "Value": {"NS": ["1"]}}}, "Type mismatch for attribute to update"),
    ({"id": {"Value": {"S": "2"}}}, SAME + "Cannot update attribute id. This attribute is part of the key"),
])
def test_attribute_updates_refused(ddb, legacy, updates, message):
    with error("ValidationException", message):
        ddb.update_item(TableName=legacy, Key=KEY, AttributeUpdates=updates)


def test_attribute_deletes_make_no_item(ddb, table):
    key = {"id": {"S": uuid.uuid4().hex}}
    ddb.update_item(TableName=table, Key=key, AttributeUpdates={"a": {"Action": "DELETE"}})
    assert "Item" not in ddb.get_item(TableName=table, Key=key)


@pytest.mark.parametrize("sk, want", [
    (None, list(range(-5, 15, 2))), (("EQ", N("3")), [3]), (("LT", N("-1")), [-5, -3]), (("LE", N("-1")), [-5, -3, -1]),
    (("GT", N("9")), [11, 13]), (("GE", N("11")), [11, 13]), (("BETWEEN", N("0", "4")), [1, 3]),
])
def test_key_conditions(ddb, sorted_table, sk, want):
    conditions = {"id": {"ComparisonOperator": "EQ", "AttributeValueList": S("h0")}}
    if sk:
        conditions["sk"] = {"ComparisonOperator": sk[0], "AttributeValueList": sk[1]}
    got = ddb.query(TableName=sorted_table, KeyConditions=conditions, AttributesToGet=["sk"], ScanIndexForward=False)["Items"]
    assert [int(i["sk"]["N"]) for i in got] == want[::-1]


@pytest.mark.parametrize("request_, message", [
    ({"KeyConditions": {}}, "Conditions must not be empty"),
    ({"KeyConditions": {"sk": {"ComparisonOperator": "EQ", "AttributeValueList": N("1")}}}, "Query condition missed key schema element: id"),
    ({"KeyConditions": {"id": {"ComparisonOperator": "LT", "AttributeValueList": S("1")}}}, "Query key condition not supported"),
    ({"KeyConditions": {"id": {"ComparisonOperator": "NE", "AttributeValueList": S("1")}}},
     "Attempted conditional constraint is not an indexable operation"),
    ({"KeyConditions": {"id": {"ComparisonOperator": "EQ", "AttributeValueList": N("1")}}}, "Condition parameter type does not match schema type"),
    ({"KeyConditions": {"id": {"ComparisonOperator": "EQ", "AttributeValueList": S("1")}},
      "QueryFilter": {"sk": {"ComparisonOperator": "NOT_NULL"}}},
     "QueryFilter can only contain non-primary key attributes: Primary key attribute: sk"),
    ({"KeyConditions": {"id": {"ComparisonOperator": "EQ", "AttributeValueList": S("1")}}, "ConditionalOperator": "OR"},
     "ConditionalOperator cannot be used without Filter or Expected"),
    ({"KeyConditions": {"id": {"ComparisonOperator": "EQ", "AttributeValueList": S("1")}}, "ConditionalOperator": "OR",
      "QueryFilter": {"a": {"ComparisonOperator": "NULL"}}},
     "ConditionalOperator can only be used when Filter or Expected has two or more elements"),
    ({"KeyConditions": {"id": {"ComparisonOperator": "EQ", "AttributeValueList": S("1")}}, "FilterExpression": "attribute_exists(a)"},
     "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {KeyConditions} "
     "Expression parameters: {FilterExpression}"),
    ({"KeyConditions": {"id": {"ComparisonOperator": "EQ", "AttributeValueList": S("1")}}, "ExpressionAttributeNames": {"#a": "b"}},
     "ExpressionAttributeNames can only be specified when using expressions"),
])
def test_queries_refused(ddb, sorted_table, request_, message):
    with error("ValidationException", message):
        ddb.query(TableName=sorted_table, **request_)


@pytest.mark.parametrize("more, given", [
    ({"AttributeUpdates": {"a": {"Value": {"S": "x"}}}}, "AttributeUpdates"),
    ({"Expected": {"a": {"Exists": False}}}, "Expected"),
    ({"Expected": {"a": {"Exists": False}, "b": {"Exists": False}}, "ConditionalOperator": "OR"}, "Expected, ConditionalOperator"),
])
def test_mixing_is_refused(ddb, table, more, given):
    with error("ValidationException", "Non-expression parameters: {" + given + "} Expression parameters: {UpdateExpression}"):
        ddb.update_item(TableName=table, Key=KEY, UpdateExpression="REMOVE b", **more)
    more = {k: v for k, v in more.items() if k != "AttributeUpdates"}
    if more:
        with error("ValidationException", "Non-expression parameters: {" + given + "} Expression parameters: {ConditionExpression}"):
            ddb.put_item(TableName=table, Item=KEY, ConditionExpression="attribute_exists(id)", **more)


def test_policies_see_old_parameters(limited, sorted_table):  # noqa: F811
    """dynamodb:LeadingKeys and dynamodb:Attributes hold whatever form the conditions have."""
    client = limited({"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*", "Condition": {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["h0"], "dynamodb:Attributes": ["id", "sk", "even"]}}})
    key = {"id": {"ComparisonOperator": "EQ", "AttributeValueList": S("h0")}}
    other = {"id": {"ComparisonOperator": "EQ", "AttributeValueList": S("h1")}}
    assert client.query(TableName=sorted_table, KeyConditions=key)["Count"] == 10
    hidden = {"v": {"ComparisonOperator": "NOT_NULL"}}
    for request in ({"KeyConditions": key, "QueryFilter": hidden}, {"KeyConditions": other}):
        with error("AccessDeniedException"):
            client.query(TableName=sorted_table, **request)
    with error("AccessDeniedException"):
        client.scan(TableName=sorted_table, ScanFilter=hidden)
    item = {"id": {"S": "h0"}, "sk": {"N": "1"}}
    for write in (lambda: client.update_item(TableName=sorted_table, Key=item, AttributeUpdates={"v": {"Value": {"S": "x"}}}),
                  lambda: client.put_item(TableName=sorted_table, Item=item, Expected={"v": {"Exists": False}}),
                  lambda: client.delete_item(TableName=sorted_table, Key=item, Expected={"v": {"Exists": False}})):
        with error("AccessDeniedException"):
            write()
