"""kill -9 at random moments of creations, updates and deletions of stacks: after a start each goes on to an end that
the documentation names, and what the services have is what the stacks say, nothing more and nothing less."""
import json
import random
import time

from botocore.exceptions import ClientError, EndpointConnectionError, ConnectionClosedError, ReadTimeoutError
from botocore.config import Config

from weirtest import Weir, wait_for

ROUNDS = 12
GONE = (EndpointConnectionError, ConnectionClosedError, ReadTimeoutError)


def template(generation, n=8):
    """A chain of queues beside single ones; the second generation changes some, replaces some, drops one, adds one."""
    resources = {}
    for i in range(n):
        properties = {"DelaySeconds": generation if i % 2 else 1}
        if i % 3 == 0:
            properties["QueueName"] = f"crash-{i}-{generation if i % 2 == 0 else 0}"
        resources[f"R{i}"] = {"Type": "AWS::SQS::Queue", "Properties": properties}
        if i % 4:
            resources[f"R{i}"]["DependsOn"] = f"R{i - 1}"
    if generation == 2:
        del resources["R7"]
        resources["New"] = {"Type": "AWS::SQS::Queue", "DependsOn": "R6"}
    return json.dumps({"Resources": resources})


def settled(cf):
    """The stack once nothing is in progress; None: there is none."""
    def look():
        try:
            s = cf.describe_stacks(StackName="crash")["Stacks"][0]["StackStatus"]
        except ClientError as e:
            assert "does not exist" in str(e)
            return "NONE"
        return None if s.endswith("_IN_PROGRESS") else s
    return wait_for(look, 60, "end of the operation")


def compare(weir, cf, state):
    urls = {u.split("/", 3)[3] for u in weir.client("sqs").list_queues().get("QueueUrls", [])}
    if state == "NONE":
        assert urls == set()
        return
    found = cf.describe_stack_resources(StackName="crash")["StackResources"]
    there = {r["PhysicalResourceId"].split("/", 3)[3] for r in found if r["ResourceStatus"] != "DELETE_COMPLETE"}
    assert urls == there, (urls ^ there, state)


def begin(cf, state):
    if state == "NONE":
        cf.create_stack(StackName="crash", TemplateBody=template(1))
    elif random.random() < 0.5:
        cf.delete_stack(StackName="crash")
    else:
        try:
            cf.update_stack(StackName="crash", TemplateBody=template(random.choice([1, 2])))
        except ClientError as e:
            assert "No updates" in str(e)


def test_kill_9_at_any_moment():
    seed = time.time_ns()
    print("seed", seed)
    random.seed(seed)
    with Weir() as weir:
        state, seen = "NONE", set()
        for _ in range(ROUNDS):
            cf = weir.client("cloudformation", config=Config(retries={"max_attempts": 0}))
            try:
                begin(cf, state)
                time.sleep(random.random() * 0.15)
            except GONE:
                pass
            weir.kill9()
            weir.start()
            cf = weir.client("cloudformation")
            state = settled(cf)
            seen.add(state)
            assert state in ("NONE", "CREATE_COMPLETE", "UPDATE_COMPLETE"), (seed, state, cf.describe_stack_events(StackName="crash")["StackEvents"][:20])
            compare(weir, cf, state)
        assert len(seen) > 1, seen
