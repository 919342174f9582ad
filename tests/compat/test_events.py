"""EventBridge through boto3."""
import json
import re
import urllib.request
from datetime import datetime, timedelta, timezone

import pytest
from botocore.exceptions import ClientError
from test_constraints import Service

from weirtest import wait_for

ACCOUNT = "000000000000"
ARN = f"arn:aws:events:us-east-1:{ACCOUNT}"
BUS = f"{ARN}:event-bus/default"


def code(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"]


def message(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Message"]


def newer(weir, op, **params):
    """An operation with members that older clients do not know: what it answered, or the code of its error."""
    status, body, _ = Service("events").send(weir, op, params)
    answer = json.loads(body or "{}")
    return answer if status == 200 else answer["__type"].split("#")[-1]


@pytest.fixture
def events(weir):
    return weir.client("events")


@pytest.fixture
def sqs(weir):
    return weir.client("sqs")


class Queue:
    """A queue that EventBridge may send to."""

    def __init__(self, sqs, name, open_to="events.amazonaws.com", **attributes):
        self.sqs = sqs
        self.url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self.arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
        if open_to:
            sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": json.dumps({
                "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": open_to},
                                                        "Action": "sqs:SendMessage", "Resource": self.arn}]})})

    def take(self, n=1):
        got = []
        while len(got) < n:
            found = self.sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=10, MaxNumberOfMessages=10,
                                             MessageAttributeNames=["All"], AttributeNames=["All"]).get("Messages", [])
            assert found, f"{len(got)} of {n} messages"
            for m in found:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=m["ReceiptHandle"])
            got += found
        return got

    def bodies(self, n=1):
        return [json.loads(m["Body"]) for m in self.take(n)]

    def is_empty(self):
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])["Attributes"]
        return attributes["ApproximateNumberOfMessages"] == "0" and attributes["ApproximateNumberOfMessagesNotVisible"] == "0"


@pytest.fixture
def queue(sqs, request):
    return Queue(sqs, "q-" + re.sub(r"[^A-Za-z0-9_-]", "-", request.node.name)[:60])


@pytest.fixture
def bus(events, request):
    """A bus of the test's own, so that tests do not meet."""
    name = re.sub(r"[^A-Za-z0-9._-]", "-", request.node.name)[:60]
    events.create_event_bus(Name=name)
    return name


def trust(service):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]})


@pytest.fixture(scope="module")
def bus_sender(weir):
    """A role that EventBridge may assume."""
    return weir.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=trust("events.amazonaws.com"))["Role"]["Arn"]


def rule(events, bus, name="r", pattern=None, queue=None, **target):
    """A rule that sends what matches to the queue."""
    events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern or {"source": ["app"]}))
    if queue:
        done = events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "t", "Arn": queue.arn, **target}])
        assert done["FailedEntryCount"] == 0, done


def entry(bus=None, source="app", detail=None, **more):
    made = {"Source": source, "DetailType": "thing", "Detail": json.dumps(detail or {"n": 1}), **more}
    return {**made, "EventBusName": bus} if bus else made


def put(events, *entries):
    done = events.put_events(Entries=list(entries))
    assert done["FailedEntryCount"] == 0, done
    return [e["EventId"] for e in done["Entries"]]


# --- buses ----------------------------------------------------------------------------------------


def test_buses(weir, events):
    default = events.describe_event_bus()
    assert (default["Name"], default["Arn"]) == ("default", BUS)
    made = newer(weir, "CreateEventBus", Name="orders", Description="d", Tags=[{"Key": "team", "Value": "a"}])
    assert made["EventBusArn"] == f"{ARN}:event-bus/orders" and made["Description"] == "d"
    assert code(events.create_event_bus, Name="orders") == "ResourceAlreadyExistsException"
    assert code(events.create_event_bus, Name="default") == "ResourceAlreadyExistsException"
    assert code(events.create_event_bus, Name="a/b") == "ValidationException"
    assert code(events.create_event_bus, Name="bad name") == "ValidationException"
    assert code(events.create_event_bus, Name="aws.partner/x/y", EventSourceName="aws.partner/x/y") == "ResourceNotFoundException"
    seen = newer(weir, "DescribeEventBus", Name=made["EventBusArn"])
    assert seen["Name"] == "orders" and seen["Description"] == "d" and "CreationTime" in seen and "Policy" not in seen
    changed = newer(weir, "UpdateEventBus", Name="orders", Description="other")
    assert changed["Arn"] == made["EventBusArn"] and newer(weir, "DescribeEventBus", Name="orders")["Description"] == "other"
    assert newer(weir, "UpdateEventBus", Name="absent") == "ResourceNotFoundException"
    assert newer(weir, "CreateEventBus", Name="k", KmsKeyIdentifier="alias/k") == "ValidationException"
    assert newer(weir, "UpdateEventBus", Name="orders", LogConfig={"Level": "INFO"}) == "ValidationException"
    assert message(events.describe_event_bus, Name="absent") == "Event bus absent does not exist."
    events.put_rule(Name="r", EventBusName="orders", EventPattern='{"source": ["a"]}')
    assert code(events.delete_event_bus, Name="orders") == "ValidationException"
    events.delete_rule(Name="r", EventBusName="orders")
    events.delete_event_bus(Name="orders")
    events.delete_event_bus(Name="orders")
    assert code(events.delete_event_bus, Name="default") == "ValidationException"
    assert code(events.describe_event_bus, Name="orders") == "ResourceNotFoundException"


