"""CloudWatch Logs through boto3."""
import json
import os
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError


def code(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"]


@pytest.fixture
def logs(weir):
    return weir.client("logs")


@pytest.fixture
def group(logs, request):
    name = f"/test/{request.node.name}".replace("[", "-").replace("]", "")
    logs.create_log_group(logGroupName=name, tags={"team": "a"})
    yield name
    logs.delete_log_group(logGroupName=name)


def ask(weir, operation, **body):
    """What this botocore does not know yet: the reply, or the error's code."""
    request = AWSRequest("POST", weir.endpoint + "/", data=json.dumps(body), headers={
        "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Logs_20140328." + operation})
    SigV4Auth(Credentials("test", "test"), "logs", "us-east-1").add_auth(request)
    try:
        with urllib.request.urlopen(urllib.request.Request(weir.endpoint + "/", request.data.encode(), dict(request.headers))) as reply:
            return json.loads(reply.read() or b"{}")
    except urllib.error.HTTPError as e:
        return json.loads(e.read())["__type"].rpartition("#")[2]


def now():
    return int(time.time() * 1000)


def put(logs, group, stream, messages, start=None):
    start = start or now() - 60000
    try:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    except logs.exceptions.ResourceAlreadyExistsException:
        pass
    return logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[
        {"timestamp": start + i, "message": m} for i, m in enumerate(messages)])


def test_groups(weir, logs, group):
    assert code(logs.create_log_group, logGroupName=group) == "ResourceAlreadyExistsException"
    assert code(logs.create_log_group, logGroupName="bad name!") == "InvalidParameterException"
    assert code(logs.create_log_group, logGroupName="k", kmsKeyId="x") == "InvalidParameterException"
    for name, why in (("x" * 513, "Invalid LogGroup or LogStream, both must have length less than or equal to 512."),
                      ("aws/mine", "Log groups starting with AWS/ are reserved for AWS.")):
        with pytest.raises(ClientError) as e:
            logs.create_log_group(logGroupName=name)
        assert (e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]) == ("InvalidParameterException", why)
    assert code(logs.delete_log_group, logGroupName="absent") == "ResourceNotFoundException"
    found = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert [g["logGroupName"] for g in found] == [group]
    assert found[0]["arn"] == f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"
    assert "retentionInDays" not in found[0] and found[0]["storedBytes"] == 0
    brief = ask(weir, "DescribeLogGroups", logGroupNamePattern=group)["logGroups"]
    assert [set(g) for g in brief] == [{"logGroupName", "arn", "logGroupArn", "logGroupClass", "creationTime", "metricFilterCount"}]
    logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"] == 7
    assert code(logs.put_retention_policy, logGroupName=group, retentionInDays=8) == "InvalidParameterException"
    logs.delete_retention_policy(logGroupName=group)
    assert "retentionInDays" not in logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]


def test_paging_of_groups(logs):
    names = [f"/page/{i:03d}" for i in range(120)]
    for name in names:
        logs.create_log_group(logGroupName=name)
    pages = list(logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix="/page/"))
    assert [len(p["logGroups"]) for p in pages] == [50, 50, 20]
    assert [g["logGroupName"] for p in pages for g in p["logGroups"]] == names
    for name in names:
        logs.delete_log_group(logGroupName=name)
    assert logs.describe_log_groups(logGroupNamePrefix="/page/")["logGroups"] == []


