"""Keys of KMS as other services use them: what lies in the data directory, what a disabled key and a missing
permission do to each service's operations, and the keys that AWS manages."""
import base64
import hashlib
import json
import os
import re
import secrets
import time

import pytest
from botocore.exceptions import ClientError
from weirtest import wait_for

ACCOUNT = "000000000000"
HIDDEN = []  # texts that must not be found in the files of the server, by any test of this file
OPEN = []    # and some that must, or the search is worth nothing


def error(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


def code(call, **kw):
    return error(call, **kw)[0]


def secret(what="secret"):
    text = f"{what}-{secrets.token_hex(24)}"
    HIDDEN.append(text)
    return text


@pytest.fixture(scope="module")
def kms(weir):
    return weir.client("kms")


def make_key(kms, *statements):
    """A key that the account's own policies rule, and who `statements` name."""
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}, *statements]}
    return kms.create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]


def for_service(service, *actions):
    return {"Effect": "Allow", "Principal": {"Service": service}, "Resource": "*",
            "Action": list(actions) or ["kms:GenerateDataKey", "kms:Decrypt"]}


@pytest.fixture
def key(kms):
    return make_key(kms)


@pytest.fixture
def name(request):
    return re.sub("[^A-Za-z0-9_-]", "-", request.node.name)[:40]


@pytest.fixture
def user(weir, name):
    """A user who may do `actions`, as clients of his."""
    iam = weir.client("iam")
    made = []

    def make(suffix, actions, condition=None):
        who = f"{name}-{suffix}"
        iam.create_user(UserName=who)
        statements = [{"Effect": "Allow", "Action": a, "Resource": "*"} for a in actions]
        if condition:
            for s in statements:
                if "kms:" in str(s["Action"]):
                    s["Condition"] = condition
        iam.put_user_policy(UserName=who, PolicyName="p", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": statements}))
        pair = iam.create_access_key(UserName=who)["AccessKey"]
        made.append((who, pair["AccessKeyId"]))
        return lambda service: weir.client(service, key=pair["AccessKeyId"], secret=pair["SecretAccessKey"])

    yield make
    for who, access in made:
        iam.delete_access_key(UserName=who, AccessKeyId=access)
        iam.delete_user_policy(UserName=who, PolicyName="p")
        iam.delete_user(UserName=who)


def states(kms, key):
    """Takes the key through the states in which it does not work: yields (expected place in a service's row of codes)."""
    kms.disable_key(KeyId=key)
    yield "disabled"
    kms.enable_key(KeyId=key)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    yield "pending"
    kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)


# --- SQS ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def queue(weir, name):
    sqs, made = weir.client("sqs"), []

    def make(suffix="", **attributes):
        made.append(sqs.create_queue(QueueName=name + suffix, Attributes={k: str(v) for k, v in attributes.items()})["QueueUrl"])
        return made[-1]

    yield make
    for url in made:
        sqs.delete_queue(QueueUrl=url)


def attributes(sqs, url):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def sse(sqs, url):
    a = attributes(sqs, url)
    return a["SqsManagedSseEnabled"], a.get("KmsMasterKeyId"), a.get("KmsDataKeyReusePeriodSeconds")


def test_attributes_of_queues(weir, queue, name):
    sqs = weir.client("sqs")
    url = queue(KmsMasterKeyId="alias/mine")
    assert sse(sqs, url) == ("false", "alias/mine", "300")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsDataKeyReusePeriodSeconds": "60"})
    assert sse(sqs, url) == ("false", "alias/mine", "60")
    assert sqs.create_queue(QueueName=name, Attributes={"KmsMasterKeyId": "alias/mine"})["QueueUrl"] == url
    assert code(sqs.create_queue, QueueName=name, Attributes={"KmsMasterKeyId": "alias/other"}) in (
        "QueueAlreadyExists", "QueueNameExists")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"SqsManagedSseEnabled": "true"})
    assert sse(sqs, url) == ("true", None, None)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/mine"})
    assert sse(sqs, url) == ("false", "alias/mine", "60")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": ""})
    assert sse(sqs, url) == ("false", None, None)
    for wrong in ({"KmsDataKeyReusePeriodSeconds": "59"}, {"KmsDataKeyReusePeriodSeconds": "86401"}, {"KmsMasterKeyId": "k" * 2049}):
        assert code(sqs.set_queue_attributes, QueueUrl=url, Attributes=wrong) == "InvalidAttributeValue"
    both = {"KmsMasterKeyId": "alias/mine", "SqsManagedSseEnabled": "true"}
    assert code(sqs.set_queue_attributes, QueueUrl=url, Attributes=both) == "InvalidAttributeName"
    assert sse(sqs, url) == ("false", None, None)


