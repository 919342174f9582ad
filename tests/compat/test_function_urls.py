"""Function URLs: their settings by boto3, requests to them as any HTTP client sends them, and by curl under the very
address that Weir gives out."""
import base64
import http.client
import json
import re
import subprocess
import urllib.request
import uuid
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from test_cloudwatch import total_of
from test_lambda import Stage, code_of, raw
from weirtest import wait_for

# The answer is what the request says it should be, in the header x-answer; without, the event itself.
SOURCE = """
import json
def handler(event, context):
    answer = event["headers"].get("x-answer")
    if answer == "raise":
        raise ValueError("no good")
    if answer == "long":
        return {"statusCode": 200, "body": "x" * 1000000}
    return json.loads(answer) if answer else event
"""


@pytest.fixture(scope="module")
def stage(weir):
    return Stage(weir)


def permit(stage, name, qualifier=None, kind="NONE", principal="*"):
    where = {"Qualifier": qualifier} if qualifier else {}
    stage.awslambda.add_permission(
        FunctionName=name, StatementId="url-" + uuid.uuid4().hex[:8], Action="lambda:InvokeFunctionUrl",
        Principal=principal, FunctionUrlAuthType=kind, **where)
    added = raw(stage, "POST", f"/2015-03-31/functions/{name}/policy" + (f"?Qualifier={qualifier}" if qualifier else ""), {
        "StatementId": "fn-" + uuid.uuid4().hex[:8], "Action": "lambda:InvokeFunction", "Principal": principal,
        "InvokedViaFunctionUrl": True})
    statement = json.loads(added["Statement"])
    assert statement["Condition"] == {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}


def make_url(stage, name, permitted=True, **kw):
    kw.setdefault("AuthType", "NONE")
    made = stage.awslambda.create_function_url_config(FunctionName=name, **kw)
    if permitted:
        permit(stage, name, kw.get("Qualifier"), kw["AuthType"])
    return made["FunctionUrl"]


@pytest.fixture(scope="module")
def url(stage):
    return make_url(stage, stage.function(SOURCE))


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        self.text = body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)