def test_tokens_are_bound_and_positional(logs, group):
    names = [f"/tok/{i}" for i in range(6)]
    for name in names:
        logs.create_log_group(logGroupName=name)
    args = dict(logGroupNamePrefix="/tok/", limit=2)
    first = logs.describe_log_groups(**args)
    assert [g["logGroupName"] for g in first["logGroups"]] == names[:2]
    # The group that the page ended at, and the next, are gone: the page goes on behind them.
    logs.delete_log_group(logGroupName=names[1])
    logs.delete_log_group(logGroupName=names[2])
    second = logs.describe_log_groups(**args, nextToken=first["nextToken"])
    assert [g["logGroupName"] for g in second["logGroups"]] == names[3:5]
    last = logs.describe_log_groups(**args, nextToken=second["nextToken"])
    assert [g["logGroupName"] for g in last["logGroups"]] == names[5:] and "nextToken" not in last
    # A filter that matches once gives one page without a token.
    found = logs.describe_log_groups(logGroupNamePattern="tok/3", limit=1)
    assert [g["logGroupName"] for g in found["logGroups"]] == ["/tok/3"] and "nextToken" not in found
    token = first["nextToken"]
    for bad in ("x", names[1], token[:-2], token[:-1] + ("A" if token[-1] != "A" else "B")):
        assert code(logs.describe_log_groups, **args, nextToken=bad) == "InvalidParameterException"
    for name in ("a", "b", "c"):
        logs.create_log_stream(logGroupName=group, logStreamName=name)
    streams = logs.describe_log_streams(logGroupName=group, limit=1)["nextToken"]
    assert [s["logStreamName"] for s in logs.describe_log_streams(
        logGroupName=group, nextToken=streams)["logStreams"]] == ["b", "c"]
    assert code(logs.describe_log_streams, logGroupName=group, nextToken=token) == "InvalidParameterException"
    assert code(logs.describe_log_streams, logGroupName="/tok/0", nextToken=streams) == "InvalidParameterException"
    assert code(logs.describe_log_streams, logGroupName=group, orderBy="LastEventTime",
                nextToken=streams) == "InvalidParameterException"
    assert code(logs.filter_log_events, logGroupName=group, nextToken=streams) == "InvalidParameterException"
    for name in (names[0], *names[3:]):
        logs.delete_log_group(logGroupName=name)


def test_groups_belong_to_their_region(weir, logs):
    """A group made in one region is no group of another, by whatever way it is named."""
    west = weir.client("logs", region="eu-west-1")
    logs.create_log_group(logGroupName="/region/a")
    logs.create_log_group(logGroupName="/region/both", tags={"where": "east"})
    west.create_log_group(logGroupName="/region/both", tags={"where": "west"})
    put(logs, "/region/both", "s", ["east"])
    put(west, "/region/both", "s", ["west"])

    def names(client):
        return [g["logGroupName"] for g in client.describe_log_groups(logGroupNamePrefix="/region/")["logGroups"]]
    assert names(logs) == ["/region/a", "/region/both"]
    assert names(west) == ["/region/both"]
    found = west.describe_log_groups(logGroupNamePrefix="/region/")["logGroups"][0]
    arn = "arn:aws:logs:eu-west-1:000000000000:log-group:/region/both"
    assert found["arn"] == arn + ":*"
    for client, want in ((logs, "east"), (west, "west")):
        found = client.filter_log_events(logGroupName="/region/both")
        assert found["searchedLogStreams"] == []
        events = found["events"]
        assert [e["message"] for e in events] == [want]
        assert client.list_tags_log_group(logGroupName="/region/both")["tags"] == {"where": want}
    assert code(west.put_retention_policy, logGroupName="/region/a", retentionInDays=1) == "ResourceNotFoundException"
    assert code(west.delete_log_group, logGroupName="/region/a") == "ResourceNotFoundException"
    assert west.list_tags_for_resource(resourceArn=arn)["tags"] == {"where": "west"}
    assert code(logs.list_tags_for_resource, resourceArn=arn) == "ResourceNotFoundException"
    assert code(logs.filter_log_events, logGroupIdentifier=arn) == "ResourceNotFoundException"
    for good in (arn, "/region/both"):
        assert len(west.filter_log_events(logGroupIdentifier=good)["events"]) == 1
    for bad in (arn + ":log-stream:s", arn.replace(":logs:", ":sqs:"), arn.replace("0:log", "1:log"), "arn:aws:logs:x"):
        assert code(west.filter_log_events, logGroupIdentifier=bad) == "ResourceNotFoundException"
    page = logs.describe_log_groups(logGroupNamePrefix="/region/", limit=1)
    assert code(west.describe_log_groups, logGroupNamePrefix="/region/", limit=1,
                nextToken=page["nextToken"]) == "InvalidParameterException"
    west.delete_log_group(logGroupName="/region/both")
    assert names(logs) == ["/region/a", "/region/both"]
    for name in names(logs):
        logs.delete_log_group(logGroupName=name)


def test_tags(logs, group):
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"
    logs.tag_log_group(logGroupName=group, tags={"team": "b", "x": "y"})
    assert logs.list_tags_log_group(logGroupName=group)["tags"] == {"team": "b", "x": "y"}
    logs.untag_log_group(logGroupName=group, tags=["x"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "b"}
    logs.tag_resource(resourceArn=arn, tags={"z": ""})
    logs.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"z": ""}


