"""kill -9 in a loop under mixed load: afterwards every acknowledged write is there, and every event
of an acknowledged write is delivered at least once."""
import hashlib
import json
import threading
import time

import pytest
from botocore.config import Config

from weirtest import wait_for

ROUNDS = 5
SECONDS_A_ROUND = 2.0
BUCKET, EVENTS, QUEUE, TABLE = "crash-bucket", "crash-events", "crash-queue", "crash-table"


class Load:
    """Writers that note what was acknowledged; a failed call may or may not have happened."""

    def __init__(self, weir):
        self.weir = weir
        self.stop = threading.Event()
        self.items, self.messages, self.objects = {}, set(), {}
        self.lock = threading.Lock()

    def clients(self):
        config = Config(retries={"max_attempts": 0}, connect_timeout=2, read_timeout=5)
        return [self.weir.client(name, config=config) for name in ("dynamodb", "sqs", "s3")]

    def run(self, worker, generation):
        dynamodb, sqs, s3 = self.clients()
        url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
        n = 0
        while not self.stop.is_set():
            n += 1
            name = f"{generation}-{worker}-{n}"
            try:
                dynamodb.put_item(TableName=TABLE, Item={"id": {"S": name}, "n": {"N": str(n)}})
                with self.lock:
                    self.items[name] = n
                sqs.send_message(QueueUrl=url, MessageBody=name)
                with self.lock:
                    self.messages.add(name)
                body = (name * 4000).encode() if n % 3 == 0 else name.encode()
                s3.put_object(Bucket=BUCKET, Key=name, Body=body)
                with self.lock:
                    self.objects[name] = hashlib.sha256(body).hexdigest()
            except Exception:  # the server was killed under this call: what it did is not known
                if not self.stop.is_set():
                    self.stop.wait(0.01)


def make_pipeline(weir):
    sqs, s3 = weir.client("sqs"), weir.client("s3")
    weir.client("dynamodb").create_table(
        TableName=TABLE, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    sqs.create_queue(QueueName=QUEUE)
    events = sqs.create_queue(QueueName=EVENTS)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=events, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    s3.create_bucket(Bucket=BUCKET)
    sqs.set_queue_attributes(QueueUrl=events, Attributes={"Policy": json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage",
                       "Resource": arn, "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{BUCKET}"}}}]})})
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={
        "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]})


def drain(sqs, name):
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    bodies, empty = [], 0
    while empty < 2:
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        empty = 0 if got else empty + 1
        bodies += [m["Body"] for m in got]
        if got:
            sqs.delete_message_batch(QueueUrl=url, Entries=[
                {"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(got)])
    return bodies


def test_kill_in_a_loop(fresh_weir):
    weir = fresh_weir
    make_pipeline(weir)
    load = Load(weir)
    for generation in range(ROUNDS):
        load.stop.clear()
        threads = [threading.Thread(target=load.run, args=(w, generation)) for w in range(6)]
        for t in threads:
            t.start()
        before = len(load.items)
        wait_for(lambda: len(load.items) > before + 50, 60, "load")
        time.sleep(SECONDS_A_ROUND / 2)  # the moment of the kill must not follow a reply
        weir.kill9()
        load.stop.set()
        for t in threads:
            t.join()
        weir.start()

    dynamodb, sqs, s3 = weir.client("dynamodb"), weir.client("sqs"), weir.client("s3")
    assert len(load.items) > 100 and len(load.objects) > 100
    stored = {}
    for page in dynamodb.get_paginator("scan").paginate(TableName=TABLE, ConsistentRead=True):
        stored.update({i["id"]["S"]: int(i["n"]["N"]) for i in page["Items"]})
    assert not {k for k, v in load.items.items() if stored.get(k) != v}, "acknowledged items are lost"

    for key, digest in load.objects.items():
        body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert hashlib.sha256(body).hexdigest() == digest, key

    assert not load.messages - set(drain(sqs, QUEUE)), "acknowledged messages are lost"
    told = set()
    for body in drain(sqs, EVENTS):
        for record in json.loads(body).get("Records", []):
            told.add(record["s3"]["object"]["key"])
    assert not set(load.objects) - told, "events of acknowledged objects are lost"
    # Whatever is listed is whole: an object that was not acknowledged is there entirely or not at all.
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for entry in page.get("Contents", []):
            body = s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
            assert len(body) == entry["Size"] and body.startswith(entry["Key"].encode())


def test_in_flight_messages_survive(fresh_weir):
    weir = fresh_weir
    sqs = weir.client("sqs")
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "2"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="m")
    got = sqs.receive_message(QueueUrl=url)["Messages"][0]
    weir.kill9()
    weir.start()
    sqs = weir.client("sqs")
    again = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10, AttributeNames=["All"])["Messages"][0]
    assert again["MessageId"] == got["MessageId"]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])
    weir.kill9()
    weir.start()
    assert "Messages" not in weir.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=3)
