"""Lambda by unmodified boto3, with functions in Python that are zipped here."""
import base64
import io
import json
import os
import re
import urllib.request
import uuid
import zipfile

import pytest
from botocore.exceptions import ClientError

from weirtest import wait_for

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})

ECHO = """
import os, sys, json, time
def handler(event, context):
    kind = event.get("kind") if isinstance(event, dict) else None
    if kind == "raise":
        raise ValueError("no good")
    if kind == "exit":
        os._exit(3)
    if kind == "sleep":
        time.sleep(event["seconds"])
    if kind == "memory":
        hog = bytearray(1024 * 1024 * 1024)
        for i in range(0, len(hog), 4096):
            hog[i] = 1
    if kind == "env":
        return dict(os.environ)
    if kind == "print":
        print("printed " + event["text"])
    if kind == "context":
        return {"arn": context.invoked_function_arn, "id": context.aws_request_id,
                "name": context.function_name, "memory": context.memory_limit_in_mb,
                "version": context.function_version, "left": context.get_remaining_time_in_millis()}
    if kind == "big":
        return "x" * (7 * 1024 * 1024)
    if kind == "pid":
        return os.getpid()
    return event
"""

FORWARD = """
import boto3, json, os
# Given by hand, for botocore older than 1.31 does not look at the variable.
sqs = boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
def handler(event, context):
    sqs.send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(event))
    bad = [r["messageId"] for r in event.get("Records", []) if r.get("body") == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": i} for i in bad]}
"""


SIZES = """
import boto3, json, os
sqs = boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
def handler(event, context):
    sqs.send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(
        [r["body"][0] + " " + r["attributes"]["ApproximateReceiveCount"] for r in event["Records"]]))
"""


def zipped(source, name="app.py"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        info = zipfile.ZipInfo(name)
        info.external_attr = 0o755 << 16
        z.writestr(info, source)
    return out.getvalue()


def raw(stage, method, path, body, trace=None, session=None):
    """A signed request, for members that an older boto3 does not know; with a trace header, and a session's
    credentials as STS gives them."""
    import urllib.error
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    request = AWSRequest(method, stage.weir.endpoint + path, data=json.dumps(body), headers={"Content-Type": "application/json"})
    keys = (session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]) if session else ("test", "test")
    SigV4Auth(Credentials(*keys), "lambda", "us-east-1").add_auth(request)
    if trace:
        request.headers["X-Amzn-Trace-Id"] = trace
    try:
        with urllib.request.urlopen(urllib.request.Request(
                request.url, json.dumps(body).encode(), dict(request.headers.items()), method=method)) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        return json.load(error)


def runtime():
    """The Python that the host has, as a Lambda runtime's name."""
    import platform
    major, minor, _ = platform.python_version_tuple()
    return os.environ.get("WEIR_TEST_PYTHON", f"python{major}.{minor}")


class Stage:
    """Clients, and a function with a role that may do everything."""

    def __init__(self, weir):
        self.weir = weir
        self.awslambda = weir.client("lambda")
        self.iam = weir.client("iam")
        self.sqs = weir.client("sqs")
        self.logs = weir.client("logs")
        self.s3 = weir.client("s3")

    def role(self, policy=ALL, trust=None):
        """`trust`: an account that may assume it, instead of Lambda."""
        name = "r-" + uuid.uuid4().hex[:10]
        document = TRUST.replace('"Service": "lambda.amazonaws.com"', f'"AWS": "{trust}"') if trust else TRUST
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        if policy:
            self.iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
        return arn

    def runtime(self):
        return runtime()

    def function(self, source=ECHO, **kw):
        name = kw.get("FunctionName") or "f-" + uuid.uuid4().hex[:10]
        args = dict(FunctionName=name, Runtime=self.runtime(), Role=kw.pop("Role", None) or self.role(),
                    Handler="app.handler", Code={"ZipFile": zipped(source)}, Timeout=10, MemorySize=256)
        args.update(kw)
        self.awslambda.create_function(**args)
        return name

    def invoke(self, name, event, **kw):
        return self.awslambda.invoke(FunctionName=name, Payload=json.dumps(event), **kw)

    def queue(self, **attributes):
        url = self.sqs.create_queue(QueueName="q-" + uuid.uuid4().hex[:10], Attributes=attributes)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return url, arn

    def receive(self, url, seconds=120):
        """The next message, also on a machine that is busy: the time-out is for what never comes."""
        def one():
            got = self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1, MaxNumberOfMessages=1,
                                           MessageAttributeNames=["All"]).get("Messages", [])
            if got:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"])
                return got[0]
            return None
        try:
            return wait_for(one, seconds, "message")
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.state()}") from None

    def state(self):
        """Of mappings, their queues and functions: why something did not come."""
        lines = []
        for m in self.awslambda.list_event_source_mappings()["EventSourceMappings"]:
            name = m["FunctionArn"].split(":")[6]
            lines.append(f"{name} {m['EventSourceArn']} {m['State']} {m.get('LastProcessingResult')}")
            if ":sqs:" in m["EventSourceArn"]:
                try:
                    url = self.sqs.get_queue_url(QueueName=m["EventSourceArn"].split(":")[5])["QueueUrl"]
                    had = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
                    lines.append("  " + " ".join(f"{k}={v}" for k, v in had.items() if k.startswith("Approximate")))
                except ClientError as e:
                    lines.append(f"  {e}")
            lines += [f"  {line.strip()}" for line in self.log_lines(name)[-8:]]
        return "\n".join(lines)

    def log_lines(self, name):
        try:
            got = self.logs.filter_log_events(logGroupName="/aws/lambda/" + name)
        except ClientError as e:
            assert e.response["Error"]["Code"] == "ResourceNotFoundException"
            return []
        return [e["message"] for e in got["events"]]


@pytest.fixture(scope="module")
def stage(weir):
    return Stage(weir)


@pytest.fixture(scope="module")
def echo(stage):
    return stage.function()


def model_members(stage):
    return stage.awslambda.meta.service_model.operation_model("CreateFunction").input_shape.members


def code_of(excinfo):
    return excinfo.value.response["Error"]["Code"]


# --- create, read, update, delete -------------------------------------------------------------------