def test_streams(logs, group):
    put(logs, group, "b", ["1"], now() - 3000)
    put(logs, group, "a", ["1"], now() - 1000)
    put(logs, group, "c", ["1"], now() - 2000)
    by_name = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert [s["logStreamName"] for s in by_name] == ["a", "b", "c"]
    names, token = [], {}
    while True:
        page = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True, limit=1, **token)
        names += [s["logStreamName"] for s in page["logStreams"]]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert names == ["a", "c", "b"]
    assert [s["logStreamName"] for s in logs.describe_log_streams(
        logGroupName=group, logStreamNamePrefix="b")["logStreams"]] == ["b"]
    assert code(logs.create_log_stream, logGroupName=group, logStreamName="a") == "ResourceAlreadyExistsException"
    logs.delete_log_stream(logGroupName=group, logStreamName="a")
    assert code(logs.get_log_events, logGroupName=group, logStreamName="a") == "ResourceNotFoundException"


def test_put_checks(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    args = dict(logGroupName=group, logStreamName="s")
    t = now()
    assert code(logs.put_log_events, **args, logEvents=[{"timestamp": t, "message": "a"}, {"timestamp": t - 1, "message": "b"}]) \
        == "InvalidParameterException"
    assert code(logs.put_log_events, **args, logEvents=[{"timestamp": t, "message": "x" * 700000}] * 2) == "InvalidParameterException"
    assert code(logs.put_log_events, logGroupName=group, logStreamName="none", logEvents=[{"timestamp": t, "message": "a"}]) \
        == "ResourceNotFoundException"
    reply = logs.put_log_events(**args, logEvents=[{"timestamp": t - 20 * 86400000, "message": "old"}])
    assert reply["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    reply = logs.put_log_events(**args, logEvents=[{"timestamp": t, "message": "fine"}, {"timestamp": t + 10800000, "message": "new"}])
    assert reply["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    assert [e["message"] for e in logs.get_log_events(**args)["events"]] == ["fine"]
    assert code(logs.put_log_events, **args, logEvents=[]) == "InvalidParameterException"


def test_get_in_both_directions(logs, group):
    messages = [f"m{i:03d}" for i in range(100)]
    put(logs, group, "s", messages)
    args = dict(logGroupName=group, logStreamName="s", limit=30)
    got, page = [], logs.get_log_events(**args, startFromHead=True)
    while page["events"]:
        got += [e["message"] for e in page["events"]]
        page = logs.get_log_events(**args, nextToken=page["nextForwardToken"])
    assert got == messages
    assert logs.get_log_events(**args, nextToken=page["nextForwardToken"])["nextForwardToken"] == page["nextForwardToken"]

    page = logs.get_log_events(**args)
    assert [e["message"] for e in page["events"]] == messages[70:]
    back = logs.get_log_events(**args, nextToken=page["nextBackwardToken"])
    assert [e["message"] for e in back["events"]] == messages[40:70]
    put(logs, group, "s", ["later"], now())
    follow = logs.get_log_events(**args, nextToken=page["nextForwardToken"])
    assert [e["message"] for e in follow["events"]] == ["later"]
    assert code(logs.get_log_events, **args, nextToken="f/zz") == "InvalidParameterException"


def test_following_an_empty_stream(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    args = dict(logGroupName=group, logStreamName="s", startFromHead=True)
    token = logs.get_log_events(**args)["nextForwardToken"]
    put(logs, group, "s", ["first"])
    assert [e["message"] for e in logs.get_log_events(**args, nextToken=token)["events"]] == ["first"]


def test_time_window(logs, group):
    start = now() - 60000
    put(logs, group, "s", [str(i) for i in range(10)], start)
    got = logs.get_log_events(logGroupName=group, logStreamName="s", startTime=start + 3, endTime=start + 6)
    assert [e["message"] for e in got["events"]] == ["3", "4", "5"]


def test_filter_at_the_ends_of_its_time(logs, group):
    """Both ends belong to the range, other than in GetLogEvents."""
    start = now() - 60000
    put(logs, group, "a1", ["0", "1", "2"], start)
    put(logs, group, "b", ["3"], start + 1)
    args = dict(logGroupName=group)
    for more, want in (({"startTime": start + 1, "endTime": start + 1}, ["1", "3"]), ({"startTime": start, "endTime": start + 2}, ["0", "1", "3", "2"]),
                       ({"endTime": start - 1}, []), ({"startTime": start + 3}, []), ({"startTime": start + 2, "endTime": start}, []),
                       ({"logStreamNamePrefix": "a"}, ["0", "1", "2"]), ({"logStreamNames": ["b"]}, ["3"]), ({"logStreamNamePrefix": "c"}, [])):
        assert sorted(e["message"] for e in logs.filter_log_events(**args, **more)["events"]) == sorted(want)
    got = logs.get_log_events(logGroupName=group, logStreamName="a1", startTime=start + 1, endTime=start + 2)["events"]
    assert [e["message"] for e in got] == ["1"]
    for more in ({"logStreamNames": ["b"], "logStreamNamePrefix": "a"}, {"limit": 0}, {"limit": 10001}, {"nextToken": "x"}, {"filterPattern": "a:b"}):
        assert code(logs.filter_log_events, **args, **more) == "InvalidParameterException"
    assert code(logs.filter_log_events, **args, logStreamNames=["absent"]) == "ResourceNotFoundException"
    # A name and an identifier at once, and neither, wherever both may be given.
    for call, more in ((logs.filter_log_events, {}), (logs.get_log_events, {"logStreamName": "b"}), (logs.describe_log_streams, {}), (logs.get_log_group_fields, {})):
        with pytest.raises(ClientError) as e:
            call(logGroupName=group, logGroupIdentifier=group, **more)
        assert e.value.response["Error"]["Code"] == "ValidationException"
        assert e.value.response["Error"]["Message"] == "LogGroup name and LogGroup ARN are mutually exclusive parameters."
        assert code(call, **more) == "InvalidParameterException"


def test_filter(logs, group):
    start = now() - 60000
    for s in range(5):
        logs.create_log_stream(logGroupName=group, logStreamName=f"s{s}")
        logs.put_log_events(logGroupName=group, logStreamName=f"s{s}", logEvents=[
            {"timestamp": start + 5 * i + s, "message": f"{'ERROR' if i % 2 else 'INFO'} {5 * i + s}"} for i in range(20)])
    pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=group, PaginationConfig={"PageSize": 7}))
    events = [e for p in pages for e in p["events"]]
    assert [int(e["message"].split()[1]) for e in events] == list(range(100))
    assert len({e["eventId"] for e in events}) == 100
    found = logs.filter_log_events(logGroupName=group, filterPattern="ERROR -99", logStreamNames=["s4"])["events"]
    assert [e["message"] for e in found] == [f"ERROR {5 * i + 4}" for i in range(1, 19, 2)]
    assert code(logs.filter_log_events, logGroupName=group, filterPattern="%x = 1%") == "InvalidParameterException"
    assert code(logs.filter_log_events, logGroupName="absent") == "ResourceNotFoundException"


def test_a_new_group_of_the_same_name_is_empty(logs):
    logs.create_log_group(logGroupName="again")
    put(logs, "again", "s", ["old"])
    logs.delete_log_group(logGroupName="again")
    logs.create_log_group(logGroupName="again")
    assert logs.filter_log_events(logGroupName="again")["events"] == []
    logs.delete_log_group(logGroupName="again")


def test_survives_a_kill(fresh_weir):
    logs = fresh_weir.client("logs")
    logs.create_log_group(logGroupName="g")
    put(logs, "g", "s", ["kept"])
    fresh_weir.kill9()
    fresh_weir.start()
    events = fresh_weir.client("logs").get_log_events(logGroupName="g", logStreamName="s")["events"]
    assert [e["message"] for e in events] == ["kept"]


def test_describe_groups_refusals(logs, group):
    assert code(logs.describe_log_groups, includeLinkedAccounts=True) == "InvalidParameterException"
    assert code(logs.describe_log_groups, accountIdentifiers=["000000000000"]) == "InvalidParameterException"
    assert [g["logGroupName"] for g in logs.describe_log_groups(includeLinkedAccounts=False, logGroupNamePrefix=group)["logGroups"]] == [group]


# --- groups with a KMS key ----------------------------------------------------------------------------------------------


def key_for_logs(kms, group="*", account="000000000000"):
    """A key that the service may use for groups whose ARN ends so."""
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"Service": "logs.us-east-1.amazonaws.com"}, "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
         "Resource": "*", "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:us-east-1:{account}:log-group:{group}"}}}]}
    return kms.create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]


