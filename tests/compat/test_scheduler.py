"""EventBridge Scheduler through boto3."""
import json
from datetime import datetime, timedelta, timezone

import pytest
from test_constraints import Service
from test_cloudwatch import total_of
from test_events import ACCOUNT, Queue, code, message

from weirtest import wait_for

ARN = f"arn:aws:scheduler:us-east-1:{ACCOUNT}"
SDK = "arn:aws:scheduler:::aws-sdk:"


@pytest.fixture
def scheduler(weir):
    return weir.client("scheduler")


@pytest.fixture(scope="module")
def role(weir):
    """What schedules run as: trusted, and allowed all that the tests send."""
    iam = weir.client("iam")
    made = iam.create_role(RoleName="schedules", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))
    iam.put_role_policy(RoleName="schedules", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["sqs:*", "events:PutEvents", "dynamodb:PutItem", "logs:CreateLogGroup"], "Resource": "*"}]}))
    return made["Role"]["Arn"]


@pytest.fixture
def queue(weir, request):
    return Queue(weir.client("sqs"), "s-" + request.node.name.replace("_", "-")[:60].replace("[", "-").replace("]", ""), open_to=None)


def schedule(role, arn, name="s", expression="rate(1 hours)", **more):
    """What CreateSchedule wants at least; a member of the target is given as Target_Input."""
    target = {"Arn": arn, "RoleArn": role, **{k[7:]: v for k, v in more.items() if k.startswith("Target_")}}
    return {"Name": name, "ScheduleExpression": expression, "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target,
            **{k: v for k, v in more.items() if not k.startswith("Target_")}}


def create_and_delete(weir, **asked):
    """A schedule that goes once it has fired: a member that older clients do not know."""
    status, body, _ = Service("scheduler").send(weir, "CreateSchedule", {**asked, "ActionAfterCompletion": "DELETE"})
    assert status == 200, body
    _, body, _ = Service("scheduler").send(weir, "GetSchedule", {"Name": asked["Name"]})
    assert json.loads(body)["ActionAfterCompletion"] == "DELETE"


def soon():
    return (datetime.now(timezone.utc) + timedelta(seconds=2)).strftime("at(%Y-%m-%dT%H:%M:%S)")