def test_create_shape(stage):
    zip_bytes = zipped(ECHO)
    role = stage.role()
    name = "shape-" + uuid.uuid4().hex[:6]
    made = stage.awslambda.create_function(
        FunctionName=name, Runtime=stage.runtime(), Role=role, Handler="app.handler",
        Code={"ZipFile": zip_bytes}, Description="d", Timeout=7, MemorySize=192,
        Environment={"Variables": {"STAGE": "1"}}, Tags={"team": "x"})
    import hashlib
    assert made["CodeSha256"] == base64.b64encode(hashlib.sha256(zip_bytes).digest()).decode()
    assert made["CodeSize"] == len(zip_bytes)
    assert (made["State"], made["StateReason"], made["StateReasonCode"]) == ("Pending", "The function is being created.", "Creating")
    assert "LastUpdateStatus" not in made
    assert made["Version"] == "$LATEST" and made["PackageType"] == "Zip"
    assert made["FunctionArn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert made["Environment"]["Variables"] == {"STAGE": "1"}
    assert made["EphemeralStorage"]["Size"] == 512
    if "LoggingConfig" in model_members(stage):  # clients older than 2023 do not know it
        assert made["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}
    assert made["TracingConfig"]["Mode"] == "PassThrough"

    got = stage.awslambda.get_function(FunctionName=name)
    assert got["Tags"] == {"team": "x"} and got["Configuration"]["RevisionId"] != made["RevisionId"]
    assert got["Configuration"]["State"] == "Active" and got["Configuration"]["LastUpdateStatus"] == "Successful"
    assert "StateReason" not in got["Configuration"]
    with urllib.request.urlopen(got["Code"]["Location"]) as reply:
        assert reply.read() == zip_bytes
    with pytest.raises(urllib.error.HTTPError) as e:
        urllib.request.urlopen(got["Code"]["Location"][:-1] + ("0" if got["Code"]["Location"][-1] != "0" else "1"))
    assert e.value.code == 403
    assert stage.awslambda.get_function_configuration(FunctionName=made["FunctionArn"])["Timeout"] == 7
    assert stage.awslambda.list_versions_by_function(FunctionName=name)["Versions"][0]["Version"] == "$LATEST"
    assert "CodeSigningConfigArn" not in stage.awslambda.get_function_code_signing_config(FunctionName=name)
    assert name in [f["FunctionName"] for p in stage.awslambda.get_paginator("list_functions").paginate()
                    for f in p["Functions"]]
    with pytest.raises(ClientError) as e:
        stage.awslambda.create_function(FunctionName=name, Runtime=stage.runtime(), Role=role,
                                        Handler="app.handler", Code={"ZipFile": zip_bytes})
    assert code_of(e) == "ResourceConflictException"
    stage.awslambda.delete_function(FunctionName=name)
    with pytest.raises(ClientError) as e:
        stage.awslambda.get_function(FunctionName=name)
    assert code_of(e) == "ResourceNotFoundException"
    assert "Function not found" in e.value.response["Error"]["Message"]


def test_download_that_is_given_up(stage):
    """The client leaves in the middle of a package: the server goes on."""
    noise = base64.b64encode(os.urandom(8 * 1024 * 1024)).decode()
    name = stage.function(f"noise = '{noise}'\ndef handler(e, c):\n    return 1\n")
    location = stage.awslambda.get_function(FunctionName=name)["Code"]["Location"]
    with urllib.request.urlopen(location) as reply:
        assert reply.read(1000)
    assert stage.awslambda.get_function(FunctionName=name)["Configuration"]["FunctionName"] == name
    for resource in (f"arn:other:lambda:us-east-1:000000000000:function:{name}", f"000000000000:function:{name}"):
        with pytest.raises(ClientError):  # permissions are checked for the text that is given
            stage.awslambda.list_tags(Resource=resource)


def test_update(stage):
    name = stage.function("def handler(e, c):\n    return 1\n")
    assert json.load(stage.invoke(name, {})["Payload"]) == 1
    first = stage.awslambda.get_function_configuration(FunctionName=name)
    stage.awslambda.update_function_code(FunctionName=name, ZipFile=zipped("def handler(e, c):\n    return 2\n"))
    assert json.load(stage.invoke(name, {})["Payload"]) == 2
    with pytest.raises(ClientError) as e:
        stage.awslambda.update_function_configuration(FunctionName=name, Timeout=5, RevisionId=first["RevisionId"])
    assert code_of(e) == "PreconditionFailedException"
    new = stage.awslambda.update_function_configuration(
        FunctionName=name, Timeout=5, Environment={"Variables": {"STAGE": "y"}})
    assert new["Timeout"] == 5 and new["RevisionId"] != first["RevisionId"] and new["MemorySize"] == 256
    assert [new["State"]] + [new["LastUpdateStatus" + part] for part in ("", "Reason", "ReasonCode")] == \
        ["Active", "InProgress", "The function is being created.", "Creating"]
    after = stage.awslambda.get_function_configuration(FunctionName=name)
    assert after["RevisionId"] != new["RevisionId"] and after["LastUpdateStatus"] == "Successful"
    assert "LastUpdateStatusReason" not in after
    stage.awslambda.update_function_code(FunctionName=name, ZipFile=zipped(ECHO))
    assert json.load(stage.invoke(name, {"kind": "env"})["Payload"])["STAGE"] == "y"


def test_code_from_s3(stage):
    bucket = "code-" + uuid.uuid4().hex[:8]
    stage.s3.create_bucket(Bucket=bucket)
    stage.s3.put_object(Bucket=bucket, Key="a.zip", Body=zipped("def handler(e, c):\n    return 's3'\n"))
    name = stage.function(Code={"S3Bucket": bucket, "S3Key": "a.zip"})
    assert json.load(stage.invoke(name, {})["Payload"]) == "s3"
    # Large enough for a file, and of two files; gone from the bucket right after it was read.
    out = io.BytesIO(zipped("def handler(e, c):\n    return 'large'\n"))
    with zipfile.ZipFile(out, "a") as z:
        z.writestr("filler", os.urandom(6 * 1024 * 1024))
    large = out.getvalue()
    stage.s3.put_object(Bucket=bucket, Key="large.zip", Body=large)
    upload = stage.s3.create_multipart_upload(Bucket=bucket, Key="parts.zip")["UploadId"]
    parts = [{"PartNumber": i + 1, "ETag": stage.s3.upload_part(
        Bucket=bucket, Key="parts.zip", UploadId=upload, PartNumber=i + 1, Body=piece)["ETag"]}
        for i, piece in enumerate([large[:5 * 1024 * 1024], large[5 * 1024 * 1024:]])]
    stage.s3.complete_multipart_upload(Bucket=bucket, Key="parts.zip", UploadId=upload,
                                       MultipartUpload={"Parts": parts})
    for key in ("large.zip", "parts.zip"):
        name = stage.function(Code={"S3Bucket": bucket, "S3Key": key})
        stage.s3.delete_object(Bucket=bucket, Key=key)
        assert json.load(stage.invoke(name, {})["Payload"]) == "large"
        got = stage.awslambda.get_function_configuration(FunctionName=name)
        assert got["CodeSize"] == len(large)
    stage.s3.put_object(Bucket=bucket, Key="empty.zip", Body=b"")
    with pytest.raises(ClientError) as e:
        stage.function(Code={"S3Bucket": bucket, "S3Key": "empty.zip"})
    assert code_of(e) == "InvalidParameterValueException"
    with pytest.raises(ClientError) as e:
        stage.function(Code={"S3Bucket": bucket, "S3Key": "absent.zip"})
    assert code_of(e) == "InvalidParameterValueException"


@pytest.mark.parametrize("change, code", [
    ({"Runtime": "python9.9"}, ("ValidationException", "InvalidParameterValueException")),
    ({"Runtime": "java21"}, "InvalidParameterValueException"),
    ({"Role": "arn:aws:iam::000000000000:role/absent"}, "InvalidParameterValueException"),
    ({"MemorySize": 127}, ("ValidationException", "InvalidParameterValueException")),
    ({"MemorySize": 10241}, ("ValidationException", "InvalidParameterValueException")),
    ({"Timeout": 901}, ("ValidationException", "InvalidParameterValueException")),
    ({"Timeout": 0}, ("ValidationException", "InvalidParameterValueException")),
    ({"FunctionName": "bad name"}, ("ValidationException", "InvalidParameterValueException")),
    ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException"),
    ({"Environment": {"Variables": {"STAGE": "x" * 4096}}}, "InvalidParameterValueException"),
    ({"Code": {"ZipFile": b"this is no zip"}}, "InvalidParameterValueException"),
    ({"Code": {}}, "InvalidParameterValueException"),
    ({"Architectures": ["arm64", "x86_64"]}, ("ValidationException", "InvalidParameterValueException")),
    ({"PackageType": "Image"}, "InvalidParameterValueException"),
    ({"TracingConfig": {"Mode": "Active"}}, "InvalidParameterValueException"),
    ({"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}, "InvalidParameterValueException"),
    ({"LoggingConfig": {"LogFormat": "JSON"}}, "InvalidParameterValueException"),
])
def test_refused_settings(stage, change, code):
    if not set(change) <= set(model_members(stage)):
        pytest.skip("this client does not know the setting")
    with pytest.raises(ClientError) as e:
        stage.function(**change)
    assert code_of(e) in (code if isinstance(code, tuple) else (code,)), e.value


def test_not_found(stage):
    for call in (lambda: stage.awslambda.invoke(FunctionName="absent"),
                 lambda: stage.awslambda.delete_function(FunctionName="absent"),
                 lambda: stage.awslambda.get_policy(FunctionName="absent"),
                 lambda: stage.awslambda.update_function_configuration(FunctionName="absent", Timeout=3)):
        with pytest.raises(ClientError) as e:
            call()
        assert code_of(e) == "ResourceNotFoundException"
        assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


# --- invoke -----------------------------------------------------------------------------------------


def test_invoke_echo(stage, echo):
    reply = stage.invoke(echo, {"a": [1, {"b": None}]})
    assert reply["StatusCode"] == 200 and reply["ExecutedVersion"] == "$LATEST" and "FunctionError" not in reply
    assert json.load(reply["Payload"]) == {"a": [1, {"b": None}]}
    assert json.load(stage.awslambda.invoke(FunctionName=echo + ":$LATEST")["Payload"]) == {}
    first = json.load(stage.invoke(echo, {"kind": "pid"})["Payload"])
    assert json.load(stage.invoke(echo, {"kind": "pid"})["Payload"]) == first, "warm environment is used again"


def test_invoke_context_and_environment(stage, echo):
    reply = stage.invoke(echo, {"kind": "context"})
    got = json.load(reply["Payload"])
    assert got["arn"].endswith(":function:" + echo) and got["name"] == echo and got["version"] == "$LATEST"
    assert got["id"] == reply["ResponseMetadata"]["RequestId"] and 0 < got["left"] <= 10000
    env = json.load(stage.invoke(echo, {"kind": "env"})["Payload"])
    assert env["AWS_LAMBDA_FUNCTION_NAME"] == echo and env["AWS_REGION"] == "us-east-1"
    assert env["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/" + echo and env["AWS_ACCESS_KEY_ID"].startswith("ASIA")


def test_invoke_tail_and_logs(stage, echo):
    reply = stage.invoke(echo, {"kind": "print", "text": "hello"}, LogType="Tail")
    tail = base64.b64decode(reply["LogResult"]).decode()
    request = reply["ResponseMetadata"]["RequestId"]
    assert f"START RequestId: {request} Version: $LATEST" in tail and "printed hello" in tail
    assert f"END RequestId: {request}" in tail and f"REPORT RequestId: {request}\tDuration: " in tail
    wait_for(lambda: any("printed hello" in line for line in stage.log_lines(echo)), 10, "log line")
    lines = stage.log_lines(echo)
    assert any(line.startswith("REPORT RequestId: " + request) for line in lines)


def test_function_error(stage, echo):
    reply = stage.invoke(echo, {"kind": "raise"})
    assert reply["StatusCode"] == 200 and reply["FunctionError"] == "Unhandled"
    got = json.load(reply["Payload"])
    assert got["errorType"] == "ValueError" and got["errorMessage"] == "no good"


def test_exit_and_recovery(stage, echo):
    reply = stage.invoke(echo, {"kind": "exit"})
    got = json.load(reply["Payload"])
    assert reply["FunctionError"] == "Unhandled" and got["errorType"] == "Runtime.ExitError"
    assert "exit status 3" in got["errorMessage"]
    assert json.load(stage.invoke(echo, {"x": 1})["Payload"]) == {"x": 1}


def test_timeout(stage):
    name = stage.function(Timeout=1)
    stage.invoke(name, {})
    reply = stage.invoke(name, {"kind": "sleep", "seconds": 100}, LogType="Tail")
    got = json.load(reply["Payload"])
    assert reply["FunctionError"] == "Unhandled" and "Task timed out after 1.00 seconds" in got["errorMessage"]
    assert "Task timed out after 1.00 seconds" in base64.b64decode(reply["LogResult"]).decode()
    assert json.load(stage.invoke(name, {"x": 2})["Payload"]) == {"x": 2}


def test_memory_kill(stage):
    name = stage.function(MemorySize=128)
    reply = stage.invoke(name, {"kind": "memory"})
    if "FunctionError" not in reply:
        pytest.fail("the host enforces no memory limit")
    got = json.load(reply["Payload"])
    assert "signal: killed" in got["errorMessage"] or got["errorType"] == "MemoryError", got


def test_response_too_large(stage, echo):
    got = json.load(stage.invoke(echo, {"kind": "big"})["Payload"])
    assert got["errorType"] == "Function.ResponseSizeTooLarge"


def test_bad_payloads(stage, echo):
    for payload in ("{", "nope", '{"a":1}x'):
        with pytest.raises(ClientError) as e:
            stage.awslambda.invoke(FunctionName=echo, Payload=payload)
        assert code_of(e) == "InvalidRequestContentException"
    big = json.dumps("x" * (1024 * 1024))
    with pytest.raises(ClientError) as e:
        stage.awslambda.invoke(FunctionName=echo, Payload=big, InvocationType="Event")
    assert code_of(e) == "RequestTooLargeException"
    with pytest.raises(ClientError) as e:
        stage.awslambda.invoke(FunctionName=echo, Payload=json.dumps("x" * (6 * 1024 * 1024)))
    assert code_of(e) == "RequestTooLargeException"
    assert stage.invoke(echo, {}, InvocationType="DryRun")["StatusCode"] == 204


def test_concurrency(stage, echo):
    name = stage.function()
    put = stage.awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert put["ReservedConcurrentExecutions"] == 0
    with pytest.raises(ClientError) as e:
        stage.invoke(name, {})
    assert code_of(e) == "TooManyRequestsException"
    assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert e.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    with pytest.raises(ClientError) as e:
        stage.awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=950)
    assert code_of(e) == "InvalidParameterValueException"
    stage.awslambda.delete_function_concurrency(FunctionName=name)
    assert json.load(stage.invoke(name, {"x": 1})["Payload"]) == {"x": 1}


def test_reserved_concurrency_is_the_limit(stage):
    from concurrent.futures import ThreadPoolExecutor
    name = stage.function()
    stage.awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)

    def one(_):
        try:
            return json.load(stage.invoke(name, {"kind": "sleep", "seconds": 2})["Payload"])["kind"]
        except ClientError as e:
            return e.response["Error"]["Code"]
    with ThreadPoolExecutor(5) as pool:
        outcomes = sorted(pool.map(one, range(5)))
    assert outcomes == ["TooManyRequestsException"] * 3 + ["sleep"] * 2


def test_broken_module(stage):
    name = stage.function("import nothing_of_that_name\n")
    for _ in range(2):
        got = json.load(stage.invoke(name, {})["Payload"])
        assert got["errorType"] == "Runtime.ImportModuleError", got


def test_client_leaves(stage, echo):
    """A client that hangs up during its invocation disturbs nothing."""
    import boto3
    from botocore.config import Config
    hasty = stage.weir.client("lambda", config=Config(read_timeout=1, retries={"max_attempts": 0}))
    for _ in range(2):
        with pytest.raises(Exception, match="(?i)time"):
            hasty.invoke(FunctionName=echo, Payload=json.dumps({"kind": "sleep", "seconds": 2}))
    assert json.load(stage.invoke(echo, {"x": 1})["Payload"]) == {"x": 1}


def test_much_output(stage):
    name = stage.function("""
def handler(event, context):
    line = "x" * 65535
    for _ in range(512):
        print(line)
    return "done"
""", Timeout=60)
    assert json.load(stage.invoke(name, {})["Payload"]) == "done"


# --- permissions ------------------------------------------------------------------------------------


def test_policy(stage, echo):
    name = stage.function()
    with pytest.raises(ClientError) as e:
        stage.awslambda.get_policy(FunctionName=name)
    assert code_of(e) == "ResourceNotFoundException"
    added = stage.awslambda.add_permission(
        FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::b", SourceAccount="000000000000")
    assert json.loads(added["Statement"]) == {
        "Sid": "s3", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": f"arn:aws:lambda:us-east-1:000000000000:function:{name}",
        "Condition": {"StringEquals": {"AWS:SourceAccount": "000000000000"},
                      "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"}}}
    with pytest.raises(ClientError) as e:
        stage.awslambda.add_permission(FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction",
                                       Principal="s3.amazonaws.com")
    assert code_of(e) == "ResourceConflictException"
    got = stage.awslambda.get_policy(FunctionName=name)
    assert json.loads(got["Policy"])["Statement"][0]["Sid"] == "s3" and got["RevisionId"]
    stage.awslambda.remove_permission(FunctionName=name, StatementId="s3")
    with pytest.raises(ClientError) as e:
        stage.awslambda.remove_permission(FunctionName=name, StatementId="s3")
    assert code_of(e) == "ResourceNotFoundException"


def test_authorisation(stage, echo):
    user = "u-" + uuid.uuid4().hex[:8]
    stage.iam.create_user(UserName=user)
    key = stage.iam.create_access_key(UserName=user)["AccessKey"]
    mine = stage.weir.client("lambda", key["AccessKeyId"], key["SecretAccessKey"])
    arn = stage.awslambda.get_function_configuration(FunctionName=echo)["FunctionArn"]

    def allow(*actions, resource="*"):
        stage.iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": resource}]}))

    with pytest.raises(ClientError) as e:
        mine.invoke(FunctionName=echo)
    assert code_of(e) == "AccessDeniedException"
    assert "lambda:InvokeFunction" in e.value.response["Error"]["Message"]
    allow("lambda:InvokeFunction", resource=arn)
    assert json.load(mine.invoke(FunctionName=echo)["Payload"]) == {}
    with pytest.raises(ClientError) as e:
        mine.get_function(FunctionName=echo)
    assert code_of(e) == "AccessDeniedException"
    allow("lambda:*")
    role = stage.role()
    args = dict(FunctionName="by-" + user, Runtime=stage.runtime(), Role=role, Handler="app.handler",
                Code={"ZipFile": zipped(ECHO)})
    with pytest.raises(ClientError) as e:
        mine.create_function(**args)
    assert code_of(e) == "AccessDeniedException" and "iam:PassRole" in e.value.response["Error"]["Message"]
    allow("lambda:*", "iam:PassRole")
    mine.create_function(**args)
    # The function's own policy lets a user in that has no policy of its own.
    stage.iam.delete_user_policy(UserName=user, PolicyName="p")
    stage.awslambda.add_permission(FunctionName=echo, StatementId="user", Action="lambda:InvokeFunction",
                                   Principal=f"arn:aws:iam::000000000000:user/{user}")
    assert json.load(mine.invoke(FunctionName=echo)["Payload"]) == {}


def test_tags(stage, echo):
    arn = stage.awslambda.get_function_configuration(FunctionName=echo)["FunctionArn"]
    stage.awslambda.tag_resource(Resource=arn, Tags={"a": "1", "b": "2"})
    stage.awslambda.untag_resource(Resource=arn, TagKeys=["a"])
    assert stage.awslambda.list_tags(Resource=arn)["Tags"] == {"b": "2"}


def test_tags_of_mappings(stage, echo):
    """What Terraform asks of every aws_lambda_event_source_mapping."""
    _, queue = stage.queue()
    made = stage.awslambda.create_event_source_mapping(FunctionName=echo, EventSourceArn=queue, Enabled=False)
    head = stage.awslambda.get_function_configuration(FunctionName=echo)["FunctionArn"].split(":function:")[0]
    arn = f"{head}:event-source-mapping:{made['UUID']}"
    assert stage.awslambda.list_tags(Resource=arn)["Tags"] == {}
    stage.awslambda.tag_resource(Resource=arn, Tags={"a": "1", "b": "2"})
    stage.awslambda.untag_resource(Resource=arn, TagKeys=["a"])
    assert stage.awslambda.list_tags(Resource=arn)["Tags"] == {"b": "2"}
    found = stage.weir.client("resourcegroupstaggingapi").get_resources(ResourceTypeFilters=["lambda:event-source-mapping"])
    assert [r["ResourceARN"] for r in found["ResourceTagMappingList"]] == [arn]
    stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])
    for gone in (arn, arn[:-1], arn.replace("event-source-mapping", "layer"), arn.replace(":event", ":code-signing-config:csc-")):
        with pytest.raises(ClientError) as e:
            stage.awslambda.list_tags(Resource=gone)
        assert e.value.response["Error"]["Code"] in ("ResourceNotFoundException", "ValidationException"), gone
    again = raw(stage, "POST", "/2015-03-31/event-source-mappings", {
        "FunctionName": echo, "EventSourceArn": queue, "Enabled": False, "Tags": {"t": "x"}})
    assert stage.awslambda.list_tags(Resource=again["EventSourceMappingArn"])["Tags"] == {"t": "x"}
    stage.awslambda.delete_event_source_mapping(UUID=again["UUID"])


LEVELS = """
import logging
def handler(event, context):
    log = logging.getLogger()
    log.debug("quiet")
    log.info("told\\ntwice", extra={"own": 5})
    print("printed")
    print('{"level": "DEBUG", "message": "printed quiet"}')
    if event:
        raise KeyError("S")
"""


def test_json_logs(stage):
    def configure(**logging):
        return raw(stage, "PUT", f"/2015-03-31/functions/{name}/configuration", {"LoggingConfig": logging})
    name = stage.function(LEVELS)
    got = configure(LogFormat="JSON", SystemLogLevel="DEBUG")["LoggingConfig"]
    assert got == {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "DEBUG",
                   "LogGroup": "/aws/lambda/" + name}
    stage.invoke(name, None)
    lines = wait_for(lambda: [x for x in stage.log_lines(name)] if any("platform.report" in x for x in stage.log_lines(name))
                     else None, 20, "report")
    assert "printed\n" in lines and not any("quiet" in x for x in lines), lines
    told = [json.loads(x) for x in lines if x.startswith("{")]
    assert [x.get("type", "told") for x in told] == ["platform.start", "told", "platform.runtimeDone", "platform.report"]
    assert told[1]["message"] == "told\ntwice" and told[1]["level"] == "INFO" and told[1]["own"] == 5
    assert told[1]["logger"] == "root" and told[1]["requestId"] == told[0]["record"]["requestId"]
    assert told[3]["record"]["status"] == "success" and told[3]["record"]["metrics"]["memorySizeMB"] == 256
    configure(LogFormat="JSON", ApplicationLogLevel="FATAL", SystemLogLevel="WARN")
    before = len(lines)
    stage.invoke(name, {"x": 1})
    new = wait_for(lambda: stage.log_lines(name)[before:] if any('"error"' in x for x in stage.log_lines(name)[before:])
                   else None, 20, "report of the error")
    assert [json.loads(x).get("type") for x in new if x.startswith("{")] == ["platform.runtimeDone", "platform.report"], new
    assert configure(LogFormat="Text")["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/" + name}
    assert 'LogLevel is not supported when LogFormat is set to "Text"' in str(configure(SystemLogLevel="INFO"))


def test_one_event_for_an_exception(stage):
    name = stage.function("import logging\ndef inner(): raise KeyError('S')\ndef handler(e, c):\n"
                          "  logging.getLogger().error('one\\ntwo')\n  inner()\n")
    stage.invoke(name, {})
    lines = wait_for(lambda: stage.log_lines(name) if any(x.startswith("REPORT") for x in stage.log_lines(name)) else None,
                     20, "report")
    assert len(lines) == 5 and lines[1].endswith("\tone\ntwo\n"), lines
    assert lines[2].startswith("[ERROR] KeyError: 'S'\nTraceback (most recent call last):\n") and "in inner" in lines[2]


def test_runtimes_are_what_they_say(stage, tmp_path):
    """Each Python that is here runs as itself; what is not here is refused, with what to do."""
    import subprocess
    listed = subprocess.run([stage.weir.binary, "runtime", "list"], capture_output=True, text=True, check=True).stdout
    here = {line.split()[0] for line in listed.splitlines()}
    assert runtime() in here
    source = "import sys\ndef handler(e, c): return [sys.version_info[1], __import__('os').environ['AWS_EXECUTION_ENV']]\n"
    for minor in range(8, 15):
        name = f"python3.{minor}"
        if name in here:
            made = stage.function(source, Runtime=name)
            assert json.load(stage.invoke(made, {})["Payload"]) == [minor, f"AWS_Lambda_{name}"]
        else:
            with pytest.raises(ClientError, match=f"weir runtime add {name}") as e:
                stage.function(source, Runtime=name)
            assert e.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_runtime_substitutes(make_weir):
    """What is not here is run by the nearest newer one, and both its log and its environment say so."""
    import subprocess
    server = Stage(make_weir(args=["--runtime-substitutes"]))
    listed = subprocess.run([server.weir.binary, "runtime", "list"], capture_output=True, text=True, check=True).stdout
    here = [line.split()[0] for line in listed.splitlines()]
    cases = []
    for shape, asked in (("python3.%d", range(13, 7, -1)), ("nodejs%d.x", (22, 20, 18, 16))):
        numbers = [n for n in range(40) if shape % n in here]
        cases += [(shape % n, shape % min(m for m in numbers if m > n)) for n in asked
                  if n not in numbers and numbers and n < max(numbers)]
    if not cases:
        pytest.skip("all that could be asked for is here, or nothing newer")
    asked, runs = cases[0]
    source = "import os\ndef handler(e, c): return os.environ['AWS_EXECUTION_ENV']\n"
    package = zipped(source)
    if asked.startswith("nodejs"):
        package = zipped("exports.handler = async () => process.env.AWS_EXECUTION_ENV;\n", "app.js")
    name = server.function(Runtime=asked, Code={"ZipFile": package})
    assert json.load(server.invoke(name, {})["Payload"]) == "AWS_Lambda_" + runs
    lines = wait_for(lambda: server.log_lines(name), 20, "log")
    assert lines[0] == f"[weir] {asked} is not on this machine: {runs} runs instead\n"


SDK_IMPORTS = {
    "app.mjs": """
import { S3Client, ListBucketsCommand } from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
export const handler = async () => (await new S3Client({ forcePathStyle: true, requestHandler: new NodeHttpHandler() })
    .send(new ListBucketsCommand({}))).Buckets.map((b) => b.Name);
""",
    "app.js": """
const { S3Client, ListBucketsCommand } = require("@aws-sdk/client-s3");
exports.handler = async () => (await new S3Client({ forcePathStyle: true }).send(new ListBucketsCommand({}))).Buckets.map((b) => b.Name);
"""}


@pytest.mark.parametrize("file", SDK_IMPORTS)
def test_node_sdk(stage, file):
    """The SDK that Lambda's runtimes have, for functions without modules of their own: by import, and by require."""
    import subprocess
    here = os.path.join(os.path.dirname(__file__), "..", "..", "runtime", "sdk-v3", "node_modules")
    listed = subprocess.run([stage.weir.binary, "runtime", "list"], capture_output=True, text=True, check=True).stdout
    node = next((line.split()[0] for line in listed.splitlines() if line.startswith(("nodejs18", "nodejs2"))), None)
    if not os.path.isdir(here) or not node:
        pytest.skip("no Node.js, or tools/deps.sh has not installed the AWS SDK for JavaScript")
    bucket = "sdk-" + uuid.uuid4().hex[:10]
    stage.s3.create_bucket(Bucket=bucket)
    name = stage.function(Runtime=node, Code={"ZipFile": zipped(SDK_IMPORTS[file], file)}, MemorySize=512)
    assert bucket in json.load(stage.invoke(name, {})["Payload"])


def test_boto3_of_every_python(stage):
    """Debian's serves those that have none, too."""
    import subprocess
    listed = subprocess.run([stage.weir.binary, "runtime", "list"], capture_output=True, text=True, check=True).stdout
    here = sorted({line.split()[0] for line in listed.splitlines() if line.startswith("python3.")})
    for name in here:
        if int(name[8:]) < 8:  # older than what Lambda still takes
            continue
        made = stage.function("import boto3\ndef handler(e, c): return len(boto3.client('s3').list_buckets()['Buckets']) >= 0\n",
                              Runtime=name, Timeout=20)
        assert json.load(stage.invoke(made, {})["Payload"]) is True, name


def test_runtime_by_path(make_weir):
    """An interpreter that is somewhere else, by --runtime."""
    import sys
    server = Stage(make_weir(args=["--runtime", "python3.14=" + sys.executable]))
    name = server.function("import sys\ndef handler(e, c): return sys.version_info[1]\n", Runtime="python3.14")
    assert json.load(server.invoke(name, {})["Payload"]) == sys.version_info[1]


def test_large_packages(stage):
    """A package as it is up to 50 MB, which is more than other requests may bring."""
    noise = os.urandom(1024 * 1024)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
        z.writestr("app.py", "def handler(e, c): return 1\n")
        for i in range(20):
            z.writestr(f"noise{i}", noise)
    name = stage.function(Code={"ZipFile": out.getvalue()})
    assert json.load(stage.invoke(name, {})["Payload"]) == 1
    with pytest.raises(ClientError) as e:
        stage.awslambda.update_function_code(FunctionName=name, ZipFile=out.getvalue() * 3)
    assert e.value.response["Error"]["Code"] == "RequestEntityTooLargeException"
    assert "Request must be smaller than 70167211 bytes for the UpdateFunctionCode operation" in str(e.value)


def test_role_without_log_permission_writes_no_logs(stage):
    name = stage.function(Role=stage.role(policy=None))
    assert json.load(stage.invoke(name, {"kind": "print", "text": "silent"})["Payload"])
    other = stage.function()
    stage.invoke(other, {"kind": "print", "text": "heard"})
    wait_for(lambda: stage.log_lines(other), 10, "log of the other function")
    assert stage.log_lines(name) == []


# --- asynchronous -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def quick(request):
    """A server whose retries do not wait a minute."""
    from weirtest import Weir
    with Weir(args=["--async-retry-base-ms", "200"]) as server:
        yield Stage(server)


def test_async_success_destination(quick):
    url, arn = quick.queue()
    name = quick.function()
    quick.awslambda.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": arn}})
    reply = quick.invoke(name, {"n": 1}, InvocationType="Event")
    assert reply["StatusCode"] == 202 and reply["Payload"].read() == b""
    record = json.loads(quick.receive(url)["Body"])
    assert record["requestContext"]["condition"] == "Success" and record["requestPayload"] == {"n": 1}
    assert record["responsePayload"] == {"n": 1} and record["requestContext"]["approximateInvokeCount"] == 1


def test_from_a_bus_to_a_function_and_back(quick):
    """A rule invokes a function, whose outcome goes to the bus as an event, which another rule sends to a queue."""
    events, name = quick.weir.client("events"), quick.function()
    url, queue_arn = quick.queue()
    quick.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue_arn}]})})
    bus = events.describe_event_bus()["Arn"]
    function = quick.awslambda.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": bus}})["FunctionArn"]
    rule = events.put_rule(Name="invokes", EventPattern='{"source": ["app"]}')["RuleArn"]
    plain = function.removesuffix(":$LATEST")
    quick.awslambda.add_permission(FunctionName=name, StatementId="e", Action="lambda:InvokeFunction", Principal="events.amazonaws.com", SourceArn=rule)
    events.put_targets(Rule="invokes", Targets=[{"Id": "f", "Arn": plain, "InputPath": "$.detail"}])
    events.put_rule(Name="outcomes", EventPattern='{"source": ["lambda"], "detail": {"requestContext": {"condition": ["Success"]}}}')
    events.put_targets(Rule="outcomes", Targets=[{"Id": "q", "Arn": queue_arn}])
    events.put_events(Entries=[{"Source": "app", "DetailType": "t", "Detail": '{"n": 7}'}])
    event = json.loads(quick.receive(url)["Body"])
    assert event["detail-type"] == "Lambda Function Invocation Result - Success" and event["resources"] == [bus, function]
    assert event["detail"]["requestPayload"] == {"n": 7} and event["detail"]["responsePayload"] == {"n": 7}
    for made in ("invokes", "outcomes"):
        events.remove_targets(Rule=made, Ids=["f", "q"])
        events.delete_rule(Name=made)


