"""CloudWatch Logs Insights through boto3: queries, definitions, records and fields."""
import json
import re
import subprocess
import time
import uuid

import pytest
from botocore.exceptions import ClientError

from test_logs import ask, key_for_logs
from weirtest import wait_for


@pytest.fixture(scope="module")
def logs(weir):
    return weir.client("logs")


def now():
    return int(time.time() * 1000)


def group_of(logs, messages=(), stream="s", **kw):
    name = "/ins/" + uuid.uuid4().hex[:10]
    logs.create_log_group(logGroupName=name, **kw)
    put(logs, name, messages, stream)
    return name


def put(logs, group, messages, stream="s", at=None):
    try:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    except logs.exceptions.ResourceAlreadyExistsException:
        pass
    if messages:
        at = at or now() - 1000
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[
            {"timestamp": at + i, "message": m if isinstance(m, str) else json.dumps(m)} for i, m in enumerate(messages)])


def start(logs, query, *groups, back=3600, **kw):
    t = int(time.time())
    kw = {"startTime": t - back, "endTime": t + 60, **kw}
    return logs.start_query(logGroupNames=list(groups), queryString=query, **kw)["queryId"]


def ended(logs, query_id):
    def look():
        got = logs.get_query_results(queryId=query_id)
        return got if got["status"] not in ("Scheduled", "Running") else None
    return wait_for(look, 60, "the end of the query")


def results(logs, query, *groups, **kw):
    got = ended(logs, start(logs, query, *groups, **kw))
    assert got["status"] == "Complete"
    return [{f["field"]: f["value"] for f in row if f["field"] != "@ptr"} for row in got["results"]]


