"""Many clients at once, for the ThreadSanitizer build: every table and index that loops share is read and changed by all."""
import json
import threading
import time
import urllib.request
import uuid

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from weirtest import Weir, session

CLIENTS = 8
ROUNDS = 12
ROLE = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}]})


@pytest.fixture(scope="module")
def weir():
    with Weir(args=["--queue-reuse-wait", "0"]) as server:  # names come and go
        yield server


def all_at_once(weir, *works):
    """Runs every work in CLIENTS threads, each with clients (connections) of its own."""
    failures = []
    start = threading.Barrier(CLIENTS * len(works))

    def run(work, n):
        def client(service):
            return session().client(
                service, endpoint_url=weir.endpoint, region_name=weir.region, aws_access_key_id="test",
                aws_secret_access_key="test", config=Config(retries={"max_attempts": 5}, s3={"addressing_style": "path"}))
        start.wait()
        try:
            work(client, n)
        except Exception as e:  # told by the main thread
            failures.append(f"{work.__name__}: {e!r}")

    threads = [threading.Thread(target=run, args=(work, n)) for work in works for n in range(CLIENTS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures, failures


def tolerate(call, *codes, **args):
    try:
        return call(**args)
    except ClientError as e:
        assert e.response["Error"]["Code"] in codes, e
        return None


def test_streams(weir):
    """Readers that go on behind what they read miss nothing that writers commit meanwhile."""
    name = "t" + uuid.uuid4().hex
    ddb = weir.client("dynamodb")
    arn = ddb.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})["TableDescription"]["LatestStreamArn"]
    ddb.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"})
    total = CLIENTS * ROUNDS * 3

    def write(client, n):
        mine = client("dynamodb")
        for i in range(ROUNDS):
            until = {"until": {"N": str(4000000000 + i)}}
            mine.put_item(TableName=name, Item={"id": {"S": f"own{n}"}, "n": {"N": str(i)}, **until})
            mine.update_item(TableName=name, Key={"id": {"S": "all"}}, UpdateExpression="ADD n :one",
                             ExpressionAttributeValues={":one": {"N": "1"}})
            mine.transact_write_items(TransactItems=[{"Put": {"TableName": name, "Item": {
                "id": {"S": f"t{n}"}, "n": {"N": str(i)}, **until}}}])

    def read(client, n):
        mine = client("dynamodbstreams")
        at = {s["ShardId"]: mine.get_shard_iterator(StreamArn=arn, ShardId=s["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
              for s in mine.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]}
        seen, deadline = {}, time.monotonic() + 120
        while sum(map(len, seen.values())) < total:
            assert time.monotonic() < deadline, {k: len(v) for k, v in seen.items()}
            for shard, token in at.items():
                page = mine.get_records(ShardIterator=token)
                at[shard] = page["NextShardIterator"]
                for r in page["Records"]:
                    seen.setdefault(r["dynamodb"]["Keys"]["id"]["S"], []).append(int(r["dynamodb"]["NewImage"]["n"]["N"]))
        for key, numbers in seen.items():
            assert numbers == (list(range(1, CLIENTS * ROUNDS + 1)) if key == "all" else list(range(ROUNDS))), key

    all_at_once(weir, write, read)


def test_queues(weir):
    name = "q" + uuid.uuid4().hex
    url = weir.client("sqs").create_queue(QueueName=name)["QueueUrl"]

    def send(client, n):
        sqs = client("sqs")
        for i in range(ROUNDS):
            sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(k), "MessageBody": f"{n}.{i}.{k}"} for k in range(5)])

    def receive(client, n):
        sqs = client("sqs")
        for _ in range(ROUNDS):
            got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=5, WaitTimeSeconds=1).get("Messages", [])
            for m in got[:-1]:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
            if got:
                sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=got[-1]["ReceiptHandle"], VisibilityTimeout=0)

    def make_and_delete(client, n):
        sqs = client("sqs")
        gone = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
        for i in range(ROUNDS):
            other = sqs.create_queue(QueueName=f"{name}-{i % 2}")["QueueUrl"]
            tolerate(sqs.send_message, *gone, QueueUrl=other, MessageBody="m")
            tolerate(sqs.receive_message, *gone, QueueUrl=other)
            tolerate(sqs.delete_queue, *gone, QueueUrl=other)

    all_at_once(weir, send, receive, make_and_delete)


