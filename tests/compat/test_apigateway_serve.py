"""API Gateway's data plane: APIs made by boto3, requests as any HTTP client sends them. tests/data/apigateway has the
rows of files: a configuration, the bytes of requests, and the exact replies."""
import base64
import datetime
import glob
import gzip
import http.client
import json
import os
import socket
import struct
import threading
import uuid

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from apis import Api, exchange
from receiver import Receiver
from test_cloudwatch import total_of
from test_lambda import Stage
from weirtest import wait_for

ROWS = os.path.join(os.path.dirname(__file__), "..", "data", "apigateway")
OK = '{"statusCode": 200}'
# Of every reply, and never the same.
VARYING = {"date", "x-amzn-requestid", "x-amz-apigw-id", "x-amzn-trace-id"}


# --- rows of files ---------------------------------------------------------------------------------


def build(weir, row):
    api = Api(weir, **row.get("api", {}))
    for name, schema in row.get("models", {}).items():
        text = json.dumps(schema).replace("{api}", api.id)
        api.gw.create_model(restApiId=api.id, name=name, contentType="application/json", schema=text)
    validators = {name: api.gw.create_request_validator(restApiId=api.id, name=name, **what)["id"]
                  for name, what in row.get("validators", {}).items()}
    for type, what in row.get("gatewayResponses", {}).items():
        api.gw.put_gateway_response(restApiId=api.id, responseType=type, **what)
    for where, what in row["methods"].items():
        what = dict(what)
        if "requestValidatorId" in what:
            what["requestValidatorId"] = validators[what["requestValidatorId"]]
        verb, path = where.split(" ")
        api.method(verb, path, what.pop("integration"), what.pop("responses", None), **what)
    return api.deploy(**row.get("deployment", {}))


def comparable(reply):
    head, _, body = reply.partition(b"\r\n\r\n")
    status, *headers = head.decode().split("\r\n")
    kept = [h for h in headers if h.split(":")[0].lower() not in VARYING]
    return [status] + sorted(kept, key=str.lower) + ["", body.decode()]


@pytest.mark.parametrize("name", sorted(os.path.basename(f)[:-5] for f in glob.glob(ROWS + "/*.json")))
def test_row(weir, name):
    with open(os.path.join(ROWS, name + ".json")) as f:
        row = json.load(f)
    api = build(weir, row)
    for request in row["requests"]:
        method, path = request["ask"].split(" ", 1)
        body = request.get("body", "").encode()
        lines = [f"{method} /restapis/{api.id}/prod/_user_request_{path} HTTP/1.1", "Host: weir", "Connection: close"]
        lines += request.get("headers", []) + ([f"Content-Length: {len(body)}"] if body else [])
        got = exchange(weir, "\r\n".join(lines + ["", ""]).encode() + body)
        wanted = request["reply"]
        wanted = wanted[:1] + sorted(wanted[1:-2] + [f"Content-Length: {len(wanted[-1].encode())}", "Connection: close"],
                                     key=str.lower) + wanted[-2:]
        assert comparable(got) == wanted, request["ask"]
    api.delete()


# --- addresses -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain(weir):
    api = Api(weir)
    api.mock("GET", "/", responseTemplates={"application/json": '{"path": "$context.path"}'})
    api.mock("GET", "/a/{id}", responseTemplates={"application/json": '{"path": "$context.path"}'})
    return api.deploy()


def test_by_path_and_by_host(plain):
    for by_host in (False, True):
        assert plain.ask("/", by_host=by_host).json() == {"path": "/prod/"}
        assert plain.ask("/a/1", by_host=by_host).json() == {"path": "/prod/a/1"}
    got = plain.ask("/a/1")
    assert got.headers["x-amzn-RequestId"] and len(got.headers["x-amz-apigw-id"]) == 16
    assert got.headers["Content-Type"] == "application/json"


def test_what_is_not_there(plain):
    got = plain.ask("/nothing")
    assert (got.status, got.json()) == (403, {"message": "Missing Authentication Token"})
    assert got.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    assert plain.ask("/", method="POST").json() == {"message": "Missing Authentication Token"}
    for by_host in (False, True):
        got = plain.ask("/", stage="none", by_host=by_host)
        assert (got.status, got.json()) == (403, {"message": "Forbidden"})
        assert got.headers["x-amzn-ErrorType"] == "ForbiddenException"


def test_a_snapshot_is_served_until_the_next(weir):
    api = Api(weir).mock("GET", "/", responseTemplates={"application/json": "one"}).deploy()
    assert api.ask().text == "one"
    api.gw.update_integration_response(restApiId=api.id, resourceId=api.resources["/"], httpMethod="GET", statusCode="200",
                                       patchOperations=[{"op": "replace", "path": "/responseTemplates/application~1json", "value": "two"}])
    assert api.ask().text == "one"
    api.deploy()
    assert api.ask().text == "two"


# --- functions -------------------------------------------------------------------------------------

# The answer is what the request says it should be, in the header x-answer; without, the event itself.
SOURCE = """
import json
def handler(event, context):
    answer = (event.get("headers") or {}).get("x-answer")
    if answer == "raise" or event.get("raise"):
        raise ValueError("no good: 42")
    if answer == "sleep":
        import time; time.sleep(20)
    if answer == "trace":
        import os; return {"body": os.environ["_X_AMZN_TRACE_ID"]}
    if answer:
        return json.loads(answer)
    if "requestContext" in event:
        return {"statusCode": 200, "body": json.dumps(event)}
    return event
"""


@pytest.fixture(scope="module")
def lambdas(weir):
    return Stage(weir)


def invoke_uri(weir, name):
    arn = f"arn:aws:lambda:{weir.region}:{weir.account}:function:{name}"
    return f"arn:aws:apigateway:{weir.region}:lambda:path/2015-03-31/functions/{arn}/invocations"


def permit(lambdas, name, source):
    lambdas.awslambda.add_permission(FunctionName=name, StatementId=uuid.uuid4().hex, Action="lambda:InvokeFunction",
                                     Principal="apigateway.amazonaws.com", SourceArn=source)


@pytest.fixture(scope="module")
def proxy(weir, lambdas):
    name = lambdas.function(SOURCE)
    api = Api(weir, binaryMediaTypes=["application/octet-stream"])
    integration = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": invoke_uri(weir, name)}
    api.method("ANY", "/items/{id}", integration)
    api.method("GET", "/short", {**integration, "timeoutInMillis": 300})
    permit(lambdas, name, api.arn())
    api.deploy(variables={"color": "red"})
    return api


