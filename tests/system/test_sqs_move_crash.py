"""kill -9 while a message move task is at work: every message is in the end where it was to go, once."""
import json
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from weirtest import Weir, wait_for

MESSAGES, KILLS = 400, 3


def ask(weir, operation, **parameters):
    """The operations of tasks, which not every boto3 knows."""
    request = AWSRequest("POST", weir.endpoint + "/", data=json.dumps(parameters).encode(), headers={
        "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS." + operation})
    SigV4Auth(Credentials("test", "test"), "sqs", "us-east-1").add_auth(request)
    prepared = request.prepare()
    with urllib.request.urlopen(urllib.request.Request(prepared.url, data=prepared.body, headers=dict(prepared.headers)),
                                timeout=30) as reply:
        return json.loads(reply.read())


def test_kill():
    weir = Weir()
    try:
        sqs = weir.client("sqs")
        urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("dead", "from", "to")]
        arns = [sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"] for url in urls]
        sqs.set_queue_attributes(QueueUrl=urls[1], Attributes={"RedrivePolicy": json.dumps(
            {"deadLetterTargetArn": arns[0], "maxReceiveCount": 1})})
        for i in range(0, MESSAGES, 10):
            sqs.send_message_batch(QueueUrl=urls[0], Entries=[{"Id": str(j), "MessageBody": str(i + j)} for j in range(10)])
        ask(weir, "StartMessageMoveTask", SourceArn=arns[0], DestinationArn=arns[2], MaxNumberOfMessagesPerSecond=500)

        def task():
            return ask(weir, "ListMessageMoveTasks", SourceArn=arns[0])["Results"][0]

        for kill in range(1, KILLS + 1):
            wait_for(lambda: task()["ApproximateNumberOfMessagesMoved"] >= kill * MESSAGES // (KILLS + 1), seconds=30)
            weir.kill9()
            weir.start()
        wait_for(lambda: task()["Status"] == "COMPLETED", seconds=30)
        assert task()["ApproximateNumberOfMessagesMoved"] == MESSAGES
        sqs = weir.client("sqs")
        url = sqs.get_queue_url(QueueName="to")["QueueUrl"]
        bodies = []
        while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            bodies += [m["Body"] for m in got]
        assert sorted(bodies, key=int) == [str(i) for i in range(MESSAGES)]
        left = sqs.get_queue_attributes(QueueUrl=sqs.get_queue_url(QueueName="dead")["QueueUrl"], AttributeNames=["All"])
        assert left["Attributes"]["ApproximateNumberOfMessages"] == "0"
    finally:
        weir.stop()