def test_schedules(scheduler, role, queue):
    full = schedule(role, queue.arn, "full", "cron(0 12 * * ? *)", Description="d", ScheduleExpressionTimezone="Europe/Paris", State="DISABLED",
                    StartDate=datetime(2030, 1, 1, tzinfo=timezone.utc), EndDate=datetime(2031, 1, 1, tzinfo=timezone.utc),
                    FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}, Target_Input="text",
                    Target_DeadLetterConfig={"Arn": queue.arn}, Target_RetryPolicy={"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 60})
    assert scheduler.create_schedule(**full)["ScheduleArn"] == f"{ARN}:schedule/default/full"
    seen = scheduler.get_schedule(Name="full")
    assert {k: seen[k] for k in full} == full
    assert seen["Arn"] == f"{ARN}:schedule/default/full" and seen["GroupName"] == "default" and seen["CreationDate"]
    assert message(scheduler.create_schedule, **full) == "Schedule full already exists."
    assert code(scheduler.create_schedule, **full) == "ConflictException"
    changed = schedule(role, queue.arn, "full", "rate(5 minutes)")
    assert scheduler.update_schedule(**changed, State="DISABLED")["ScheduleArn"] == seen["Arn"]
    seen = scheduler.get_schedule(Name="full", GroupName="default")  # what is left out is gone
    assert "Description" not in seen and "StartDate" not in seen and seen["ScheduleExpressionTimezone"] == "UTC"
    assert seen["FlexibleTimeWindow"] == {"Mode": "OFF"} and seen["ScheduleExpression"] == "rate(5 minutes)"
    assert seen["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
    assert code(scheduler.update_schedule, **{**changed, "Name": "absent"}) == "ResourceNotFoundException"
    assert code(scheduler.get_schedule, Name="absent") == "ResourceNotFoundException"
    assert code(scheduler.get_schedule, Name="full", GroupName="absent") == "ResourceNotFoundException"
    assert code(scheduler.create_schedule, **changed, GroupName="absent") == "ResourceNotFoundException"
    scheduler.delete_schedule(Name="full")
    assert code(scheduler.delete_schedule, Name="full") == "ResourceNotFoundException"


@pytest.mark.parametrize("bad", [
    {"ScheduleExpression": "rate(0 minutes)"}, {"ScheduleExpression": "cron(* * * * * *)"}, {"ScheduleExpression": "at(tomorrow)"},
    {"ScheduleExpressionTimezone": "Mars/Base"}, {"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}},
    {"FlexibleTimeWindow": {"Mode": "OFF", "MaximumWindowInMinutes": 5}}, {"EndDate": datetime(2020, 1, 1)},
    {"StartDate": datetime(2031, 1, 1), "EndDate": datetime(2030, 1, 1)}, {"KmsKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"},
    {"Target_Arn": "nonsense"}, {"Target_Arn": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/s"}, {"Target_Arn": SDK + "sqs:receiveMessage"},
    {"Target_Arn": SDK + "sqs:nothing"}, {"Target_Arn": SDK + "ec2:stopInstances"}, {"Target_Arn": SDK + "sqs:sendMessage", "Target_Input": "text"},
    {"Target_Arn": SDK + "sqs:sendMessage", "Target_Input": "[]"}, {"Target_SqsParameters": {"MessageGroupId": "g"}},
    {"Target_Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q.fifo"}, {"Target_Arn": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default", "Target_Input": "{}"},
    {"Target_Arn": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default", "Target_EventBridgeParameters": {"DetailType": "t", "Source": "s"}},
    {"Target_EventBridgeParameters": {"DetailType": "t", "Source": "s"}}, {"Target_KinesisParameters": {"PartitionKey": "k"}},
    {"Target_DeadLetterConfig": {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q.fifo"}},
    {"Target_Arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f", "Target_Input": "{"}, {"Target_Input": "x" * (256 * 1024 + 1)},
    {"Target_RoleArn": f"arn:aws:iam::{ACCOUNT}:role/absent"}])
def test_schedules_that_are_refused(scheduler, role, queue, bad):
    assert code(scheduler.create_schedule, **schedule(role, queue.arn, "refused", **bad)) == "ValidationException"


def test_the_role_must_trust_the_scheduler(weir, scheduler, queue):
    arn = weir.client("iam").create_role(RoleName="other", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    assert "must allow" in message(scheduler.create_schedule, **schedule(arn, queue.arn))


def test_passing_the_role_takes_a_permission(weir, role, queue):
    iam = weir.client("iam")
    iam.create_user(UserName="timer")
    key = iam.create_access_key(UserName="timer")["AccessKey"]
    own = weir.client("scheduler", key=key["AccessKeyId"], secret=key["SecretAccessKey"])

    def allow(*statements):
        iam.put_user_policy(UserName="timer", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", **s} for s in statements]}))

    schedules = {"Action": "scheduler:CreateSchedule", "Resource": f"{ARN}:schedule/default/passed"}
    allow(schedules)
    assert code(own.create_schedule, **schedule(role, queue.arn, "passed")) == "AccessDeniedException"
    allow(schedules, {"Action": "iam:PassRole", "Resource": role, "Condition": {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}})
    own.create_schedule(**schedule(role, queue.arn, "passed", "cron(0 0 1 1 ? 2099)"))
    assert code(own.create_schedule, **schedule(role, queue.arn, "another")) == "AccessDeniedException"


def test_client_tokens(scheduler, role, queue):
    asked = schedule(role, queue.arn, "token", "cron(0 0 1 1 ? 2099)", ClientToken="t1")
    first = scheduler.create_schedule(**asked)
    assert scheduler.create_schedule(**asked)["ScheduleArn"] == first["ScheduleArn"]
    assert code(scheduler.create_schedule, **{**asked, "Description": "other"}) == "ConflictException"
    assert code(scheduler.create_schedule, **{**asked, "ClientToken": "t2"}) == "ConflictException"
    for _ in range(2):
        scheduler.update_schedule(**{**asked, "Description": "new", "ClientToken": "t3"})
    for _ in range(2):
        scheduler.delete_schedule(Name="token", ClientToken="t4")
    for _ in range(2):
        scheduler.create_schedule_group(Name="token", ClientToken="t5")
    for _ in range(2):
        scheduler.delete_schedule_group(Name="token", ClientToken="t6")


def test_groups(scheduler, role, queue):
    arn = scheduler.create_schedule_group(Name="group", Tags=[{"Key": "k", "Value": "v"}])["ScheduleGroupArn"]
    assert arn == f"{ARN}:schedule-group/group"
    seen = scheduler.get_schedule_group(Name="group")
    assert (seen["Arn"], seen["Name"], seen["State"]) == (arn, "group", "ACTIVE") and seen["CreationDate"]
    assert scheduler.get_schedule_group(Name="default")["State"] == "ACTIVE"
    for name in ("group", "default"):
        assert code(scheduler.create_schedule_group, Name=name) == "ConflictException"
    assert code(scheduler.get_schedule_group, Name="absent") == "ResourceNotFoundException"
    assert code(scheduler.delete_schedule_group, Name="absent") == "ResourceNotFoundException"
    assert code(scheduler.delete_schedule_group, Name="default") == "ValidationException"
    assert scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    scheduler.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
    scheduler.untag_resource(ResourceArn=arn, TagKeys=["k"])
    assert scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    for call, more in ((scheduler.list_tags_for_resource, {}), (scheduler.tag_resource, {"Tags": [{"Key": "a", "Value": "b"}]}),
                       (scheduler.untag_resource, {"TagKeys": ["a"]})):
        assert code(call, ResourceArn=f"{ARN}:schedule-group/absent", **more) == "ResourceNotFoundException"
    for i in range(3):
        scheduler.create_schedule(**schedule(role, queue.arn, f"s{i}", "cron(0 0 1 1 ? 2099)", GroupName="group"))
    scheduler.delete_schedule_group(Name="group")

    def gone():
        try:
            assert scheduler.get_schedule_group(Name="group")["State"] == "DELETING"
        except scheduler.exceptions.ResourceNotFoundException:
            return True

    wait_for(gone, what="end of the group")
    assert code(scheduler.list_schedules, GroupName="group") == "ResourceNotFoundException"
    assert code(scheduler.list_tags_for_resource, ResourceArn=arn) == "ResourceNotFoundException"


def pages(call, key, **kw):
    token = {}
    while True:
        page = call(**kw, **token)
        yield from (x["Name"] for x in page[key])
        if "NextToken" not in page:
            return
        token = {"NextToken": page["NextToken"]}


def test_lists(weir, scheduler, role, queue):
    scheduler = weir.client("scheduler", region="eu-west-1")
    for group in ("a", "z"):
        scheduler.create_schedule_group(Name=group)
        for i in range(3):
            scheduler.create_schedule(**schedule(role, queue.arn, f"{group}{i}", "cron(0 0 1 1 ? 2099)", GroupName=group,
                                                 State="DISABLED" if i == 1 else "ENABLED"))
    for n in (1, 2, 3, 100):
        assert list(pages(scheduler.list_schedule_groups, "ScheduleGroups", MaxResults=n)) == ["default", "a", "z"]
        assert list(pages(scheduler.list_schedules, "Schedules", MaxResults=n)) == ["a0", "a1", "a2", "z0", "z1", "z2"]
    assert list(pages(scheduler.list_schedule_groups, "ScheduleGroups", NamePrefix="z")) == ["z"]
    assert list(pages(scheduler.list_schedules, "Schedules", GroupName="z", MaxResults=2)) == ["z0", "z1", "z2"]
    assert list(pages(scheduler.list_schedules, "Schedules", NamePrefix="z")) == ["z0", "z1", "z2"]
    assert list(pages(scheduler.list_schedules, "Schedules", State="DISABLED", MaxResults=1)) == ["a1", "z1"]
    first = scheduler.list_schedules(MaxResults=1)["Schedules"][0]
    assert first["Target"] == {"Arn": queue.arn} and first["GroupName"] == "a" and first["State"] == "ENABLED"
    assert code(scheduler.list_schedules, NextToken="nonsense") == "ValidationException"
    assert code(scheduler.list_schedule_groups, NextToken="nonsense") == "ValidationException"


# --- firing ---------------------------------------------------------------------------------------


def test_a_rate_fires_at_once_and_goes_on(scheduler, role, queue):
    scheduler.create_schedule(**schedule(role, queue.arn, "rate", "rate(1 minutes)", Target_Input="hello"))
    assert queue.take()[0]["Body"] == "hello"
    assert scheduler.get_schedule(Name="rate")["State"] == "ENABLED"
    scheduler.delete_schedule(Name="rate")


def test_once_and_gone(weir, scheduler, role, queue):
    create_and_delete(weir, **schedule(role, queue.arn, "once", soon()))
    [event] = queue.bodies()
    assert event["source"] == "aws.scheduler" and event["detail-type"] == "Scheduled Event" and event["detail"] == "{}"
    assert event["resources"] == [f"{ARN}:schedule/default/once"]
    assert code(scheduler.get_schedule, Name="once") == "ResourceNotFoundException"


def test_context_attributes(weir, scheduler, role, queue):
    when = datetime.now(timezone.utc) + timedelta(seconds=2)
    create_and_delete(weir, **schedule(
        role, queue.arn, "context", when.strftime("at(%Y-%m-%dT%H:%M:%S)"),
        Target_Input="<aws.scheduler.schedule-arn> <aws.scheduler.scheduled-time> <aws.scheduler.attempt-number> <aws.scheduler.execution-id> <other>"))
    arn, at, attempt, execution, other = queue.take()[0]["Body"].split()
    assert (arn, at, attempt, other) == (f"{ARN}:schedule/default/context", when.strftime("%Y-%m-%dT%H:%M:%SZ"), "1", "<other>")
    assert len(execution) == 16


def test_fifo_queue(weir, scheduler, role):
    fifo = Queue(weir.client("sqs"), "scheduled.fifo", open_to=None, FifoQueue="true", ContentBasedDeduplication="true")
    scheduler.create_schedule(**schedule(role, fifo.arn, "fifo", "rate(1 day)", Target_Input="x", Target_SqsParameters={"MessageGroupId": "g"}))
    assert fifo.take()[0]["Attributes"]["MessageGroupId"] == "g"


def test_event_bus(weir, scheduler, role):
    events, queue = weir.client("events"), Queue(weir.client("sqs"), "scheduled-events")
    events.put_rule(Name="scheduled", EventPattern='{"source": ["my.timer"]}')
    events.put_targets(Rule="scheduled", Targets=[{"Id": "q", "Arn": queue.arn}])
    scheduler.create_schedule(**schedule(
        role, f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default", "bus", "rate(1 day)", Target_Input='{"n": 1}',
        Target_EventBridgeParameters={"DetailType": "tick", "Source": "my.timer"}))
    [event] = queue.bodies()
    assert (event["source"], event["detail-type"], event["detail"]) == ("my.timer", "tick", {"n": 1})


def test_operations_as_targets(weir, scheduler, role, queue):
    scheduler.create_schedule(**schedule(role, SDK + "sqs:sendMessage", "operation", "rate(1 day)", Target_Input=json.dumps(
        {"QueueUrl": queue.url, "MessageBody": "attempt <aws.scheduler.attempt-number> of <aws.scheduler.schedule-arn>"})))
    assert queue.take()[0]["Body"] == f"attempt 1 of {ARN}:schedule/default/operation"
    ddb = weir.client("dynamodb")
    ddb.create_table(TableName="ticks", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                     AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    scheduler.create_schedule(**schedule(role, SDK + "dynamodb:putItem", "item", "rate(1 day)", Target_Input=json.dumps(
        {"TableName": "ticks", "Item": {"id": {"S": "<aws.scheduler.execution-id>"}}})))
    wait_for(lambda: ddb.scan(TableName="ticks")["Count"] == 1, what="item")
    scheduler.create_schedule(**schedule(role, SDK + "cloudwatchlogs:createLogGroup", "group", "rate(1 day)", Target_Input='{"logGroupName": "/made"}'))
    wait_for(lambda: weir.client("logs").describe_log_groups(logGroupNamePrefix="/made")["logGroups"], what="log group")


@pytest.mark.parametrize("target, wanted", [
    ({"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:nowhere"}, "ResourceNotFoundException"),
    ({"Arn": SDK + "sqs:sendMessage", "Input": f'{{"QueueUrl": "http://x/{ACCOUNT}/nowhere", "MessageBody": "m"}}'}, "QueueDoesNotExist"),
    ({"Arn": SDK + "s3:createBucket", "Input": '{"Bucket": "scheduled"}'}, "AccessDenied"),
])
def test_what_fails_is_a_dead_letter(scheduler, role, queue, target, wanted):
    name = "dead-" + wanted
    scheduler.create_schedule(**schedule(role, queue.arn, name, "rate(1 day)", **{"Target_" + k: v for k, v in {"Input": "what", **target}.items()},
                                         Target_DeadLetterConfig={"Arn": queue.arn}))
    [dead] = queue.take()
    told = {k: v["StringValue"] for k, v in dead["MessageAttributes"].items()}
    assert wanted in told["ERROR_CODE"] and told["ERROR_MESSAGE"] and told["RETRY_ATTEMPTS"] == "0" and told["SCHEDULED_TIME"]
    assert told["SCHEDULE_ARN"] == f"{ARN}:schedule/default/{name}" and told["TARGET_ARN"] == target["Arn"]
    assert dead["Body"] == target.get("Input", "what")


def test_metrics(weir, scheduler, role, queue):
    cw = weir.client("cloudwatch")
    scheduler.create_schedule_group(Name="measured")
    absent = {"Target_Arn": SDK + "sqs:sendMessage", "Target_Input": f'{{"QueueUrl": "http://x/{ACCOUNT}/nowhere", "MessageBody": "m"}}'}
    for name, more in (("good", {"Target_Input": "i"}), ("bad", {**absent, "Target_DeadLetterConfig": {"Arn": queue.arn}})):
        scheduler.create_schedule(**schedule(role, queue.arn, name, "rate(1 day)", GroupName="measured", **more))
    assert len(queue.take(2)) == 2
    for metric, n in {"InvocationAttemptCount": 2, "TargetErrorCount": 1, "InvocationDroppedCount": 1, "InvocationsSentToDeadLetterCount": 1}.items():
        wait_for(lambda: total_of(cw, "AWS/Scheduler", metric, ScheduleGroup="measured") == n, what=metric)


def test_what_came_while_nothing_ran_fires_once(fresh_weir):
    iam, sqs = fresh_weir.client("iam"), fresh_weir.client("sqs")
    arn = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}))
    queue = Queue(sqs, "q", open_to=None)
    fresh_weir.client("scheduler").create_schedule(**schedule(arn, queue.arn, "late", soon(), Target_Input="late"))
    fresh_weir.restart()
    queue.sqs = fresh_weir.client("sqs")
    assert [m["Body"] for m in queue.take()] == ["late"]
    assert queue.is_empty()