def test_the_event(proxy):
    got = proxy.ask("/items/7?b=1&a=x%20y&b=2", "POST", "text", [("X-A", "1"), ("x-a", "2"), ("User-Agent", "me")])
    assert got.status == 200 and got.headers["Content-Type"] == "application/json"
    assert got.headers["X-Amzn-Trace-Id"].startswith("Root=1-")
    event = got.json()
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/items/{id}", "/items/7", "POST")
    assert event["headers"]["X-A"] == "2" and event["multiValueHeaders"]["X-A"] == ["1", "2"]
    assert event["queryStringParameters"] == {"b": "2", "a": "x y"}
    assert event["multiValueQueryStringParameters"] == {"b": ["1", "2"], "a": ["x y"]}
    assert event["pathParameters"] == {"id": "7"} and event["stageVariables"] == {"color": "red"}
    assert (event["body"], event["isBase64Encoded"]) == ("text", False)
    context = event["requestContext"]
    assert context["requestId"] == got.headers["x-amzn-RequestId"] and context["extendedRequestId"] == got.headers["x-amz-apigw-id"]
    assert (context["stage"], context["apiId"], context["path"]) == ("prod", proxy.id, "/prod/items/7")
    assert context["identity"]["sourceIp"] == "127.0.0.1" and context["identity"]["userAgent"] == "me"
    bare = proxy.ask("/items/7").json()
    assert bare["body"] is None and bare["queryStringParameters"] is None
    coded = proxy.ask("/items/7", "PUT", b"\x00\xff", {"Content-Type": "application/octet-stream"}).json()
    assert coded["isBase64Encoded"] and base64.b64decode(coded["body"]) == b"\x00\xff"


def answer(api, value, path="/items/1", **kw):
    headers = {"x-answer": value if isinstance(value, str) else json.dumps(value), **kw.pop("headers", {})}
    return api.ask(path, headers=headers, **kw)


