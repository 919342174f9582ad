"""kill -9 at random moments of creations, updates and deletions of stacks: after a start each goes on to an end that
the documentation names, and what the services have is what the stacks say, nothing more and nothing less."""
import json
import os
import random
import time

from botocore.exceptions import ClientError, EndpointConnectionError, ConnectionClosedError, ReadTimeoutError
from botocore.config import Config

from weirtest import ROOT, Weir, wait_for

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


def settled(cf, name="crash"):
    """The stack once nothing is in progress; None: there is none."""
    def look():
        try:
            s = cf.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
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
    with Weir(args=["--queue-reuse-wait", "0"]) as weir:
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


# --- many types --------------------------------------------------------------------------------------

MANY = os.path.join(ROOT, "tests", "unit", "fault", "stacks", "many.yaml")
MANY_ENDS = ("NONE", "CREATE_COMPLETE", "UPDATE_COMPLETE")


def listings(weir):
    """Physical ids by type of all that the services have of a kind, for those whose lists give them."""
    def ids(service, operation, member, key, **kw):
        pages = weir.client(service).get_paginator(operation).paginate(**kw)
        return {x[key] if key else x for page in pages for x in page.get(member, [])}

    return {
        "AWS::SQS::Queue": ids("sqs", "list_queues", "QueueUrls", None),
        "AWS::SNS::Topic": ids("sns", "list_topics", "Topics", "TopicArn"),
        "AWS::SNS::Subscription": ids("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
        "AWS::IAM::Role": ids("iam", "list_roles", "Roles", "RoleName"),
        "AWS::IAM::ManagedPolicy": ids("iam", "list_policies", "Policies", "Arn", Scope="Local"),
        "AWS::Lambda::Function": ids("lambda", "list_functions", "Functions", "FunctionName"),
        "AWS::Lambda::EventSourceMapping": ids("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
        "AWS::Logs::LogGroup": ids("logs", "describe_log_groups", "logGroups", "logGroupName"),
        "AWS::Events::EventBus": {b["Name"] for b in weir.client("events").list_event_buses()["EventBuses"]} - {"default"},
        "AWS::Events::Archive": {a["ArchiveName"] for a in weir.client("events").list_archives()["Archives"]},
        "AWS::CloudWatch::Alarm": ids("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        "AWS::DynamoDB::Table": ids("dynamodb", "list_tables", "TableNames", None),
        "AWS::S3::Bucket": {b["Name"] for b in weir.client("s3").list_buckets()["Buckets"]},
        "AWS::SSM::Parameter": ids("ssm", "describe_parameters", "Parameters", "Name"),
        "AWS::ECR::Repository": ids("ecr", "describe_repositories", "repositories", "repositoryName"),
        "AWS::Cognito::UserPool": ids("cognito-idp", "list_user_pools", "UserPools", "Id", MaxResults=60),
        "AWS::Scheduler::ScheduleGroup": ids("scheduler", "list_schedule_groups", "ScheduleGroups", "Name") - {"default"},
        "AWS::ApiGateway::RestApi": ids("apigateway", "get_rest_apis", "items", "id"),
    }


def check_many(weir, state, told):
    """What is there is what the stack says, and as the stack says it."""
    assert state in MANY_ENDS, (told, state)
    cf, there = weir.client("cloudformation"), {}
    if state != "NONE":
        pages = cf.get_paginator("list_stack_resources").paginate(StackName="many")
        for r in (r for page in pages for r in page["StackResourceSummaries"]):
            if r["ResourceStatus"] != "DELETE_COMPLETE":
                there.setdefault(r["ResourceType"], set()).add(r["PhysicalResourceId"])
        cf.detect_stack_drift(StackName="many")
        drifts = cf.describe_stack_resource_drifts(StackName="many", StackResourceDriftStatusFilters=["MODIFIED", "DELETED"])
        assert drifts["StackResourceDrifts"] == [], (told, drifts)
    for kind, ids in listings(weir).items():
        bare = {i.split("/", 3)[3] if "://" in i else i for i in ids}
        want = {i.split("/", 3)[3] if "://" in i else i for i in there.get(kind, set())}
        assert bare == want, (told, state, kind, bare ^ want)


class Many:
    """A stack of many types, in a server that is killed."""

    def __init__(self, weir, rng):
        with open(MANY) as f:
            self.weir, self.rng, self.text, self.state, self.generation = weir, rng, f.read(), "NONE", 1

    def begin(self, cf):
        kw = {"StackName": "many", "Capabilities": ["CAPABILITY_NAMED_IAM"]}
        if self.state == "NONE":
            cf.create_stack(TemplateBody=self.text, **kw)
            return "create"
        if self.rng.random() < 0.4:
            cf.delete_stack(StackName="many")
            return "delete"
        (given,) = cf.describe_stacks(StackName="many")["Stacks"][0]["Parameters"]
        other = "2" if given["ParameterValue"] == "1" else "1"
        cf.update_stack(UsePreviousTemplate=True, Parameters=[{"ParameterKey": "G", "ParameterValue": other}], **kw)
        return "update"

    def round(self):
        """One operation, killed in its midst; what it was."""
        what = "?"
        try:
            what = self.begin(self.weir.client("cloudformation", config=Config(retries={"max_attempts": 0})))
            time.sleep(self.rng.random() * 0.25)
        except GONE:
            pass
        self.weir.kill9()
        self.weir.start()
        self.state = settled(self.weir.client("cloudformation"), "many")
        check_many(self.weir, self.state, what)
        return what


def test_kill_9_with_many_types():
    seed = time.time_ns()
    print("seed", seed)
    with Weir(args=["--queue-reuse-wait", "0"]) as weir:
        many = Many(weir, random.Random(seed))
        for _ in range(5):
            many.round()
