"""Functions that invoke themselves in a loop, through a queue, a topic or at once: boto3 and real functions."""
import json
import re
import urllib.request

import pytest

from test_lambda import Stage, raw
from test_lambda_mappings import map_queue
from weirtest import wait_for

# Sends what it was given on to where it came from, and tells the queue that it ran, which is no part of the loop.
LOOPS = """
import boto3, json, os
url = os.environ["AWS_ENDPOINT_URL"]
def handler(event, context):
    to = os.environ["TO"]
    boto3.client("sqs", endpoint_url=url).send_message(QueueUrl=os.environ["OUT"], MessageBody=os.environ["_X_AMZN_TRACE_ID"])
    if to.startswith("http"):
        boto3.client("sqs", endpoint_url=url).send_message(QueueUrl=to, MessageBody="again")
    elif ":sns:" in to:
        boto3.client("sns", endpoint_url=url).publish(TopicArn=to, Message="again")
    else:
        boto3.client("lambda", endpoint_url=url).invoke(FunctionName=to, InvocationType=os.environ["TYPE"], Payload=b"{}")
"""


@pytest.fixture(scope="module")
def stage(weir):
    return Stage(weir)


def looping(stage, to, **settings):
    url, _ = stage.queue()
    return stage.function(LOOPS, Environment={"Variables": {"OUT": url, "TO": to}}, MemorySize=128, **settings), url


def count(stage, url):
    return int(stage.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"])


def test_a_loop_through_a_queue_is_stopped(stage):
    """The message that is one too many stays in the queue, as if the function failed on it: it ends where the
    queue's dead letters go."""
    dead_url, dead = stage.queue()
    in_url, in_arn = stage.queue(VisibilityTimeout="5", RedrivePolicy=json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 1}))
    name, out = looping(stage, in_url, Timeout=5)
    made = map_queue(stage, name, in_arn)
    before = stopped(stage)
    stage.sqs.send_message(QueueUrl=in_url, MessageBody="first")
    wait_for(lambda: stopped(stage) > before, 60, "the loop's end")
    assert count(stage, out) == 16
    traces = [stage.receive(out)["Body"] for _ in range(16)]
    assert len({t.split(";")[0] for t in traces}) == 1  # one chain
    assert sorted(int(t.rpartition(":")[2]) for t in traces) == list(range(1, 17))
    assert stage.receive(dead_url)["Body"] == "again"
    stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])


def stopped(stage):
    return int(re.search(r"^weir_lambda_recursive_invocations_dropped_total (\d+)", metrics(stage), re.M)[1])


def metrics(stage):
    return urllib.request.urlopen(stage.weir.endpoint + "/_weir/metrics").read().decode()


def test_a_loop_through_a_topic_is_stopped(stage):
    """An asynchronous invocation that is one too many goes to the dead letter queue and the destination."""
    sns = stage.weir.client("sns")
    topic = sns.create_topic(Name="loop")["TopicArn"]
    name, out = looping(stage, topic)
    arn = stage.awslambda.get_function_configuration(FunctionName=name)["FunctionArn"]
    dead_url, dead = stage.queue()
    failed_url, failed = stage.queue()
    stage.awslambda.update_function_configuration(FunctionName=name, DeadLetterConfig={"TargetArn": dead})
    stage.awslambda.put_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnFailure": {"Destination": failed}})
    stage.awslambda.add_permission(FunctionName=name, StatementId="sns", Action="lambda:InvokeFunction",
                                   Principal="sns.amazonaws.com", SourceArn=topic)
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="first")
    letter = stage.receive(dead_url)
    assert json.loads(letter["Body"])["Records"][0]["Sns"]["Message"] == "again"
    assert letter["MessageAttributes"]["ErrorCode"]["StringValue"] == "400"
    note = json.loads(stage.receive(failed_url)["Body"])
    assert note["requestContext"]["approximateInvokeCount"] == 0 and "responseContext" not in note
    assert count(stage, out) == 16
    # Allowed, it goes on: the lineage counts beyond.
    recursion(stage, "PUT", name, {"RecursiveLoop": "Allow"})
    sns.publish(TopicArn=topic, Message="first")
    wait_for(lambda: count(stage, out) > 40, 60, "more than sixteen invocations of a chain")
    recursion(stage, "PUT", name, {"RecursiveLoop": "Terminate"})
    stage.receive(dead_url)


def recursion(stage, method, name, body=None):
    """Older clients do not know the operations."""
    return raw(stage, method, f"/2024-08-31/functions/{name}/recursion-config", body)


def test_a_function_that_invokes_itself(stage):
    url, _ = stage.queue()
    stage.function(LOOPS, FunctionName="loop", MemorySize=128, Environment={"Variables": {"OUT": url, "TO": "loop", "TYPE": "Event"}})
    before = stopped(stage)
    stage.invoke("loop", {}, InvocationType="Event")
    wait_for(lambda: stopped(stage) > before, 60, "the loop's end")
    traces = [stage.receive(url)["Body"] for _ in range(16)]
    # Who waits for an answer is told. The header counts where a role's session brings it, as functions do.
    last = max(traces, key=lambda t: int(t.rpartition(":")[2]))
    session = stage.weir.client("sts").assume_role(RoleArn=stage.role(trust="000000000000"), RoleSessionName="loop")["Credentials"]
    invoke = lambda trace: raw(stage, "POST", "/2015-03-31/functions/loop/invocations", {}, trace=trace, session=session)
    got = invoke(last)
    assert "in a loop" in got["Message"] and got["Type"] == "User"
    assert "Message" not in (invoke(last.replace(":16", ":15")) or {})
    for nonsense in ("Lineage", "Lineage=:::|x:9|00000000", "x" * 2000, "Root=1;Lineage=" + "0" * 900):
        assert "Message" not in (invoke(nonsense) or {})


def test_recursion_config(stage):
    name = stage.function()
    assert recursion(stage, "GET", name) == {"RecursiveLoop": "Terminate"}
    assert recursion(stage, "PUT", name, {"RecursiveLoop": "Allow"}) == {"RecursiveLoop": "Allow"}
    assert recursion(stage, "GET", name) == {"RecursiveLoop": "Allow"}
    assert "failed to satisfy" in recursion(stage, "PUT", name, {"RecursiveLoop": "Maybe"})["message"]
    assert "not found" in recursion(stage, "PUT", "nobody", {"RecursiveLoop": "Allow"})["Message"]
    assert "not found" in recursion(stage, "GET", "nobody")["Message"]
    assert recursion(stage, "PUT", name, {"RecursiveLoop": "Terminate"}) == {"RecursiveLoop": "Terminate"}