def send(sqs, url, text, **kw):
    return sqs.send_message(QueueUrl=url, MessageBody=text, MessageAttributes={
        "a": {"DataType": "String", "StringValue": text}, "b": {"DataType": "Binary", "BinaryValue": text.encode()}}, **kw)


def receive(sqs, url, **kw):
    return sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0, MessageAttributeNames=["All"],
                               AttributeNames=["All"], **kw).get("Messages", [])


def test_messages_of_a_queue(weir, kms, key, queue):
    sqs, text = weir.client("sqs"), secret("message")
    OPEN.append("open-" + secrets.token_hex(24))
    send(sqs, queue("-open"), OPEN[-1])
    url = queue(KmsMasterKeyId=key)
    sent = send(sqs, url, text)
    batch = [secret("batch") for _ in range(3)]
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(i), "MessageBody": t} for i, t in enumerate(batch)])
    got = receive(sqs, url)
    assert [m["Body"] for m in got] == [text, *batch]
    assert got[0]["MD5OfBody"] == sent["MD5OfMessageBody"] and got[0]["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert got[0]["MessageAttributes"]["b"]["BinaryValue"] == text.encode()
    expected = {"disabled": "KmsDisabled", "pending": "KmsInvalidState"}
    for state in states(kms, key):
        assert code(receive, sqs=sqs, url=url) == expected[state]
        assert code(send, sqs=sqs, url=url, text="x") == expected[state]
        assert code(sqs.send_message_batch, QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "x"}]) == expected[state]
    assert [m["Body"] for m in receive(sqs, url)] == [text, *batch]
    # What is in the queue stays sealed as it is, whatever its settings become.
    other = make_key(kms)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": other})
    send(sqs, url, "next")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": ""})
    send(sqs, url, "last")
    assert [m["Body"] for m in receive(sqs, url)] == [text, *batch, "next", "last"]
    kms.disable_key(KeyId=other)
    assert code(receive, sqs=sqs, url=url) == "KmsDisabled"


def test_keys_that_a_queue_cannot_use(weir, kms, queue):
    sqs = weir.client("sqs")
    pair = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    mac = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["Arn"]
    gone = "00000000-0000-4000-8000-000000000000"
    url = queue()
    for given, expected in ((pair, "KmsInvalidKeyUsage"), (mac, "KmsInvalidKeyUsage"), (gone, "KmsNotFound"), ("alias/none", "KmsNotFound"),
                            ("nonsense", "KmsNotFound"), (f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{gone}", "KmsAccessDenied")):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": given})
        assert code(send, sqs=sqs, url=url, text="x") in (expected, "KmsNotFound"), given
    assert receive(sqs, url) == []


def test_who_may_use_a_queue_with_a_key(weir, kms, key, queue, user):
    sqs, text = weir.client("sqs"), secret("mine")
    url = queue(KmsMasterKeyId=key)
    may = user("may", ["sqs:*", "kms:GenerateDataKey", "kms:Decrypt"])("sqs")
    makes = user("makes", ["sqs:*", "kms:GenerateDataKey"])("sqs")
    reads = user("reads", ["sqs:*", "kms:Decrypt"])("sqs")
    none = user("none", ["sqs:*"])("sqs")
    send(may, url, text)
    for who in (makes, reads, none):
        assert code(send, sqs=who, url=url, text="x") == "KmsAccessDenied"
    for who in (makes, none):
        assert code(receive, sqs=who, url=url) == "KmsAccessDenied"
    assert [m["Body"] for m in receive(reads, url)] == [text]
    via = {"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com",
                            "kms:EncryptionContext:aws:sqs:arn": attributes(sqs, url)["QueueArn"]}}
    through = user("through", ["sqs:*", ["kms:GenerateDataKey", "kms:Decrypt"]], via)
    assert [m["Body"] for m in receive(through("sqs"), url)] == [text]
    assert code(through("kms").generate_data_key, KeyId=key, KeySpec="AES_256") == "AccessDeniedException"


def test_a_permission_that_is_taken_away(weir, kms, key, queue, user, name):
    """Data keys are reused, but not by who may not use the key any more."""
    sqs, text = weir.client("sqs"), secret("mine")
    url = queue(KmsMasterKeyId=key)
    his = user("his", ["sqs:*", "kms:Decrypt"])("sqs")
    send(sqs, url, text)
    assert len(receive(his, url)) == 1
    weir.client("iam").put_user_policy(UserName=f"{name}-his", PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}))
    assert code(receive, sqs=his, url=url) == "KmsAccessDenied"
    assert len(receive(sqs, url)) == 1
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": ["kms:PutKeyPolicy", "kms:GenerateDataKey"], "Resource": "*"}]}
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    assert code(receive, sqs=sqs, url=url) == "KmsAccessDenied"