def test_async_retries_then_dead_letter_and_destination(quick):
    dlq_url, dlq_arn = quick.queue()
    dest_url, dest_arn = quick.queue()
    name = quick.function(DeadLetterConfig={"TargetArn": dlq_arn})
    quick.awslambda.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnFailure": {"Destination": dest_arn}})
    quick.invoke(name, {"kind": "raise"}, InvocationType="Event")
    dead = quick.receive(dlq_url)
    assert json.loads(dead["Body"]) == {"kind": "raise"}
    assert dead["MessageAttributes"]["ErrorMessage"]["StringValue"] == "no good"
    assert "RequestID" in dead["MessageAttributes"]
    record = json.loads(quick.receive(dest_url)["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorMessage"] == "no good"
    wait_for(lambda: sum("START" in line for line in quick.log_lines(name)) == 3, 10, "three attempts")


def test_async_no_retries(quick):
    url, arn = quick.queue()
    name = quick.function()
    config = quick.awslambda.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60,
        DestinationConfig={"OnFailure": {"Destination": arn}})
    assert config["MaximumRetryAttempts"] == 0
    quick.invoke(name, {"kind": "exit"}, InvocationType="Event")
    record = json.loads(quick.receive(url)["Body"])
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert quick.awslambda.get_function_event_invoke_config(FunctionName=name)["MaximumEventAgeInSeconds"] == 60
    quick.awslambda.delete_function_event_invoke_config(FunctionName=name)
    with pytest.raises(ClientError) as e:
        quick.awslambda.get_function_event_invoke_config(FunctionName=name)
    assert code_of(e) == "ResourceNotFoundException"
    with pytest.raises(ClientError) as e:
        quick.awslambda.put_function_event_invoke_config(
            FunctionName=name, DestinationConfig={"OnFailure": {"Destination": "arn:aws:kinesis:us-east-1:000000000000:stream/s"}})
    assert code_of(e) == "InvalidParameterValueException"