def test_the_answer(proxy):
    got = answer(proxy, {"statusCode": 201, "headers": {"X-B": "c", "Content-Type": "text/x", "Date": "never"},
                         "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}, "body": "hello"})
    assert (got.status, got.text) == (201, "hello")
    assert got.headers["X-B"] == "c" and got.headers["Content-Type"] == "text/x"
    assert got.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert got.headers["x-amzn-Remapped-Date"] == "never"
    coded = {"statusCode": 200, "body": base64.b64encode(b"\x00\x01").decode(), "isBase64Encoded": True,
             "headers": {"Content-Type": "application/octet-stream"}}
    assert answer(proxy, coded, headers={"Accept": "application/octet-stream"}).body == b"\x00\x01"
    assert answer(proxy, coded).text == coded["body"]
    for bad in ('"text"', '{"message": "x"}', '{"statusCode": "x"}', "[]", "raise"):
        got = answer(proxy, bad)
        assert (got.status, got.json()) == (502, {"message": "Internal server error"}), bad
        assert got.headers["x-amzn-ErrorType"] == "InternalServerErrorException"


def test_the_trace_goes_along(proxy):
    mine = "Root=1-5f84c7a1-0123456789abcdef01234567"
    got = answer(proxy, "trace", headers={"X-Amzn-Trace-Id": mine})
    assert got.headers["X-Amzn-Trace-Id"] == mine and got.text.startswith(mine + ";")
    got = answer(proxy, "trace")
    assert got.text.startswith(got.headers["X-Amzn-Trace-Id"] + ";")


def test_time_is_up(proxy):
    got = answer(proxy, "sleep", path="/short")
    assert (got.status, got.json()) == (504, {"message": "Endpoint request timed out"})


def test_a_function_that_does_not_permit_it(weir, lambdas):
    name = lambdas.function(SOURCE)
    api = Api(weir).method("GET", "/", {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": invoke_uri(weir, name)}).deploy()
    got = api.ask()
    assert (got.status, got.json()) == (500, {"message": "Internal server error"})
    permit(lambdas, name, api.arn("POST"))
    assert api.ask().status == 500
    permit(lambdas, name, api.arn("GET", "/", "prod"))
    assert api.ask().status == 200


def test_a_function_behind_mappings(weir, lambdas):
    name = lambdas.function(SOURCE)
    api = Api(weir)
    template = '{"raise": $input.params("raise"), "id": "$context.requestId"}'.replace('"raise")', "'raise')").replace('("', "('")
    api.method("GET", "/", {"type": "AWS", "integrationHttpMethod": "POST", "uri": invoke_uri(weir, name),
                            "requestTemplates": {"application/json": template}},
               {"200": {"responseTemplates": {"application/json": "got $input.json('$')"}},
                "418": {"selectionPattern": "no good: .*", "responseTemplates": {"application/json": '{"error": "teapot"}'}}})
    api.method("POST", "/later", {"type": "AWS", "integrationHttpMethod": "POST", "uri": invoke_uri(weir, name),
                                  "requestParameters": {"integration.request.header.X-Amz-Invocation-Type": "'Event'"}}, {"202": {}})
    permit(lambdas, name, api.arn())
    api.deploy()
    got = api.ask("/?raise=false")
    assert got.status == 200 and got.text.startswith("got {") and got.headers["x-amzn-RequestId"] in got.text
    got = api.ask("/?raise=true")
    assert (got.status, got.json()) == (418, {"error": "teapot"})
    assert api.ask("/later", "POST", "{}").status == 202


# --- who may -----------------------------------------------------------------------------------------


def signed(api, path, key, secret, method="GET"):
    url = f"http://127.0.0.1:{api.weir.port}/restapis/{api.id}/{api.stage}/_user_request_{path}"
    request = AWSRequest(method, url, headers={"Host": f"127.0.0.1:{api.weir.port}"})
    SigV4Auth(Credentials(key, secret), "execute-api", api.weir.region).add_auth(request)
    return api.ask(path, method, headers={k: v for k, v in request.headers.items() if k.lower() != "host"})


def test_iam(weir):
    iam = weir.client("iam")
    name = "u" + uuid.uuid4().hex[:8]
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    api = Api(weir)
    for path in ("/yes", "/no"):
        api.mock("GET", path, authorizationType="AWS_IAM", responseTemplates={"application/json": "$context.identity.userArn"})
    api.deploy()
    policy = {"Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": api.arn("GET", "/yes")}]}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    got = signed(api, "/yes", key["AccessKeyId"], key["SecretAccessKey"])
    assert got.status == 200 and got.text.endswith("user/" + name)
    got = signed(api, "/no", key["AccessKeyId"], key["SecretAccessKey"])
    assert got.status == 403 and "is not authorized to perform: execute-api:Invoke" in got.json()["Message"]
    assert signed(api, "/yes", key["AccessKeyId"], "wrong").headers["x-amzn-ErrorType"] == "InvalidSignatureException"
    got = api.ask("/yes")
    assert (got.status, got.json()) == (403, {"message": "Missing Authentication Token"})


AUTHORIZER = """
def handler(event, context):
    token = event["authorizationToken"]
    if token == "raise":
        raise ValueError("no")
    if token == "nobody":
        raise Exception("Unauthorized")
    effect = "Allow" if token == "allow" else "Deny"
    return {"principalId": "p", "context": {"k": "v", "n": 1}, "policyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": effect, "Action": "execute-api:Invoke", "Resource": event["methodArn"]}]}}
"""


def test_a_token_authorizer(weir, lambdas):
    name = lambdas.function(AUTHORIZER)
    api = Api(weir)
    id = api.gw.create_authorizer(restApiId=api.id, name="a", type="TOKEN", authorizerUri=invoke_uri(weir, name),
                                  identitySource="method.request.header.Authorization", authorizerResultTtlInSeconds=0)["id"]
    api.mock("GET", "/", authorizationType="CUSTOM", authorizerId=id,
             responseTemplates={"application/json": "$context.authorizer.principalId $context.authorizer.k"})
    permit(lambdas, name, f"arn:aws:execute-api:{weir.region}:{weir.account}:{api.id}/authorizers/{id}")
    api.deploy()
    assert api.ask(headers={"Authorization": "allow"}).text == "p v"
    got = api.ask(headers={"Authorization": "deny"})
    assert got.status == 403 and got.json()["Message"].startswith("User is not authorized to access this resource")
    for headers in ({}, {"Authorization": "nobody"}):
        got = api.ask(headers=headers)
        assert (got.status, got.json()) == (401, {"message": "Unauthorized"})
    assert api.ask(headers={"Authorization": "raise"}).status == 500


def test_an_api_key(weir):
    api = Api(weir).mock("GET", "/", apiKeyRequired=True, responseTemplates={"application/json": "$context.identity.apiKeyId"}).deploy()
    key = api.gw.create_api_key(name="k", enabled=True)
    plan = api.gw.create_usage_plan(name="p", apiStages=[{"apiId": api.id, "stage": "prod"}], quota={"limit": 2, "period": "DAY"})["id"]
    api.gw.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    for headers in ({}, {"x-api-key": "x" * 30}):
        got = api.ask(headers=headers)
        assert (got.status, got.json()) == (403, {"message": "Forbidden"})
    value = {"x-api-key": key["value"]}
    assert [api.ask(headers=value).text for _ in range(2)] == [key["id"]] * 2
    got = api.ask(headers=value)
    assert (got.status, got.json()) == (429, {"message": "Limit Exceeded"})


# --- services --------------------------------------------------------------------------------------


def make_role(weir, allowed, trusted="apigateway.amazonaws.com"):
    iam = weir.client("iam")
    name = "r" + uuid.uuid4().hex[:8]
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": trusted}, "Action": "sts:AssumeRole"}]}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    if allowed:
        policy = {"Statement": [{"Effect": "Allow", "Action": allowed, "Resource": "*"}]}
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    return arn


def uri(weir, rest):
    return f"arn:aws:apigateway:{weir.region}:{rest}"


def test_a_table(weir):
    db = weir.client("dynamodb")
    db.create_table(TableName="gw-jobs", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST")
    role = make_role(weir, ["dynamodb:PutItem", "dynamodb:GetItem"])
    api = Api(weir)
    put = '{"TableName": "gw-jobs", "Item": {"id": {"S": "$context.requestId"}, "body": {"S": "$input.params(\'v\')"}}}'
    api.method("POST", "/jobs", {"type": "AWS", "integrationHttpMethod": "POST", "uri": uri(weir, "dynamodb:action/PutItem"),
                                 "credentials": role, "requestTemplates": {"application/json": put}},
               {"201": {"responseTemplates": {"application/json": '{"id": "$context.requestId"}'}},
                "500": {"selectionPattern": "[45]\\d{2}", "responseTemplates": {"application/json": '{"message": "failed"}'}}})
    get = '{"TableName": "gw-jobs", "Key": {"id": {"S": "$input.params(\'id\')"}}}'
    api.method("GET", "/jobs/{id}", {"type": "AWS", "integrationHttpMethod": "POST", "uri": uri(weir, "dynamodb:action/GetItem"),
                                     "credentials": role, "requestTemplates": {"application/json": get}},
               {"200": {"responseTemplates": {"application/json": "$input.body"}}})
    api.deploy()
    made = api.ask("/jobs?v=hello", "POST", "{}")
    assert made.status == 201, made.text
    assert db.get_item(TableName="gw-jobs", Key={"id": {"S": made.json()["id"]}})["Item"]["body"] == {"S": "hello"}
    assert api.ask("/jobs/" + made.json()["id"]).json()["Item"]["body"] == {"S": "hello"}


def test_a_role_that_may_not(weir):
    template = {"application/json": '{"TableName": "none", "Key": {}}'}
    for role, status, says in ((make_role(weir, []), 403, "AccessDeniedException"),
                               (make_role(weir, ["dynamodb:*"], trusted="lambda.amazonaws.com"), 500, "Internal server error")):
        api = Api(weir).method("GET", "/", {"type": "AWS", "integrationHttpMethod": "POST", "credentials": role,
                                            "uri": uri(weir, "dynamodb:action/GetItem"), "requestTemplates": template},
                               {"200": {}, "403": {"selectionPattern": "4\\d{2}"}}).deploy()
        got = api.ask()
        assert got.status == status and says in got.text


def test_a_queue_by_path_and_by_action(weir):
    sqs = weir.client("sqs")
    url = sqs.create_queue(QueueName="gw-queue")["QueueUrl"]
    role = make_role(weir, ["sqs:SendMessage"])
    api = Api(weir)
    form = {"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"}
    api.method("POST", "/path", {"type": "AWS", "integrationHttpMethod": "POST", "credentials": role, "requestParameters": form,
                                 "uri": uri(weir, f"sqs:path/{weir.account}/gw-queue"),
                                 "requestTemplates": {"application/json": "Action=SendMessage&MessageBody=$input.params('m')"}},
               {"200": {"responseTemplates": {"application/json": "$input.body"}}})
    api.method("POST", "/action", {"type": "AWS", "integrationHttpMethod": "POST", "credentials": role,
                                   "uri": uri(weir, "sqs:action/SendMessage"),
                                   "requestParameters": {"integration.request.querystring.QueueUrl": f"'{url}'",
                                                         "integration.request.querystring.MessageBody": "method.request.querystring.m"}},
               {"200": {}}, requestParameters={"method.request.querystring.m": True})
    api.deploy()
    for path in ("/path", "/action"):
        got = api.ask(f"{path}?m=hi-{path[1:]}", "POST", "{}")
        sent = got.json()["SendMessageResponse"]["SendMessageResult"]  # as services answer API Gateway
        assert got.status == 200 and sent["MessageId"] and sent["SequenceNumber"] is None
    bodies = {m["Body"] for _ in range(2) for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])}
    assert bodies == {"hi-path", "hi-action"}


def test_a_topic_a_bus_and_a_bucket(weir):
    topic = weir.client("sns").create_topic(Name="gw-topic")["TopicArn"]
    s3 = weir.client("s3")
    s3.create_bucket(Bucket="gw-bucket")
    role = make_role(weir, ["sns:Publish", "events:PutEvents", "s3:PutObject", "s3:GetObject", "s3:ListBucket"])
    api = Api(weir, binaryMediaTypes=["image/png"])
    base = {"type": "AWS", "integrationHttpMethod": "POST", "credentials": role}
    api.method("POST", "/topic", {**base, "uri": uri(weir, "sns:action/Publish"),
                                  "requestParameters": {"integration.request.querystring.TopicArn": f"'{topic}'",
                                                        "integration.request.querystring.Message": "'m'"}}, {"200": {}})
    event = '{"Entries": [{"Source": "a", "DetailType": "b", "Detail": "{}"}]}'
    api.method("POST", "/bus", {**base, "uri": uri(weir, "events:action/PutEvents"),
                                "requestTemplates": {"application/json": event}}, {"200": {}})
    keyed = {"integration.request.path.key": "method.request.path.key"}
    api.method("PUT", "/files/{key}", {**base, "integrationHttpMethod": "PUT", "uri": uri(weir, "s3:path/gw-bucket/{key}"),
                                       "requestParameters": {**keyed, "integration.request.header.Content-Type": "method.request.header.Content-Type"}},
               {"200": {}}, requestParameters={"method.request.path.key": True, "method.request.header.Content-Type": False})
    api.method("GET", "/files/{key}", {**base, "integrationHttpMethod": "GET", "uri": uri(weir, "s3:path/gw-bucket/{key}"),
                                       "requestParameters": keyed},
               {"200": {"responseParameters": {"method.response.header.Content-Type": "integration.response.header.Content-Type"}},
                "404": {"selectionPattern": "404"}}, requestParameters={"method.request.path.key": True})
    api.deploy()
    assert "MessageId" in api.ask("/topic", "POST", "{}").text
    assert api.ask("/bus", "POST", "{}").json()["FailedEntryCount"] == 0
    png = b"\x89PNG\x00\xff"
    assert api.ask("/files/a.png", "PUT", png, {"Content-Type": "image/png"}).status == 200
    assert s3.get_object(Bucket="gw-bucket", Key="a.png")["Body"].read() == png
    got = api.ask("/files/a.png", headers={"Accept": "image/png"})
    assert got.body == png and got.headers["Content-Type"] == "image/png"
    got = api.ask("/files/none")
    assert got.status == 404 and "NoSuchKey" in got.text


# --- over HTTP -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def outside(make_module_weir):
    receiver = Receiver()
    yield make_module_weir(args=["--allow-outgoing-loopback"]), receiver
    receiver.close()


@pytest.fixture(scope="module")
def make_module_weir():
    from weirtest import Weir
    servers = []

    def make(**kw):
        servers.append(Weir(**kw))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


def test_http(outside):
    weir, there = outside
    api = Api(weir)
    api.method("ANY", "/p/{proxy+}", {"type": "HTTP_PROXY", "integrationHttpMethod": "ANY", "uri": there.base + "/x/{proxy}",
                                      "requestParameters": {"integration.request.path.proxy": "method.request.path.proxy"}},
               requestParameters={"method.request.path.proxy": True})
    api.method("POST", "/m", {"type": "HTTP", "integrationHttpMethod": "PUT", "uri": there.base + "/m",
                              "requestTemplates": {"application/json": "<$input.body>"},
                              "requestParameters": {"integration.request.querystring.q": "'1 2'"}},
               {"200": {"responseTemplates": {"application/json": "[$input.body]"}}, "404": {"selectionPattern": "404"}})
    api.method("GET", "/nobody", {"type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": "http://127.0.0.1:1/"})
    api.deploy()
    there.answers = [(203, {"X-B": "c", "Content-Type": "text/x", "Server": "s"}, "hello")]
    got = api.ask("/p/a/b?c=d", "POST", "body", {"X-A": "1", "Content-Type": "text/plain"})
    headers, body = there.next()
    assert (there.method, there.path, body) == ("POST", "/x/a/b?c=d", "body")
    assert headers["x-a"] == "1" and headers["x-forwarded-for"] == "127.0.0.1" and headers["x-amzn-apigateway-api-id"] == api.id
    assert (got.status, got.text, got.headers["X-B"]) == (203, "hello", "c")
    assert got.headers["Content-Type"] == "text/x" and "x-amzn-Remapped-Server" in got.headers
    there.answers = [(200, {}, "yes"), 404, 500]
    got = api.ask("/m", "POST", "b")
    headers, body = there.next()
    assert (there.method, there.path, body, got.text) == ("PUT", "/m?q=1%202", "<b>", "[yes]")
    assert headers["user-agent"] == "AmazonAPIGateway_" + api.id and headers["content-type"] == "application/json"
    assert api.ask("/m", "POST", "b").status == 404
    assert api.ask("/m", "POST", "b").status == 200  # the one without a pattern
    got = api.ask("/nobody")
    assert (got.status, got.json()) == (504, {"message": "Network error communicating with endpoint"})


class Upstream:
    """An endpoint that answers each request with the pieces that the test gives, as far as they are taken."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.sent, self.cut = 0, threading.Event()

    def serve(self, head, pieces):
        """One request, on a thread of its own. `head`: headers, or all that comes first. self.cut: whoever asked left
        before the end."""
        self.sent = 0
        self.cut.clear()
        threading.Thread(target=self.answer, args=(head, pieces), daemon=True).start()

    def answer(self, head, pieces):
        connection, _ = self.listener.accept()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
        with connection:
            while b"\r\n\r\n" not in connection.recv(65536):
                pass
            try:
                connection.sendall(head if isinstance(head, bytes) else f"HTTP/1.1 200 OK\r\nContent-Type: text/x\r\n{head}\r\n\r\n".encode())
                for piece in pieces:
                    connection.sendall(piece)
                    self.sent += len(piece)
            except OSError:
                self.cut.set()


MB = 1024 * 1024
BROKEN = (http.client.IncompleteRead, ConnectionResetError)


@pytest.fixture(scope="module")
def flow(outside):
    """Asks GET /flow raw: the socket, of which the reply is to be read."""
    weir, _ = outside
    there = Upstream()
    api = Api(weir)
    integration = {"type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": there.base}
    api.method("GET", "/flow", integration)
    api.method("GET", "/cut", {**integration, "timeoutInMillis": 200})
    mapped = {**integration, "type": "HTTP"}
    for path, response in MAPPED.items():
        api.method("GET", path, mapped, {"200": {"selectionPattern": "200", **response}, "500": {}})
    api.deploy()

    def ask(path="/flow"):
        s = socket.socket()
        s.settimeout(60)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)  # before the connection: it bounds what the kernel takes
        s.connect(("127.0.0.1", weir.port))
        s.sendall(f"GET /restapis/{api.id}/{api.stage}/_user_request_{path} HTTP/1.1\r\nHost: weir\r\nConnection: close\r\n\r\n".encode())
        return s
    yield there, ask, weir
    there.listener.close()


def whole(s):
    """Status and body of a reply, whose end must be said: IncompleteRead otherwise."""
    reply = http.client.HTTPResponse(s)
    reply.begin()
    return reply.status, reply.read(), reply


# Integration responses of HTTP endpoints, and what needs the whole answer.
MAPPED = {
    "/mapped": {"responseParameters": {"method.response.header.x-static": "'s'", "method.response.header.x-type": "integration.response.header.Content-Type"}},
    "/template": {"responseTemplates": {"text/x": "$input.body"}},
    "/parameter": {"responseParameters": {"method.response.header.x-body": "integration.response.body.none"}},
    "/binary": {"contentHandling": "CONVERT_TO_BINARY"},
}


@pytest.mark.parametrize("path, flows", [("/mapped", True), ("/template", False), ("/parameter", False), ("/binary", False)])
def test_mapped_answers_flow(flow, path, flows):
    """Where the integration response needs nothing of the body; else the answer is taken whole."""
    there, ask, _ = flow
    data = b"abcd" * (MB // 4)
    there.serve(f"Content-Length: {MB}", [data])
    status, body, reply = whole(ask(path))
    assert (status, body) == (200, base64.b64decode(data) if path == "/binary" else data)
    assert (reply.getheader("Transfer-Encoding") == "chunked") == flows == (reply.getheader("Content-Length") is None)
    if path == "/mapped":
        assert (reply.getheader("x-static"), reply.getheader("x-type"), reply.getheader("Content-Type")) == ("s", "text/x", "application/json")


def test_mapped_answers_that_break_off(flow):
    there, ask, _ = flow
    there.serve("Content-Length: 1000", [b"x" * 999])
    assert whole(ask("/mapped"))[0] == 504
    there.serve(f"Content-Length: {MB}", [b"x" * (MB - 1)])
    with pytest.raises(BROKEN):
        whole(ask("/mapped"))
    there.serve(b"HTTP/1.1 404 X\r\nContent-Type: text/x\r\nContent-Length: 1048576\r\n\r\n", [b"x" * MB])
    assert whole(ask("/mapped"))[0] == 500  # the response without a pattern
    for path in ("/mapped", "/template"):
        there.serve(f"Content-Length: {10 * MB + 1}", [b"x" * MB] * 11)
        assert whole(ask(path))[0] == 500


@pytest.mark.parametrize("size, flows", [(0, False), (1, False), (64 * 1024, False), (64 * 1024 + 1, True), (3 * MB, True), (10 * MB, True)])
def test_answers_flow(flow, size, flows):
    """What is longer than 64 KB is passed on before it is whole; what is shorter has its length."""
    there, ask, _ = flow
    data = os.urandom(size)
    there.serve(f"Content-Length: {size}", [data[i:i + 50000] for i in range(0, size, 50000)])
    status, body, reply = whole(ask())
    assert (status, reply.getheader("Content-Type"), len(body)) == (200, "text/x", size) and body == data
    assert (reply.getheader("Transfer-Encoding") == "chunked") == flows == (reply.getheader("Content-Length") is None)


def test_answers_that_break_off(flow):
    """Before the reply began: an error. After that: the connection is closed, and the reply is not complete."""
    there, ask, _ = flow
    there.serve("Content-Length: 1000", [b"x" * 999])
    assert whole(ask())[0] == 504
    there.serve(f"Content-Length: {MB}", [b"x" * (MB - 1)])
    with pytest.raises(BROKEN):
        whole(ask())
    there.serve("Transfer-Encoding: chunked", [b"%x\r\n%s\r\n" % (MB, b"x" * MB), b"nonsense\r\n"])
    with pytest.raises(BROKEN):
        whole(ask())
    there.serve("Connection: close", [b"x" * MB] * 11)  # over 10 MB, which nobody said before
    with pytest.raises(BROKEN):
        whole(ask())
    there.serve(f"Content-Length: {10 * MB + 1}", [b"x" * MB] * 11)
    assert whole(ask())[0] == 500
    held = threading.Event()
    there.serve("Content-Length: 10", (held.wait(30) and b"" for _ in range(1)))
    assert whole(ask("/cut"))[0] == 504  # the integration's time-out
    held.set()


NO_REPLY = [b"\0garbage\r\n\r\n", b"", b"hello", b"HTTP/1.1 999999 X\r\n\r\n", b"HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", b"HTTP/1.1 100 Continue\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"]


@pytest.mark.parametrize("answer", NO_REPLY)
def test_answers_of_nonsense(flow, answer):
    there, ask, _ = flow
    there.serve(answer, [])
    assert whole(ask())[0] == 504


@pytest.mark.parametrize("status", [600, 999])
def test_answers_of_no_status(flow, status):
    """Numbers that are none of HTTP's would end what cannot be replied."""
    there, ask, _ = flow
    for size in (1, MB):
        there.serve(f"HTTP/1.1 {status} X\r\nContent-Length: {size}\r\n\r\n".encode(), [b"x" * size])
        assert whole(ask())[:2] == (502, b'{"message":"Internal server error"}')


def test_interim_status_of_an_integration_response(weir):
    api = Api(weir)
    api.mock("GET", "/", status=100, template='{"statusCode": 100}')
    api.deploy()
    got = api.ask("/")
    assert (got.status, got.json()) == (502, {"message": "Internal server error"})


def memory_of(weir):
    with open(f"/proc/{weir.process.pid}/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmRSS"))