def ask(stage, url, path="", method="GET", body=None, headers=(), host=None):
    """The headers as a list, so that a name may come twice."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", stage.weir.port, timeout=60)
    connection.putrequest(method, parts.path.rstrip("/") + (path or "/"), skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", host or parts.netloc)
    for name, value in list(headers) + ([("Content-Length", str(len(body)))] if body is not None else []):
        connection.putheader(name, value)
    connection.endheaders(body)
    reply = connection.getresponse()
    got = Reply(reply.status, reply.headers, reply.read())
    connection.close()
    return got


def answer(stage, url, value, **kw):
    headers = [("x-answer", value if isinstance(value, str) else json.dumps(value))]
    return ask(stage, url, headers=headers + kw.pop("headers", []), **kw)


# --- settings ------------------------------------------------------------------------------------


def test_life(stage):
    name = stage.function(SOURCE)
    made = stage.awslambda.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    assert made["FunctionArn"].endswith(":function:" + name) and made["AuthType"] == "AWS_IAM" and made["CreationTime"]
    parts = urlsplit(made["FunctionUrl"])
    id, kind, region, *rest = parts.hostname.split(".")
    assert len(id) == 32 and kind == "lambda-url" and region == "us-east-1" and rest == ["localhost"]
    assert parts.port == stage.weir.port and parts.path == "/"
    got = stage.awslambda.get_function_url_config(FunctionName=name)
    assert got["FunctionUrl"] == made["FunctionUrl"] and got["LastModifiedTime"] == got["CreationTime"] == made["CreationTime"]
    assert "Cors" not in got
    with pytest.raises(ClientError) as e:
        stage.awslambda.create_function_url_config(FunctionName=name, AuthType="NONE")
    assert code_of(e) == "ResourceConflictException"
    cors = {"AllowCredentials": True, "AllowHeaders": ["x-a"], "AllowMethods": ["GET", "PUT"],
            "AllowOrigins": ["https://a.example"], "ExposeHeaders": ["x-b"], "MaxAge": 60}
    changed = stage.awslambda.update_function_url_config(FunctionName=name, AuthType="NONE", Cors=cors)
    assert changed["Cors"] == cors and changed["AuthType"] == "NONE" and changed["FunctionUrl"] == made["FunctionUrl"]
    assert stage.awslambda.get_function_url_config(FunctionName=name)["Cors"] == cors
    assert "Cors" not in stage.awslambda.update_function_url_config(FunctionName=name, Cors={})
    assert stage.awslambda.get_function_url_config(FunctionName=name)["AuthType"] == "NONE"
    assert raw(stage, "PUT", f"/2021-10-31/functions/{name}/url", {"InvokeMode": "RESPONSE_STREAM"})["InvokeMode"] == "RESPONSE_STREAM"
    assert raw(stage, "PUT", f"/2021-10-31/functions/{name}/url", {"InvokeMode": "BUFFERED"})["InvokeMode"] == "BUFFERED"
    stage.awslambda.delete_function_url_config(FunctionName=name)
    for call in (stage.awslambda.get_function_url_config, stage.awslambda.delete_function_url_config,
                 stage.awslambda.update_function_url_config):
        with pytest.raises(ClientError) as e:
            call(FunctionName=name)
        assert code_of(e) == "ResourceNotFoundException"
    assert stage.awslambda.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"] != made["FunctionUrl"]


def test_of_functions_and_aliases_only(stage):
    name = stage.function(SOURCE)
    stage.awslambda.publish_version(FunctionName=name)
    for kw, error in (({"Qualifier": "1"}, "ValidationException"), ({"Qualifier": "$LATEST"}, "ValidationException"),
                      ({"Qualifier": "none"}, "ResourceNotFoundException"), ({"FunctionName": "none"}, "ResourceNotFoundException"),
                      ({"FunctionName": name + ":1"}, "InvalidParameterValueException"),
                      ({"AuthType": "JWT"}, "ValidationException"),
                      ({"Cors": {"AllowMethods": ["FETCH"]}}, "InvalidParameterValueException"),
                      ({"Cors": {"MaxAge": 86401}}, "ValidationException")):
        with pytest.raises(ClientError) as e:
            stage.awslambda.create_function_url_config(**{"FunctionName": name, "AuthType": "NONE", **kw})
        assert code_of(e) == error, kw
    with pytest.raises(ClientError) as e:
        stage.awslambda.list_function_url_configs(FunctionName="none")
    assert code_of(e) == "ResourceNotFoundException"


def test_an_alias_has_its_own(stage):
    name = stage.function("def handler(event, context):\n    return [context.function_version, context.invoked_function_arn]\n")
    stage.awslambda.publish_version(FunctionName=name)
    urls = {}
    for alias in (None, "a", "b"):
        if alias:
            stage.awslambda.create_alias(FunctionName=name, Name=alias, FunctionVersion="1")
        urls[alias] = make_url(stage, name, **({"Qualifier": alias} if alias else {}))
    assert ask(stage, urls["a"]).json()[0] == "1" and ask(stage, urls[None]).json()[0] == "$LATEST"
    assert ask(stage, urls["a"]).json()[1].endswith(f":function:{name}:a")
    found, marker = [], {}
    while True:
        page = stage.awslambda.list_function_url_configs(FunctionName=name, MaxItems=1, **marker)
        found += [(c["FunctionUrl"], c["FunctionArn"].split(name)[1]) for c in page["FunctionUrlConfigs"]]
        if "NextMarker" not in page:
            break
        marker = {"Marker": page["NextMarker"]}
    assert sorted(found) == sorted([(urls[None], ""), (urls["a"], ":a"), (urls["b"], ":b")])
    # What an alias or a function had goes with it.
    stage.awslambda.delete_alias(FunctionName=name, Name="a")
    assert ask(stage, urls["a"]).status == 403
    stage.awslambda.delete_function(FunctionName=name)
    assert ask(stage, urls["b"]).status == ask(stage, urls[None]).status == 403
    stage.function(SOURCE, FunctionName=name)
    assert stage.awslambda.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"] == []


# --- the event -----------------------------------------------------------------------------------


def test_event(stage, url):
    got = ask(stage, url, "/a%20b/c?x=1&y=a%26b&x=2&flag", headers=[
        ("X-Many", "1"), ("x-many", "2"), ("Cookie", "a=1; b=2"), ("cookie", "c=3"), ("User-Agent", "me/1"),
        ("X-Forwarded-For", "9.9.9.9"), ("X-Forwarded-Proto", "gopher")])
    assert got.status == 200 and got.headers["Content-Type"] == "application/json" and got.headers["x-amzn-RequestId"]
    event = got.json()
    host = urlsplit(url).hostname
    assert event["version"] == "2.0" and event["routeKey"] == "$default" and event["rawPath"] == "/a%20b/c"
    assert event["rawQueryString"] == "x=1&y=a%26b&x=2&flag"
    assert event["queryStringParameters"] == {"x": "1,2", "y": "a&b", "flag": ""}
    assert event["cookies"] == ["a=1", "b=2", "c=3"] and "cookie" not in event["headers"]
    assert event["headers"]["x-many"] == "1,2" and event["headers"]["host"] == urlsplit(url).netloc
    assert event["headers"]["x-forwarded-for"] == "9.9.9.9,127.0.0.1"
    assert event["headers"]["x-forwarded-proto"] == "http" and event["headers"]["x-forwarded-port"] == str(stage.weir.port)
    assert event["isBase64Encoded"] is False and "body" not in event
    context = event["requestContext"]
    assert context["http"] == {"method": "GET", "path": "/a%20b/c", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                               "userAgent": "me/1"}
    assert context["accountId"] == "anonymous" and context["apiId"] == context["domainPrefix"] == host.split(".")[0]
    assert context["domainName"] == host and context["requestId"] == got.headers["x-amzn-RequestId"]
    assert context["routeKey"] == context["stage"] == "$default" and "authorizer" not in context
    assert context["timeEpoch"] > 1600000000000 and context["time"].endswith(" +0000")
    bare = ask(stage, url).json()
    assert bare["rawPath"] == "/" and bare["rawQueryString"] == "" and "queryStringParameters" not in bare and "cookies" not in bare


TRACED = """import os, boto3
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=event["rawPath"][1:], MessageBody="m")
    return [event["headers"]["x-amzn-trace-id"], os.environ["_X_AMZN_TRACE_ID"]]