def error_of(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response


def test_a_query(weir, logs):
    one = group_of(logs, [{"level": "INFO", "ms": 1}, {"level": "ERROR", "ms": 20}, {"level": "ERROR", "ms": 30}])
    two = group_of(logs, [{"level": "ERROR", "ms": 100}, "no json"])
    query_id = start(logs, "fields @timestamp, level, ms | filter level = 'ERROR' | sort ms desc", one, two)
    got = ended(logs, query_id)
    assert got["status"] == "Complete"
    rows = [{f["field"]: f["value"] for f in row} for row in got["results"]]
    assert [r["ms"] for r in rows] == ["100", "30", "20"] and all(r["@ptr"] for r in rows)
    assert [f["field"] for f in got["results"][0]] == ["@timestamp", "level", "ms", "@ptr"]
    size = len('{"level": "ERROR", "ms": 20}')
    assert got["statistics"] == {"recordsMatched": 3.0, "recordsScanned": 5.0, "bytesScanned": float(3 * size - 2 + size + 1 + len("no json"))}
    assert ask(weir, "GetQueryResults", queryId=query_id)["statistics"]["logGroupsScanned"] == 2 and ask(weir, "GetQueryResults", queryId=query_id)["queryLanguage"] == "CWLI"
    record = logs.get_log_record(logRecordPointer=rows[0]["@ptr"])["logRecord"]
    assert record["level"] == "ERROR" and record["ms"] == "100" and record["@log"] == f"000000000000:{two}" and record["@logStream"] == "s"
    assert json.loads(record["@message"]) == {"level": "ERROR", "ms": 100} and record["@ptr"] == rows[0]["@ptr"]
    assert results(logs, "stats count(*) as n, sum(ms) as total by level | sort level asc", one, two) == [
        {"n": "1"}, {"level": "ERROR", "n": "3", "total": "150"}, {"level": "INFO", "n": "1", "total": "1"}]
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{one}"
    t = int(time.time())
    for names in ({"logGroupName": one}, {"logGroupIdentifiers": [arn, one]}):
        query_id = logs.start_query(queryString="fields ms | limit 2", startTime=(t - 60) * 1000, endTime=(t + 60) * 1000, **names)["queryId"]
        assert [[f["value"] for f in row if f["field"] == "ms"] for row in ended(logs, query_id)["results"]] == [["30"], ["20"]]
    assert ask(weir, "ListLogGroupsForQuery", queryId=query_id)["logGroupIdentifiers"] == [one]
    pages, token = [], {}
    query_id = start(logs, "fields ms", one)
    ended(logs, query_id)
    while True:
        page = ask(weir, "GetQueryResults", queryId=query_id, maxItems=2, **token)
        pages.append(len(page["results"]))
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert pages == [2, 1]
    for gone in (one, two):
        logs.delete_log_group(logGroupName=gone)
    assert error_of(logs.get_log_record, logRecordPointer=rows[0]["@ptr"])["Error"]["Code"] == "ResourceNotFoundException"
    assert error_of(logs.get_log_record, logRecordPointer="x")["Error"]["Code"] == "InvalidParameterException"


def test_times_and_many_events(logs):
    group = group_of(logs)
    base = now() // 1000 * 1000 + 2000  # a query of what was before the group is refused
    for stream in range(3):
        put(logs, group, [f"line {i} of {stream}" for i in range(3000)], f"s{stream}", base + stream * 100000)
    assert results(logs, "stats count(*) as n, count_distinct(@logStream) as streams", group, endTime=base // 1000 + 600) == [{"n": "9000", "streams": "3"}]
    t = base // 1000
    # Both ends belong to it, whole seconds.
    assert results(logs, "stats count(*) as n by @logStream", group, startTime=t, endTime=t + 2) == [{"@logStream": "s0", "n": "3000"}]
    assert results(logs, "stats count(*) as n", group, startTime=t + 1, endTime=t + 1) == [{"n": "1000"}]
    first = results(logs, "fields @message | limit 1", group, endTime=t + 600)
    assert first == [{"@message": "line 2999 of 2"}]
    assert results(logs, "parse @message 'line * of *' as i, s | filter i = 7 | sort s asc | display s", group, endTime=t + 600) == [{"s": "0"}, {"s": "1"}, {"s": "2"}]
    assert results(logs, "fields @logStream | parse @message 'line * of *' as i, s | filter i = 7 and s = 1", group, endTime=t + 600) == [{"@logStream": "s1", "i": "7", "s": "1"}]
    assert len(results(logs, "fields @message", group, limit=17, endTime=t + 600)) == 17


def test_what_is_refused(weir, logs):
    group = group_of(logs, ["x"])
    t = int(time.time())
    args = dict(logGroupName=group, queryString="fields @message", startTime=t - 60, endTime=t)
    got = error_of(logs.start_query, **{**args, "queryString": "fields @message | nope"})
    assert got["Error"]["Code"] == "MalformedQueryException"
    assert got["Error"]["Message"] == "unexpected symbol found nope at line 1 and position 19"
    assert got["queryCompileError"] == {"location": {"startCharOffset": 18, "endCharOffset": 22}, "message": got["Error"]["Message"]}
    for change, code in (({"queryString": "pattern @message"}, "MalformedQueryException"), ({"logGroupNames": [group]}, "InvalidParameterException"), ({"logGroupName": "/absent"}, "ResourceNotFoundException"),
                         ({"startTime": t + 10}, "InvalidParameterException"), ({"startTime": t - 90000, "endTime": t - 80000}, "MalformedQueryException")):
        assert error_of(logs.start_query, **{**args, **change})["Error"]["Code"] == code
    got = error_of(logs.start_query, **{**args, "logGroupName": "/absent"})["Error"]["Message"]
    assert re.fullmatch(r"Log group '/absent' does not exist for account ID '000000000000' \(Service: AWSLogs; Status Code: 400; Error Code: ResourceNotFoundException; "
                        r"Request ID: [0-9a-f-]{36}; Proxy: null\)", got)
    assert ask(weir, "StartQuery", **args, queryLanguage="SQL") == "InvalidParameterException"
    assert ask(weir, "PutQueryDefinition", name="n", queryString="q", parameters=[{"name": "p"}]) == "InvalidParameterException"
    del args["logGroupName"]
    assert error_of(logs.start_query, **args)["Error"]["Code"] == "InvalidParameterException"
    assert error_of(logs.start_query, **args, logGroupNames=[f"{group}{i}" for i in range(51)])["Error"]["Code"] == "InvalidParameterException"
    absent = str(uuid.uuid4())
    assert error_of(logs.get_query_results, queryId=absent)["Error"]["Code"] == "ResourceNotFoundException"
    assert error_of(logs.stop_query, queryId=absent)["Error"]["Code"] == "ResourceNotFoundException"
    query_id = start(logs, "fields @message", group)
    ended(logs, query_id)
    assert error_of(logs.stop_query, queryId=query_id)["Error"]["Code"] == "InvalidParameterException"


def test_groups_by_source(weir, logs):
    prefix = "/src/" + uuid.uuid4().hex[:8]
    for name in ("/a", "/ab", "/b", "/c"):
        logs.create_log_group(logGroupName=prefix + name)
        put(logs, prefix + name, [{"name": name, "events": [{"n": 1}, {"n": 2}]}])
    t = int(time.time())
    args = {"startTime": t - 3600, "endTime": t + 60}

    def rows(query):
        got = ended(logs, logs.start_query(queryString=query, **args)["queryId"])
        return [[f["value"] for f in row if f["field"] != "@ptr"] for row in got["results"]]
    text = f"SOURCE logGroups(namePrefix: ['{prefix}/a', '{prefix}/ab', '{prefix}/b']) | fields name | sort name asc"
    assert rows(text) == [["/a"], ["/ab"], ["/b"]]
    assert rows(f"SOURCE logGroups(namePrefix: ['{prefix}'], class: ['STANDARD']) | stats count(*), count_distinct(@log)") == [["4", "4"]]
    assert rows(f"SOURCE logGroups(namePrefix: ['{prefix}'], class: ['INFREQUENT_ACCESS']) | stats count(*)") == []
    assert rows(f"SOURCE logGroups(namePrefix: ['{prefix}/absent'])") == []
    assert rows(f"SOURCE logGroups(namePrefix: ['{prefix}']) | fields jsonParse(@message) as j | unnest j.events into e | stats sum(e.n) as s by name | sort name asc") == [
        [name, "3"] for name in ("/a", "/ab", "/b", "/c")]
    told = logs.describe_queries()["queries"]
    assert [q.get("logGroupName") for q in told if q["queryString"] == text] == [None]
    query_id = logs.start_query(queryString=text, **args)["queryId"]
    assert ask(weir, "ListLogGroupsForQuery", queryId=query_id)["logGroupIdentifiers"] == [prefix + name for name in ("/a", "/ab", "/b")]
    assert ended(logs, query_id)["statistics"]["recordsScanned"] == 3
    assert error_of(logs.start_query, queryString=text, logGroupName=prefix + "/a", **args)["Error"]["Code"] == "InvalidParameterException"
    iam = weir.client("iam")
    iam.create_user(UserName="source")
    iam.put_user_policy(UserName="source", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "logs:StartQuery", "Resource": f"arn:aws:logs:us-east-1:000000000000:log-group:{prefix}/a*:*"}]}))
    key = iam.create_access_key(UserName="source")["AccessKey"]
    asker = weir.client("logs", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert asker.start_query(queryString=f"SOURCE logGroups(namePrefix: ['{prefix}/a'])", **args)["queryId"]
    for refused in (text, "SOURCE logGroups()", f"SOURCE logGroups(namePrefix: ['{prefix}/none'])"):
        assert error_of(asker.start_query, queryString=refused, **args)["Error"]["Code"] == "AccessDeniedException"


def test_permission_for_each_group(weir, logs):
    iam = weir.client("iam")
    mine, other = group_of(logs, ["x"]), group_of(logs, ["x"])
    iam.create_user(UserName="asker")
    iam.put_user_policy(UserName="asker", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "logs:StartQuery", "Resource": f"arn:aws:logs:us-east-1:000000000000:log-group:{mine}:*"}]}))
    key = iam.create_access_key(UserName="asker")["AccessKey"]
    asker = weir.client("logs", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert start(asker, "fields @message", mine)
    t = int(time.time())
    for names in ([other], [mine, other]):
        assert error_of(asker.start_query, logGroupNames=names, queryString="fields @message", startTime=t - 60, endTime=t)["Error"]["Code"] == "AccessDeniedException"


def test_queries_are_listed_and_survive(fresh_weir):
    logs = fresh_weir.client("logs")
    group = group_of(logs, [{"n": i} for i in range(100)])
    query_id = start(logs, "stats sum(n) as total", group)
    assert ended(logs, query_id)["results"] == [[{"field": "total", "value": "4950"}]]
    pending = start(logs, "stats count(*) as n", group)
    fresh_weir.kill9()
    fresh_weir.start()
    logs = fresh_weir.client("logs")
    assert ended(logs, query_id)["results"] == [[{"field": "total", "value": "4950"}]]
    assert ended(logs, pending)["results"] == [[{"field": "n", "value": "100"}]]
    listed = logs.describe_queries(logGroupName=group)["queries"]
    assert [q["queryId"] for q in listed] == [pending, query_id]
    told = [re.sub(r"START=\d+000 END=\d+999 ", "TIMES ", q["queryString"]) for q in listed]
    assert told == [f'SOURCE "{group}" TIMES | stats count(*) as n', f'SOURCE "{group}" TIMES | stats sum(n) as total']
    assert [(q["status"], q["logGroupName"]) for q in listed] == [("Complete", group)] * 2
    assert logs.describe_queries(status="Failed")["queries"] == logs.describe_queries(logGroupName="/other")["queries"] == []
    page = logs.describe_queries(maxResults=1)
    assert [q["queryId"] for q in logs.describe_queries(maxResults=1, nextToken=page["nextToken"])["queries"]] == [query_id]


def test_results_of_encrypted_groups(weir, logs):
    kms = weir.client("kms")
    key, other = key_for_logs(kms), key_for_logs(kms)
    one, two = group_of(logs, ["secret one"], kmsKeyId=key), group_of(logs, ["secret two"], kmsKeyId=other)
    query_id = start(logs, "fields @message | sort @message asc", one, two)
    assert [row[0]["value"] for row in ended(logs, query_id)["results"]] == ["secret one", "secret two"]
    for disabled in (key, other):
        kms.disable_key(KeyId=disabled)
        assert error_of(logs.get_query_results, queryId=query_id)["Error"]["Code"] == "AccessDeniedException"
        assert ended(logs, start(logs, "fields @message", one, two))["status"] == "Failed"
        kms.enable_key(KeyId=disabled)
    assert len(logs.get_query_results(queryId=query_id)["results"]) == 2


def test_definitions(weir, logs):
    made = logs.put_query_definition(name="team/errors", queryString="fields @message", logGroupNames=["/a", "/b"])["queryDefinitionId"]
    token = "t" * 40
    twice = [ask(weir, "PutQueryDefinition", name="other", queryString="stats count(*)", clientToken=token)["queryDefinitionId"] for _ in range(2)]
    assert twice[0] == twice[1]
    seen = logs.describe_query_definitions(queryDefinitionNamePrefix="team/")["queryDefinitions"]
    assert [(d["queryDefinitionId"], d["name"], d["queryString"], d["logGroupNames"]) for d in seen] == [(made, "team/errors", "fields @message", ["/a", "/b"])]
    assert logs.put_query_definition(queryDefinitionId=made, name="team/new", queryString="limit 1")["queryDefinitionId"] == made
    seen = logs.describe_query_definitions(queryDefinitionNamePrefix="team/")["queryDefinitions"]
    assert [(d["name"], d["queryString"], d.get("logGroupNames", [])) for d in seen] == [("team/new", "limit 1", [])]
    page = logs.describe_query_definitions(maxResults=1)
    assert len(page["queryDefinitions"]) == 1 and logs.describe_query_definitions(maxResults=1, nextToken=page["nextToken"])["queryDefinitions"]
    for d in (made, twice[0]):
        assert logs.delete_query_definition(queryDefinitionId=d)["success"]
    assert error_of(logs.delete_query_definition, queryDefinitionId=made)["Error"]["Code"] == "ResourceNotFoundException"
    assert error_of(logs.put_query_definition, queryDefinitionId=made, name="n", queryString="q")["Error"]["Code"] == "ResourceNotFoundException"


def test_fields_of_a_group(logs):
    group = group_of(logs, [{"a": 1, "b": {"c": 2}}, {"a": 1}])
    fields = {f["name"]: f["percent"] for f in logs.get_log_group_fields(logGroupName=group)["logGroupFields"]}
    assert fields == {"@timestamp": 100, "@ingestionTime": 100, "@message": 100, "@logStream": 100, "@log": 100, "a": 100, "b.c": 50}
    assert logs.get_log_group_fields(logGroupName=group, time=int(time.time()) - 3600)["logGroupFields"] == []


def test_groups_listed_by_pattern(weir, logs):
    for name in ("/lst/alpha", "/lst/beta", "/pre/lst"):
        logs.create_log_group(logGroupName=name)

    def names(**kw):
        return [g["logGroupName"] for g in ask(weir, "ListLogGroups", **kw)["logGroups"]]
    assert names(logGroupNamePattern="/lst") == ["/lst/alpha", "/lst/beta", "/pre/lst"]
    assert names(logGroupNamePattern="^/lst|pre") == ["/lst/alpha", "/lst/beta", "/pre/lst"]
    assert names(logGroupNamePattern="^/lst") == ["/lst/alpha", "/lst/beta"] and names(logGroupNamePattern="/LST") == []
    page = ask(weir, "ListLogGroups", logGroupNamePattern="^/lst", limit=1)
    assert [g["logGroupName"] for g in ask(weir, "ListLogGroups", logGroupNamePattern="^/lst", limit=1, nextToken=page["nextToken"])["logGroups"]] == ["/lst/beta"]
    assert ask(weir, "PutLogGroupDeletionProtection", logGroupIdentifier="/lst/alpha", deletionProtectionEnabled=True) == {}
    assert error_of(logs.delete_log_group, logGroupName="/lst/alpha")["Error"]["Code"] == "ValidationException"
    assert ask(weir, "PutLogGroupDeletionProtection", logGroupIdentifier="/lst/alpha", deletionProtectionEnabled=False) == {}
    logs.delete_log_group(logGroupName="/lst/alpha")


def test_aws_cli(weir, logs):
    group = group_of(logs, [{"level": "ERROR", "n": 1}, {"level": "INFO", "n": 2}])
    put(logs, group, ["second stream"], "s2")

    def aws(*args):
        done = subprocess.run(["aws", "--endpoint-url", weir.endpoint, "logs", *args], env=weir.script_env(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
    lines = aws("tail", group, "--since", "1h", "--format", "short").splitlines()
    assert len(lines) == 3 and any(line.endswith("second stream") for line in lines)
    assert len(aws("tail", group, "--since", "1h", "--filter-pattern", "{ $.level = ERROR }").splitlines()) == 1
    t = int(time.time())
    query = json.loads(aws("start-query", "--log-group-name", group, "--start-time", str(t - 60), "--end-time", str(t + 60),
                           "--query-string", "stats count(*) as n by level | sort level", "--output", "json"))["queryId"]
    ended(logs, query)
    got = json.loads(aws("get-query-results", "--query-id", query, "--output", "json"))
    assert got["status"] == "Complete" and [[f["value"] for f in row] for row in got["results"]] == [["1"], ["ERROR", "1"], ["INFO", "1"]]