@pytest.mark.parametrize("path", ["/flow", "/mapped"])
def test_answers_wait_for_their_reader(flow, path):
    """A client that does not read holds up the endpoint, not memory, however long the answer would be; one that leaves
    ends the request to it."""
    there, ask, weir = flow
    there.serve("Transfer-Encoding: chunked", [b"10000\r\n%s\r\n" % (b"x" * 0x10000)] * 800)  # 50 MB
    before = memory_of(weir)
    s = ask(path)
    assert s.recv(12) == b"HTTP/1.1 200"
    sent = wait_for(lambda last=[-1]: there.sent if there.sent == last[0] else last.__setitem__(0, there.sent), what="endpoint that waits")
    assert sent < 10 * MB and memory_of(weir) - before < 4 * MB
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
    assert there.cut.wait(30) and there.sent < 10 * MB


# --- refusals ---------------------------------------------------------------------------------------


def refusing_api(weir, there, functions):
    """An API whose methods are each refused in another way; (type, path, what is asked)."""
    name = functions.function(AUTHORIZER)
    api = Api(weir, name="refusing")
    for type in REFUSALS:
        api.gw.put_gateway_response(restApiId=api.id, responseType=type, statusCode="418", responseTemplates={
            "application/json": '{"type": "$context.error.responseType", "said": $context.error.messageString}'})
    of_permitted, of_other = (api.gw.create_authorizer(restApiId=api.id, name=n, type="TOKEN", authorizerUri=invoke_uri(weir, f), authorizerResultTtlInSeconds=0,
                                                       identitySource="method.request.header.Authorization")["id"]
                              for n, f in (("permitted", name), ("other", functions.function(SOURCE))))
    permit(functions, name, f"arn:aws:execute-api:{weir.region}:{weir.account}:{api.id}/authorizers/{of_permitted}")
    of_all = api.gw.create_authorizer(restApiId=api.id, name="all", type="REQUEST", authorizerUri=invoke_uri(weir, name), authorizerResultTtlInSeconds=0)["id"]
    for path, id in (("/authorized", of_permitted), ("/unpermitted", of_other), ("/many", of_all)):
        api.mock("GET", path, authorizationType="CUSTOM", authorizerId=id)
    api.mock("GET", "/signed", authorizationType="AWS_IAM")
    for path in ("/key", "/spent"):
        api.mock("GET", path, apiKeyRequired=True)
    api.mock("GET", "/throttled").mock("GET", "/broken", template="#if(")
    api.mock("POST", "/free")
    http = {"type": "HTTP_PROXY", "integrationHttpMethod": "GET"}
    api.method("GET", "/nobody", {**http, "uri": "http://127.0.0.1:1/"})
    api.method("GET", "/slow", {**http, "uri": there.base, "timeoutInMillis": 100})
    api.gw.create_model(restApiId=api.id, name="M", contentType="application/json", schema='{"type": "object"}')
    all = api.gw.create_request_validator(restApiId=api.id, name="all", validateRequestBody=True, validateRequestParameters=True)["id"]
    mock = {"type": "MOCK", "requestTemplates": {"application/json": OK}}
    api.method("POST", "/body", mock, {"200": {}}, requestValidatorId=all, requestModels={"application/json": "M"})
    api.method("GET", "/parameter", mock, {"200": {}}, requestValidatorId=all, requestParameters={"method.request.querystring.q": True})
    api.method("POST", "/never", {**mock, "passthroughBehavior": "NEVER"}, {"200": {}})
    api.deploy()
    api.patch_stage(**{"/~1throttled/GET/throttling/rateLimit": "0", "/~1throttled/GET/throttling/burstLimit": "0"})
    key = api.gw.create_api_key(name="refused", enabled=True)
    plan = api.gw.create_usage_plan(name="refusing", apiStages=[{"apiId": api.id, "stage": "prod"}], quota={"limit": 1, "period": "DAY"})["id"]
    api.gw.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    return api, {"x-api-key": key["value"]}


