"""The quote-elt pipeline, deployed by its own scripts: documents of the API, days of them as facts, aggregates and
statistics, limits of their quality, runs that are given up."""
import ctypes
import glob
import json
import os
import random
import re
import statistics
import subprocess
import sys
import urllib.request

import pytest
from botocore.exceptions import ClientError

from weirtest import ROOT, Weir, wait_for

PIPELINE = os.path.join(ROOT, "pipelines", "quote-elt")
BUILD = os.environ.get("WEIR_BUILD", os.path.join(ROOT, "build"))
sys.path.insert(0, PIPELINE)
import quotes_server  # noqa: E402

LIMITS = [{"statistic": "rows", "min": 1}, {"column": "author", "statistic": "nulls", "max": 0},
          {"column": "quote_length", "statistic": "max", "max": 9000}]
DAY = "2024-02-28"
COLUMNS = {"quote_id": str, "quote": str, "author": str, "author_slug": str, "added_on": "date", "modified_on": "date",
           "quote_length": int, "word_count": int, "tag_count": int}


class Duck:
    """Reads Parquet by the library of the layer."""

    class Result(ctypes.Structure):
        _fields_ = [("n", ctypes.c_uint64 * 3), ("p", ctypes.c_void_p * 3)]

    def __init__(self):
        self.lib = ctypes.CDLL(glob.glob(os.path.join(PIPELINE, "layer/node_modules/@duckdb/*/libduckdb.so"))[0])
        for name in ("duckdb_value_varchar", "duckdb_result_error"):
            getattr(self.lib, name).restype = ctypes.c_char_p
        for name in ("duckdb_row_count", "duckdb_column_count"):
            getattr(self.lib, name).restype = ctypes.c_uint64
        database, self.connection = ctypes.c_void_p(), ctypes.c_void_p()
        assert self.lib.duckdb_open(None, ctypes.byref(database)) == 0
        assert self.lib.duckdb_connect(database, ctypes.byref(self.connection)) == 0

    def query(self, sql):
        result = Duck.Result()
        at = ctypes.byref(result)
        if self.lib.duckdb_query(self.connection, sql.encode(), at) != 0:
            raise AssertionError(self.lib.duckdb_result_error(at))

        def cell(row, column):
            text = self.lib.duckdb_value_varchar(at, ctypes.c_uint64(column), ctypes.c_uint64(row))
            return text.decode() if text is not None else None
        return [tuple(cell(row, column) for column in range(self.lib.duckdb_column_count(at)))
                for row in range(self.lib.duckdb_row_count(at))]