def messages(logs, group, stream="s"):
    got = [e["message"] for e in logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]]
    assert sorted(e["message"] for e in logs.filter_log_events(logGroupName=group)["events"]) == sorted(got)
    return got


def test_group_with_a_key(weir, logs):
    kms, group = weir.client("kms"), "/kms/one"
    key, other = key_for_logs(kms), key_for_logs(kms)
    logs.create_log_group(logGroupName=group)
    put(logs, group, "s", ["before"], now() - 90000)
    logs.associate_kms_key(logGroupName=group, kmsKeyId=key)
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["kmsKeyId"] == key
    put(logs, group, "s", ["one", "two"], now() - 80000)
    logs.associate_kms_key(logGroupName=group, kmsKeyId=other)
    put(logs, group, "s", ["three"], now() - 70000)
    logs.disassociate_kms_key(logGroupName=group)
    put(logs, group, "s", ["after"])
    assert "kmsKeyId" not in logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]
    assert messages(logs, group) == ["before", "one", "two", "three", "after"]
    assert [e["message"] for e in logs.filter_log_events(logGroupName=group, filterPattern="two")["events"]] == ["two"]
    kms.disable_key(KeyId=key)
    assert code(logs.get_log_events, logGroupName=group, logStreamName="s") == "AccessDeniedException"
    assert code(logs.filter_log_events, logGroupName=group) == "AccessDeniedException"
    kms.enable_key(KeyId=key)
    assert len(messages(logs, group)) == 5
    logs.delete_log_group(logGroupName=group)