# Gateway responses that a request can meet: what is asked. RESOURCE_NOT_FOUND and WAF_FILTERED are none of
# them, EXPIRED_TOKEN needs a session that ended.
REFUSALS = {
    "ACCESS_DENIED": {"path": "/authorized", "headers": {"Authorization": "deny"}},
    "API_CONFIGURATION_ERROR": {"path": "/broken"},
    "AUTHORIZER_CONFIGURATION_ERROR": {"path": "/unpermitted", "headers": {"Authorization": "allow"}},
    "AUTHORIZER_FAILURE": {"path": "/many?" + "&".join(f"q={i}" for i in range(1001))},  # more than its event has room for
    "BAD_REQUEST_BODY": {"path": "/body", "method": "POST", "body": "[]", "headers": {"Content-Type": "application/json"}},
    "BAD_REQUEST_PARAMETERS": {"path": "/parameter"},
    "INTEGRATION_FAILURE": {"path": "/nobody"},
    "INTEGRATION_TIMEOUT": {"path": "/slow"},
    "INVALID_API_KEY": {"path": "/key", "headers": {"x-api-key": "none"}},
    "INVALID_SIGNATURE": {"path": "/signed", "secret": "wrong"},
    "MISSING_AUTHENTICATION_TOKEN": {"path": "/none"},
    "QUOTA_EXCEEDED": {"path": "/spent", "key": True},
    "REQUEST_TOO_LARGE": {"path": "/free", "method": "POST", "body": b"x" * (10 * MB + 1)},
    "THROTTLED": {"path": "/throttled"},
    "UNAUTHORIZED": {"path": "/authorized"},
    "UNSUPPORTED_MEDIA_TYPE": {"path": "/never", "method": "POST", "body": "x", "headers": {"Content-Type": "text/plain"}},
}