def test_async_failures_go_to_a_bucket(quick):
    bucket = "failed-" + uuid.uuid4().hex[:10]
    quick.s3.create_bucket(Bucket=bucket)
    arn = "arn:aws:s3:::" + bucket
    allow = {"Effect": "Allow", "Action": "s3:PutObject"}

    def put(name, **kw):
        return quick.awslambda.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0, DestinationConfig=kw)

    poor = quick.function(Role=quick.role(None))
    with pytest.raises(ClientError) as e:
        put(poor, OnFailure={"Destination": arn})
    assert code_of(e) == "InvalidParameterValueException" and "PutObject" in str(e.value)
    name = "to-bucket-" + uuid.uuid4().hex[:6]
    quick.function(FunctionName=name, Role=quick.role(json.dumps({"Version": "2012-10-17", "Statement": [
        {**allow, "Resource": f"{arn}/aws/lambda/async/{name}/*"}]})))
    assert put(name, OnFailure={"Destination": arn})["DestinationConfig"]["OnFailure"] == {"Destination": arn}
    sent = quick.invoke(name, {"kind": "raise"}, InvocationType="Event")["ResponseMetadata"]["RequestId"]
    objects = wait_for(lambda: quick.s3.list_objects_v2(Bucket=bucket).get("Contents"), 60, "record")
    assert len(objects) == 1
    found = re.fullmatch(f"aws/lambda/async/{name}/(\\d{{4}})/(\\d\\d)/(\\d\\d)/(\\d{{4}}-\\d\\d-\\d\\d)T(\\d\\d\\.\\d\\d\\.\\d\\d)-"
                         "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", objects[0]["Key"])
    assert found and "-".join(found.group(1, 2, 3)) == found[4]
    record = json.load(quick.s3.get_object(Bucket=bucket, Key=objects[0]["Key"])["Body"])
    assert record["requestContext"]["requestId"] == sent and record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["timestamp"].startswith(found[4] + "T" + found[5].replace(".", ":"))
    assert record["requestPayload"] == {"kind": "raise"} and record["responsePayload"]["errorMessage"] == "no good"
    for wrong in (dict(OnSuccess={"Destination": arn}), dict(OnFailure={"Destination": arn + "/key"})):
        with pytest.raises(ClientError) as e:
            put(name, **wrong)
        assert code_of(e) == "InvalidParameterValueException"
    # What waits in the store may be 1 MiB: a response over that is left out, not the record.
    large = quick.function("""
def handler(event, context):
    raise ValueError("x" * 200000)
""")
    put(large, OnFailure={"Destination": arn})
    quick.invoke(large, {"text": "y" * 900000}, InvocationType="Event")
    key = wait_for(lambda: [o["Key"] for o in quick.s3.list_objects_v2(Bucket=bucket)["Contents"] if large in o["Key"]], 60, "record")
    record = json.load(quick.s3.get_object(Bucket=bucket, Key=key[0])["Body"])
    assert len(record["requestPayload"]["text"]) == 900000 and record["responsePayload"] is None