def test_dead_letters_stay_as_they_are(weir, kms, key, queue):
    sqs, text = weir.client("sqs"), secret("dead")
    dead = queue("-dead")
    url = queue(KmsMasterKeyId=key, RedrivePolicy=json.dumps(
        {"deadLetterTargetArn": attributes(sqs, dead)["QueueArn"], "maxReceiveCount": 1}))
    send(sqs, url, text)
    assert len(receive(sqs, url)) == 1
    kms.disable_key(KeyId=key)
    assert receive(sqs, url) == []  # it moved: that needs no key
    assert code(receive, sqs=sqs, url=dead) == "KmsDisabled"
    kms.enable_key(KeyId=key)
    assert [m["Body"] for m in receive(sqs, dead)] == [text]


def test_fifo_queue_with_a_key(weir, kms, key, name):
    sqs, text = weir.client("sqs"), secret("fifo")
    url = sqs.create_queue(QueueName=name + ".fifo", Attributes={"FifoQueue": "true", "KmsMasterKeyId": key})["QueueUrl"]
    for i in range(2):
        sqs.send_message(QueueUrl=url, MessageBody=text, MessageGroupId="g", MessageDeduplicationId="d")
    got = receive(sqs, url)
    assert [m["Body"] for m in got] == [text] and got[0]["Attributes"]["MessageGroupId"] == "g"
    sqs.delete_queue(QueueUrl=url)


# --- keys that AWS manages ------------------------------------------------------------------------------------------------


def test_key_that_aws_manages(weir, kms, queue, user):
    sqs, text = weir.client("sqs"), secret("managed")
    names = lambda: [a["AliasName"] for a in kms.list_aliases()["Aliases"]]
    assert "alias/aws/sqs" not in names()
    url = queue(KmsMasterKeyId="alias/aws/sqs")
    his = user("his", ["sqs:*"])  # needs no permission of his own
    send(his("sqs"), url, text)
    assert [m["Body"] for m in receive(his("sqs"), url)] == [text]
    assert "alias/aws/sqs" in names()
    shown = kms.describe_key(KeyId="alias/aws/sqs")["KeyMetadata"]
    assert shown["KeyManager"] == "AWS" and shown["KeyState"] == "Enabled" and "SQS" in shown["Description"]
    assert kms.get_key_rotation_status(KeyId=shown["KeyId"])["KeyRotationEnabled"] is True
    policy = json.loads(kms.get_key_policy(KeyId=shown["KeyId"], PolicyName="default")["Policy"])
    assert policy["Statement"][0]["Condition"]["StringEquals"]["kms:ViaService"] == "sqs.us-east-1.amazonaws.com"
    for call, kw in ((kms.disable_key, {}), (kms.schedule_key_deletion, {}), (kms.encrypt, {"Plaintext": b"x"}), (kms.disable_key_rotation, {}),
                     (kms.put_key_policy, {"PolicyName": "default", "Policy": json.dumps(policy)}), (kms.update_key_description, {"Description": "x"})):
        assert code(call, KeyId=shown["KeyId"], **kw) == "AccessDeniedException"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/aws/sqs"})
    send(sqs, url, text)
    assert len(receive(sqs, url)) == 2
    # Of another service, or of none.
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/aws/nothing"})
    assert code(send, sqs=sqs, url=url, text="x") == "KmsNotFound"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/aws/sns"})
    assert code(send, sqs=sqs, url=url, text="x") == "KmsAccessDenied"


# --- SNS ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def topic(weir, name):
    sns, made = weir.client("sns"), []

    def make(**attributes):
        made.append(sns.create_topic(Name=name, Attributes=attributes)["TopicArn"])
        return made[-1]

    yield make
    for arn in made:
        sns.delete_topic(TopicArn=arn)


def subscribed(weir, topic, url):
    """The queue gets the topic's messages."""
    sqs, arn = weir.client("sqs"), attributes(weir.client("sqs"), url)["QueueArn"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}]})})
    weir.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})


def test_messages_of_a_topic(weir, kms, key, queue, topic):
    sns, sqs, text = weir.client("sns"), weir.client("sqs"), secret("topic")
    arn = topic(KmsMasterKeyId=key)
    assert sns.get_topic_attributes(TopicArn=arn)["Attributes"]["KmsMasterKeyId"] == key
    url = queue(KmsMasterKeyId=make_key(kms, for_service("sns.amazonaws.com")))
    subscribed(weir, arn, url)
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="a@example.com")
    sns.publish(TopicArn=arn, Message=text, Subject="s")
    assert [m["Body"] for m in receive(sqs, url)] == [text]
    expected = {"disabled": "KMSDisabled", "pending": "KMSInvalidState"}
    for state in states(kms, key):
        assert code(sns.publish, TopicArn=arn, Message="x") == expected[state]
        assert code(sns.publish_batch, TopicArn=arn, PublishBatchRequestEntries=[{"Id": "a", "Message": "x"}]) == expected[state]
    sns.publish_batch(TopicArn=arn, PublishBatchRequestEntries=[{"Id": "a", "Message": text}])
    assert len(receive(sqs, url)) == 2
    for given, expected in (("alias/none", "KMSNotFound"), ("nonsense", "KMSNotFound")):
        sns.set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue=given)
        assert code(sns.publish, TopicArn=arn, Message="x") == expected
    sns.set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns")
    sns.publish(TopicArn=arn, Message=text)
    assert kms.describe_key(KeyId="alias/aws/sns")["KeyMetadata"]["KeyManager"] == "AWS"
    sns.set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue="")
    assert "KmsMasterKeyId" not in sns.get_topic_attributes(TopicArn=arn)["Attributes"]