def test_gateway_responses_of_every_type(outside):
    weir, _ = outside
    there, held = Upstream(), threading.Event()
    there.serve("Content-Length: 10", (held.wait(30) and b"" for _ in range(1)))
    api, key = refusing_api(weir, there, Stage(weir))
    assert api.ask("/spent", headers=key).status == 200
    for type, asked in REFUSALS.items():
        asked = dict(asked)
        if asked.pop("key", False):
            asked["headers"] = key
        got = signed(api, asked["path"], "test", asked["secret"]) if "secret" in asked else api.ask(**asked)
        assert (got.status, got.json()["type"]) == (418, type), (type, got.text)
    held.set()
    there.listener.close()
    api.delete()


# --- bytes -----------------------------------------------------------------------------------------


def test_compression(weir):
    api = Api(weir, minimumCompressionSize=10)
    api.mock("GET", "/", responseTemplates={"application/json": "x" * 1000})
    api.mock("GET", "/small", responseTemplates={"application/json": "x"})
    api.deploy()
    got = api.ask(headers={"Accept-Encoding": "gzip"})
    assert got.headers["Content-Encoding"] == "gzip" and gzip.decompress(got.body) == b"x" * 1000
    assert "Content-Encoding" not in api.ask("/small", headers={"Accept-Encoding": "gzip"}).headers
    assert api.ask().body == b"x" * 1000


def test_too_long(plain):
    got = plain.ask("/", "GET", b"x" * (10 * 1024 * 1024 + 1))
    assert (got.status, got.json()) == (413, {"message": "Request Too Long"})


def test_throttling(weir):
    api = Api(weir).mock("GET", "/").mock("GET", "/free").deploy()
    api.patch_stage(**{"/~1/GET/throttling/rateLimit": "0.01", "/~1/GET/throttling/burstLimit": "3"})
    assert [api.ask().status for _ in range(5)] == [200, 200, 200, 429, 429]
    got = api.ask()
    assert got.json() == {"message": "Too Many Requests"} and got.headers["x-amzn-ErrorType"] == "TooManyRequestsException"
    assert api.ask("/free").status == 200


# --- logs and cache --------------------------------------------------------------------------------


def lines_of(logs, group):
    return [e["message"] for e in logs.filter_log_events(logGroupName=group)["events"]]


def test_logs(weir):
    logs = weir.client("logs")
    logs.create_log_group(logGroupName="gw-access")
    weir.client("apigateway").update_account(patchOperations=[
        {"op": "replace", "path": "/cloudwatchRoleArn", "value": make_role(weir, ["logs:*"])}])
    api = Api(weir).mock("GET", "/").deploy()
    api.patch_stage(**{"/accessLogSettings/destinationArn": f"arn:aws:logs:{weir.region}:{weir.account}:log-group:gw-access",
                       "/accessLogSettings/format": "$context.httpMethod $context.resourcePath $context.status $context.identity.user $context.requestId",
                       "/*/*/logging/loglevel": "INFO", "/*/*/logging/dataTrace": "true"})
    id = api.ask().headers["x-amzn-RequestId"]
    wait_for(lambda: lines_of(logs, "gw-access"), what="the access log")
    assert [line.strip() for line in lines_of(logs, "gw-access")] == [f"GET / 200 - {id}"]
    group = f"API-Gateway-Execution-Logs_{api.id}/prod"
    lines = lines_of(logs, group)
    for line in (f"Starting execution for request: {id}", "HTTP Method: GET, Resource Path: /", "Successfully completed execution",
                 "Method completed with status: 200"):
        assert f"({id}) {line}" in lines