def test_async_without_any_concurrency_fails_at_once(quick):
    """Reserved concurrency 0: to the dead-letter queue and the destination, without a try."""
    letters, letters_arn = quick.queue()
    records, records_arn = quick.queue()
    name = quick.function(DeadLetterConfig={"TargetArn": letters_arn})
    quick.awslambda.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnFailure": {"Destination": records_arn}})
    quick.awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    asked = quick.invoke(name, {"a": 1}, InvocationType="Event")["ResponseMetadata"]["RequestId"]
    letter = quick.receive(letters)
    assert json.loads(letter["Body"]) == {"a": 1}
    assert {k: (v["DataType"], v["StringValue"]) for k, v in letter["MessageAttributes"].items()} == {
        "RequestID": ("String", asked), "ErrorCode": ("Number", "429"), "ErrorMessage": ("String", "Rate Exceeded.")}
    record = json.loads(quick.receive(records)["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted" and "responseContext" not in record
    assert record["requestContext"]["approximateInvokeCount"] == 0


def test_async_queues_behind_reserved_concurrency(quick):
    """One at a time, but not one per throttle's pause."""
    url, _ = quick.queue()
    name = quick.function(FORWARD, Environment={"Variables": {"OUT": url}})
    quick.awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    for i in range(30):
        quick.invoke(name, {"i": i}, InvocationType="Event")
    # Those pauses double: with one event to each, the last ones would come after hours.
    assert {json.loads(quick.receive(url)["Body"])["i"] for _ in range(30)} == set(range(30))


def test_async_of_deleted_function_is_dropped(quick):
    url, arn = quick.queue()
    name = quick.function(DeadLetterConfig={"TargetArn": arn})
    quick.awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    quick.invoke(name, {"kind": "sleep", "seconds": 3}, InvocationType="Event")
    quick.invoke(name, {"x": 1}, InvocationType="Event")
    quick.awslambda.delete_function(FunctionName=name)
    again = quick.function(FORWARD, FunctionName=name, Environment={"Variables": {"OUT": url}})
    assert "Messages" not in quick.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)
    quick.awslambda.delete_function(FunctionName=again)


def test_async_survives_kill9(fresh_weir):
    """The function may take its time, so that no attempt fails for that: a second one comes a minute later."""
    stage = Stage(fresh_weir)
    url, _ = stage.queue()
    name = stage.function(FORWARD, Timeout=60, Environment={"Variables": {"OUT": url}})
    for i in range(20):
        stage.invoke(name, {"i": i}, InvocationType="Event")
    fresh_weir.kill9()
    fresh_weir.start()
    stage = Stage(fresh_weir)
    seen = set()
    while len(seen) < 20:
        seen.add(json.loads(stage.receive(url)["Body"])["i"])
    assert seen == set(range(20))


# --- event sources ----------------------------------------------------------------------------------


def test_queue_to_function(stage):
    in_url, in_arn = stage.queue(VisibilityTimeout="30")
    out_url, _ = stage.queue()
    name = stage.function(FORWARD, Environment={"Variables": {"OUT": out_url}})
    made = stage.awslambda.create_event_source_mapping(FunctionName=name, EventSourceArn=in_arn, BatchSize=5)
    assert made["State"] == "Creating" and made["BatchSize"] == 5 and made["EventSourceArn"] == in_arn
    got = stage.awslambda.get_event_source_mapping(UUID=made["UUID"])
    assert got["State"] == "Enabled" and got["FunctionArn"].endswith(":function:" + name)
    with pytest.raises(ClientError) as e:
        stage.awslambda.create_event_source_mapping(FunctionName=name, EventSourceArn=in_arn)
    assert code_of(e) == "ResourceConflictException"
    stage.sqs.send_message(QueueUrl=in_url, MessageBody="one",
                           MessageAttributes={"k": {"DataType": "String", "StringValue": "v"}})
    event = json.loads(stage.receive(out_url)["Body"])
    record = event["Records"][0]
    assert record["body"] == "one" and record["eventSource"] == "aws:sqs" and record["eventSourceARN"] == in_arn
    assert record["awsRegion"] == "us-east-1" and record["messageAttributes"]["k"]["stringValue"] == "v"
    def counts():
        a = stage.sqs.get_queue_attributes(QueueUrl=in_url, AttributeNames=["All"])["Attributes"]
        return a["ApproximateNumberOfMessages"], a["ApproximateNumberOfMessagesNotVisible"]
    wait_for(lambda: counts() == ("0", "0"), 10, "empty queue")
    stage.awslambda.update_event_source_mapping(UUID=made["UUID"], Enabled=False)
    assert stage.awslambda.get_event_source_mapping(UUID=made["UUID"])["State"] == "Disabled"
    stage.sqs.send_message(QueueUrl=in_url, MessageBody="two")
    assert "Messages" not in stage.sqs.receive_message(QueueUrl=out_url, WaitTimeSeconds=1)
    stage.awslambda.update_event_source_mapping(UUID=made["UUID"], Enabled=True)
    assert json.loads(stage.receive(out_url)["Body"])["Records"][0]["body"] == "two"
    assert stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])["State"] == "Deleting"
    assert stage.awslambda.list_event_source_mappings(FunctionName=name)["EventSourceMappings"] == []