def test_tables(weir):
    name = "t" + uuid.uuid4().hex
    ddb = weir.client("dynamodb")
    ddb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
                     AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}])

    def count(client, n):
        table = client("dynamodb")
        for _ in range(ROUNDS):
            table.update_item(TableName=name, Key={"p": {"S": "one"}}, UpdateExpression="ADD v :o",
                              ExpressionAttributeValues={":o": {"N": "1"}})
            table.put_item(TableName=name, Item={"p": {"S": f"{n}"}, "v": {"N": "0"}})
            table.scan(TableName=name)

    def define(client, n):
        table = client("dynamodb")
        arn = f"arn:aws:dynamodb:us-east-1:000000000000:table/{name}"
        for i in range(ROUNDS):
            tolerate(table.tag_resource, "ResourceInUseException", "TransactionConflictException", ResourceArn=arn,
                     Tags=[{"Key": f"k{n}", "Value": str(i)}])
            table.describe_table(TableName=name)

    all_at_once(weir, count, define)
    assert ddb.get_item(TableName=name, Key={"p": {"S": "one"}})["Item"]["v"]["N"] == str(CLIENTS * ROUNDS)


def test_objects_identities_logs(weir):
    bucket = "b" + uuid.uuid4().hex
    weir.client("s3").create_bucket(Bucket=bucket)
    weir.client("logs").create_log_group(logGroupName=bucket)

    def objects(client, n):
        s3 = client("s3")
        for i in range(ROUNDS):
            s3.put_object(Bucket=bucket, Key=f"k{i % 3}", Body=b"x" * (100 if i % 2 else 100_000))
            tolerate(lambda **a: s3.get_object(**a)["Body"].read(), "NoSuchKey", Bucket=bucket, Key=f"k{i % 3}")
            s3.list_objects_v2(Bucket=bucket)
            if i % 4 == 3:
                s3.delete_object(Bucket=bucket, Key=f"k{i % 3}")

    def identities(client, n):
        iam, sts = client("iam"), client("sts")
        for i in range(ROUNDS):
            role = f"r{n % 2}-{bucket[:8]}"
            tolerate(iam.create_role, "EntityAlreadyExists", RoleName=role, AssumeRolePolicyDocument=ROLE)
            tolerate(sts.assume_role, "AccessDenied", RoleArn=f"arn:aws:iam::000000000000:role/{role}", RoleSessionName="many")
            tolerate(iam.delete_role, "NoSuchEntity", RoleName=role)

    def logs(client, n):
        log = client("logs")
        log.create_log_stream(logGroupName=bucket, logStreamName=str(n))
        for i in range(ROUNDS):
            log.put_log_events(logGroupName=bucket, logStreamName=str(n), logEvents=[{"timestamp": int(time.time() * 1000), "message": "m"}])
            log.filter_log_events(logGroupName=bucket)

    all_at_once(weir, objects, identities, logs)


def test_long_calls_beside_short_ones(weir):
    """Scans that go on on the worker pool, while what they read changes."""
    table = "t-" + uuid.uuid4().hex
    dynamodb = weir.client("dynamodb")
    dynamodb.create_table(TableName=table, KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
                          AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}])
    text = "ab" * 10000

    def scans(client, n):
        values = {f":v{i}": {"S": "ab" * 5 + str(i)} for i in range(30)}
        for _ in range(3):
            client("dynamodb").scan(TableName=table, FilterExpression=" OR ".join(f"contains(v, {v})" for v in values),
                                    ExpressionAttributeValues=values)

    def writes(client, n):
        mine = client("dynamodb")
        for i in range(ROUNDS):
            mine.put_item(TableName=table, Item={"k": {"S": f"{n}-{i}"}, "v": {"S": text}},
                          ConditionExpression=" AND ".join(f"NOT contains(v, :v{i})" for i in range(30)),
                          ExpressionAttributeValues={f":v{i}": {"S": f"x{i}"} for i in range(30)})

    all_at_once(weir, scans, writes)
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, Select="COUNT")
    assert sum(page["Count"] for page in pages) == CLIENTS * ROUNDS
    assert b"weir_calls_handed_over_total 0\n" not in urllib.request.urlopen(weir.endpoint + "/_weir/metrics").read()