def test_buses_are_listed_with_the_default_one(weir):
    events = weir.client("events", region="eu-west-1")
    for name in ["a", "c", "d", "e", "f"]:
        events.create_event_bus(Name=name)
    names, token = [], {}
    while True:
        page = events.list_event_buses(Limit=2, **token)
        assert len(page["EventBuses"]) <= 2
        names += [b["Name"] for b in page["EventBuses"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert names == ["a", "c", "d", "default", "e", "f"]
    assert [b["Name"] for b in events.list_event_buses(NamePrefix="d")["EventBuses"]] == ["d", "default"]
    assert [b["Name"] for b in events.list_event_buses(NamePrefix="e")["EventBuses"]] == ["e"]
    assert code(events.list_event_buses, NextToken="nonsense") == "ValidationException"
    events.put_permission(Action="events:PutEvents", Principal="111122223333", StatementId="s")  # now it is stored
    assert [b["Name"] for b in events.list_event_buses(NamePrefix="d")["EventBuses"]] == ["d", "default"]
    assert [b["Name"] for b in weir.client("events", region="eu-west-2").list_event_buses()["EventBuses"]] == ["default"]


def test_buses_are_at_most_a_hundred(weir):
    events = weir.client("events", region="eu-west-3")
    for i in range(100):
        events.create_event_bus(Name=f"b{i}")
    assert code(events.create_event_bus, Name="more") == "LimitExceededException"


def test_permissions_of_a_bus(weir, events, bus):
    iam = weir.client("iam")
    iam.create_user(UserName="sender")
    key = iam.create_access_key(UserName="sender")["AccessKey"]
    other = weir.client("events", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert code(other.put_events, Entries=[entry(bus)]) == "AccessDeniedException"
    statement = {"Sid": "all", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/sender"}, "Action": "events:PutEvents",
                 "Resource": f"{ARN}:event-bus/{bus}", "Condition": {"StringEquals": {"events:source": "app", "events:detail-type": "thing"}}}
    events.put_permission(EventBusName=bus, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert json.loads(events.describe_event_bus(Name=bus)["Policy"])["Statement"] == [statement]
    put(other, entry(bus))
    assert code(other.put_events, Entries=[entry(bus), entry(bus, source="else")]) == "AccessDeniedException"
    assert code(other.put_events, Entries=[entry(bus), entry()]) == "AccessDeniedException"
    events.put_permission(EventBusName=bus, Action="events:PutEvents", Principal="111122223333", StatementId="s")
    events.put_permission(EventBusName=bus, Action="events:PutEvents", Principal="*", StatementId="s",
                          Condition={"Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": "o-1234567890"})
    shown = json.loads(events.describe_event_bus(Name=bus)["Policy"])["Statement"]
    assert [s["Sid"] for s in shown] == ["all", "s"] and shown[1]["Principal"] == "*"
    assert code(events.put_permission, EventBusName=bus, Action="events:PutRule", Principal="*", StatementId="x") == "ValidationException"
    assert code(events.put_permission, EventBusName=bus, Policy="{") == "ValidationException"
    assert code(events.put_permission, EventBusName=bus, Policy="{}", StatementId="x") == "ValidationException"
    assert code(events.put_permission, EventBusName=bus) == "ValidationException"
    assert code(events.put_permission, EventBusName="absent", Action="events:PutEvents", Principal="*",
                StatementId="x") == "ResourceNotFoundException"
    for i in range(100):
        try:
            events.put_permission(EventBusName=bus, Action="events:PutEvents", Principal=f"{i:012d}", StatementId=f"s{i}")
        except events.exceptions.PolicyLengthExceededException:
            break
    else:
        pytest.fail("a policy has no limit")
    events.remove_permission(EventBusName=bus, StatementId="all")
    assert code(other.put_events, Entries=[entry(bus)]) == "AccessDeniedException"
    assert code(events.remove_permission, EventBusName=bus, StatementId="all") == "ResourceNotFoundException"
    assert code(events.remove_permission, EventBusName=bus) == "ValidationException"
    events.remove_permission(EventBusName=bus, RemoveAllPermissions=True)
    assert "Policy" not in events.describe_event_bus(Name=bus)
    assert code(events.remove_permission, EventBusName=bus, StatementId="s") == "ResourceNotFoundException"
    assert code(events.remove_permission, EventBusName="absent", StatementId="s") == "ResourceNotFoundException"


# --- events ---------------------------------------------------------------------------------------


def test_an_event_reaches_a_queue(events, bus, queue):
    rule(events, bus, queue=queue, pattern={"source": ["app"], "detail": {"n": [{"numeric": [">", 1]}]}})
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    first, wanted = put(events, entry(bus, detail={"n": 1}),
                        entry(bus, detail={"n": 2, "text": "é\""}, Time=when, Resources=["arn:one", "two"], TraceHeader="Root=1-5"))
    [got] = queue.take()
    body = json.loads(got["Body"])
    assert body == {"version": "0", "id": wanted, "detail-type": "thing", "source": "app", "account": ACCOUNT, "time": "2026-01-02T03:04:05Z",
                    "region": "us-east-1", "resources": ["arn:one", "two"], "detail": {"n": 2, "text": "é\""}}
    assert list(body) == ["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"]
    assert got["Attributes"]["AWSTraceHeader"] == "Root=1-5"
    assert first != wanted and queue.is_empty()


def test_entries_fail_one_by_one(events, bus):
    done = events.put_events(Entries=[
        entry(bus), {**entry(bus), "Source": ""}, {"Source": "a", "Detail": "{}"}, {"Source": "a", "DetailType": "t"},
        {**entry(bus), "Detail": "{"}, {**entry(bus), "Detail": "[1]"}, entry(bus, source="aws.s3"), entry("absent")])
    assert done["FailedEntryCount"] == 6
    assert [e.get("ErrorCode") for e in done["Entries"]] == [None, "InvalidArgument", "InvalidArgument", "InvalidArgument", "MalformedDetail",
                                                            "MalformedDetail", "NotAuthorizedForSourceException", None]
    assert done["Entries"][4]["ErrorMessage"] == "Detail is malformed."
    assert all("EventId" in e for e in done["Entries"] if "ErrorCode" not in e)
    assert all("EventId" not in e for e in done["Entries"] if "ErrorCode" in e)
    assert code(events.put_events, Entries=[]) == "ValidationException"
    assert code(events.put_events, Entries=[entry(bus)] * 11) == "ValidationException"


def test_entries_have_a_limit_together(events, bus):
    spare = 256 * 1024 - 2 * (len("app") + len("thing")) - len('{"a": ""}') * 2
    def two(n):
        return [entry(bus, detail={"a": "x" * (n // 2)}), entry(bus, detail={"a": "x" * (n - n // 2)})]
    put(events, *two(spare))
    assert message(events.put_events, Entries=two(spare + 1)) == "Total size of the entries in the request is over the limit."


def test_test_event_pattern(events):
    event = json.dumps({"id": "1", "account": ACCOUNT, "source": "app", "time": "2026-01-01T00:00:00Z", "region": "us-east-1", "resources": [],
                        "detail-type": "thing", "detail": {"state": "on"}})
    assert events.test_event_pattern(EventPattern='{"detail": {"state": [{"prefix": "o"}]}}', Event=event)["Result"] is True
    assert events.test_event_pattern(EventPattern='{"detail": {"state": ["off"]}}', Event=event)["Result"] is False
    assert code(events.test_event_pattern, EventPattern='{"detail": []}', Event=event) == "InvalidEventPatternException"
    assert code(events.test_event_pattern, EventPattern='{"source": ["a"]}', Event="{}") == "ValidationException"
    assert code(events.test_event_pattern, EventPattern='{"source": ["a"]}', Event="nonsense") == "ValidationException"


# --- rules ----------------------------------------------------------------------------------------


def test_rules(events, bus, bus_sender):
    pattern = '{"source": ["app"]}'
    arn = events.put_rule(Name="one", EventBusName=bus, EventPattern=pattern, Description="d", State="DISABLED",
                          RoleArn=bus_sender, Tags=[{"Key": "k", "Value": "v"}])["RuleArn"]
    assert arn == f"{ARN}:rule/{bus}/one"
    seen = events.describe_rule(Name="one", EventBusName=f"{ARN}:event-bus/{bus}")
    del seen["ResponseMetadata"]
    assert seen == {"Name": "one", "Arn": arn, "EventPattern": pattern, "State": "DISABLED", "Description": "d",
                    "RoleArn": bus_sender, "EventBusName": bus, "CreatedBy": ACCOUNT}
    events.enable_rule(Name="one", EventBusName=bus)
    assert events.describe_rule(Name="one", EventBusName=bus)["State"] == "ENABLED"
    events.disable_rule(Name="one", EventBusName=bus)
    assert events.describe_rule(Name="one", EventBusName=bus)["State"] == "DISABLED"
    events.put_rule(Name="one", EventBusName=bus, EventPattern=pattern)  # what is left out is gone
    seen = events.describe_rule(Name="one", EventBusName=bus)
    assert seen["State"] == "ENABLED" and "Description" not in seen and "RoleArn" not in seen
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    assert code(events.put_rule, Name="x", EventBusName=bus) == "ValidationException"
    assert code(events.put_rule, Name="x", EventBusName="absent", EventPattern=pattern) == "ResourceNotFoundException"
    assert code(events.put_rule, Name="x", EventPattern="{") == "InvalidEventPatternException"
    assert code(events.put_rule, Name="x", EventPattern='{"a": {"b": 1}}') == "InvalidEventPatternException"
    assert code(events.put_rule, Name="x", ScheduleExpression="rate(0 minutes)") == "ValidationException"
    assert code(events.put_rule, Name="x", EventPattern=pattern, RoleArn="nonsense") == "ValidationException"
    assert message(events.put_rule, Name="x", EventBusName=bus, ScheduleExpression="rate(1 minute)") == \
        "ScheduleExpression is supported only on the default event bus."
    for call in (events.describe_rule, events.enable_rule, events.disable_rule):
        assert code(call, Name="absent", EventBusName=bus) == "ResourceNotFoundException"
        assert code(call, Name="absent", EventBusName="absent") == "ResourceNotFoundException"
    assert message(events.describe_rule, Name="absent") == "Rule absent does not exist on EventBus default."
    assert code(events.delete_rule, Name="one", EventBusName="absent") == "ResourceNotFoundException"
    events.delete_rule(Name="one", EventBusName=bus)
    events.delete_rule(Name="one", EventBusName=bus)
    assert code(events.list_tags_for_resource, ResourceARN=arn) == "ResourceNotFoundException"
    assert events.put_rule(Name="two", EventPattern=pattern)["RuleArn"] == f"{ARN}:rule/two"
    events.delete_rule(Name="two")


def test_rules_are_listed(events, bus, queue):
    names = [f"r{i:02d}" for i in range(7)]
    for name in names:
        rule(events, bus, name, queue=queue if name in ("r01", "r05") else None)
    found, token = [], {}
    while True:
        page = events.list_rules(EventBusName=bus, Limit=3, **token)
        found += [r["Name"] for r in page["Rules"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert found == names
    assert [r["Name"] for r in events.list_rules(EventBusName=bus, NamePrefix="r05")["Rules"]] == ["r05"]
    assert events.list_rules(EventBusName=bus, NamePrefix="x")["Rules"] == []
    assert events.list_rule_names_by_target(TargetArn=queue.arn, EventBusName=bus)["RuleNames"] == ["r01", "r05"]
    assert events.list_rule_names_by_target(TargetArn="arn:aws:sqs:us-east-1:0:x", EventBusName=bus)["RuleNames"] == []
    for call, more in ((events.list_rules, {}), (events.list_rule_names_by_target, {"TargetArn": "x"})):
        assert code(call, EventBusName="absent", **more) == "ResourceNotFoundException"
        assert code(call, EventBusName=bus, NextToken="nonsense", **more) == "ValidationException"


def test_tags(events, bus):
    arn = f"{ARN}:event-bus/{bus}"
    events.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    events.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    for call, more in ((events.tag_resource, {"Tags": [{"Key": "a", "Value": "1"}]}), (events.untag_resource, {"TagKeys": ["a"]}),
                       (events.list_tags_for_resource, {})):
        assert code(call, ResourceARN=f"{ARN}:rule/absent", **more) == "ResourceNotFoundException"
        assert code(call, ResourceARN=f"{ARN}:archive/absent", **more) == "ResourceNotFoundException"


def test_changes_of_rules_are_seen_by_the_next_event(events, bus, queue):
    rule(events, bus, queue=queue)
    put(events, entry(bus, detail={"n": 1}))
    events.disable_rule(Name="r", EventBusName=bus)
    put(events, entry(bus, detail={"n": 2}))
    events.enable_rule(Name="r", EventBusName=bus)
    put(events, entry(bus, detail={"n": 3}))
    events.put_rule(Name="r", EventBusName=bus, EventPattern='{"source": ["other"]}')
    put(events, entry(bus, detail={"n": 4}), entry(bus, "other", detail={"n": 5}))
    events.remove_targets(Rule="r", EventBusName=bus, Ids=["t"])
    put(events, entry(bus, "other", detail={"n": 6}))
    assert sorted(b["detail"]["n"] for b in queue.bodies(3)) == [1, 3, 5]
    assert queue.is_empty()


def test_many_rules_on_a_bus(events, bus, queue):
    for i in range(60):
        rule(events, bus, f"r{i}", pattern={"detail": {"n": [i]}}, queue=queue if i == 41 else None)
    put(events, *[entry(bus, detail={"n": n}) for n in (40, 41, 42)])
    assert [b["detail"]["n"] for b in queue.bodies()] == [41]


# --- targets --------------------------------------------------------------------------------------


def test_targets(events, bus, queue, bus_sender):
    rule(events, bus)
    target = {"Id": "full", "Arn": queue.arn, "RoleArn": bus_sender, "DeadLetterConfig": {"Arn": queue.arn},
              "RetryPolicy": {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60},
              "InputTransformer": {"InputPathsMap": {"a": "$.detail"}, "InputTemplate": '{"a": <a>}'}}
    made = events.put_targets(Rule="r", EventBusName=bus, Targets=[target, {"Id": "bad", "Arn": "nonsense"}])
    assert made["FailedEntryCount"] == 1
    assert made["FailedEntries"] == [{"TargetId": "bad", "ErrorCode": "ValidationException",
                                      "ErrorMessage": "Parameter nonsense is not valid. Reason: Provided Arn is not in correct format."}]
    assert events.list_targets_by_rule(Rule="r", EventBusName=bus)["Targets"] == [target]
    assert message(events.delete_rule, Name="r", EventBusName=bus) == "Rule can't be deleted since it has targets."
    more = [{"Id": f"t{i}", "Arn": queue.arn, "Input": "1"} for i in range(4)]
    events.put_targets(Rule="r", EventBusName=bus, Targets=more)
    assert code(events.put_targets, Rule="r", EventBusName=bus, Targets=[{"Id": "sixth", "Arn": queue.arn}]) == "LimitExceededException"
    events.put_targets(Rule="r", EventBusName=bus, Targets=[{"Id": "t0", "Arn": queue.arn, "InputPath": "$.detail"}])
    found, token = [], {}
    while True:
        page = events.list_targets_by_rule(Rule="r", EventBusName=bus, Limit=2, **token)
        found += page["Targets"]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert [t["Id"] for t in found] == ["full", "t0", "t1", "t2", "t3"] and found[1]["InputPath"] == "$.detail" and "Input" not in found[1]
    gone = events.remove_targets(Rule="r", EventBusName=bus, Ids=["t0", "absent", "full"])
    assert gone["FailedEntryCount"] == 1 and gone["FailedEntries"][0]["ErrorCode"] == "ResourceNotFoundException"
    assert [t["Id"] for t in events.list_targets_by_rule(Rule="r", EventBusName=bus)["Targets"]] == ["t1", "t2", "t3"]
    for call, more in ((events.put_targets, {"Targets": [target]}), (events.remove_targets, {"Ids": ["x"]}), (events.list_targets_by_rule, {})):
        assert code(call, Rule="absent", EventBusName=bus, **more) == "ResourceNotFoundException"
        assert code(call, Rule="r", EventBusName="absent", **more) == "ResourceNotFoundException"


@pytest.mark.parametrize("bad", [
    {"Input": "{"}, {"InputPath": "$["}, {"Input": "1", "InputPath": "$.a"},
    {"InputTransformer": {"InputTemplate": "{<a>}"}}, {"InputTransformer": {"InputTemplate": "no quotes"}},
    {"InputTransformer": {"InputPathsMap": {"AWSx": "$.a"}, "InputTemplate": '"<AWSx>"'}},
    {"InputTransformer": {"InputPathsMap": {"a": "$["}, "InputTemplate": '"<a>"'}},
    {"SqsParameters": {"MessageGroupId": "g"}}, {"DeadLetterConfig": {"Arn": "arn:aws:sns:us-east-1:0:t"}},
    {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:x.fifo"}, {"Arn": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/s"},
    {"RetryPolicy": {"MaximumEventAgeInSeconds": 59}}, {"RetryPolicy": {"MaximumRetryAttempts": 186}}])
def test_targets_that_are_refused(events, queue, bad):
    events.put_rule(Name="refusing", EventPattern='{"source": ["never"]}')
    assert code(events.put_targets, Rule="refusing", Targets=[{"Id": "t", "Arn": queue.arn, **bad}]) == "ValidationException"


@pytest.mark.parametrize("given, expected", [
    ({}, None),
    ({"Input": '{"a": 1}'}, '{"a": 1}'),
    ({"InputPath": "$.detail"}, {"id": "i-1", "n": 4, "list": ["x", 1], "quote": 'a"b', "no": None}),
    ({"InputPath": "$.detail.n"}, 4), ({"InputPath": "$.detail.list[0]"}, "x"), ({"InputPath": "$.detail.absent"}, None),
    # Text in a JSON template: quoted by itself outside of quotes, plain inside.
    ('{"id": <id>, "line": "<id> is \\"<n>\\""}', '{"id": "i-1", "line": "i-1 is \\"4\\""}'),
    ('{"n": <n>, "list": <list>, "all": [9, <id>, true]}', '{"n": 4, "list": ["x",1], "all": [9, "i-1", true]}'),
    ('"<id> is in state <n>"', '"i-1 is in state 4"'),
    ('"first <id>"\n"second <n>"', '"first i-1"\n"second 4"'),
    ('{"quote": <quote>, "in": "<quote>"}', '{"quote": "a\\"b", "in": "a\\"b"}'),
    ('{"in": "<list>"}', '{"in": "[x,1]"}'),
    ('{"absent": <absent>, "in": "<absent>", "undefined": "<nothing>"}', '{"absent": "", "in": "", "undefined": ""}'),
    ('{"null": <null>}', '{"null": null}'),
    ('{"rule": <aws.events.rule-name>, "arn": "<aws.events.rule-arn>"}', '{"rule": "r", "arn": "%s"}' % f"{ARN}:rule/BUS/r"),
])
def test_inputs(events, bus, queue, given, expected):
    if isinstance(given, str):
        given = {"InputTransformer": {"InputTemplate": given, "InputPathsMap": {
            "id": "$.detail.id", "n": "$.detail.n", "list": "$.detail.list", "quote": "$.detail.quote", "absent": "$.detail.absent",
            "null": "$.detail.no"}}}
    rule(events, bus, queue=queue, **given)
    put(events, entry(bus, detail={"id": "i-1", "n": 4, "list": ["x", 1], "quote": 'a"b', "no": None}))
    [got] = queue.take()
    if given == {}:
        assert json.loads(got["Body"])["source"] == "app"
    elif isinstance(expected, str) and "InputPath" not in given:
        assert got["Body"] == expected.replace("BUS", bus)
    else:
        assert json.loads(got["Body"]) == expected


def test_the_whole_event_in_a_template(events, bus, queue):
    rule(events, bus, queue=queue, InputTransformer={"InputTemplate": '{"all": <aws.events.event.json>, "head": <aws.events.event>, '
                                                                      '"at": <aws.events.event.ingestion-time>}'})
    put(events, entry(bus))
    [got] = queue.bodies()
    assert got["all"]["detail"] == {"n": 1} and got["head"] == {k: v for k, v in got["all"].items() if k != "detail"}
    assert datetime.strptime(got["at"], "%Y-%m-%dT%H:%M:%SZ")


def test_fifo_target(events, bus, sqs):
    fifo = Queue(sqs, "events-target.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    rule(events, bus, queue=fifo, SqsParameters={"MessageGroupId": "g"})
    put(events, entry(bus))
    [got] = fifo.take()
    assert got["Attributes"]["MessageGroupId"] == "g"


def test_a_role_must_trust_the_service(weir, events, queue):
    arn = weir.client("iam").create_role(RoleName="other-service", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))["Role"]["Arn"]
    for bad in (arn, f"arn:aws:iam::{ACCOUNT}:role/absent", f"arn:aws:iam::{ACCOUNT[:-1]}1:role/other-service"):
        told = f"Provided role '{bad}' cannot be assumed by principal 'events.amazonaws.com'."
        assert message(events.put_rule, Name="roled", EventPattern='{"source": ["a"]}', RoleArn=bad) == told
        assert code(events.describe_rule, Name="roled") == "ResourceNotFoundException"
        events.put_rule(Name="role-of-target", EventPattern='{"source": ["never"]}')
        assert message(events.put_targets, Rule="role-of-target", Targets=[{"Id": "t", "Arn": queue.arn, "RoleArn": bad}]) == told
        assert events.list_targets_by_rule(Rule="role-of-target")["Targets"] == []


ABSENT = ["kinesis:us-east-1:%s:stream/s", "firehose:us-east-1:%s:deliverystream/s", "states:us-east-1:%s:stateMachine:s", "ecs:us-east-1:%s:cluster/c",
          "batch:us-east-1:%s:job-queue/q", "ssm:us-east-1:%s:automation-definition/a", "redshift:us-east-1:%s:cluster:c", "sagemaker:us-east-1:%s:pipeline/p",
          "appsync:us-east-1:%s:endpoints/graphql-api/a", "codebuild:us-east-1:%s:project/p", "codepipeline:us-east-1:%s:p", "execute-api:us-east-1:%s:a/s/GET/p",
          "inspector:us-east-1:%s:target/t", "nothing:us-east-1:%s:x", "dynamodb:us-east-1:%s:table/t", "iam::%s:role/r", "kms:us-east-1:%s:key/k"]


@pytest.mark.parametrize("arn", ["arn:aws:" + a % ACCOUNT for a in ABSENT] + ["x", "arn:aws:sqs", "arn:aws:sqs:us-east-1:12:q"])
def test_what_is_no_target_is_refused_at_once(weir, events, queue, arn):
    """By rules and schedules, as targets and for dead letters; nothing is half made."""
    events.put_rule(Name="no-target", EventPattern='{"source": ["never"]}')
    good = {"Id": "good", "Arn": queue.arn}
    for bad in ({"Id": "t", "Arn": arn}, {"Id": "t", "Arn": queue.arn, "DeadLetterConfig": {"Arn": arn}}):
        try:
            done = events.put_targets(Rule="no-target", Targets=[bad, good])
            assert [e["TargetId"] for e in done["FailedEntries"]] == ["t"]  # an ARN that is none fails alone
            assert [t["Id"] for t in events.list_targets_by_rule(Rule="no-target")["Targets"]] == ["good"]
            events.remove_targets(Rule="no-target", Ids=["good"])
        except ClientError as e:
            assert e.response["Error"]["Code"] == "ValidationException"
            assert events.list_targets_by_rule(Rule="no-target")["Targets"] == []
    scheduler, iam = weir.client("scheduler"), weir.client("iam")
    if "scheduled-no-target" not in {r["RoleName"] for r in iam.list_roles()["Roles"]}:
        iam.create_role(RoleName="scheduled-no-target", AssumeRolePolicyDocument=trust("scheduler.amazonaws.com"))
    to = {"Arn": queue.arn, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/scheduled-no-target"}
    for target in ({**to, "Arn": arn}, {**to, "DeadLetterConfig": {"Arn": arn}}):
        assert code(scheduler.create_schedule, Name="no-target", ScheduleExpression="rate(1 day)", FlexibleTimeWindow={"Mode": "OFF"},
                    Target=target) == "ValidationException"
        assert code(scheduler.get_schedule, Name="no-target") == "ResourceNotFoundException"


def test_what_cannot_be_sent_is_a_dead_letter(weir, events, bus, sqs, queue):
    closed = Queue(sqs, "events-closed", open_to=None)
    dead = {"DeadLetterConfig": {"Arn": queue.arn}}
    iam = weir.client("iam")
    role = f"arn:aws:iam::{ACCOUNT}:role/trusted-once"
    for made in ("trusted-once", "trusted-once-absent"):
        iam.create_role(RoleName=made, AssumeRolePolicyDocument=trust("events.amazonaws.com"))
    targets = {"closed": {"Arn": closed.arn}, "absent": {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:events-absent"},
               "role": {"Arn": closed.arn, "RoleArn": role}, "norole": {"Arn": closed.arn, "RoleArn": role + "-absent"}}
    rule(events, bus)
    events.put_targets(Rule="r", EventBusName=bus, Targets=[{"Id": k, "Input": f'"{k}"', **v, **dead} for k, v in targets.items()])
    iam.update_assume_role_policy(RoleName="trusted-once", PolicyDocument=trust("lambda.amazonaws.com"))
    iam.delete_role(RoleName="trusted-once-absent")
    [event_id] = put(events, entry(bus))
    got = queue.take(4)
    attributes = [{k: v["StringValue"] for k, v in m["MessageAttributes"].items()} for m in got]
    assert sorted(a["ERROR_CODE"] for a in attributes) == ["FAILED_TO_ASSUME_ROLE", "FAILED_TO_ASSUME_ROLE", "NO_PERMISSIONS", "NO_RESOURCE"]
    assert all(a["RULE_ARN"] == f"{ARN}:rule/{bus}/r" and a["RETRY_ATTEMPTS"] == "0" and a["ERROR_MESSAGE"] for a in attributes)
    assert {a["TARGET_ARN"] for a in attributes} == {closed.arn, closed.arn.replace("closed", "absent")}
    assert all(json.loads(m["Body"])["id"] == event_id for m in got)  # the event, not the input


def test_what_has_no_dead_letter_queue_is_told(fresh_weir):
    events = fresh_weir.client("events")
    events.put_rule(Name="r", EventPattern='{"source": ["app"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "t", "Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:absent"}])
    put(events, entry())
    wait_for(lambda: "NO_RESOURCE" in fresh_weir.log_text() and "rule/r" in fresh_weir.log_text(), what="line of the log")
    with urllib.request.urlopen(fresh_weir.endpoint + "/_weir/metrics") as r:
        assert "\nweir_sends_dropped_total 1\n" in r.read().decode()


def test_role_of_a_target(weir, events, bus, sqs):
    closed = Queue(sqs, "events-by-role", open_to=None)
    iam = weir.client("iam")
    iam.create_role(RoleName="events-sends", AssumeRolePolicyDocument=trust("events.amazonaws.com"))
    iam.put_role_policy(RoleName="events-sends", PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": closed.arn}]}))
    rule(events, bus, queue=closed, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/events-sends")
    put(events, entry(bus))
    assert closed.bodies()[0]["source"] == "app"


def bus_role(weir, name):
    iam = weir.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust("events.amazonaws.com"))
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*"}]}))
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def test_a_bus_sends_to_another_but_not_to_a_third(weir, events, bus, queue, sqs):
    role, dead = bus_role(weir, "bus-sends"), Queue(sqs, "third-bus-dead")
    for name in ("second", "third"):
        events.create_event_bus(Name=name)
    to = {"RoleArn": role, "DeadLetterConfig": {"Arn": dead.arn}}
    rule(events, bus)
    events.put_targets(Rule="r", EventBusName=bus, Targets=[{"Id": "b", "Arn": f"{ARN}:event-bus/second", **to}])
    rule(events, "second", queue=queue)
    events.put_targets(Rule="r", EventBusName="second", Targets=[{"Id": "b", "Arn": f"{ARN}:event-bus/third", **to}])
    [event_id] = put(events, entry(bus))
    assert queue.bodies()[0]["id"] == event_id
    [refused] = dead.take()
    assert refused["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "THIRD_ACCOUNT_HOP_DETECTED"
    assert json.loads(refused["Body"])["id"] == event_id


def test_a_log_group_as_target(weir, events, bus, queue):
    logs, group = weir.client("logs"), "/aws/events/all"
    logs.create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{group}"
    rule(events, bus)
    targets = [{"Id": "plain", "Arn": arn, "DeadLetterConfig": {"Arn": queue.arn}},
               {"Id": "made", "Arn": arn, "InputTransformer": {"InputPathsMap": {"at": "$.time"},
                                                               "InputTemplate": '{"timestamp": <at>, "message": "it was <at>"}'}}]
    events.put_targets(Rule="r", EventBusName=bus, Targets=targets[:1])
    put(events, entry(bus))
    assert queue.take()[0]["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    logs.put_resource_policy(policyName="events", policyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]},
         "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": f"{arn}:*"}]}))
    events.put_targets(Rule="r", EventBusName=bus, Targets=targets)
    when = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(minutes=1)
    [event_id] = put(events, entry(bus, Time=when))
    found = wait_for(lambda: (lambda e: len(e) == 2 and e)(logs.filter_log_events(logGroupName=group)["events"]), what="both log events")
    made, plain = sorted(found, key=lambda e: e["timestamp"])
    assert json.loads(plain["message"])["id"] == event_id
    assert made["message"] == f"it was {when:%Y-%m-%dT%H:%M:%SZ}" and made["timestamp"] == int(when.timestamp() * 1000)
    logs.delete_resource_policy(policyName="events")


# --- schedules ------------------------------------------------------------------------------------


def test_a_rule_with_a_schedule_is_set_and_cleared(events):
    arn = events.put_rule(Name="timed", ScheduleExpression="cron(0 23 ? * SUN *)", Description="weekly")["RuleArn"]
    assert events.describe_rule(Name="timed")["ScheduleExpression"] == "cron(0 23 ? * SUN *)"
    events.put_rule(Name="timed", ScheduleExpression="rate(5 minutes)", EventPattern='{"source": ["app"]}', State="DISABLED")
    seen = events.describe_rule(Name="timed")
    assert seen["Arn"] == arn and seen["State"] == "DISABLED" and seen["ScheduleExpression"] == "rate(5 minutes)"
    events.delete_rule(Name="timed")


# --- archives and replays -------------------------------------------------------------------------


def test_archives(weir, events, bus):
    source = f"{ARN}:event-bus/{bus}"
    made = newer(weir, "CreateArchive", ArchiveName="all", EventSourceArn=source, Description="d", RetentionDays=0, KmsKeyIdentifier="")
    assert made["ArchiveArn"] == f"{ARN}:archive/all" and made["State"] == "ENABLED"
    events.create_archive(ArchiveName="some", EventSourceArn=source, RetentionDays=7, EventPattern='{"source": ["app"]}')
    put(events, entry(bus), entry(bus, "other"), entry(bus))
    seen = events.describe_archive(ArchiveName="all")
    assert (seen["EventCount"], seen["RetentionDays"], seen["EventSourceArn"]) == (3, 0, source) and seen["SizeBytes"] > 300
    assert events.describe_archive(ArchiveName="some")["EventCount"] == 2
    events.update_archive(ArchiveName="some", Description="new", EventPattern='{"source": ["other"]}', RetentionDays=9)
    put(events, entry(bus, "other"))
    seen = events.describe_archive(ArchiveName="some")
    assert (seen["EventCount"], seen["RetentionDays"], seen["Description"]) == (3, 9, "new")
    assert [a["ArchiveName"] for a in events.list_archives(EventSourceArn=source)["Archives"]] == ["all", "some"]
    first = events.list_archives(Limit=1)
    assert [a["ArchiveName"] for a in events.list_archives(Limit=1, NextToken=first["NextToken"])["Archives"]] == ["some"]
    assert events.list_archives(State="DISABLED")["Archives"] == []
    assert [a["ArchiveName"] for a in events.list_archives(NamePrefix="so")["Archives"]] == ["some"]
    assert code(events.list_archives, NamePrefix="a", State="ENABLED") == "ValidationException"
    assert code(events.list_archives, EventSourceArn=f"{ARN}:event-bus/absent") == "ResourceNotFoundException"
    assert code(events.create_archive, ArchiveName="all", EventSourceArn=source) == "ResourceAlreadyExistsException"
    assert code(events.create_archive, ArchiveName="x", EventSourceArn=f"{ARN}:event-bus/absent") == "ResourceNotFoundException"
    assert code(events.create_archive, ArchiveName="x", EventSourceArn=source, EventPattern="{") == "InvalidEventPatternException"
    assert code(events.create_archive, ArchiveName="x" * 49, EventSourceArn=source) == "ValidationException"
    assert newer(weir, "CreateArchive", ArchiveName="x", EventSourceArn=source, KmsKeyIdentifier="alias/k") == "ValidationException"
    assert code(events.update_archive, ArchiveName="some", EventPattern="{") == "InvalidEventPatternException"
    for call in (events.describe_archive, events.update_archive, events.delete_archive):
        assert message(call, ArchiveName="absent") == "Archive absent does not exist."
    events.delete_archive(ArchiveName="all")
    assert code(events.describe_archive, ArchiveName="all") == "ResourceNotFoundException"
    events.create_archive(ArchiveName="all", EventSourceArn=source)  # begins without what the old one had
    assert events.describe_archive(ArchiveName="all")["EventCount"] == 0
    for i in range(98):
        events.create_archive(ArchiveName=f"n{i}", EventSourceArn=source)
    assert code(events.create_archive, ArchiveName="more", EventSourceArn=source) == "LimitExceededException"
    for i in range(98):
        events.delete_archive(ArchiveName=f"n{i}")


def span(start=None):
    now = datetime.now(timezone.utc)
    return {"EventStartTime": start or now - timedelta(hours=1), "EventEndTime": now + timedelta(hours=1)}


def test_a_replay(events, bus, sqs, queue):
    source, archive = f"{ARN}:event-bus/{bus}", f"{ARN}:archive/replayed"
    events.create_archive(ArchiveName="replayed", EventSourceArn=source)
    old = datetime.now(timezone.utc) - timedelta(minutes=90)
    ids = put(events, *[entry(bus, detail={"n": n}) for n in range(5)], entry(bus, Time=old))[:5]
    other = Queue(sqs, "replay-other")
    rule(events, bus, "wanted", queue=queue)
    rule(events, bus, "other", queue=other)
    made = events.start_replay(ReplayName="again", EventSourceArn=archive, Description="d", **span(),
                               Destination={"Arn": source, "FilterArns": [f"{ARN}:rule/{bus}/wanted"]})
    assert made["ReplayArn"] == f"{ARN}:replay/again" and made["State"] == "STARTING"
    got = queue.bodies(5)
    assert sorted(b["id"] for b in got) == sorted(ids) and {b["replay-name"] for b in got} == {"again"}
    assert list(got[0])[-1] == "replay-name"
    seen = wait_for(lambda: (lambda d: d["State"] == "COMPLETED" and d)(events.describe_replay(ReplayName="again")), what="end of the replay")
    assert seen["Destination"] == {"Arn": source, "FilterArns": [f"{ARN}:rule/{bus}/wanted"]} and seen["EventSourceArn"] == archive
    assert seen["EventLastReplayedTime"] and seen["ReplayEndTime"] >= seen["ReplayStartTime"]
    assert other.is_empty() and events.describe_archive(ArchiveName="replayed")["EventCount"] == 6
    assert [r["ReplayName"] for r in events.list_replays(EventSourceArn=archive)["Replays"]] == ["again"]
    assert [r["ReplayName"] for r in events.list_replays(State="COMPLETED")["Replays"]] == ["again"]
    assert events.list_replays(State="RUNNING")["Replays"] == [] and events.list_replays(NamePrefix="x")["Replays"] == []
    assert code(events.list_replays, State="RUNNING", NamePrefix="a") == "ValidationException"
    assert code(events.list_replays, NextToken="nonsense") == "ValidationException"
    ok = dict(ReplayName="more", EventSourceArn=archive, Destination={"Arn": source}, **span())
    assert code(events.start_replay, **{**ok, "ReplayName": "again"}) == "ResourceAlreadyExistsException"
    assert code(events.start_replay, **{**ok, "EventSourceArn": f"{ARN}:archive/absent"}) == "ValidationException"
    assert code(events.start_replay, **{**ok, "Destination": {"Arn": BUS}}) == "ValidationException"
    assert code(events.start_replay, **{**ok, "Destination": {"Arn": source, "FilterArns": [f"{ARN}:rule/{bus}/absent"]}}) == "ValidationException"
    assert code(events.start_replay, **{**ok, "EventEndTime": ok["EventStartTime"]}) == "ValidationException"
    assert code(events.start_replay, **{**ok, "Destination": {"Arn": source, "FilterArns": ["x"] * 101}}) == "LimitExceededException"
    assert code(events.cancel_replay, ReplayName="again") == "IllegalStatusException"
    assert code(events.cancel_replay, ReplayName="absent") == "ResourceNotFoundException"
    assert code(events.describe_replay, ReplayName="absent") == "ResourceNotFoundException"


# --- events of other services ---------------------------------------------------------------------


def test_events_of_a_bucket(weir, events, queue):
    s3, bucket = weir.client("s3"), "event-bucket"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    assert s3.get_bucket_notification_configuration(Bucket=bucket)["EventBridgeConfiguration"] == {}
    events.put_rule(Name="bucket", EventPattern=json.dumps({"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}))
    events.put_targets(Rule="bucket", Targets=[{"Id": "q", "Arn": queue.arn}])
    etag = s3.put_object(Bucket=bucket, Key="a key/\u00e9", Body=b"12345")["ETag"].strip('"')
    s3.put_object_tagging(Bucket=bucket, Key="a key/\u00e9", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "a key/\u00e9"})
    s3.delete_object(Bucket=bucket, Key="copy")
    got = queue.bodies(4)
    assert sorted((e["detail-type"], e["detail"].get("reason")) for e in got if "Tags" not in e["detail-type"]) == [
        ("Object Created", "CopyObject"), ("Object Created", "PutObject"), ("Object Deleted", "DeleteObject")]
    [put_event] = [e for e in got if e["detail"].get("reason") == "PutObject"]
    assert put_event["resources"] == [f"arn:aws:s3:::{bucket}"] and put_event["account"] == ACCOUNT
    detail = put_event["detail"]
    assert detail["object"].pop("sequencer")
    assert detail["object"] == {"key": "a key/\u00e9", "size": 5, "etag": etag} and detail["bucket"] == {"name": bucket}
    assert detail["version"] == "0" and detail["request-id"] and detail["requester"] == ACCOUNT and detail["source-ip-address"] == "127.0.0.1"
    [deleted] = [e for e in got if e["detail-type"] == "Object Deleted"]
    assert deleted["detail"]["deletion-type"] == "Permanently Deleted"
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="quiet", Body=b"")
    events.put_rule(Name="bucket", EventPattern='{"source": ["app"]}')
    put(events, entry())
    assert queue.bodies()[0]["source"] == "app"
    events.remove_targets(Rule="bucket", Ids=["q"])