def test_lists_by_page(stage):
    """Markers go on although what they stood at is gone, and are good for their list only."""
    role = stage.role()
    names = sorted(stage.function(Role=role) for _ in range(3))
    _, arn = stage.queue(VisibilityTimeout="30")
    made = {stage.awslambda.create_event_source_mapping(FunctionName=n, EventSourceArn=arn, Enabled=False)["UUID"]: n
            for n in names}
    first = stage.awslambda.list_event_source_mappings(EventSourceArn=arn, MaxItems=1)
    assert len(first["EventSourceMappings"]) == 1
    stage.awslambda.delete_event_source_mapping(UUID=first["EventSourceMappings"][0]["UUID"])
    rest = stage.awslambda.list_event_source_mappings(EventSourceArn=arn, Marker=first["NextMarker"])
    assert {m["UUID"] for m in rest["EventSourceMappings"]} == \
        set(made) - {first["EventSourceMappings"][0]["UUID"]} and "NextMarker" not in rest
    # A mapping may move to another function, but not onto one that has this queue already.
    free = made[first["EventSourceMappings"][0]["UUID"]]
    one, two = (m["UUID"] for m in rest["EventSourceMappings"])
    with pytest.raises(ClientError) as e:
        stage.awslambda.update_event_source_mapping(UUID=one, FunctionName=made[two])
    assert code_of(e) == "ResourceConflictException"
    moved = stage.awslambda.update_event_source_mapping(UUID=one, FunctionName=free)
    assert moved["FunctionArn"].endswith(":function:" + free)
    again = stage.awslambda.create_event_source_mapping(FunctionName=made[one], EventSourceArn=arn, Enabled=False)
    for mapping in (one, two, again["UUID"]):
        stage.awslambda.delete_event_source_mapping(UUID=mapping)

    page = stage.awslambda.list_functions(MaxItems=1)
    with pytest.raises(ClientError) as e:
        stage.awslambda.list_event_source_mappings(Marker=page["NextMarker"])
    assert code_of(e) == "InvalidParameterValueException"
    listed = [f["FunctionName"] for p in stage.awslambda.get_paginator("list_functions").paginate(
        PaginationConfig={"PageSize": 1}) for f in p["Functions"]]
    assert listed == sorted(set(listed)) and set(names) <= set(listed)


