"""Who may call a method of API Gateway: IAM, resource policies, Lambda authorizers."""
import base64
import json
import uuid

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from apis import Api
from test_cognito import Pool, claims
from test_lambda import Stage

INVOKE = "execute-api:Invoke"
MISSING = {"message": "Missing Authentication Token"}
UNAUTHORIZED = {"message": "Unauthorized"}
DENIED = {"Message": "User is not authorized to access this resource"}
OUTRIGHT = {"Message": "User is not authorized to access this resource with an explicit deny"}

# What the token says is done; a fresh mark shows whether the function was asked.
AUTHORIZER = """
import json, uuid
def handler(event, context):
    token = event.get("authorizationToken") or event["headers"].get("x-token") or "allow"
    if token == "unauthorized":
        raise Exception("Unauthorized")
    if token == "boom":
        raise Exception("no good")
    if token == "malformed":
        return {"principalId": "me"}
    if token == "object":
        return {"principalId": "me", "policyDocument": policy("Allow", event["methodArn"]), "context": {"a": {}}}
    if token == "nothing":
        return {"principalId": "me", "policyDocument": policy("Allow", event["methodArn"] + "/other")}
    effect = "Deny" if token == "deny" else "Allow"
    resource = event["methodArn"] if token != "wide" else event["methodArn"].split("/")[0] + "/*"
    return {"principalId": "user-" + token, "policyDocument": policy(effect, resource),
            "context": {"event": json.dumps(event), "mark": uuid.uuid4().hex, "number": 1.5, "flag": True, "none": None}}

def policy(effect, resource):
    return {"Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}]}
"""
SHOWN = ('{"principal": "$context.authorizer.principalId", "number": "$context.authorizer.number", '
         '"flag": "$context.authorizer.flag", "none": "$context.authorizer.none", "mark": "$context.authorizer.mark", '
         '"event": "$util.escapeJavaScript($context.authorizer.event)"}').replace("\\'", "'")


@pytest.fixture(scope="module")
def lambdas(weir):
    return Stage(weir)


@pytest.fixture(scope="module")
def function(lambdas):
    return lambdas.function(AUTHORIZER)


def uri(weir, name):
    arn = f"arn:aws:lambda:{weir.region}:{weir.account}:function:{name}"
    return f"arn:aws:apigateway:{weir.region}:lambda:path/2015-03-31/functions/{arn}/invocations"