def test_who_may_publish_to_a_topic_with_a_key(weir, key, topic, user):
    arn = topic(KmsMasterKeyId=key)
    via = {"StringEquals": {"kms:ViaService": "sns.us-east-1.amazonaws.com", "kms:EncryptionContext:aws:sns:topicArn": arn}}
    user("may", ["sns:*", ["kms:GenerateDataKey", "kms:Decrypt"]], via)("sns").publish(TopicArn=arn, Message="x")
    for suffix, more in (("none", []), ("makes", ["kms:GenerateDataKey"]), ("reads", ["kms:Decrypt"])):
        assert code(user(suffix, ["sns:*", *more])("sns").publish, TopicArn=arn, Message="x") == "KMSAccessDenied"


def test_a_topic_that_may_not_use_the_queues_key(weir, kms, key, queue, topic):
    sns, sqs = weir.client("sns"), weir.client("sqs")
    arn, url = topic(), queue(KmsMasterKeyId=key)
    subscribed(weir, arn, url)
    sns.publish(TopicArn=arn, Message="x")
    assert receive(sqs, url) == []
    from_topic = {**for_service("sns.amazonaws.com"), "Condition": {"ArnEquals": {"aws:SourceArn": arn}}}
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}, from_topic]}))
    sns.publish(TopicArn=arn, Message="y")
    assert [m["Body"] for m in receive(sqs, url)] == ["y"]


# --- DynamoDB -----------------------------------------------------------------------------------------------------------