def test_partial_batch(stage):
    """Only what the function reported comes again, until its queue gives it up. No visibility time-out
    ends during the test: the test itself makes the bad message visible, by the receipt of the event."""
    dlq_url, dlq_arn = stage.queue()
    in_url, in_arn = stage.queue(VisibilityTimeout="3600", RedrivePolicy=json.dumps(
        {"deadLetterTargetArn": dlq_arn, "maxReceiveCount": 2}))
    out_url, _ = stage.queue()
    name = stage.function(FORWARD, Timeout=60, Environment={"Variables": {"OUT": out_url}})
    made = stage.awslambda.create_event_source_mapping(
        FunctionName=name, EventSourceArn=in_arn, FunctionResponseTypes=["ReportBatchItemFailures"])
    assert made["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    stage.sqs.send_message_batch(QueueUrl=in_url, Entries=[
        {"Id": str(i), "MessageBody": body} for i, body in enumerate(["good", "bad", "fine"])])
    seen = []
    while sorted(seen) != ["bad", "bad", "fine", "good"]:
        for record in json.loads(stage.receive(out_url)["Body"])["Records"]:
            seen.append(record["body"])
            assert len(seen) <= 4, seen
            if record["body"] == "bad":
                stage.sqs.change_message_visibility(
                    QueueUrl=in_url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0)
    assert stage.receive(dlq_url)["Body"] == "bad"
    def left():
        a = stage.sqs.get_queue_attributes(QueueUrl=in_url, AttributeNames=["All"])["Attributes"]
        return int(a["ApproximateNumberOfMessages"]) + int(a["ApproximateNumberOfMessagesNotVisible"])
    wait_for(lambda: left() == 0, 120, "empty queue")
    assert "Messages" not in stage.sqs.receive_message(QueueUrl=dlq_url)


def test_batch_larger_than_an_event(stage):
    """Ten messages of a mebibyte are more than one event takes: they come in several, each once."""
    in_url, in_arn = stage.queue(VisibilityTimeout="60")
    out_url, _ = stage.queue()
    name = stage.function(SIZES, Environment={"Variables": {"OUT": out_url}})
    for i in range(10):
        stage.sqs.send_message(QueueUrl=in_url, MessageBody=str(i) * (1000 * 1000))
    stage.awslambda.create_event_source_mapping(FunctionName=name, EventSourceArn=in_arn, BatchSize=10)
    seen = []
    while len(seen) < 10:
        seen += json.loads(stage.receive(out_url)["Body"])
    assert sorted(seen) == sorted(f"{i} 1" for i in range(10))


def test_batching_window(stage):
    in_url, in_arn = stage.queue(VisibilityTimeout="60")
    out_url, _ = stage.queue()
    name = stage.function(FORWARD, Environment={"Variables": {"OUT": out_url}})
    stage.awslambda.create_event_source_mapping(
        FunctionName=name, EventSourceArn=in_arn, BatchSize=30, MaximumBatchingWindowInSeconds=2)
    for batch in range(3):
        stage.sqs.send_message_batch(QueueUrl=in_url, Entries=[
            {"Id": str(i), "MessageBody": f"{batch}-{i}"} for i in range(10)])
    seen = []
    while len(seen) < 30:
        got = json.loads(stage.receive(out_url)["Body"])["Records"]
        seen += [r["body"] for r in got]
    assert sorted(seen) == sorted(f"{b}-{i}" for b in range(3) for i in range(10))