# What access logs say of a call that was answered and of one that was refused, by variable; a function: of the value.
ACCESS = {
    "apiId": (lambda api, v: v == api.id,) * 2,
    "authorizer.principalId": ("p", "-"),
    "authorizer.k": ("v", "-"),
    "authorizer.status": ("200", "-"),
    "authorizer.integrationStatus": ("200", "-"),
    "authorizer.latency": (lambda api, v: v.isdigit(), "-"),
    "authorizer.requestId": (lambda api, v: len(v) == 36, "-"),
    "deploymentId": (lambda api, v: v == api.gw.get_stage(restApiId=api.id, stageName="prod")["deploymentId"],) * 2,
    "domainName": (lambda api, v: v.startswith(api.id),) * 2,
    "endpointType": ("REGIONAL", "REGIONAL"),
    "error.message": ("-", "Unauthorized"),
    "error.messageString": ("-", '"Unauthorized"'),
    "error.responseType": ("-", "UNAUTHORIZED"),
    "extendedRequestId": (lambda api, v: len(v) > 8,) * 2,
    "httpMethod": ("GET", "GET"),
    "identity.sourceIp": ("127.0.0.1", "127.0.0.1"),
    "identity.userAgent": ("agent", "agent"),
    "integration.error": ("-", "-"),
    "integration.latency": (lambda api, v: v.isdigit(), "-"),
    "integration.requestId": (lambda api, v: len(v) == 36, "-"),
    "integration.status": ("200", "-"),
    "integrationLatency": (lambda api, v: v.isdigit(), "-"),
    "integrationStatus": ("200", "-"),
    "isCanaryRequest": ("-", "-"),
    "path": ("/prod/a/b", "/prod/a/b"),
    "protocol": ("HTTP/1.1", "HTTP/1.1"),
    "requestTimeEpoch": (lambda api, v: len(v) == 13,) * 2,
    "resourcePath": ("/a/{id}", "/a/{id}"),
    "responseLatency": (lambda api, v: v.isdigit(),) * 2,
    "responseLength": ("2", lambda api, v: int(v) > 0),
    "stage": ("prod", "prod"),
    "status": ("200", "401"),
    "xrayTraceId": (lambda api, v: v.startswith("Root=1-"),) * 2,
}


