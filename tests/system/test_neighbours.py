"""Functions that hang and functions that crash, with more work than they will ever do, beside healthy ones: those get all of
theirs, by mappings and asynchronously, while the others' first invocations are still running."""
import json
import os
import sys

from weirtest import ROOT, wait_for

sys.path.insert(0, os.path.join(ROOT, "tests", "compat"))
from test_lambda_streams import Stage  # noqa: E402

HEALTHY, EACH, MUCH = 9, 20, 120
OK = "def handler(event, context): return 1"
HANGS = "import time\ndef handler(event, context): time.sleep(3000)"
CRASHES = "import os\ndef handler(event, context): os._exit(1)"


def test_healthy_functions_beside_bad_ones(make_weir):
    weir = make_weir()
    stage = Stage(weir)
    role = stage.role()

    def function(source, **settings):
        return stage.function(source, Role=role, MemorySize=128, **settings)

    def map_queue(name):
        url, arn = stage.queue(VisibilityTimeout="900")
        stage.awslambda.create_event_source_mapping(FunctionName=name, EventSourceArn=arn, BatchSize=1)
        return url

    def map_stream(name):
        table, arn = stage.streams.table("NEW_IMAGE")
        stage.map(name, arn, BatchSize=1, ParallelizationFactor=10)
        return table

    def load(name, url, table, n):
        for i in range(0, n, 10):
            stage.sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(k), "MessageBody": str(i + k)} for k in range(10)])
        for i in range(n):
            stage.invoke(name, i, InvocationType="Event")
            stage.put(table, f"k{i}", i)

    bad = [function(HANGS, Timeout=900), function(CRASHES)]
    for name in bad:
        load(name, map_queue(name), map_stream(name), MUCH)
    done_url, done = stage.queue()
    wait_for(lambda: stage.log_lines(bad[0]) and stage.log_lines(bad[1]), 60, "the bad ones' first invocations")

    healthy = {function(OK): None for _ in range(HEALTHY)}
    for name in healthy:
        stage.awslambda.put_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": done}})
        healthy[name] = (map_queue(name), map_stream(name))
    for name, (url, table) in healthy.items():
        load(name, url, table, EACH)

    def drained(url):
        got = stage.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return got["ApproximateNumberOfMessages"] == got["ApproximateNumberOfMessagesNotVisible"] == "0"

    for url, _ in healthy.values():
        wait_for(lambda: drained(url), 120, "the messages' end")
    told = {}
    while sum(told.values()) < HEALTHY * EACH:  # once each, as nothing failed
        note = json.loads(stage.receive(done_url)["Body"])
        name = note["requestContext"]["functionArn"].split(":")[6]
        told[name] = told.get(name, 0) + 1
    assert told == {name: EACH for name in healthy}
    for name in healthy:  # a message, an event and a change each
        wait_for(lambda: sum(line.startswith("REPORT") for line in stage.log_lines(name)) == 3 * EACH, 120, "all invocations")
    # Of what hangs nothing ever ended, of what crashes everything did so at once.
    assert not [line for line in stage.log_lines(bad[0]) if line.startswith("REPORT")]
    assert [line for line in stage.log_lines(bad[1]) if line.startswith("REPORT") and "Status: error" in line]