def test_mapping_of_throttled_function_waits(stage):
    in_url, in_arn = stage.queue(VisibilityTimeout="60")
    out_url, _ = stage.queue()
    name = stage.function(FORWARD, Environment={"Variables": {"OUT": out_url}})
    stage.awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    stage.awslambda.create_event_source_mapping(FunctionName=name, EventSourceArn=in_arn)
    stage.sqs.send_message(QueueUrl=in_url, MessageBody="waits")
    assert "Messages" not in stage.sqs.receive_message(QueueUrl=out_url, WaitTimeSeconds=1)
    stage.awslambda.delete_function_concurrency(FunctionName=name)
    got = json.loads(stage.receive(out_url)["Body"])["Records"][0]
    assert got["body"] == "waits" and got["attributes"]["ApproximateReceiveCount"] == "1"


def test_mapping_refusals(stage):
    _, arn = stage.queue(VisibilityTimeout="5")
    name = stage.function(Timeout=10)
    with pytest.raises(ClientError) as e:
        stage.awslambda.create_event_source_mapping(FunctionName=name, EventSourceArn=arn)
    assert "visibility timeout" in e.value.response["Error"]["Message"]
    _, arn = stage.queue(VisibilityTimeout="60")
    for args in ({"BatchSize": 11}, {"StartingPosition": "LATEST"},
                 {"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}):
        with pytest.raises(ClientError) as e:
            stage.awslambda.create_event_source_mapping(FunctionName=name, EventSourceArn=arn, **args)
        assert code_of(e) == "InvalidParameterValueException"
    poor = stage.function(Role=stage.role(policy=None))
    with pytest.raises(ClientError) as e:
        stage.awslambda.create_event_source_mapping(FunctionName=poor, EventSourceArn=arn)
    assert "ReceiveMessage" in e.value.response["Error"]["Message"]


def test_queue_policy_counts_for_the_role(stage):
    """What a role may do with a queue is also the queue's to say: alone, and against the role."""
    url, arn = stage.queue(VisibilityTimeout="60")
    out_url, _ = stage.queue()
    role = stage.role(policy=None)
    poor = stage.function(Role=role)

    def set_policy(effect, *actions):
        stage.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({
            "Version": "2012-10-17", "Statement": [{"Effect": effect, "Principal": {"AWS": role},
                                                    "Action": list(actions), "Resource": arn}]})})

    set_policy("Allow", "sqs:ReceiveMessage", "sqs:GetQueueAttributes")
    with pytest.raises(ClientError) as e:
        stage.awslambda.create_event_source_mapping(FunctionName=poor, EventSourceArn=arn)
    assert "DeleteMessage" in e.value.response["Error"]["Message"]
    set_policy("Allow", "sqs:ReceiveMessage", "sqs:GetQueueAttributes", "sqs:DeleteMessage")
    made = stage.awslambda.create_event_source_mapping(FunctionName=poor, EventSourceArn=arn)
    stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])

    role = stage.role()
    rich = stage.function(FORWARD, Role=role, Environment={"Variables": {"OUT": out_url}})
    made = stage.awslambda.create_event_source_mapping(FunctionName=rich, EventSourceArn=arn)
    set_policy("Deny", "sqs:ReceiveMessage")
    stage.sqs.send_message(QueueUrl=url, MessageBody="kept")
    wait_for(lambda: "may not receive" in stage.awslambda.get_event_source_mapping(
        UUID=made["UUID"])["LastProcessingResult"], 10, "refusal")
    got = stage.sqs.receive_message(QueueUrl=url)["Messages"][0]
    assert got["Body"] == "kept"
    with pytest.raises(ClientError) as e:
        stage.awslambda.create_event_source_mapping(FunctionName=stage.function(Role=role), EventSourceArn=arn)
    assert "ReceiveMessage" in e.value.response["Error"]["Message"]


def test_queue_policy_may_refuse_a_destination(stage):
    url, arn = stage.queue()
    role = stage.role()
    stage.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": {"AWS": role},
                                                "Action": "sqs:SendMessage", "Resource": arn}]})})
    name = stage.function(Role=role)
    for call in (
            lambda: stage.awslambda.update_function_configuration(
                FunctionName=name, DeadLetterConfig={"TargetArn": arn}),
            lambda: stage.awslambda.put_function_event_invoke_config(
                FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": arn}})):
        with pytest.raises(ClientError) as e:
            call()
        assert "SendMessage" in e.value.response["Error"]["Message"]


def test_s3_notification(stage):
    url, _ = stage.queue()
    name = stage.function(FORWARD, Environment={"Variables": {"OUT": url}})
    bucket = "events-" + uuid.uuid4().hex[:8]
    stage.s3.create_bucket(Bucket=bucket)
    arn = stage.awslambda.get_function_configuration(FunctionName=name)["FunctionArn"]
    config = {"LambdaFunctionConfigurations": [{
        "LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "suffix", "Value": ".csv"}]}}}]}
    with pytest.raises(ClientError):
        stage.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=config)
    stage.awslambda.add_permission(FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction",
                                   Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::" + bucket)
    stage.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=config)
    stage.s3.put_object(Bucket=bucket, Key="a.txt", Body=b"x")
    stage.s3.put_object(Bucket=bucket, Key="a.csv", Body=b"x")
    record = json.loads(stage.receive(url)["Body"])["Records"][0]
    assert record["s3"]["object"]["key"] == "a.csv" and record["s3"]["bucket"]["name"] == bucket
    assert "Messages" not in stage.sqs.receive_message(QueueUrl=url)


def test_queue_to_function_survives_kill9(fresh_weir):
    """Messages in flight at a crash are processed after it: at least once, none lost. What the crash
    caught is visible again soon; what is received after it stays hidden for as long as it takes."""
    stage = Stage(fresh_weir)
    in_url, in_arn = stage.queue(VisibilityTimeout="4")
    out_url, _ = stage.queue()
    name = stage.function(FORWARD, Timeout=4, Environment={"Variables": {"OUT": out_url}})
    stage.awslambda.create_event_source_mapping(FunctionName=name, EventSourceArn=in_arn, BatchSize=1)
    stage.awslambda.update_function_configuration(FunctionName=name, Timeout=60)
    for batch in range(4):
        stage.sqs.send_message_batch(QueueUrl=in_url, Entries=[
            {"Id": str(i), "MessageBody": f"{batch}-{i}"} for i in range(10)])
    fresh_weir.kill9()
    fresh_weir.start()
    stage = Stage(fresh_weir)
    stage.sqs.set_queue_attributes(QueueUrl=in_url, Attributes={"VisibilityTimeout": "3600"})
    expected = {f"{b}-{i}" for b in range(4) for i in range(10)}
    seen = set()
    while seen != expected:
        seen |= {r["body"] for r in json.loads(stage.receive(out_url)["Body"])["Records"]}


def test_restart_keeps_functions(fresh_weir):
    stage = Stage(fresh_weir)
    name = stage.function()
    gone = stage.function()
    stage.awslambda.delete_function(FunctionName=gone)
    in_url, in_arn = stage.queue(VisibilityTimeout="30")
    out_url, _ = stage.queue()
    forward = stage.function(FORWARD, Environment={"Variables": {"OUT": out_url}})
    stage.awslambda.create_event_source_mapping(FunctionName=forward, EventSourceArn=in_arn)
    fresh_weir.restart()
    stage = Stage(fresh_weir)
    stage.sqs.send_message(QueueUrl=in_url, MessageBody="after")
    assert json.loads(stage.receive(out_url)["Body"])["Records"][0]["body"] == "after"
    assert json.load(stage.invoke(name, {"x": 1})["Payload"]) == {"x": 1}
    left = os.listdir(os.path.join(fresh_weir.data_dir, "lambda", "code"))
    assert len(left) == 4, left