BASE = {"BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"}],
        "GlobalSecondaryIndexes": [{"IndexName": "by_g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                                    "Projection": {"ProjectionType": "ALL"}}],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}}


@pytest.fixture
def table(weir, name):
    ddb = weir.client("dynamodb")
    yield lambda **kw: ddb.create_table(**{"TableName": name, **BASE, **kw})["TableDescription"]
    ddb.delete_table(TableName=name)


def sse_of(ddb, name):
    t = ddb.describe_table(TableName=name)["Table"]
    return t["TableStatus"], t.get("SSEDescription")


def item(key, text):
    return {"id": {"S": key}, "g": {"S": "g"}, "v": {"S": text}, "m": {"M": {"x": {"L": [{"S": text}]}}}}


def everything(ddb, name):
    """All that reads: {operation: the texts it gives}."""
    at = {"id": {"S": "a"}}
    texts = lambda items: [i["v"]["S"] for i in items]
    return {
        "get": texts([ddb.get_item(TableName=name, Key=at)["Item"]]),
        "batch": texts(ddb.batch_get_item(RequestItems={name: {"Keys": [at]}})["Responses"][name]),
        "transact": texts([r["Item"] for r in ddb.transact_get_items(TransactItems=[{"Get": {"TableName": name, "Key": at}}])["Responses"]]),
        "query": texts(ddb.query(TableName=name, KeyConditionExpression="id = :a", ExpressionAttributeValues={":a": {"S": "a"}})["Items"]),
        "index": texts(ddb.query(TableName=name, IndexName="by_g", KeyConditionExpression="g = :g", Limit=1,
                                 ExpressionAttributeValues={":g": {"S": "g"}})["Items"]),
        "scan": texts(ddb.scan(TableName=name)["Items"]),
    }


READS = {
    "get": lambda d, t: d.get_item(TableName=t, Key={"id": {"S": "a"}}),
    "batch": lambda d, t: d.batch_get_item(RequestItems={t: {"Keys": [{"id": {"S": "a"}}]}}),
    "transact": lambda d, t: d.transact_get_items(TransactItems=[{"Get": {"TableName": t, "Key": {"id": {"S": "a"}}}}]),
    "query": lambda d, t: d.query(TableName=t, KeyConditionExpression="id = :a", ExpressionAttributeValues={":a": {"S": "a"}}),
    "scan": lambda d, t: d.scan(TableName=t, IndexName="by_g"),
    "put": lambda d, t: d.put_item(TableName=t, Item=item("x", "x")),
    "update": lambda d, t: d.update_item(TableName=t, Key={"id": {"S": "a"}}, UpdateExpression="SET n = :n", ExpressionAttributeValues={":n": {"N": "1"}}),
    "delete": lambda d, t: d.delete_item(TableName=t, Key={"id": {"S": "a"}}),
    "batch-write": lambda d, t: d.batch_write_item(RequestItems={t: [{"PutRequest": {"Item": item("x", "x")}}]}),
    "transact-write": lambda d, t: d.transact_write_items(TransactItems=[{"Put": {"TableName": t, "Item": item("x", "x")}}]),
}


def images(weir, name, client=None):
    ddb, streams = weir.client("dynamodb"), client or weir.client("dynamodbstreams")
    arn = ddb.describe_table(TableName=name)["Table"]["LatestStreamArn"]
    got = []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        it = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        got += [r["dynamodb"]["NewImage"]["v"]["S"] for r in streams.get_records(ShardIterator=it)["Records"]]
    return got


def test_items_of_a_table(weir, kms, key, table, name):
    ddb, text = weir.client("dynamodb"), secret("item")
    made = table(SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key})
    assert made["SSEDescription"] == {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key}
    ddb.put_item(TableName=name, Item=item("a", text))
    ddb.update_item(TableName=name, Key={"id": {"S": "a"}}, UpdateExpression="SET w = v")
    assert all(t == [text] for t in everything(ddb, name).values())
    old = ddb.put_item(TableName=name, Item=item("a", text), ReturnValues="ALL_OLD", ConditionExpression="w = :w",
                       ExpressionAttributeValues={":w": {"S": text}})["Attributes"]
    assert old["w"]["S"] == text
    assert images(weir, name) == [text] * 3
    assert ddb.describe_table(TableName=name)["Table"]["ItemCount"] == 1
    for state in states(kms, key):
        for what, read in READS.items():
            assert code(read, d=ddb, t=name) == "AccessDeniedException", what
        with pytest.raises(ClientError) as e:
            images(weir, name)
        assert e.value.response["Error"]["Code"] == "AccessDeniedException"
        status, sse = sse_of(ddb, name)
        assert status == "INACCESSIBLE_ENCRYPTION_CREDENTIALS" and abs(sse["InaccessibleEncryptionDateTime"].timestamp() - time.time()) < 3600
    assert sse_of(ddb, name) == ("ACTIVE", {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key})
    assert all(t == [text] for t in everything(ddb, name).values())


def test_who_may_use_a_table_with_a_key(weir, key, table, name, user):
    ddb = weir.client("dynamodb")
    table(SSESpecification={"Enabled": True, "KMSMasterKeyId": key})
    ddb.put_item(TableName=name, Item=item("a", "x"))
    none = user("none", ["dynamodb:*"])
    for what, read in READS.items():
        assert code(read, d=none("dynamodb"), t=name) == "AccessDeniedException", what
    with pytest.raises(ClientError) as e:
        images(weir, name, none("dynamodbstreams"))
    assert e.value.response["Error"]["Code"] == "AccessDeniedException"
    via = {"StringEquals": {"kms:ViaService": "dynamodb.us-east-1.amazonaws.com", "kms:EncryptionContext:aws:dynamodb:tableName": name,
                            "kms:EncryptionContext:aws:dynamodb:subscriberId": ACCOUNT}}
    his = user("may", ["dynamodb:*", "kms:Decrypt"], via)
    assert len(images(weir, name, his("dynamodbstreams"))) == 1
    for read in READS.values():
        read(his("dynamodb"), name)
    refused = {"TableName": name + "-2", **BASE, "SSESpecification": {"Enabled": True, "KMSMasterKeyId": key}}
    assert code(his("dynamodb").create_table, **refused) == "ValidationException"


def test_keys_that_a_table_cannot_use(weir, kms, key, table, name):
    ddb = weir.client("dynamodb")
    pair = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    kms.disable_key(KeyId=key)
    for given in (pair, key, "alias/none", "nonsense"):
        refused = {"TableName": name, **BASE, "SSESpecification": {"Enabled": True, "KMSMasterKeyId": given}}
        assert code(ddb.create_table, **refused) == "ValidationException"
    table()
    assert code(ddb.update_table, TableName=name, SSESpecification={"Enabled": True, "KMSMasterKeyId": key}) == "ValidationException"
    assert sse_of(ddb, name) == ("ACTIVE", None)


def test_a_table_that_changes_its_key(weir, kms, key, table, name):
    """Plain, a key, another key, none of its own, and a key again."""
    ddb, text, other = weir.client("dynamodb"), secret("changes"), make_key(kms)
    change = lambda **kw: ddb.update_table(TableName=name, SSESpecification=kw)
    table()
    ddb.put_item(TableName=name, Item=item("old", "was plain"))
    change(Enabled=True, KMSMasterKeyId=key)
    wait_for(lambda: sse_of(ddb, name)[1]["Status"] == "ENABLED")
    ddb.put_item(TableName=name, Item=item("a", text))
    kms.disable_key(KeyId=key)
    assert code(ddb.get_item, TableName=name, Key={"id": {"S": "old"}}) == "AccessDeniedException"
    assert code(ddb.update_table, TableName=name, SSESpecification={"Enabled": True, "KMSMasterKeyId": other}) == "AccessDeniedException"
    kms.enable_key(KeyId=key)
    change(Enabled=True, KMSMasterKeyId=other)
    assert sse_of(ddb, name)[1]["KMSMasterKeyArn"] == other
    kms.disable_key(KeyId=key)  # nothing of the table needs it any more
    assert everything(ddb, name)["get"] == [text] and text in images(weir, name)
    change(Enabled=False)
    assert sse_of(ddb, name) == ("ACTIVE", None)
    kms.disable_key(KeyId=other)
    assert everything(ddb, name)["get"] == [text] and len(everything(ddb, name)["scan"]) == 2
    ddb.put_item(TableName=name, Item=item("b", text))
    change(Enabled=True)
    assert sse_of(ddb, name)[1]["KMSMasterKeyArn"] == kms.describe_key(KeyId="alias/aws/dynamodb")["KeyMetadata"]["Arn"]
    assert len(everything(ddb, name)["scan"]) == 3
    ddb.update_table(TableName=name, AttributeDefinitions=[*BASE["AttributeDefinitions"], {"AttributeName": "v", "AttributeType": "S"}],
                     GlobalSecondaryIndexUpdates=[{"Create": {"IndexName": "later", "Projection": {"ProjectionType": "KEYS_ONLY"},
                                                              "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}]}}])
    wait_for(lambda: sse_of(ddb, name)[0] == "ACTIVE")
    assert ddb.scan(TableName=name, IndexName="later")["Count"] == 3


# --- S3 -----------------------------------------------------------------------------------------------------------------


PIECE = 64 * 1024 - 16  # of a sealed file
MPU_PART = 5 * 1024 * 1024


@pytest.fixture
def bucket(weir, name):
    s3 = weir.client("s3")
    at = name.lower().replace("_", "-")
    s3.create_bucket(Bucket=at)
    yield at
    for o in s3.list_objects_v2(Bucket=at).get("Contents", []):
        s3.delete_object(Bucket=at, Key=o["Key"])
    s3.delete_bucket(Bucket=at)


def body_of(text, size):
    """`size` bytes that begin with the text and repeat it."""
    return (text.encode() * (size // len(text) + 1))[:size]


def get(s3, bucket, key, **kw):
    return s3.get_object(Bucket=bucket, Key=key, **kw)["Body"].read()


def test_objects_under_a_key(weir, kms, key, bucket):
    """Of every way in which bytes are kept: none, in the record, in the store, in a file of one and of several pieces."""
    s3, text = weir.client("s3"), secret("object")
    sizes = [0, 1, 100, 2048, 2049, 16 * 1024, 16 * 1024 + 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 7]
    for size in sizes:
        data = body_of(text, size)
        put = s3.put_object(Bucket=bucket, Key=str(size), Body=data, ServerSideEncryption="aws:kms", SSEKMSKeyId=key, ChecksumAlgorithm="SHA256")
        assert (put["ServerSideEncryption"], put["SSEKMSKeyId"]) == ("aws:kms", key)
        if size:
            assert put["ETag"].strip('"') != hashlib.md5(data).hexdigest()
        got = s3.get_object(Bucket=bucket, Key=str(size), ChecksumMode="ENABLED")
        assert got["Body"].read() == data and (got["ServerSideEncryption"], got["SSEKMSKeyId"]) == ("aws:kms", key)
        assert got["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(data).digest()).decode()
        head = s3.head_object(Bucket=bucket, Key=str(size))
        assert head["ContentLength"] == size and head["ETag"] == put["ETag"] and head["SSEKMSKeyId"] == key
        for first, last in ((0, 0), (1, 5), (PIECE - 1, PIECE), (PIECE, PIECE + 3), (size - 1, size - 1), (PIECE - 2, 2 * PIECE + 2)):
            if 0 <= first <= last < size:
                assert get(s3, bucket, str(size), Range=f"bytes={first}-{last}") == data[first:last + 1]
    expected = {"disabled": "KMS.DisabledException", "pending": "KMS.KMSInvalidStateException"}
    for state in states(kms, key):
        for size in (100, 16 * 1024, 3 * PIECE):
            assert code(s3.get_object, Bucket=bucket, Key=str(size)) == expected[state]
            assert s3.head_object(Bucket=bucket, Key=str(size))["ContentLength"] == size
        assert code(s3.copy_object, Bucket=bucket, Key="copy", CopySource=f"{bucket}/{3 * PIECE}") == expected[state]
        assert code(s3.put_object, Bucket=bucket, Key="new", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key) == expected[state]
    assert get(s3, bucket, "100") == body_of(text, 100)
    assert "new" not in [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]]


def test_bucket_whose_objects_are_encrypted(weir, kms, key, bucket, user):
    s3, text = weir.client("s3"), secret("default")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"] == [rule]
    put = s3.put_object(Bucket=bucket, Key="a", Body=text)
    assert (put["ServerSideEncryption"], put["SSEKMSKeyId"], put["BucketKeyEnabled"]) == ("aws:kms", key, True)
    own = s3.put_object(Bucket=bucket, Key="own", Body=text, BucketKeyEnabled=False)
    assert "BucketKeyEnabled" not in own
    plain = s3.put_object(Bucket=bucket, Key="plain", Body=b"x", ServerSideEncryption="AES256")
    assert plain["ServerSideEncryption"] == "AES256" and "SSEKMSKeyId" not in plain and plain["ETag"].strip('"') == hashlib.md5(b"x").hexdigest()
    assert get(s3, bucket, "a") == get(s3, bucket, "own") == text.encode()
    of_bucket = {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{bucket}", "kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    his = user("bucket", ["s3:*", ["kms:Decrypt", "kms:GenerateDataKey"]], of_bucket)("s3")
    assert get(his, bucket, "a") == text.encode()
    his.put_object(Bucket=bucket, Key="his", Body=text)
    assert code(his.get_object, Bucket=bucket, Key="own") == "AccessDenied"
    of_object = {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{bucket}/own"}}
    hers = user("object", ["s3:*", "kms:Decrypt"], of_object)("s3")
    assert get(hers, bucket, "own") == text.encode() and code(hers.get_object, Bucket=bucket, Key="a") == "AccessDenied"
    none = user("none", ["s3:*"])("s3")
    assert code(none.put_object, Bucket=bucket, Key="none", Body=b"x") == "AccessDenied"
    assert code(none.get_object, Bucket=bucket, Key="a") == "AccessDenied" and get(none, bucket, "plain") == b"x"
    s3.delete_bucket_encryption(Bucket=bucket)
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "AES256"}
    assert s3.put_object(Bucket=bucket, Key="b", Body=b"x")["ServerSideEncryption"] == "AES256"


def test_uploads_in_parts_and_copies(weir, kms, key, bucket):
    s3, text = weir.client("s3"), secret("parts")
    other = make_key(kms)
    parts = [body_of(text, MPU_PART), body_of(text, 3 * PIECE + 5)]
    up = s3.create_multipart_upload(Bucket=bucket, Key="m", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    assert (up["ServerSideEncryption"], up["SSEKMSKeyId"]) == ("aws:kms", key)
    at = {"Bucket": bucket, "Key": "m", "UploadId": up["UploadId"]}
    kms.disable_key(KeyId=key)
    assert code(s3.upload_part, PartNumber=1, Body=b"x", **at) == "KMS.DisabledException"
    kms.enable_key(KeyId=key)
    tags = [s3.upload_part(PartNumber=1, Body=parts[0], **at)["ETag"]]
    s3.put_object(Bucket=bucket, Key="source", Body=parts[1], ServerSideEncryption="aws:kms", SSEKMSKeyId=other)
    copied = s3.upload_part_copy(PartNumber=2, CopySource=f"{bucket}/source", **at)
    assert copied["SSEKMSKeyId"] == key
    tags.append(copied["CopyPartResult"]["ETag"])
    done = s3.complete_multipart_upload(MultipartUpload={"Parts": [{"PartNumber": i + 1, "ETag": t} for i, t in enumerate(tags)]}, **at)
    assert done["SSEKMSKeyId"] == key and done["ETag"].endswith('-2"')
    whole = b"".join(parts)
    assert get(s3, bucket, "m") == whole
    assert get(s3, bucket, "m", Range=f"bytes={MPU_PART - 3}-{MPU_PART + PIECE + 3}") == whole[MPU_PART - 3:MPU_PART + PIECE + 4]
    assert get(s3, bucket, "m", PartNumber=2) == parts[1]
    # Under another key, under none, and back from none.
    for to, kw in (("again", {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": other}), ("small", {})):
        source = "m" if to == "again" else "source"
        result = s3.copy_object(Bucket=bucket, Key=to, CopySource=f"{bucket}/{source}", **kw)
        assert result.get("SSEKMSKeyId") == (other if kw else None)
    assert get(s3, bucket, "again") == whole and get(s3, bucket, "small") == parts[1]
    s3.delete_object(Bucket=bucket, Key="small")
    HIDDEN.remove(text)  # the copy without a key was there
    kms.disable_key(KeyId=key)
    assert get(s3, bucket, "again") == whole and code(s3.get_object, Bucket=bucket, Key="m") == "KMS.DisabledException"


def test_what_requests_say_of_encryption(weir, kms, key, bucket, user):
    s3 = weir.client("s3")
    context = base64.b64encode(json.dumps({"project": "x"}).encode()).decode()
    kw = {"Bucket": bucket, "Key": "c", "Body": b"x", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    assert s3.put_object(SSEKMSEncryptionContext=context, **kw)["SSEKMSEncryptionContext"] == context
    his = user("his", ["s3:*", "kms:Decrypt"], {"StringEquals": {"kms:EncryptionContext:project": "x"}})("s3")
    assert get(his, bucket, "c") == b"x"
    for bad in ("no base64!", base64.b64encode(b"[1]").decode(), base64.b64encode(b'{"a": 1}').decode()):
        assert code(s3.put_object, SSEKMSEncryptionContext=bad, **kw) == "InvalidArgument"
    for wrong in ({"SSEKMSKeyId": key}, {"SSEKMSKeyId": key, "ServerSideEncryption": "AES256"}, {"ServerSideEncryption": "nonsense"}):
        assert code(s3.put_object, Bucket=bucket, Key="w", Body=b"x", **wrong) == "InvalidArgument"
    assert code(s3.put_object, Bucket=bucket, Key="w", Body=b"x", ServerSideEncryption="aws:kms:dsse") == "NotImplemented"
    pair = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    for given, expected in ((pair, "KMS.InvalidKeyUsageException"), ("alias/none", "KMS.NotFoundException"), ("nonsense", "KMS.NotFoundException")):
        assert code(s3.put_object, Bucket=bucket, Key="w", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=given) == expected
    for wrong in ({"SSEAlgorithm": "AES256", "KMSMasterKeyID": key}, {"SSEAlgorithm": "aws:kms:dsse"}):
        assert code(s3.put_bucket_encryption, Bucket=bucket, ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": wrong}]}) in ("InvalidArgument", "NotImplemented")
    managed = s3.put_object(Bucket=bucket, Key="managed", Body=b"m", ServerSideEncryption="aws:kms")["SSEKMSKeyId"]
    assert managed == kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"]
    assert get(user("none", ["s3:*"])("s3"), bucket, "managed") == b"m"


def test_policy_that_wants_a_key(weir, kms, key, bucket, user):
    """The statement by which buckets are told to take nothing else."""
    s3, other = weir.client("s3"), make_key(kms)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*",
         "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": key}}}]}))
    his = user("his", ["s3:*", "kms:*"])("s3")
    his.put_object(Bucket=bucket, Key="a", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    for kw in ({}, {"ServerSideEncryption": "AES256"}, {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": other}):
        assert code(his.put_object, Bucket=bucket, Key="a", Body=b"x", **kw) == "AccessDenied"


def test_damage_to_a_sealed_file_is_told(make_weir):
    """A byte that is changed together with its checksum is no damage for the disk, but the piece does not open."""
    weir = make_weir()
    s3, kms = weir.client("s3"), weir.client("kms")
    key = make_key(kms)
    s3.create_bucket(Bucket="damaged")
    s3.put_object(Bucket="damaged", Key="a", Body=body_of("abc", 2 * PIECE), ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    path, = (os.path.join(f, n) for f, _, names in os.walk(os.path.join(weir.data_dir, "s3", "objects")) for n in names)
    with open(path, "r+b") as f:
        whole = f.read()
        pieces = whole[64 * 1024:128 * 1024] + whole[:64 * 1024] + whole[-4:] + whole[-8:-4]
        assert len(pieces) == len(whole)
        f.seek(0)
        f.write(pieces)  # both pieces as they were, in the other order, with their checksums
    assert code(s3.get_object, Bucket="damaged", Key="a") == "InternalError"
    assert "piece does not open" in weir.log_text()


# --- what lies on the disk: the last test of the file ---------------------------------------------------------------------


def found(weir, texts):
    left = set(t.encode() for t in texts)
    for folder, _, files in os.walk(weir.data_dir):
        for path in (os.path.join(folder, f) for f in files):
            if not os.path.isfile(path):  # a link into a function's world
                continue
            with open(path, "rb") as opened:
                data = opened.read()
            left -= {t for t in left if t in data}
    return {t for t in texts if t.encode() not in left}


def test_nothing_of_it_lies_open(weir):
    weir.terminate()
    try:
        assert OPEN and found(weir, OPEN) == set(OPEN)
        assert HIDDEN and found(weir, HIDDEN) == set()
    finally:
        weir.start()