def test_access_log_variables(weir, lambdas):
    logs, name = weir.client("logs"), lambdas.function(AUTHORIZER)
    logs.create_log_group(logGroupName="gw-variables")
    weir.client("apigateway").update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": make_role(weir, ["logs:*"])}])
    api = Api(weir, endpointConfiguration={"types": ["REGIONAL"]})
    function = lambdas.function("import json\ndef handler(event, context):\n"
                                "    return {'statusCode': 200, 'body': 'ok', 'headers': {'x-who': json.dumps(event['requestContext']['authorizer'])}}\n")
    id = api.gw.create_authorizer(restApiId=api.id, name="a", type="TOKEN", authorizerUri=invoke_uri(weir, name),
                                  identitySource="method.request.header.Authorization", authorizerResultTtlInSeconds=0)["id"]
    api.method("GET", "/a/{id}", {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": invoke_uri(weir, function)}, authorizationType="CUSTOM", authorizerId=id)
    api.mock("GET", "/broken", template="line one\n#set($x = )")
    for f, source in ((name, f"arn:aws:execute-api:{weir.region}:{weir.account}:{api.id}/authorizers/{id}"), (function, api.arn())):
        permit(lambdas, f, source)
    api.deploy()
    api.patch_stage(**{"/accessLogSettings/destinationArn": f"arn:aws:logs:{weir.region}:{weir.account}:log-group:gw-variables",
                       "/accessLogSettings/format": "$context.requestId|" + "|".join(f"$context.{name}" for name in ACCESS), "/*/*/logging/loglevel": "ERROR"})
    got = [api.ask("/a/b", headers={"User-Agent": "agent", **more}) for more in ({"Authorization": "allow"}, {})]
    ids = [reply.headers["x-amzn-RequestId"] for reply in got]
    who = json.loads(got[0].headers["x-who"])
    assert who.pop("integrationLatency") >= 0 and who == {"principalId": "p", "k": "v", "n": "1"}
    wait_for(lambda: len(lines_of(logs, "gw-variables")) == 2, what="the access log")
    said = {line.split("|")[0]: line.strip().split("|")[1:] for line in lines_of(logs, "gw-variables")}
    for i, asked in enumerate(ids):
        for (variable, wanted), value in zip(ACCESS.items(), said[asked]):
            right = wanted[i](api, value) if callable(wanted[i]) else value == wanted[i]
            assert right, (i, variable, value)
    broken = api.ask("/broken")
    assert (broken.status, broken.json()) == (500, {"message": "Internal server error"})
    group = f"API-Gateway-Execution-Logs_{api.id}/prod"
    wait_for(lambda: logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"], what="the execution log")
    wait_for(lambda: any("(line 2, column" in line and broken.headers["x-amzn-RequestId"] in line for line in lines_of(logs, group)), what="the template's line")


def test_cache(weir, lambdas):
    source = "n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    return {'statusCode': 200, 'body': str(n)}\n"
    name = lambdas.function(source)
    api = Api(weir, name="cached")
    api.method("GET", "/{id}", {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": invoke_uri(weir, name),
                                "requestParameters": {"integration.request.path.id": "method.request.path.id"},
                                "cacheKeyParameters": ["method.request.path.id"]}, requestParameters={"method.request.path.id": True})
    permit(lambdas, name, api.arn())
    api.deploy(cacheClusterEnabled=True, cacheClusterSize="0.5")
    api.patch_stage(**{"/*/*/caching/enabled": "true", "/*/*/caching/requireAuthorizationForCacheControl": "false"})
    first = api.ask("/a").text
    assert api.ask("/a").text == first
    other = api.ask("/b").text
    assert other != first
    anew = api.ask("/a", headers={"Cache-Control": "max-age=0"}).text
    assert anew not in (first, other) and api.ask("/a").text == anew
    api.gw.flush_stage_cache(restApiId=api.id, stageName="prod")
    assert api.ask("/a").text not in (first, anew)
    api.patch_stage(**{"/*/*/caching/requireAuthorizationForCacheControl": "true",
                       "/*/*/caching/unauthorizedCacheControlHeaderStrategy": "FAIL_WITH_403"})
    assert api.ask("/a", headers={"Cache-Control": "max-age=0"}).status == 403
    api.patch_stage(**{"/*/*/caching/unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER"})
    assert api.ask("/a", headers={"Cache-Control": "max-age=0"}).headers["Warning"].startswith("199")
    cw = weir.client("cloudwatch")
    for metric, n in {"CacheHitCount": 3, "CacheMissCount": 4}.items():
        wait_for(lambda: total_of(cw, "AWS/ApiGateway", metric, ApiName="cached", Stage="prod") == n, what=metric)


# --- what CloudWatch hears ----------------------------------------------------------------------------------

def test_metrics(weir):
    api = Api(weir, name="measured").mock("GET", "/a").mock("GET", "/b").deploy()
    api.patch_stage(**{"/~1a/GET/metrics/enabled": "true"})
    assert [api.ask(path).status for path in ("/a", "/a", "/b", "/c")] == [200, 200, 200, 403]
    now = datetime.datetime.now(datetime.timezone.utc)

    def total(name, statistic="Sum", **dimensions):
        points = weir.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/ApiGateway", MetricName=name, StartTime=now - datetime.timedelta(minutes=10), EndTime=now + datetime.timedelta(minutes=10),
            Period=60, Statistics=[statistic], Dimensions=[{"Name": k, "Value": v} for k, v in dimensions.items()])["Datapoints"]
        return sum(p[statistic] for p in points)

    of_stage = {"ApiName": "measured", "Stage": "prod"}
    wait_for(lambda: total("Count", **of_stage) == 4, 30, "metrics of the stage")
    assert (total("4XXError", ApiName="measured"), total("5XXError", **of_stage)) == (1, 0)
    assert total("Latency", "SampleCount", **of_stage) == 4
    of_method = {"Method": "GET", **of_stage}
    assert (total("Count", Resource="/a", **of_method), total("Count", Resource="/b", **of_method)) == (2, 0)
    api.delete()


# --- tried before they are deployed ----------------------------------------------------------------


def tried(api, method, path, **asked):
    return api.gw.test_invoke_method(restApiId=api.id, resourceId=api.resources[path], httpMethod=method, **asked)


def test_a_method_is_tried(weir):
    """As it is, not as it was deployed; the log says each step."""
    template = ('{"s": "$stageVariables.color", "stage": "$context.stage", "ip": "$context.identity.sourceIp", '
                '"who": "$context.identity.userArn", "key": "$context.identity.apiKey"}')
    api = Api(weir)
    api.mock("GET", "/a/{id}", apiKeyRequired=True, responseTemplates={"application/json": template},
             responseParameters={"method.response.header.X-B": "'c'"})
    api.mock("ANY", "/any", authorizationType="AWS_IAM", responseTemplates={"application/json": "$context.path"})
    got = tried(api, "GET", "/a/{id}", pathWithQueryString="/a/7?q=x%20y", headers={"x-a": "1"}, stageVariables={"color": "red"})
    assert got["status"] == 200 and got["latency"] >= 0
    shown = json.loads(got["body"])
    assert shown == {"s": "red", "stage": "test-invoke-stage", "ip": "test-invoke-source-ip", "key": "test-invoke-api-key",
                     "who": f"arn:aws:iam::{weir.account}:root"}
    assert got["headers"] == {"Content-Type": "application/json", "X-B": "c"}
    assert got["multiValueHeaders"] == {"Content-Type": ["application/json"], "X-B": ["c"]}
    lines = got["log"].splitlines()
    id = got["ResponseMetadata"]["RequestId"]
    assert lines[0] == f"Execution log for request {id}"
    said = [line.split(" : ", 1)[1] for line in lines[1:]]
    for line in (f"Starting execution for request: {id}", "HTTP Method: GET, Resource Path: /a/7", "Method request path: {id=7}",
                 "Method request query string: {q=x y}", "Method request headers: {x-a=1}",
                 "Method response headers: {X-B=c, Content-Type=application/json}"):
        assert line in said, said
    assert said[-2:] == ["Successfully completed execution", "Method completed with status: 200"]
    assert tried(api, "ANY", "/any")["body"] == "/test-invoke-stage/any"
    api.delete()


def test_a_function_is_tried(weir, lambdas):
    name = lambdas.function(SOURCE)
    api = Api(weir)
    api.method("POST", "/p", {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": invoke_uri(weir, name)})
    permit(lambdas, name, api.arn("POST", "/p", "test-invoke-stage"))
    got = tried(api, "POST", "/p", body="text", multiValueHeaders={"X-A": ["1", "2"]}, headers={"X-A": "9", "X-C": "3"})
    event = json.loads(got["body"])
    assert (event["path"], event["body"], event["multiValueHeaders"]["X-A"], event["headers"]["X-C"]) == ("/p", "text", ["1", "2"], "3")
    context = event["requestContext"]
    assert (context["stage"], context["domainName"]) == ("test-invoke-stage", "testPrefix.testDomainName")
    assert context["identity"]["sourceIp"] == "test-invoke-source-ip" and context["identity"]["apiKeyId"] == "test-invoke-api-key-id"
    assert got["headers"]["X-Amzn-Trace-Id"].startswith("Root=1-") and "Endpoint response body before transformations: " in got["log"]
    answer = {"statusCode": 201, "multiValueHeaders": {"X-B": ["a", "b"]}, "body": "made"}
    got = tried(api, "POST", "/p", headers={"x-answer": json.dumps(answer)})
    assert (got["status"], got["body"], got["multiValueHeaders"]["X-B"], got["headers"]["X-B"]) == (201, "made", ["a", "b"], "b")
    got = tried(api, "POST", "/p", headers={"x-answer": "raise"})
    assert got["status"] == 502 and "Lambda execution failed with status 200 due to customer function error" in got["log"]
    api.delete()


def test_what_cannot_be_tried(weir):
    api = Api(weir).mock("GET", "/a/{id}")
    api.resource("/b")
    api.gw.put_method(restApiId=api.id, resourceId=api.resources["/b"], httpMethod="GET", authorizationType="NONE")
    for code, message, method, path, asked in (
            ("NotFoundException", "Invalid Method identifier specified", "POST", "/a/{id}", {}),
            ("NotFoundException", "Invalid Integration identifier specified", "GET", "/b", {}),
            ("BadRequestException", "Invalid path specified", "GET", "/a/{id}", {"pathWithQueryString": "/b"}),
            ("BadRequestException", "Invalid path specified", "GET", "/a/{id}", {"pathWithQueryString": "a/1"}),
            ("BadRequestException", "Client certificates", "GET", "/a/{id}", {"clientCertificateId": "x"})):
        with pytest.raises(api.gw.exceptions.ClientError) as e:
            tried(api, method, path, **asked)
        assert e.value.response["Error"]["Code"] == code and message in e.value.response["Error"]["Message"]
    with pytest.raises(api.gw.exceptions.NotFoundException):
        api.gw.test_invoke_method(restApiId=api.id, resourceId="zzzzzz", httpMethod="GET")
    api.delete()