def test_group_made_with_a_key(weir, logs):
    kms, group = weir.client("kms"), "/kms/made"
    key = key_for_logs(kms)
    logs.create_log_group(logGroupName=group, kmsKeyId=key)
    put(logs, group, "s", ["text"])
    kms.disable_key(KeyId=key)
    with pytest.raises(ClientError) as e:
        put(logs, group, "s", ["more"])
    assert e.value.response["Error"]["Code"] == "AccessDeniedException" and "DisabledException" in str(e.value)
    kms.enable_key(KeyId=key)
    assert messages(logs, group) == ["text"]
    logs.delete_log_group(logGroupName=group)


def test_keys_that_logs_may_not_use(weir, logs):
    kms = weir.client("kms")
    plain = kms.create_key()["KeyMetadata"]["Arn"]
    elsewhere = key_for_logs(kms, "/kms/elsewhere")
    disabled = key_for_logs(kms)
    kms.disable_key(KeyId=disabled)
    pair = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    logs.create_log_group(logGroupName="/kms/may-not")
    for key in (plain, elsewhere, disabled, pair, plain[:-1] + "x", "alias/x", "nonsense"):
        assert code(logs.create_log_group, logGroupName="/kms/refused", kmsKeyId=key) == "InvalidParameterException"
        assert code(logs.associate_kms_key, logGroupName="/kms/may-not", kmsKeyId=key) == "InvalidParameterException"
    assert logs.describe_log_groups(logGroupNamePrefix="/kms/refused")["logGroups"] == []
    assert code(logs.associate_kms_key, logGroupName="/kms/absent", kmsKeyId=plain) == "ResourceNotFoundException"
    assert code(logs.disassociate_kms_key, logGroupName="/kms/absent") == "ResourceNotFoundException"
    logs.delete_log_group(logGroupName="/kms/may-not")


def test_encrypted_events_at_rest(fresh_weir):
    kms, logs = fresh_weir.client("kms"), fresh_weir.client("logs")
    logs.create_log_group(logGroupName="/kms/rest", kmsKeyId=key_for_logs(kms))
    logs.create_log_group(logGroupName="/clear")
    put(logs, "/kms/rest", "s", ["a line that nobody may find"])
    put(logs, "/clear", "s", ["a line that anybody may find"])
    fresh_weir.restart()
    logs = fresh_weir.client("logs")
    assert messages(logs, "/kms/rest") == ["a line that nobody may find"]
    fresh_weir.terminate()
    stored = b""
    for base, _, names in os.walk(fresh_weir.data_dir):
        for name in names:
            if not os.path.islink(os.path.join(base, name)):
                with open(os.path.join(base, name), "rb") as f:
                    stored += f.read()
    assert b"anybody may find" in stored and b"nobody may find" not in stored
    fresh_weir.start()
# --- policies -------------------------------------------------------------------------------------


