"""kill -9 while messages are published and delivered: whatever was acknowledged arrives, in queues, by the job
that serves a topic with many subscriptions, and at an HTTP endpoint."""
import http.server
import json
import threading

import pytest
from botocore.config import Config

from weirtest import Weir, wait_for

ACCOUNT = Weir.account
ROUNDS, MESSAGES = 3, 40  # messages that are acknowledged before each kill


class Receiver:
    def __init__(self):
        self.bodies, self.tokens = set(), []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if self.headers["x-amz-sns-message-type"] == "SubscriptionConfirmation":
                    outer.tokens.append(json.loads(body)["Token"])
                else:
                    outer.bodies.add(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.server.shutdown()
    r.server.server_close()


def make(sns, sqs, receiver):
    """(small topic, large topic)."""
    made = []
    for name in ("small", "large"):
        arn = sns.create_topic(Name=name)["TopicArn"]
        queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
        sqs.create_queue(QueueName=name, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue}]})})
        for i in range(110 if name == "large" else 0):  # which want nothing, but must be asked
            sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=f"{queue}-{i}", Attributes={"FilterPolicy": '{"never":["x"]}'})
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
        made.append(arn)
    retry = {"healthyRetryPolicy": {"numRetries": 50, "minDelayTarget": 1, "maxDelayTarget": 1}}
    sns.subscribe(TopicArn=made[0], Protocol="http", Endpoint=receiver.url, Attributes={
        "RawMessageDelivery": "true", "DeliveryPolicy": json.dumps(retry)})
    wait_for(lambda: receiver.tokens)
    sns.confirm_subscription(TopicArn=made[0], Token=receiver.tokens[0])
    return made


def publish(weir, topics, generation, acknowledged, enough):
    sns = weir.client("sns", config=Config(retries={"max_attempts": 0}, connect_timeout=2, read_timeout=5))
    n = 0
    while True:
        n += 1
        for topic in topics:
            body = f"{generation}-{n}"
            try:
                sns.publish(TopicArn=topic, Message=body)
            except Exception:  # killed under this call: what it did is not known
                return
            acknowledged[topic].add(body)
        if n == MESSAGES:
            enough.set()


def drained(sqs, name, wanted):
    """Takes what is there; whether all that is wanted has come so far."""
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
    for m in got:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
        wanted.discard(m["Body"])
    return not wanted


def test_kill(receiver):
    weir = Weir(args=["--allow-outgoing-loopback"])
    try:
        topics = make(weir.client("sns"), weir.client("sqs"), receiver)
        acknowledged = {t: set() for t in topics}
        for generation in range(ROUNDS):
            enough = threading.Event()
            worker = threading.Thread(target=publish, args=(weir, topics, generation, acknowledged, enough))
            worker.start()
            assert enough.wait(60)
            weir.kill9()
            worker.join()
            weir.start()
        sqs = weir.client("sqs")
        for name, topic in zip(("small", "large"), topics):
            wanted = set(acknowledged[topic])
            assert len(wanted) >= ROUNDS * MESSAGES
            wait_for(lambda: drained(sqs, name, wanted), seconds=60)
        wait_for(lambda: acknowledged[topics[0]] <= receiver.bodies, seconds=60)
    finally:
        weir.stop()
