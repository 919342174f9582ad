"""The async-jobs pipeline, deployed by its own scripts: jobs of both kinds, repeated and at once; jobs that fail;
an error handler that fails, and the replay that mends it; kills."""
import json
import os
import random
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from weirtest import ROOT, Weir, wait_for

sys.path.insert(0, os.path.join(ROOT, "tests", "compat"))
from test_streams import Stage as Streams  # noqa: E402

PIPELINE = os.path.join(ROOT, "pipelines", "async-jobs")
JOBS, KILLS = 300, 4
NOT_A_NUMBER = "number 2 of the input is not a whole number of 64 bits"


class Deployed:
    def __init__(self, weir):
        self.weir = weir
        self.ddb, self.awslambda, self.events = weir.client("dynamodb"), weir.client("lambda"), weir.client("events")
        self.names = self.deploy()
        self.table = self.names["TABLE"]

    def script(self, name, **env):
        done = subprocess.run([os.path.join(PIPELINE, name), self.weir.endpoint], env={**self.weir.script_env(), **env},
                              capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(line.split("=", 1) for line in done.stdout.splitlines())

    def deploy(self, **env):
        return self.script("deploy.sh", ERROR_RETRIES="1", RETRIES="1", **env)

    def put(self, name, kind, text, **more):
        attributes = {"id": name, "kind": kind, "input": text, **more}
        self.ddb.put_item(TableName=self.table, Item={k: {"S": v} for k, v in attributes.items() if v is not None},
                          ConditionExpression="attribute_not_exists(id)")

    def job(self, name):
        return self.ddb.get_item(TableName=self.table, Key={"id": {"S": name}}, ConsistentRead=True).get("Item", {})

    def settled(self, name):
        return wait_for(lambda: "status" in self.job(name) and self.job(name), 60, f"outcome of {name}")

    def done(self, name):
        job = self.settled(name)
        assert (job["status"]["S"], job["version"]["N"]) == ("DONE", "1"), job
        return {k: int(v["N"]) for k, v in job["result"]["M"].items()}

    def failed(self, name):
        job = self.settled(name)
        assert (job["status"]["S"], job["version"]["N"]) == ("FAILED", "1"), job
        return job["reason"]["S"]

    def archived(self):
        return self.events.describe_archive(ArchiveName=self.names["ARCHIVE"])["EventCount"]

    def records(self):
        return Streams(self.weir).read(self.names["STREAM_ARN"])

    def credentials(self):
        """Of who may call the API, and nothing else."""
        got = self.weir.client("sts").assume_role(RoleArn=self.names["CALLER_ROLE_ARN"], RoleSessionName="test")["Credentials"]
        return Credentials(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])

    def call(self, method, path, body=None, credentials=None):
        """A request to the API: its status and what it answers."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = AWSRequest(method, self.names["API_URL"] + path, data=data, headers={"Content-Type": "application/json"} if data else {})
        if credentials:
            SigV4Auth(credentials, "execute-api", self.weir.region).add_auth(request)
        try:
            with urllib.request.urlopen(urllib.request.Request(request.url, data, dict(request.headers), method=method), timeout=30) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as e:
            return e.code, json.loads(e.read())

    def invoke(self, function, event):
        reply = self.awslambda.invoke(FunctionName=function, Payload=event)
        return reply.get("FunctionError"), reply["Payload"].read().decode()


@pytest.fixture(scope="module")
def deployed():
    with Weir(args=["--async-retry-base-ms", "100"]) as weir:
        yield Deployed(weir)


def test_jobs_are_done(deployed):
    deployed.put("w", "words", " the cat\tand the\n dog ")
    deployed.put("w-none", "words", "")
    deployed.put("s", "sum", "1 -20 300\n9223372036854775000")
    assert deployed.done("w") == {"words": 5, "distinct": 4}
    assert deployed.done("w-none") == {"words": 0, "distinct": 0}
    assert deployed.done("s") == {"numbers": 4, "sum": 9223372036854775281}
    job = deployed.job("w")
    assert (job["kind"], job["input"]) == ({"S": "words"}, {"S": " the cat\tand the\n dog "})


def test_jobs_by_the_api(deployed):
    who = deployed.credentials()
    for job, outcome in [({"kind": "words", "input": 'the "cat"\nthe \u00e9l\u00e9phant\'s'}, {"status": "DONE", "result": {"words": 4, "distinct": 3}}),
                         ({"kind": "sum", "input": "1 x"}, {"status": "FAILED", "reason": NOT_A_NUMBER})]:
        status, answer = deployed.call("POST", "/jobs", job, who)
        assert status == 200, answer
        name = answer["id"]
        settled = wait_for(lambda: (got := deployed.call("GET", f"/jobs/{name}", credentials=who))[1].get("status") != "PENDING" and got, 60, "outcome")
        assert settled == (200, {"id": name, "kind": job["kind"], **outcome})
        assert deployed.job(name)["input"] == {"S": job["input"]}
    deployed.ddb.put_item(TableName=deployed.table, Item={"id": {"S": "no-kind-of-work"}})
    assert deployed.call("GET", "/jobs/no%22such'job", credentials=who) == (404, {"message": "there is no job with this id"})


def test_what_the_api_refuses(deployed):
    who = deployed.credentials()
    for body in [{}, {"kind": "words"}, {"kind": "weather", "input": "Bern"}, {"kind": "sum", "input": ""}, {"kind": "sum", "input": "1", "id": "x"}, b"{"]:
        assert deployed.call("POST", "/jobs", body, who) == (400, {"message": "Invalid request body"}), body
    job = {"kind": "sum", "input": "1"}
    assert deployed.call("POST", "/jobs", job)[0] == 403
    assert deployed.call("POST", "/jobs", job, Credentials("AKIAAAAAAAAAAAAAAAAA", "x" * 40))[0] == 403
    # Who may call the API may not write into the table.
    table = deployed.weir.client("dynamodb", key=who.access_key, secret=who.secret_key, token=who.token)
    with pytest.raises(ClientError, match="AccessDenied"):
        table.put_item(TableName=deployed.table, Item={"id": {"S": "by-hand"}})


def test_the_access_log(deployed):
    who = deployed.credentials()
    deployed.call("GET", "/jobs/nobody", credentials=who)
    logs = deployed.weir.client("logs")

    def lines():
        events = logs.filter_log_events(logGroupName="/aws/apigateway/async-jobs")["events"]
        return [e for e in map(lambda e: json.loads(e["message"]), events) if e["status"] == "404"]

    line = wait_for(lines, 30, "line in the access log")[-1]
    assert (line["method"], line["resource"], line["ip"]) == ("GET", "/jobs/{jobId}", "127.0.0.1")
    assert ":test" in line["user"] and line["requestId"]


@pytest.mark.parametrize("name,kind,text,reason", [
    ("x-text", "sum", "1 x 2", NOT_A_NUMBER),
    ("x-large", "sum", "9223372036854775807 1", "with number 2 the sum takes more than 64 bits"),
    ("x-kind", "weather", "Bern", "its kind is neither words nor sum"),
    ("x-none", None, "1 2", "its kind is neither words nor sum"),
    ("x-input", "words", None, "it has no input that is text"),
])
def test_a_job_that_cannot_be_done_is_marked(deployed, name, kind, text, reason):
    deployed.put(name, kind, text)
    assert deployed.failed(name) == reason


def test_repeated_records_change_nothing(deployed):
    """The whole stream once more to a consumer, and the same job put again."""
    deployed.put("again", "words", "a b")
    deployed.done("again")
    with pytest.raises(deployed.ddb.exceptions.ConditionalCheckFailedException):
        deployed.put("again", "words", "a b c")
    before = deployed.job("again")
    of_it = [{"eventName": r["eventName"], "dynamodb": {k: r["dynamodb"][k] for k in ("Keys", "NewImage", "SequenceNumber")}}
             for r in deployed.records() if r["dynamodb"]["Keys"]["id"]["S"] == "again"]
    assert [r["eventName"] for r in of_it] == ["INSERT", "MODIFY"]
    assert deployed.invoke(deployed.names["WORDS_FUNCTION"], json.dumps({"Records": of_it * 3})) == (None, '{"batchItemFailures":[]}')
    assert deployed.job("again") == before


def test_who_changes_a_job_at_once_loses_nothing(deployed):
    """Writers move the version of jobs while consumers settle them: every change stays, every result comes."""
    names = [f"busy-{n}" for n in range(6)]

    def touch(name):
        for _ in range(15):
            deployed.ddb.update_item(TableName=deployed.table, Key={"id": {"S": name}},
                                     UpdateExpression="ADD version :one, touched :one", ExpressionAttributeValues={":one": {"N": "1"}})

    def both(name):
        deployed.put(name, "sum", "4 5")
        touch(name)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(both, names))
    for name in names:
        job = deployed.settled(name)
        assert (job["status"]["S"], job["result"]["M"]["sum"]["N"]) == ("DONE", "9"), job
        assert (job["touched"]["N"], job["version"]["N"]) == ("15", "16")


def test_bad_events(deployed):
    for event in ("[1]", "{}", '{"Records": [{"Sns": {"Message": "x"}}]}', '{"Records": [{}]}'):
        error, text = deployed.invoke(deployed.names["ERRORS_FUNCTION"], event)
        assert error == "Unhandled" and "Pipeline.BadEvent" in text
    error, text = deployed.invoke(deployed.names["SUM_FUNCTION"], '{"Records": [{"eventName": "INSERT"}]}')
    assert error == "Unhandled" and "Pipeline.BadEvent" in text


def test_a_replay_brings_failures_of_the_error_handler_through(deployed):
    deployed.deploy(MARKING="off")
    names = ["late-1", "late-2"]
    for name in names:
        deployed.put(name, "sum", "1 x")
    deployed.put("fine", "sum", "1 2")
    wait_for(lambda: deployed.archived() == 2, 60, "the failures in the archive")
    assert deployed.done("fine") == {"numbers": 2, "sum": 3}  # nobody waits for the others
    assert all("status" not in deployed.job(name) for name in names)
    # Replayed too early it fails again, and is kept again.
    deployed.script("replay.sh")
    wait_for(lambda: deployed.archived() == 4, 60, "the failures of the replay")
    deployed.names = deployed.deploy()  # which says MARKING=on
    assert deployed.script("replay.sh")["STATE"] == "COMPLETED"
    assert [deployed.failed(name) for name in names] == [NOT_A_NUMBER] * 2
    assert deployed.archived() == 4


def test_deploying_again_changes_nothing(deployed):
    """By the deployment of the test before."""
    mappings = deployed.awslambda.list_event_source_mappings()["EventSourceMappings"]
    assert len(mappings) == 2 and {m["State"] for m in mappings} == {"Enabled"}
    assert deployed.names == {**deployed.names, "TABLE": "async-jobs", "BUS": "async-jobs", "ARCHIVE": "async-jobs"}
    assert len(deployed.weir.client("sns").list_subscriptions()["Subscriptions"]) == 1
    kms = deployed.weir.client("kms")
    assert len(kms.list_keys()["Keys"]) == 1
    assert kms.describe_key(KeyId="alias/async-jobs")["KeyMetadata"]["Arn"] == deployed.names["KEY_ARN"]
    assert deployed.awslambda.get_function_configuration(FunctionName="async-jobs-errors")["Environment"]["Variables"]["MARKING"] == "on"


def want_of(n):
    """Kind, input and outcome of the nth job: words, sums, and now and then one that fails."""
    if n % 15 == 0:
        return "sum", f"{n} x", NOT_A_NUMBER
    if n % 2:
        return "words", "a " * n, {"words": n, "distinct": 1}
    return "sum", f"{n} {-2 * n}", {"numbers": 2, "sum": -n}


def test_killed_again_and_again(deployed):
    put = threading.Semaphore(0)

    def until_put(n):
        kind, text, _ = want_of(n)

        def attempt():
            try:
                deployed.put(f"job-{n}", kind, text)
            except deployed.ddb.exceptions.ConditionalCheckFailedException:
                pass  # the answer to the try before was lost
            except (BotoCoreError, ClientError):
                return False
            return True
        wait_for(attempt, 60, "the server")
        put.release()

    chance = random.Random(8)
    with ThreadPoolExecutor(4) as pool:
        puts = pool.map(until_put, range(1, JOBS + 1))
        for _ in range(KILLS):
            for _ in range(chance.randint(20, JOBS // KILLS)):
                put.acquire()
            deployed.weir.kill9()
            deployed.weir.start()
        list(puts)

    def jobs():
        pages = deployed.ddb.get_paginator("scan").paginate(TableName=deployed.table, ConsistentRead=True)
        return {i["id"]["S"]: i for page in pages for i in page["Items"] if i["id"]["S"].startswith("job-")}

    wait_for(lambda: all("status" in job for job in jobs().values()), 120, "every outcome")
    got = jobs()
    assert len(got) == JOBS
    for n in range(1, JOBS + 1):
        want = want_of(n)[2]
        is_failure = isinstance(want, str)
        assert (deployed.failed if is_failure else deployed.done)(f"job-{n}") == want


def test_undeploy_leaves_nothing(deployed):
    deployed.script("undeploy.sh")
    weir = deployed.weir
    assert deployed.ddb.list_tables()["TableNames"] == []
    assert deployed.awslambda.list_functions()["Functions"] == []
    wait_for(lambda: deployed.awslambda.list_event_source_mappings()["EventSourceMappings"] == [], 30, "the mappings' end")
    sns = weir.client("sns")
    assert sns.list_topics()["Topics"] == [] and sns.list_subscriptions()["Subscriptions"] == []
    assert [b["Name"] for b in deployed.events.list_event_buses()["EventBuses"]] == ["default"]
    assert deployed.events.list_archives()["Archives"] == []
    assert weir.client("iam").list_roles()["Roles"] == []
    assert weir.client("logs").describe_log_groups()["logGroups"] == []
    kms = weir.client("kms")
    assert [a for a in kms.list_aliases()["Aliases"] if a["AliasName"] == "alias/async-jobs"] == []
    assert kms.describe_key(KeyId=deployed.names["KEY_ARN"])["KeyMetadata"]["KeyState"] == "PendingDeletion"
    deployed.script("undeploy.sh")  # nothing left is not an error