"""


def test_trace(stage):
    """Begins at the URL, unless the client brings one, and goes on with what the function calls."""
    queue = stage.weir.client("sqs").create_queue(QueueName="traced")["QueueUrl"]
    url = make_url(stage, stage.function(TRACED))
    brought = "Root=1-5f84c7a1-0123456789abcdef01234567;Sampled=1"
    for headers in ([], [("X-Amzn-Trace-Id", brought)], [("X-Amzn-Trace-Id", "Root=none")]):
        got = ask(stage, url, "/" + queue, headers=headers)
        in_event, in_function = got.json()
        assert got.headers["X-Amzn-Trace-Id"] == in_event
        root = re.fullmatch(r"Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(;Sampled=1)?", in_event)[1]
        assert (in_event == brought) == (headers == [("X-Amzn-Trace-Id", brought)])
        assert in_function.startswith(f"Root={root};Parent=")
        (message,) = stage.weir.client("sqs").receive_message(QueueUrl=queue, AttributeNames=["AWSTraceHeader"])["Messages"]
        assert message["Attributes"]["AWSTraceHeader"].startswith(f"Root={root};")
        stage.weir.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


@pytest.mark.parametrize("type,body,text", [
    ("application/json", b'{"a": 1}', True), ("text/plain; charset=utf-8", "é".encode(), True),
    ("application/vnd.api+json", b"{}", True), ("text/plain", b"\xff\x00", False),
    ("application/x-www-form-urlencoded", b"a=1", False), ("image/png", b"abc", False), (None, b"abc", False)])
def test_body(stage, url, type, body, text):
    event = ask(stage, url, method="POST", body=body, headers=[("Content-Type", type)] if type else []).json()
    assert event["isBase64Encoded"] is not text
    assert (event["body"].encode() if text else base64.b64decode(event["body"])) == body
    assert event["requestContext"]["http"]["method"] == "POST"


def test_a_body_that_is_too_large(stage, url):
    got = ask(stage, url, method="POST", body=b"x" * (6 * 1024 * 1024), headers=[("Content-Type", "text/plain")])
    assert got.status == 413, got.text
    assert ask(stage, url, "/?a=%zz").status == 400


# --- the answer ----------------------------------------------------------------------------------


def test_answer_with_status(stage, url):
    got = answer(stage, url, {"statusCode": 201, "headers": {"x-one": "1", "x-two": 2, "x-yes": True, "Content-Type": "text/html"},
                              "cookies": ["a=1; Secure", "b=2"], "body": "<p>é"})
    assert got.status == 201 and got.text == "<p>é" and got.headers["content-type"] == "text/html"
    assert got.headers["x-one"] == "1" and got.headers["x-two"] == "2" and got.headers["x-yes"] == "true"
    assert got.headers.get_all("set-cookie") == ["a=1; Secure", "b=2"]
    got = answer(stage, url, {"statusCode": "404"})
    assert got.status == 404 and got.body == b"" and got.headers["content-type"] == "application/json"
    got = answer(stage, url, {"statusCode": 200, "isBase64Encoded": True, "body": base64.b64encode(b"\x00\xff").decode()})
    assert got.body == b"\x00\xff"
    got = answer(stage, url, {"statusCode": 200, "body": "hidden"}, method="HEAD")
    assert got.status == 200 and got.body == b"" and got.headers["content-length"] == "6"
    assert len(answer(stage, url, "long").body) == 1000000


def test_metrics(stage):
    """Of each request: by function, and by it and the alias, for calls that were refused, too."""
    name = stage.function(SOURCE)
    there, cw = make_url(stage, name), stage.weir.client("cloudwatch")
    for status in (200, 404, 502):
        assert answer(stage, there, {"statusCode": status}).status == status
    stage.awslambda.update_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    assert ask(stage, there).status == 403
    for metric, value in {"UrlRequestCount": 4, "Url4xxCount": 2, "Url5xxCount": 1}.items():
        wait_for(lambda: total_of(cw, "AWS/Lambda", metric, FunctionName=name) == value, what=metric)
    assert total_of(cw, "AWS/Lambda", "UrlRequestLatency", "SampleCount", FunctionName=name, Resource=name) == 4


@pytest.mark.parametrize("value", [{"message": "hi"}, "\"text\"", "[1, 2]", "null", "17"])
def test_answer_without_status_is_the_body(stage, url, value):
    got = answer(stage, url, value)
    assert got.status == 200 and got.headers["content-type"] == "application/json"
    assert got.json() == (value if isinstance(value, dict) else json.loads(value))


@pytest.mark.parametrize("value", [
    {"statusCode": "abc"}, {"statusCode": 99}, {"statusCode": 100}, {"statusCode": 600}, {"statusCode": [200]},
    {"statusCode": 200, "body": {"a": 1}}, {"statusCode": 200, "headers": "x"}, {"statusCode": 200, "headers": {"a": ["b"]}},
    {"statusCode": 200, "headers": {"bad name": "b"}}, {"statusCode": 200, "headers": {"a:": "b"}}, {"statusCode": 200, "cookies": "a"},
    {"statusCode": 200, "cookies": [1]}, {"statusCode": 200, "isBase64Encoded": True, "body": "§"},
    {"statusCode": 200, "isBase64Encoded": "yes", "body": ""}, "raise"])
def test_malformed_answers(stage, url, value):
    got = answer(stage, url, value)
    assert (got.status, got.text) == (502, "Internal Server Error")


def test_header_values_cannot_break_out(stage, url):
    got = answer(stage, url, {"statusCode": 200, "headers": {"x-a": "1\r\nx-b: 2"}, "body": ""})
    assert got.headers["x-a"] == "1  x-b: 2" and "x-b" not in got.headers


# --- who may -------------------------------------------------------------------------------------


def is_forbidden(got):
    return got.status == 403 and got.json() == {"Message": "Forbidden"} and got.headers["x-amzn-errortype"] == "AccessDeniedException"


def test_permissions_of_everybody(stage):
    name = stage.function(SOURCE)
    url = make_url(stage, name, permitted=False)
    assert is_forbidden(ask(stage, url))
    # Each of the two alone is not enough, and the type must be the URL's.
    stage.awslambda.add_permission(FunctionName=name, StatementId="a", Action="lambda:InvokeFunctionUrl", Principal="*",
                                   FunctionUrlAuthType="NONE")
    assert is_forbidden(ask(stage, url))
    stage.awslambda.add_permission(FunctionName=name, StatementId="b", Action="lambda:InvokeFunction", Principal="*")
    assert ask(stage, url).status == 200
    stage.awslambda.remove_permission(FunctionName=name, StatementId="a")
    stage.awslambda.add_permission(FunctionName=name, StatementId="a", Action="lambda:InvokeFunctionUrl", Principal="*",
                                   FunctionUrlAuthType="AWS_IAM")
    assert is_forbidden(ask(stage, url))
    with pytest.raises(ClientError) as e:
        stage.awslambda.add_permission(FunctionName=name, StatementId="c", Action="lambda:InvokeFunction", Principal="*",
                                       FunctionUrlAuthType="NONE")
    assert code_of(e) == "InvalidParameterValueException"


def test_what_comes_by_a_url_only(stage):
    """A permission with InvokedViaFunctionUrl is none to invoke the function otherwise."""
    name = stage.function(SOURCE)
    url = make_url(stage, name)
    user = User(stage, [])
    assert ask(stage, url).status == 200
    with pytest.raises(ClientError) as e:
        user.client("lambda").invoke(FunctionName=name, Payload="{}")
    assert code_of(e) == "AccessDeniedException"


def test_unknown_urls(stage, url):
    host = urlsplit(url).netloc
    id, rest = host.split(".", 1)
    for other in (f"{'a' * 32}.{rest}", f"x.{rest}", f"{id}.lambda-url.eu-west-1.localhost", f"{id}.lambda-url", "a..lambda-url.x"):
        got = ask(stage, url, host=other)
        assert got.status == 403 or "lambda-url" not in other.split(".")[1:2], other
    for same in (host.upper(), f"{id}.lambda-url.us-east-1.on.aws", f"{id}.lambda-url.us-east-1.localhost.localstack.cloud:1"):
        assert ask(stage, url, host=same).status == 200, same


class User:
    def __init__(self, stage, statements):
        self.stage, self.name = stage, "u-" + uuid.uuid4().hex[:8]
        self.arn = stage.iam.create_user(UserName=self.name)["User"]["Arn"]
        if statements:
            stage.iam.put_user_policy(UserName=self.name, PolicyName="p", PolicyDocument=json.dumps(
                {"Version": "2012-10-17", "Statement": statements}))
        made = stage.iam.create_access_key(UserName=self.name)["AccessKey"]
        self.key, self.secret = made["AccessKeyId"], made["SecretAccessKey"]

    def client(self, service):
        return self.stage.weir.client(service, self.key, self.secret)

    def ask(self, url, method="GET", body=None, service="lambda", **kw):
        request = AWSRequest(method, url, data=body, headers={"Content-Type": "text/plain", "Host": urlsplit(url).netloc})
        SigV4Auth(Credentials(self.key, self.secret), service, "us-east-1").add_auth(request)
        return ask(self.stage, url, method=method, body=body,
                   headers=[(k, v) for k, v in request.headers.items() if k != "Host"], **kw)


def test_iam(stage):
    name = stage.function(SOURCE)
    url = make_url(stage, name, permitted=False, AuthType="AWS_IAM")
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    may = {"Effect": "Allow", "Action": ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"], "Resource": arn}
    one, none = User(stage, [may]), User(stage, [])
    got = one.ask(url, "POST", b"hello")
    assert got.status == 200, got.text
    event = got.json()
    who = event["requestContext"]["authorizer"]["iam"]
    assert who["accessKey"] == one.key and who["userArn"] == one.arn and who["accountId"] == "000000000000"
    assert who["callerId"] == who["userId"] and who["cognitoIdentity"] is None and event["body"] == "hello"
    assert event["requestContext"]["accountId"] == "000000000000" and "authorization" not in event["headers"]
    assert is_forbidden(ask(stage, url)) and is_forbidden(none.ask(url))
    assert is_forbidden(User(stage, [dict(may, Action="lambda:InvokeFunctionUrl")]).ask(url))
    narrow = {"Effect": "Allow", "Action": "lambda:*", "Resource": "*", "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}}
    assert is_forbidden(User(stage, [narrow]).ask(url))
    narrow["Condition"] = {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}, "Bool": {"lambda:InvokedViaFunctionUrl": "true"}}
    assert User(stage, [narrow]).ask(url).status == 200
    # The function's policy will do as well.
    permit(stage, name, kind="AWS_IAM", principal=none.arn)
    assert none.ask(url).status == 200
    wrong = User(stage, [may])
    wrong.secret = "x" * 40
    got = wrong.ask(url)
    assert got.status == 403 and got.headers["x-amzn-errortype"].startswith("InvalidSignatureException")
    assert one.ask(url, service="s3").status == 403


def test_conditions_on_settings(stage):
    name = stage.function(SOURCE)
    only = User(stage, [{"Effect": "Allow", "Action": "lambda:*", "Resource": "*",
                         "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}}]).client("lambda")
    with pytest.raises(ClientError) as e:
        only.create_function_url_config(FunctionName=name, AuthType="NONE")
    assert code_of(e) == "AccessDeniedException"
    only.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    only.get_function_url_config(FunctionName=name)
    stage.awslambda.update_function_url_config(FunctionName=name, AuthType="NONE")
    for call in (only.get_function_url_config, only.delete_function_url_config, only.update_function_url_config):
        with pytest.raises(ClientError) as e:
            call(FunctionName=name)
        assert code_of(e) == "AccessDeniedException"


# --- limits and CORS -----------------------------------------------------------------------------


def test_throttled(stage):
    name = stage.function(SOURCE)
    url = make_url(stage, name)
    stage.awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    got = ask(stage, url)
    assert got.status == 429 and got.headers["x-amzn-errortype"].startswith("TooManyRequestsException")


def preflight(stage, url, origin, method="GET", names=None):
    more = [("Access-Control-Request-Headers", names)] if names else []
    return ask(stage, url, method="OPTIONS", headers=[("Origin", origin), ("Access-Control-Request-Method", method)] + more)


def granted(got):
    return {k.lower()[len("access-control-"):]: v for k, v in got.headers.items() if k.lower().startswith("access-control-")}


def test_cors(stage):
    name = stage.function(SOURCE)
    url = make_url(stage, name, AuthType="AWS_IAM")
    stage.awslambda.update_function_url_config(FunctionName=name, Cors={
        "AllowOrigins": ["https://a.example", "https://b.example"], "AllowMethods": ["GET", "PUT"], "AllowHeaders": ["x-a", "x-b"],
        "ExposeHeaders": ["x-c"], "MaxAge": 60, "AllowCredentials": True})
    got = preflight(stage, url, "https://b.example", "PUT", "X-A, x-b")  # without a signature, which browsers do not send
    assert got.status == 200 and got.body == b"" and got.headers["vary"] == "Origin"
    assert granted(got) == {"allow-origin": "https://b.example", "allow-methods": "GET,PUT", "allow-headers": "x-a,x-b",
                            "max-age": "60", "allow-credentials": "true"}
    for refused in (("https://c.example",), ("https://a.example", "DELETE"), ("https://a.example", "GET", "x-z")):
        got = preflight(stage, url, *refused)
        assert got.status == 200 and granted(got) == {}
    stage.awslambda.update_function_url_config(FunctionName=name, AuthType="NONE")
    permit(stage, name)
    got = answer(stage, url, {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "https://mine"}, "body": "x"},
                 headers=[("Origin", "https://a.example"), ("Sec-Fetch-Site", "cross-site")])
    assert got.text == "x"
    assert granted(got) == {"allow-origin": "https://a.example", "expose-headers": "x-c", "allow-credentials": "true"}
    assert granted(ask(stage, url, headers=[("Origin", "https://c.example")])) == {}
    assert ask(stage, url, method="OPTIONS").json()["requestContext"]["http"]["method"] == "OPTIONS"  # no preflight
    stage.awslambda.update_function_url_config(FunctionName=name, Cors={"AllowOrigins": ["*"], "AllowMethods": ["*"], "AllowHeaders": ["*"]})
    got = preflight(stage, url, "null", "DELETE", "anything")
    assert granted(got) == {"allow-origin": "*", "allow-methods": "*", "allow-headers": "*"}
    assert granted(answer(stage, url, "raise", headers=[("Origin", "https://x")])) == {"allow-origin": "*"}


def test_without_cors_the_function_answers(stage, url):
    got = preflight(stage, url, "https://a.example")
    assert got.status == 200 and got.json()["requestContext"]["http"]["method"] == "OPTIONS" and granted(got) == {}
    got = answer(stage, url, {"statusCode": 204, "headers": {"Access-Control-Allow-Origin": "https://mine"}}, method="OPTIONS",
                 headers=[("Origin", "https://mine"), ("Access-Control-Request-Method", "GET")])
    assert got.status == 204 and granted(got) == {"allow-origin": "https://mine"}


def test_curl_with_the_address_as_it_is(stage, url):
    done = subprocess.run(["curl", "-sS", "--noproxy", "*", "-X", "POST", "-H", "Content-Type: application/json", "-d", '{"a":1}', url + "path?q=1"],
                          capture_output=True, text=True, timeout=60, check=True)
    event = json.loads(done.stdout)
    assert (event["rawPath"], event["rawQueryString"], event["body"]) == ("/path", "q=1", '{"a":1}')


def test_metrics_and_restart(stage, url):
    with urllib.request.urlopen(stage.weir.endpoint + "/_weir/metrics") as reply:
        assert 'operation="InvokeFunctionUrl"' in reply.read().decode()
    stage.weir.restart()
    assert ask(stage, url).status == 200