class Deployed:
    def __init__(self, weir):
        self.weir = weir
        self.s3, self.awslambda, self.ddb = weir.client("s3"), weir.client("lambda"), weir.client("dynamodb")
        self.sqs = weir.client("sqs")
        self.names = self.deploy()
        self.bucket = self.names["BUCKET"]

    def script(self, name, *args, **env):
        env = {**self.weir.cli_env(), "WEIR_BUILD": BUILD, **env}
        done = subprocess.run([os.path.join(PIPELINE, name), self.weir.endpoint, *args], env=env, capture_output=True, text=True,
                              timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def deploy(self):
        lines = self.script("deploy.sh", LIMITS=json.dumps(LIMITS)).splitlines()
        return dict(line.split("=", 1) for line in lines)

    def api_answers(self, document):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.s3.put_object(Bucket=self.bucket, Key="api/quotes/random", Body=body)

    def invoke(self, function, event):
        """The answer; or of an error its type and message."""
        reply = self.awslambda.invoke(FunctionName=self.names[function], Payload=event if isinstance(event, str) else json.dumps(event))
        answer = json.loads(reply["Payload"].read())
        return (answer["errorType"], answer["errorMessage"]) if "FunctionError" in reply else answer

    def ingest(self, time, document):
        self.api_answers(document)
        return self.invoke("INGEST_FUNCTION", {"time": time})

    def daily(self, **event):
        return self.invoke("DAILY_FUNCTION", event)

    def raw(self, day):
        pages = self.ddb.get_paginator("query").paginate(
            TableName=self.names["RAW_TABLE"], KeyConditionExpression="ingested_date = :d", ExpressionAttributeValues={":d": {"S": day}})
        return [item for page in pages for item in page["Items"]]

    def history(self, day):
        return self.ddb.get_item(TableName=self.names["HISTORY_TABLE"], Key={"ingested_date": {"S": day}}).get("Item")

    def objects(self, day):
        found = self.s3.list_objects_v2(Bucket=self.bucket)["Contents"]
        return {o["Key"]: o["ETag"] for o in found if day in o["Key"]}

    def told(self, n):
        """The next n messages of the queue."""
        got = []

        def more():
            reply = self.sqs.receive_message(QueueUrl=self.names["QUALITY_QUEUE_URL"], MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in reply.get("Messages", []):
                got.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.names["QUALITY_QUEUE_URL"], ReceiptHandle=message["ReceiptHandle"])
            return len(got) >= n
        wait_for(more, 30, f"{n} messages of the queue")
        assert len(got) == n, got
        return got

    def nothing_told(self):
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.names["QUALITY_QUEUE_URL"],
                                                   AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"])
        return set(attributes["Attributes"].values()) == {"0"}


@pytest.fixture(scope="module")
def deployed():
    with Weir(args=["--async-retry-base-ms", "100"]) as weir:
        yield Deployed(weir)


def document(n, chance):
    """A hundred quotes, long enough for a day of two documents to be two pages of the table."""
    words = ["weir", "mill", "Wasser", "été", "\"quoted\"", "line\nbreak", "水"]
    made = []
    for i in range(n):
        text = " ".join(chance.choices(words, k=chance.randint(700, 1100)))
        made.append({"_id": f"q{chance.randint(0, 60)}", "content": text, "author": f"author {chance.randint(0, 5)}", "length": len(text),
                     "authorSlug": chance.choice(["", None, "a"]), "tags": chance.sample(["x", "y, z", "ü"], chance.randint(0, 3)),
                     "dateAdded": f"2023-0{chance.randint(1, 9)}-11", "dateModified": chance.choice([None, "2023-04-14", "soon"])})
    return made


@pytest.fixture(scope="module")
def day(deployed):
    """What was ingested on DAY, with the moment of each, and the answer of the daily run."""
    chance = random.Random(8)
    documents = {f"{DAY}T00:00:00Z": document(100, chance), f"{DAY}T12:00:00.500Z": document(1, chance)[0],
                 f"{DAY}T12:01:00Z": [], f"{DAY}T23:59:00Z": document(100, chance)}
    for time, made in documents.items():
        n = len(made) if isinstance(made, list) else 1
        at = re.sub(r"(:\d\d)Z", r"\1.000Z", time)
        assert deployed.ingest(time, made) == {"type": "quotes.ingested", "at": at, "received": n, "new": n}
    # Other days' quotes are not DAY's.
    for time in ("2024-02-27T23:59:59Z", "2024-02-29T00:00:00Z"):
        deployed.ingest(time, quotes_server.quotes(1))
    rows = [(f"{time[:-1][:19]}.{(500 if '.' in time else 0) + nth:03}Z", quote) for time, made in documents.items()
            for nth, quote in enumerate(made if isinstance(made, list) else [made])]
    return rows, deployed.daily(time="2024-02-29T12:00:00Z")


def test_raw_items(deployed, day):
    items = deployed.raw(DAY)
    first = deployed.ddb.query(TableName=deployed.names["RAW_TABLE"], KeyConditionExpression="ingested_date = :d",
                               ExpressionAttributeValues={":d": {"S": DAY}})
    assert "LastEvaluatedKey" in first  # the daily run has to turn the page
    assert [i["ingested_at"]["S"] for i in items] == [at for at, _ in day[0]]
    for item, (_, quote) in zip(items, day[0]):
        want = {"ingested_date": {"S": DAY}, "ingested_at": item["ingested_at"], "quote_id": {"S": quote["_id"]},
                "quote": {"S": quote["content"]}, "author": {"S": quote["author"]}, "quote_length": {"N": str(quote["length"])},
                "added_on": {"S": quote["dateAdded"]}}
        if quote["authorSlug"]:
            want["author_slug"] = {"S": quote["authorSlug"]}
        if quote["dateModified"]:
            want["modified_on"] = {"S": quote["dateModified"]}
        if quote["tags"]:
            want["tags"] = {"L": [{"S": t} for t in quote["tags"]]}
        assert item == want


def facts(quote):
    return {"quote_id": quote["_id"], "quote": quote["content"], "author": quote["author"], "author_slug": quote["authorSlug"] or None,
            "added_on": quote["dateAdded"], "modified_on": quote["dateModified"] if quote["dateModified"] != "soon" else None,
            "quote_length": quote["length"], "word_count": len(quote["content"].split()), "tag_count": len(quote["tags"])}


def described(values, kind):
    from datetime import date
    there = [v for v in values if v is not None]
    got = {"count": len(there), "distinct": len(set(there)), "min": min(there), "max": max(there), "range": None, "mean": None,
           "variance": None, "standard_deviation": None, "nulls": len(values) - len(there)}
    if kind is int:
        got.update(range=max(there) - min(there), mean=round(statistics.mean(there), 6), variance=round(statistics.variance(there), 6),
                   standard_deviation=round(statistics.stdev(there), 6))
    elif kind == "date":
        got["range"] = (date.fromisoformat(max(there)) - date.fromisoformat(min(there))).days
    return got


def test_statistics(deployed, day):
    rows, answer = day
    all_facts = [facts(quote) for _, quote in rows]
    want = {name: described([f[name] for f in all_facts], kind) for name, kind in COLUMNS.items()}
    assert answer == {"type": "quotes.statistics", "date": DAY, "rows": 201, "columns": want, "failed_limits": []}
    events = deployed.weir.client("logs").filter_log_events(logGroupName=deployed.names["LOG_GROUP"])["events"]
    lines = [json.loads(e["message"]) for e in events if e["message"].startswith('{"type":"quotes.statistics"')]
    assert lines == [answer]
    assert deployed.nothing_told()


def test_parquet_and_history(deployed, day, tmp_path):
    rows, answer = day
    item = deployed.history(DAY)
    assert (item["rows"]["N"], item["failed_limits"]["N"], json.loads(item["statistics"]["S"])) == ("201", "0", answer)
    assert set(deployed.objects(DAY)) == {item["facts_key"]["S"], item["aggregates_key"]["S"]}
    for key in ("facts", "aggregates"):
        deployed.s3.download_file(deployed.bucket, item[f"{key}_key"]["S"], str(tmp_path / f"{key}.parquet"))
    duck = Duck()
    got = duck.query(f"SELECT ingested_date, strftime(ingested_at, '%Y-%m-%dT%H:%M:%S.%gZ'), {', '.join(COLUMNS)}, "
                     f"CAST(to_json(tags) AS VARCHAR) FROM '{tmp_path}/facts.parquet'")
    assert got == [(DAY, at, *(str(v) if v is not None else None for v in facts(quote).values()),
                    json.dumps(quote["tags"], ensure_ascii=False, separators=(",", ":")) if quote["tags"] else None) for at, quote in rows]
    got = duck.query(f"SELECT author, quotes, distinct_quotes, shortest, longest, mean_length, words FROM '{tmp_path}/aggregates.parquet'")
    by_author = {}
    for _, quote in rows:
        by_author.setdefault(quote["author"], []).append(quote)
    assert [(a, int(n), int(d), int(s), int(m), float(mean), int(words)) for a, n, d, s, m, mean, words in got] == [
        (author, len(q), len({x["_id"] for x in q}), min(x["length"] for x in q), max(x["length"] for x in q),
         round(statistics.mean(x["length"] for x in q), 6), sum(len(x["content"].split()) for x in q))
        for author, q in sorted(by_author.items())]


def test_repeated_runs_change_nothing(deployed, day):
    raw, history, objects = deployed.raw(DAY), deployed.history(DAY), deployed.objects(DAY)
    assert deployed.ingest(f"{DAY}T23:59:00Z", document(100, random.Random(9)))["new"] == 0
    assert deployed.daily(date=DAY) == day[1]
    assert json.loads(deployed.script("run-now.sh", "daily", DAY)) == day[1]
    assert (deployed.raw(DAY), deployed.history(DAY), deployed.objects(DAY)) == (raw, history, objects)
    assert deployed.nothing_told()


def test_limits_that_fail_are_told(deployed):
    late = "2024-05-05"
    assert deployed.daily(date=late)["failed_limits"] == [{"statistic": "rows", "value": 0, "min": 1}]
    (event,) = deployed.told(1)
    assert (event["source"], event["detail-type"]) == ("quote-elt", "Quotes Quality Limit Failed")
    assert event["detail"] == {"date": late, "statistic": "rows", "value": 0, "min": 1}
    assert deployed.history(late)["rows"]["N"] == "0" and len(deployed.objects(late)) == 2
    # Quotes that come late make it another day, which is told once.
    deployed.ingest(f"{late}T01:00:00Z", [{"_id": "a", "content": "b", "length": 9001}, {"_id": "c", "content": "d"}])
    before = deployed.objects(late)
    for _ in range(2):
        answer = deployed.daily(date=late)
        assert answer["failed_limits"] == [{"column": "author", "statistic": "nulls", "value": 2, "max": 0},
                                           {"column": "quote_length", "statistic": "max", "value": 9001, "max": 9000}]
        assert answer["columns"]["quote_length"]["variance"] is None  # of one value
    assert [e["detail"] for e in sorted(deployed.told(2), key=lambda e: e["detail"]["column"])] == [
        {"date": late, **limit} for limit in answer["failed_limits"]]
    assert deployed.nothing_told()
    assert deployed.history(late)["failed_limits"]["N"] == "2" and deployed.objects(late) != before


@pytest.mark.parametrize("document,why", [
    (b"<html>", "it is not JSON, from byte 0 on"),
    ([{"_id": "a", "content": "b"}, {"_id": "c"}], "quote 2: content is missing"),
    ([{"_id": "a", "content": "b"}] * 101, "it has 101 quotes, more than 100"),
    (b" " * (1 << 20) + b"[]", None),
], ids=["not JSON", "not whole", "too many", "too long"])
def test_bad_documents(deployed, document, why):
    kind, text = deployed.ingest("2024-06-06T00:00:00Z", document)
    url = deployed.names["QUOTES_URL"]
    assert (kind, text) == ("Pipeline.BadDocument", f"{url}: {why}") if why else \
        ("Pipeline.Api", f"{url}: its answer is longer than 1048576 bytes")
    assert deployed.raw("2024-06-06") == []


def test_an_api_that_does_not_answer(deployed):
    deployed.s3.delete_object(Bucket=deployed.bucket, Key="api/quotes/random")
    kind, text = deployed.invoke("INGEST_FUNCTION", {"time": "2024-06-06T00:00:00Z"})
    assert kind == "Pipeline.Api" and text.endswith(": it answered with status 403")


def test_bad_events(deployed):
    for function, event in (("INGEST_FUNCTION", {"time": "soon"}), ("DAILY_FUNCTION", {"date": "2024-02-30x"}),
                            ("DAILY_FUNCTION", {"time": 7})):
        assert deployed.invoke(function, event)[0] == "Pipeline.BadEvent"


def test_a_run_that_is_given_up_is_told(deployed):
    deployed.awslambda.invoke(FunctionName=deployed.names["DAILY_FUNCTION"], InvocationType="Event", Payload=b'{"date":"x"}')
    (event,) = deployed.told(1)
    assert (event["source"], event["detail-type"]) == ("lambda", "Lambda Function Invocation Result - Failure")
    assert event["detail"]["requestContext"]["approximateInvokeCount"] == 3
    assert event["detail"]["requestPayload"] == {"date": "x"}


def test_documents_of_the_quotes_server(deployed):
    server = subprocess.Popen([sys.executable, os.path.join(PIPELINE, "quotes_server.py"), "--listen", "127.0.0.1:0", "--seed", "3"],
                              stdout=subprocess.PIPE, text=True)
    try:
        url = server.stdout.readline().split()[-1]
        for nth, (path, n) in enumerate({"/random": 1, "/quotes/random?limit=12": 12}.items()):
            with urllib.request.urlopen(url + path, timeout=10) as reply:
                assert deployed.ingest(f"2024-07-07T00:0{nth}:00Z", reply.read())["new"] == n
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(url + "/quotes/random?limit=x", timeout=10)
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()
    assert deployed.daily(date="2024-07-07")["columns"]["quote_id"]["distinct"] == len(quotes_server.QUOTES)


def test_schedules(deployed):
    scheduler = deployed.weir.client("scheduler")
    for name, expression in (("ingest", "rate(1 minutes)"), ("daily", "cron(0 12 * * ? *)")):
        schedule = scheduler.get_schedule(Name=f"quote-elt-{name}")
        target = schedule["Target"]
        assert (schedule["ScheduleExpression"], schedule["State"]) == (expression, "ENABLED")
        assert target["Arn"].endswith(f":function:quote-elt-{name}") and target["RoleArn"].endswith(":role/quote-elt-scheduler")
        assert target["Input"] == '{"time":"<aws.scheduler.scheduled-time>"}'


def test_roles_allow_what_is_needed_and_no_more(deployed):
    """The ingesting function may write quotes and read none; the documents are all that is open."""
    iam = deployed.weir.client("iam")

    def actions(role):
        statements = iam.get_role_policy(RoleName=role, PolicyName="work")["PolicyDocument"]["Statement"]
        assert all("*" not in r.replace("/*", "").replace(":*", "") for s in statements for r in [str(s["Resource"])])
        return {a for s in statements for a in (s["Action"] if isinstance(s["Action"], list) else [s["Action"]])}
    logs = {"logs:CreateLogStream", "logs:PutLogEvents", "events:PutEvents"}
    assert actions("quote-elt-ingest") == {"dynamodb:PutItem"} | logs
    assert actions("quote-elt-daily") == {"dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem", "s3:PutObject"} | logs
    assert actions("quote-elt-scheduler") == {"lambda:InvokeFunction"}
    deployed.api_answers([])
    assert urllib.request.urlopen(deployed.names["QUOTES_URL"], timeout=10).read() == b"[]"
    for key in deployed.objects(DAY):
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{deployed.weir.endpoint}/{deployed.bucket}/{key}", timeout=10)


def test_deploying_again_changes_nothing(deployed):
    before = [deployed.awslambda.get_function_configuration(FunctionName=f"quote-elt-{n}") for n in ("ingest", "daily")]
    assert deployed.deploy() == deployed.names
    for old in before:
        new = deployed.awslambda.get_function_configuration(FunctionName=old["FunctionName"])
        assert all(new[k] == old[k] for k in ("CodeSha256", "Layers", "Environment", "Role", "Timeout", "MemorySize"))
        assert [layer["Arn"] for layer in new["Layers"]] == [deployed.names["LAYER_ARN"]]
    assert len(deployed.awslambda.list_layer_versions(LayerName="quote-elt-duckdb")["LayerVersions"]) == 1
    assert deployed.history(DAY)["rows"]["N"] == "201"


def test_the_program_asks_for_no_newer_c_library_than_lambdas():
    """That of provided.al2023 is 2.34."""
    program = os.path.join(BUILD, "functions", "quote-elt", "bootstrap")
    symbols = subprocess.run(["objdump", "-T", program], capture_output=True, text=True, check=True).stdout
    versions = {tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_([0-9.]+)", symbols)}
    assert versions and max(versions) <= (2, 34)


def test_undeploy_leaves_nothing(deployed):
    deployed.script("undeploy.sh")
    weir = deployed.weir
    assert deployed.awslambda.list_functions()["Functions"] == []
    assert deployed.awslambda.list_layers()["Layers"] == []
    assert deployed.ddb.list_tables()["TableNames"] == []
    assert deployed.s3.list_buckets()["Buckets"] == []
    assert deployed.sqs.list_queues().get("QueueUrls", []) == []
    assert weir.client("scheduler").list_schedules()["Schedules"] == []
    assert [b["Name"] for b in weir.client("events").list_event_buses()["EventBuses"]] == ["default"]
    assert weir.client("iam").list_roles()["Roles"] == []
    assert weir.client("logs").describe_log_groups()["logGroups"] == []
    with pytest.raises(ClientError):
        deployed.s3.head_bucket(Bucket=deployed.bucket)