def authorized(weir, lambdas, name, permit=True, paths=("/a",), **authorizer):
    """An API whose paths ask the function `name`."""
    api = Api(weir)
    if permit:
        lambdas.awslambda.add_permission(
            FunctionName=name, StatementId=uuid.uuid4().hex, Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{weir.region}:{weir.account}:{api.id}/authorizers/*")
    asked = {"name": "a", "type": "TOKEN", "identitySource": "method.request.header.X-Token", "authorizerUri": uri(weir, name),
             "authorizerResultTtlInSeconds": 0, **authorizer}
    made = api.gw.create_authorizer(restApiId=api.id, **asked)
    for path in paths:
        api.method("GET", path, {"type": "MOCK", "requestTemplates": {"application/json": '{"statusCode": 200}'}},
                   {"200": {"responseTemplates": {"application/json": SHOWN}}},
                   authorizationType="CUSTOM", authorizerId=made["id"])
    return api.deploy(variables={"color": "red"})


def token(value):
    return {"X-Token": value}


def error_type(reply):
    return reply.headers["x-amzn-ErrorType"]


# --- Lambda authorizers ----------------------------------------------------------------------------


def test_token(weir, lambdas, function):
    api = authorized(weir, lambdas, function)
    got = api.ask("/a", headers=token("allow"))
    assert got.status == 200, got.text
    shown = got.json()
    assert (shown["principal"], shown["number"], shown["flag"], shown["none"]) == ("user-allow", "1.5", "true", "")
    assert json.loads(shown["event"]) == {"type": "TOKEN", "methodArn": api.arn("GET", "/a", "prod"), "authorizationToken": "allow"}

    got = api.ask("/a")
    assert (got.status, got.json(), error_type(got)) == (401, UNAUTHORIZED, "UnauthorizedException")
    got = api.ask("/a", headers=token("unauthorized"))
    assert (got.status, got.json(), error_type(got)) == (401, UNAUTHORIZED, "UnauthorizedException")
    got = api.ask("/a", headers=token("deny"))
    assert (got.status, got.json(), error_type(got)) == (403, OUTRIGHT, "AccessDeniedException")
    got = api.ask("/a", headers=token("nothing"))
    assert (got.status, got.json(), error_type(got)) == (403, DENIED, "AccessDeniedException")
    for bad in ("boom", "malformed", "object"):
        got = api.ask("/a", headers=token(bad))
        assert (got.status, error_type(got)) == (500, "AuthorizerConfigurationException"), bad
    api.delete()


def test_validation_expression(weir, lambdas, function):
    api = authorized(weir, lambdas, function, identityValidationExpression="al[a-z]+")
    assert api.ask("/a", headers=token("allow")).status == 200
    got = api.ask("/a", headers=token("allow!"))
    assert (got.status, got.json()) == (401, UNAUTHORIZED)
    api.delete()


def test_without_permission(weir, lambdas, function):
    api = authorized(weir, lambdas, function, permit=False)
    got = api.ask("/a", headers=token("allow"))
    assert (got.status, error_type(got)) == (500, "AuthorizerConfigurationException")
    api.delete()


def test_answers_are_kept(weir, lambdas, function):
    api = authorized(weir, lambdas, function, paths=("/a", "/b"), authorizerResultTtlInSeconds=300)

    def mark(value, path="/a"):
        got = api.ask(path, headers=token(value))
        return got.json()["mark"] if got.status == 200 else got.json()

    first = mark("wide")
    assert mark("wide") == first and mark("wide", "/b") == first
    assert mark("allow") != first
    assert mark("allow", "/b") == DENIED  # kept for /a, and decided anew
    api.gw.flush_stage_authorizers_cache(restApiId=api.id, stageName="prod")
    anew = mark("wide")
    assert anew != first
    for _ in range(2):
        assert mark("unauthorized") == UNAUTHORIZED
    authorizer = api.gw.get_authorizers(restApiId=api.id)["items"][0]["id"]
    api.gw.update_authorizer(restApiId=api.id, authorizerId=authorizer, patchOperations=[
        {"op": "replace", "path": "/identityValidationExpression", "value": "w.*"}])
    assert mark("wide") == anew  # what is deployed is as it was
    api.deploy()
    assert mark("wide") != anew and mark("allow") == UNAUTHORIZED
    api.delete()


def test_request(weir, lambdas, function):
    api = authorized(weir, lambdas, function, type="REQUEST",
                     identitySource="method.request.header.X-Token,method.request.querystring.q,stageVariables.color")
    got = api.ask("/a?q=1&q=2&z=", headers=[("X-Token", "allow"), ("X-Two", "1"), ("X-Two", "2")])
    assert got.status == 200, got.text
    event = json.loads(got.json()["event"])
    assert (event["type"], event["methodArn"]) == ("REQUEST", api.arn("GET", "/a", "prod"))
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/a", "/a", "GET")
    assert event["headers"]["X-Token"] == "allow" and event["multiValueHeaders"]["X-Two"] == ["1", "2"]
    assert event["queryStringParameters"] == {"q": "2", "z": ""}
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"], "z": [""]}
    assert (event["pathParameters"], event["stageVariables"]) == ({}, {"color": "red"})
    assert event["requestContext"]["apiId"] == api.id and event["requestContext"]["stage"] == "prod"
    for path, headers in (("/a", token("allow")), ("/a?q=", token("allow")), ("/a?q=1", {})):
        got = api.ask(path, headers=headers)
        assert (got.status, got.json()) == (401, UNAUTHORIZED), path
    api.delete()


# --- IAM -------------------------------------------------------------------------------------------


class User:
    def __init__(self, weir, *statements):
        iam = weir.client("iam")
        name = "u-" + uuid.uuid4().hex[:10]
        iam.create_user(UserName=name)
        self.arn = f"arn:aws:iam::{weir.account}:user/{name}"
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="p",
                                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
        made = iam.create_access_key(UserName=name)["AccessKey"]
        self.key, self.secret = made["AccessKeyId"], made["SecretAccessKey"]


def statement(effect, resource, **kw):
    return {"Effect": effect, "Action": INVOKE, "Resource": resource, **kw}


def signed(weir, api, path, key="test", secret="test"):
    url = f"http://127.0.0.1:{weir.port}/restapis/{api.id}/prod/_user_request_{path}"
    request = AWSRequest("GET", url, headers={"Host": f"127.0.0.1:{weir.port}"})
    SigV4Auth(Credentials(key, secret), "execute-api", weir.region).add_auth(request)
    return api.ask(path, headers=[(k, v) for k, v in request.headers.items() if k.lower() != "host"])


def open_api(weir, kind, policy=None):
    api = Api(weir, **({"policy": json.dumps(policy)} if policy else {}))
    for path in ("/a", "/b"):
        api.method("GET", path, {"type": "MOCK", "requestTemplates": {"application/json": '{"statusCode": 200}'}},
                   {"200": {"responseTemplates": {"application/json": '$context.identity.userArn'}}}, authorizationType=kind)
    return api.deploy()


def test_iam(weir):
    api = open_api(weir, "AWS_IAM")
    got = api.ask("/a")
    assert (got.status, got.json(), error_type(got)) == (403, MISSING, "MissingAuthenticationTokenException")
    assert signed(weir, api, "/a").status == 200
    got = signed(weir, api, "/a", secret="wrong")
    assert (got.status, error_type(got)) == (403, "InvalidSignatureException")

    nobody = User(weir)
    got = signed(weir, api, "/a", nobody.key, nobody.secret)
    assert (got.status, error_type(got)) == (403, "AccessDeniedException")
    where = api.arn("GET", "/a", "prod").replace(weir.account, "********" + weir.account[-4:])
    assert f"User: {nobody.arn} is not authorized to perform: {INVOKE} on resource: {where}" in got.text
    somebody = User(weir, statement("Allow", api.arn("GET", "/a", "prod")))
    got = signed(weir, api, "/a", somebody.key, somebody.secret)
    assert (got.status, got.text) == (200, somebody.arn)
    assert signed(weir, api, "/b", somebody.key, somebody.secret).status == 403
    torn = User(weir, statement("Allow", "*"), statement("Deny", api.arn("GET", "/a")))
    got = signed(weir, api, "/a", torn.key, torn.secret)
    assert got.status == 403 and "with an explicit deny" in got.text
    api.delete()


# --- resource policies -----------------------------------------------------------------------------


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": [{"Principal": "*", **s} for s in statements]}


HERE = {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}
ELSEWHERE = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
EVERYTHING = "arn:aws:execute-api:*:*:*/*"


def test_resource_policy_alone(weir):
    for statements, status in (((statement("Allow", EVERYTHING, Condition=HERE),), 200),
                               ((statement("Allow", EVERYTHING, Condition=ELSEWHERE),), 403),
                               ((statement("Allow", EVERYTHING), statement("Deny", EVERYTHING, Condition=HERE)), 403),
                               ((statement("Allow", EVERYTHING), statement("Deny", EVERYTHING, Condition=ELSEWHERE)), 200)):
        api = open_api(weir, "NONE", policy(*statements))
        got = api.ask("/a")
        assert got.status == status, statements
        if status == 403:
            assert error_type(got) == "AccessDeniedException" and f"perform: {INVOKE} on resource: " in got.text
        api.delete()


def test_resource_policy_and_iam(weir):
    nobody = User(weir)
    api = open_api(weir, "AWS_IAM", {"Version": "2012-10-17", "Statement": [
        {**statement("Allow", EVERYTHING), "Principal": {"AWS": nobody.arn}}]})
    assert signed(weir, api, "/a", nobody.key, nobody.secret).status == 200  # one of the two suffices
    assert api.ask("/a").status == 403
    api.delete()
    allowed = User(weir, statement("Allow", "*"))
    api = open_api(weir, "AWS_IAM", policy(statement("Deny", EVERYTHING)))
    got = signed(weir, api, "/a", allowed.key, allowed.secret)
    assert got.status == 403 and "with an explicit deny" in got.text
    api.delete()


def test_resource_policy_and_authorizer(weir, lambdas, function):
    api = authorized(weir, lambdas, function)
    document = json.dumps(policy(statement("Deny", EVERYTHING, Condition=HERE)))
    api.gw.update_rest_api(restApiId=api.id, patchOperations=[{"op": "replace", "path": "/policy", "value": document}])
    assert api.ask("/a", headers=token("allow")).status == 200  # the deployment is what it was
    api.deploy()
    got = api.ask("/a", headers=token("allow"))
    assert (got.status, error_type(got)) == (403, "AccessDeniedException")
    api.delete()


# --- user pools ------------------------------------------------------------------------------------


def encoded(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def forgeries(token):
    """What somebody without the pool's key would try."""
    head, body, signature = token.split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    other = encoded({**claims(token), "sub": "somebody-else"})
    return {"another's claims": f"{head}.{other}.{signature}", "alg none": f"{encoded({**header, 'alg': 'none'})}.{body}.",
            "alg none, signed": f"{encoded({**header, 'alg': 'none'})}.{body}.{signature}",
            "HMAC": f"{encoded({**header, 'alg': 'HS256'})}.{body}.{signature}", "no such key": f"{encoded({**header, 'kid': 'x'})}.{body}.{signature}",
            "no signature": f"{head}.{body}.", "two parts": f"{head}.{body}", "no token": "x", "another signature": f"{head}.{body}.{signature[:-8]}AAAAAAAA"}


def test_user_pool(weir):
    pool, other_pool = Pool(weir), Pool(weir)
    user = pool.user(email="ada@example.com")
    tokens = pool.tokens(user)
    api = Api(weir)
    authorizer = {"restApiId": api.id, "type": "COGNITO_USER_POOLS", "identitySource": "method.request.header.Authorization",
                  "providerARNs": [pool.pool["Arn"]]}
    any_client = api.gw.create_authorizer(name="any", **authorizer)["id"]
    audience = api.gw.create_authorizer(name="one", identityValidationExpression=pool.client_id, **authorizer)["id"]
    shown = '{"sub": "$context.authorizer.claims.sub", "email": "$context.authorizer.claims.email", "use": "$context.authorizer.claims.token_use"}'
    for path, id, scopes in (("/id", any_client, []), ("/mine", audience, []), ("/own", any_client, ["aws.cognito.signin.user.admin"]),
                             ("/write", any_client, ["cars/write", "cars/admin"])):
        api.method("GET", path, {"type": "MOCK", "requestTemplates": {"application/json": '{"statusCode": 200}'}},
                   {"200": {"responseTemplates": {"application/json": shown}}},
                   authorizationType="COGNITO_USER_POOLS", authorizerId=id, authorizationScopes=scopes)
    api.deploy()

    def asked(path, token):
        got = api.ask(path, headers={"Authorization": token} if token else {})
        assert got.status == 200 or (got.status, got.json(), error_type(got)) == (401, UNAUTHORIZED, "UnauthorizedException"), got.text
        return got.json() if got.status == 200 else got.status

    id, access = tokens["IdToken"], tokens["AccessToken"]
    wanted = {"sub": claims(id)["sub"], "email": "ada@example.com", "use": "id"}
    assert asked("/id", id) == wanted == asked("/id", "Bearer " + id) == asked("/mine", id)
    assert asked("/own", access) == {"sub": wanted["sub"], "email": "", "use": "access"}
    # An ID token where scopes are asked for, an access token where none are, one without the scope, none at all.
    assert {asked("/own", id), asked("/id", access), asked("/write", access), asked("/id", None)} == {401}
    for name, token in forgeries(id).items():
        assert asked("/id", token) == 401, name
    assert asked("/id", other_pool.tokens(other_pool.user())["IdToken"]) == 401
    # Of the same pool, but for another client.
    first, pool.client_id = pool.client_id, pool.idp.create_user_pool_client(
        UserPoolId=pool.id, ClientName="other", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])["UserPoolClient"]["ClientId"]
    strange = pool.tokens(user)["IdToken"]
    assert claims(strange)["aud"] != first and asked("/id", strange) == wanted and asked("/mine", strange) == 401
    tried = api.gw.test_invoke_authorizer(restApiId=api.id, authorizerId=any_client, headers={"Authorization": id})
    assert tried["clientStatus"] == 200 and tried["claims"]["sub"] == wanted["sub"]
    assert api.gw.test_invoke_authorizer(restApiId=api.id, authorizerId=any_client, headers={"Authorization": "x"})["clientStatus"] == 401
    pool.idp.delete_user_pool(UserPoolId=pool.id)
    assert asked("/id", id) == 401
    api.delete()


# --- tried before they are deployed ----------------------------------------------------------------


def test_an_authorizer_is_tried(weir, lambdas, function):
    api = authorized(weir, lambdas, function, authorizerResultTtlInSeconds=300, identityValidationExpression="[a-z]+")
    id = api.gw.get_authorizers(restApiId=api.id)["items"][0]["id"]

    def tried(value, **asked):
        headers = {"headers": token(value)} if value else {}
        return api.gw.test_invoke_authorizer(restApiId=api.id, authorizerId=id, **headers, **asked)

    for value in ("allow", "deny"):
        got = tried(value)
        statement = json.loads(got["policy"])["Statement"][0]
        assert (got["clientStatus"], got["principalId"]) == (200, "user-" + value)
        assert statement["Resource"] == api.arn("GET", "/", "ESTestInvoke-stage") and got["latency"] >= 0
        assert got["log"].startswith("Execution log for request ") and f" : Starting authorizer: {id} for request: " in got["log"]
        assert got["log"].endswith("Successfully completed authorizer execution\n")
    for value in (None, "unauthorized", "not!fitting"):
        got = tried(value)
        assert got["clientStatus"] == 401 and "policy" not in got and "Unauthorized request: " in got["log"], value
    assert tried("boom")["clientStatus"] == 500
    api.gw.update_authorizer(restApiId=api.id, authorizerId=id, patchOperations=[
        {"op": "replace", "path": "/type", "value": "REQUEST"},
        {"op": "replace", "path": "/identitySource", "value": "method.request.querystring.q, stageVariables.color, context.extra"}])
    asked = {"pathWithQueryString": "/pets?q=1", "stageVariables": {"color": "red"}, "additionalContext": {"extra": "x"}}
    got = tried(None, multiValueHeaders={"x-token": ["allow"]}, **asked)
    assert (got["clientStatus"], got["principalId"]) == (200, "user-allow")
    assert tried("allow", **{**asked, "additionalContext": {}})["clientStatus"] == 401
    for which in ({"authorizerId": "zzzzzz"}, {"restApiId": "zzzzzz"}):
        with pytest.raises(api.gw.exceptions.NotFoundException):
            api.gw.test_invoke_authorizer(**{"restApiId": api.id, "authorizerId": id, **which})
    api.delete()