def test_resource_policies(weir, logs, group):
    iam = weir.client("iam")
    arn = iam.create_user(UserName="writer")["User"]["Arn"]
    key = iam.create_access_key(UserName="writer")["AccessKey"]
    other = weir.client("logs", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    put(logs, group, "s", ["one"])
    event = [{"timestamp": now(), "message": "m"}]
    assert code(other.put_log_events, logGroupName=group, logStreamName="s", logEvents=event) == "AccessDeniedException"
    document = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "logs:PutLogEvents",
                                                                  "Resource": f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"}})
    made = logs.put_resource_policy(policyName="p", policyDocument=document)["resourcePolicy"]
    assert made["policyName"] == "p" and json.loads(made["policyDocument"]) == json.loads(document) and made["lastUpdatedTime"]
    other.put_log_events(logGroupName=group, logStreamName="s", logEvents=event)
    for i in range(9):
        logs.put_resource_policy(policyName=f"p{i}", policyDocument=document)
    assert code(logs.put_resource_policy, policyName="more", policyDocument=document) == "LimitExceededException"
    logs.put_resource_policy(policyName="p8", policyDocument=document)
    names, token = [], {}
    while True:
        page = logs.describe_resource_policies(limit=4, **token)
        names += [p["policyName"] for p in page["resourcePolicies"]]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert names == ["p", *(f"p{i}" for i in range(9))]
    for name in names:
        logs.delete_resource_policy(policyName=name)
    assert logs.describe_resource_policies()["resourcePolicies"] == []
    assert code(other.put_log_events, logGroupName=group, logStreamName="s", logEvents=event) == "AccessDeniedException"
    assert code(logs.delete_resource_policy, policyName="p") == "ResourceNotFoundException"
    assert code(logs.put_resource_policy, policyName="p", policyDocument="{}") == "InvalidParameterException"
    # Any text is a resource, as in queues' policies: what is no ARN is nothing of this service.
    odd = {"Sid": "R", "Effect": "Allow", "Principal": {"Service": "route53.amazonaws.com"}, "Action": "logs:PutLogEvents", "Resource": "log_arn"}
    made = logs.put_resource_policy(policyName="odd", policyDocument=json.dumps({"Version": "2012-10-17", "Statement": [odd]}))["resourcePolicy"]
    assert json.loads(made["policyDocument"])["Statement"] == [odd]
    logs.delete_resource_policy(policyName="odd")
    with pytest.raises(ClientError) as e:
        logs.delete_resource_policy(policyName="odd")
    assert e.value.response["Error"]["Message"] == "Policy with name [odd] does not exist."
    assert code(logs.put_resource_policy, policyName="p") == "InvalidParameterException"
    assert code(logs.describe_resource_policies, nextToken="nonsense") == "InvalidParameterException"


# --- metric filters ---------------------------------------------------------------------------------------

WEB = '[ip, user, ..., status = 4* || status = 5*, bytes]'


def metric_sum(weir, space, name, **dims):
    cw = weir.client("cloudwatch")
    now = datetime.now(timezone.utc)
    points = cw.get_metric_statistics(Namespace=space, MetricName=name, StartTime=now - timedelta(hours=1), EndTime=now + timedelta(minutes=1), Period=3600,
                                      Statistics=["Sum", "SampleCount"], Dimensions=[{"Name": k, "Value": v} for k, v in dims.items()])["Datapoints"]
    return sum(p["Sum"] for p in points), sum(p["SampleCount"] for p in points)


def test_metric_filters(weir, logs):
    logs.create_log_group(logGroupName="mf")
    logs.create_log_stream(logGroupName="mf", logStreamName="s")

    def put(*messages):
        logs.put_log_events(logGroupName="mf", logStreamName="s", logEvents=[{"timestamp": int(time.time() * 1000), "message": m} for m in messages])

    def filtered(name, pattern, value, **more):
        logs.put_metric_filter(logGroupName="mf", filterName=name, filterPattern=pattern, metricTransformations=[
            {"metricName": name, "metricNamespace": "MF", "metricValue": value, **more}])
    put("ERROR before there is a filter")
    filtered("errors", "ERROR", "1", defaultValue=0)
    filtered("bytes", WEB, "$bytes", unit="Bytes", dimensions={"user": "$user"})
    filtered("latency", '{ $.level = "info" && $.ms > 10 }', "$.ms")
    put("ERROR a", "ERROR b", "fine", '127.0.0.1 bob [x y] "GET /" 404 100', '127.0.0.1 eve [x y] "GET /" 500 7', '127.0.0.1 bob [x y] "GET /" 200 50',
        '{"level": "info", "ms": 20.5}', '{"level": "info", "ms": 5}', '{"level": "info"}')
    assert metric_sum(weir, "MF", "errors") == (2.0, 2.0)  # the minute has values: no default one
    assert metric_sum(weir, "MF", "bytes", user="bob") == (100.0, 1.0) and metric_sum(weir, "MF", "bytes", user="eve") == (7.0, 1.0)
    assert metric_sum(weir, "MF", "latency") == (20.5, 1.0)
    seen = logs.describe_metric_filters(logGroupName="mf")["metricFilters"]
    assert [(f["filterName"], f["filterPattern"]) for f in seen] == [("bytes", WEB), ("errors", "ERROR"), ("latency", '{ $.level = "info" && $.ms > 10 }')]
    assert seen[0]["metricTransformations"] == [{"metricName": "bytes", "metricNamespace": "MF", "metricValue": "$bytes", "unit": "Bytes", "dimensions": {"user": "$user"}}]
    told = ask(weir, "DescribeMetricFilters", logGroupName="mf")["metricFilters"]
    assert [f["applyOnTransformedLogs"] for f in told] == [False] * 3 and "unit" not in seen[1]["metricTransformations"][0]
    assert seen[1]["metricTransformations"][0]["defaultValue"] == 0 and seen[0]["logGroupName"] == "mf" and seen[0]["creationTime"]
    assert [f["filterName"] for f in logs.describe_metric_filters(logGroupName="mf", filterNamePrefix="e")["metricFilters"]] == ["errors"]
    assert [f["filterName"] for f in logs.describe_metric_filters(metricName="errors", metricNamespace="MF")["metricFilters"]] == ["errors"]
    assert logs.describe_log_groups(logGroupNamePrefix="mf")["logGroups"][0]["metricFilterCount"] == 3
    first = logs.describe_metric_filters(logGroupName="mf", limit=2)
    assert [f["filterName"] for f in logs.describe_metric_filters(logGroupName="mf", limit=2, nextToken=first["nextToken"])["metricFilters"]] == ["latency"]
    filtered("errors", "ERROR -b", "10")
    put("ERROR a", "ERROR b")
    assert metric_sum(weir, "MF", "errors") == (12.0, 3.0)
    logs.delete_metric_filter(logGroupName="mf", filterName="errors")
    put("ERROR a")
    assert metric_sum(weir, "MF", "errors") == (12.0, 3.0)
    for call in (lambda: logs.delete_metric_filter(logGroupName="mf", filterName="errors"), lambda: logs.delete_metric_filter(logGroupName="absent", filterName="e"),
                 lambda: logs.describe_metric_filters(logGroupName="absent")):
        with pytest.raises(ClientError) as e:
            call()
        assert e.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_default_value(weir, logs):
    """Once for each minute in which events came and none matched, however they came."""
    logs.create_log_group(logGroupName="mf-default")
    logs.create_log_stream(logGroupName="mf-default", logStreamName="s")
    logs.put_metric_filter(logGroupName="mf-default", filterName="f", filterPattern="ERROR", metricTransformations=[
        {"metricName": "default", "metricNamespace": "MF", "metricValue": "5", "defaultValue": 2}])
    hour = int(time.time()) // 3600 * 3600 - 3600

    def put(*events):
        logs.put_log_events(logGroupName="mf-default", logStreamName="s", logEvents=[{"timestamp": (hour + m * 60 + s) * 1000, "message": text} for m, s, text in events])

    def minutes():
        start = datetime.fromtimestamp(hour, timezone.utc)
        points = weir.client("cloudwatch").get_metric_statistics(Namespace="MF", MetricName="default", StartTime=start, EndTime=start + timedelta(hours=1), Period=60,
                                                                 Statistics=["Sum", "SampleCount"])["Datapoints"]
        return {(p["Timestamp"] - start).seconds // 60: (p["Sum"], p["SampleCount"]) for p in points}
    put((5, 0, "fine"), (5, 1, "fine"), (6, 0, "fine"), (6, 1, "ERROR"), (8, 0, "ERROR"))
    assert minutes() == {5: (2, 1), 6: (5, 1), 8: (5, 1)}
    put((4, 0, "late"), (5, 30, "fine"), (6, 30, "fine"), (7, 0, "fine"), (8, 30, "fine"))
    assert minutes() == {4: (2, 1), 5: (2, 1), 6: (5, 1), 7: (2, 1), 8: (5, 1)}
    put((7, 30, "ERROR"), (20, 0, "ERROR"), (20, 1, "ERROR"), (50, 0, "fine"))
    assert minutes() == {4: (2, 1), 5: (2, 1), 6: (5, 1), 7: (7, 2), 8: (5, 1), 20: (10, 2), 50: (2, 1)}


@pytest.mark.parametrize("pattern, change", [
    ("{ $.a = ", {}), ("[a", {}), ("%x(y)%", {}), ("a", {"dimensions": {"d": "$a"}}), ("a", {"metricValue": "$.a"}), ("a", {"metricValue": "x"}), ("[a]", {"metricValue": "$b"}), ("a", {"metricNamespace": "AWS/x"}),
    ("[a]", {"dimensions": {"d": "$b"}}), ("[a]", {"dimensions": {"d": "$a"}, "defaultValue": 1}), ("[a]", {"dimensions": {f"d{i}": "$a" for i in range(4)}}), ("a", {"metricName": ""})])
def test_bad_metric_filter(logs, pattern, change):
    if not logs.describe_log_groups(logGroupNamePrefix="mf-bad")["logGroups"]:
        logs.create_log_group(logGroupName="mf-bad")
    with pytest.raises(ClientError) as e:
        logs.put_metric_filter(logGroupName="mf-bad", filterName="f", filterPattern=pattern,
                               metricTransformations=[{"metricName": "m", "metricNamespace": "n", "metricValue": "1", **change}])
    assert e.value.response["Error"]["Code"] == "InvalidParameterException"
    assert logs.describe_metric_filters(logGroupName="mf-bad")["metricFilters"] == []


def test_try_metric_filter(logs):
    got = logs.test_metric_filter(filterPattern="[a, b = 2*]", logEventMessages=["x 21", "x 3", 'y "2 z"'])["matches"]
    assert got == [{"eventNumber": 1, "eventMessage": "x 21", "extractedValues": {"$a": "x", "$b": "21"}},
                   {"eventNumber": 3, "eventMessage": 'y "2 z"', "extractedValues": {"$a": "y", "$b": "2 z"}}]
    with pytest.raises(ClientError) as e:
        logs.test_metric_filter(filterPattern="[a", logEventMessages=["x"])
    assert e.value.response["Error"]["Code"] == "InvalidParameterException"


def test_filter_json_and_columns(logs):
    logs.create_log_group(logGroupName="fjc")
    logs.create_log_stream(logGroupName="fjc", logStreamName="s")
    logs.put_log_events(logGroupName="fjc", logStreamName="s", logEvents=[{"timestamp": int(time.time() * 1000), "message": m} for m in ('{"a": 1}', "a b", '{"a": 2}')])
    for pattern, wanted in (("{ $.a > 1 }", ['{"a": 2}']), ("[x, y]", ['{"a": 1}', "a b", '{"a": 2}']), ("[x = a, y]", ["a b"])):
        assert [e["message"] for e in logs.filter_log_events(logGroupName="fjc", filterPattern=pattern)["events"]] == wanted


def test_embedded_metrics(weir, logs):
    logs.create_log_group(logGroupName="emf")
    logs.create_log_stream(logGroupName="emf", logStreamName="s")
    event = {"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [
        {"Namespace": "EMF", "Dimensions": [["kind"], []], "Metrics": [{"Name": "time", "Unit": "Milliseconds"}, {"Name": "many"}, {"Name": "absent"}]},
        {"Namespace": "EMF", "Dimensions": [["no-such-member"]], "Metrics": [{"Name": "lost"}]}]},
        "kind": "a", "time": 12.5, "many": [1, 2, 3], "lost": 1}
    broken = [json.dumps({"_aws": {"CloudWatchMetrics": v}}) for v in (1, [1], [{"Namespace": 1, "Metrics": [{}]}], [{"Namespace": "EMF", "Metrics": [{"Name": "x"}]}])]
    logs.put_log_events(logGroupName="emf", logStreamName="s", logEvents=[{"timestamp": int(time.time() * 1000), "message": m} for m in (json.dumps(event), *broken, "{CloudWatchMetrics")])
    assert metric_sum(weir, "EMF", "time", kind="a") == metric_sum(weir, "EMF", "time") == (12.5, 1.0)
    assert metric_sum(weir, "EMF", "many") == (6.0, 3.0)
    assert {m["MetricName"] for m in weir.client("cloudwatch").list_metrics(Namespace="EMF")["Metrics"]} == {"time", "many"}
