"""EventBridge's API destinations and connections through boto3, with a server that is asked."""
import base64
import json
import pathlib
import time
import urllib.parse

import pytest
from receiver import Receiver
from test_events import ACCOUNT, ARN, Queue, code, entry, message

from weirtest import Weir, wait_for

BASIC = {"BasicAuthParameters": {"Username": "ann", "Password": "s3cret"}}
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
                                                 "Action": "sts:AssumeRole"}]}


@pytest.fixture(scope="module")
def weir():
    """One that may ask this machine."""
    server = Weir(args=["--allow-outgoing-loopback"])
    yield server
    server.stop()


@pytest.fixture
def events(weir):
    return weir.client("events")


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.close()


@pytest.fixture
def name(request):
    return "".join(c if c.isalnum() else "-" for c in request.node.name)[:50]


@pytest.fixture(scope="module")
def role(weir):
    iam = weir.client("iam")
    arn = iam.create_role(RoleName="destinations", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="destinations", PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": f"{ARN}:api-destination/*"}]}))
    return arn


def connection(events, name, kind="BASIC", auth=None):
    return events.create_connection(Name=name, AuthorizationType=kind, AuthParameters=auth or BASIC)["ConnectionArn"]


class Way:
    """A bus whose events go to an API destination, with a queue for those that do not get there."""

    def __init__(self, weir, name, url, role, kind="BASIC", auth=None, destination=None, **target):
        self.events, self.name = weir.client("events"), name
        self.events.create_event_bus(Name=name)
        self.connection = connection(self.events, name, kind, auth)
        self.destination = self.events.create_api_destination(
            **{"Name": name, "ConnectionArn": self.connection, "InvocationEndpoint": url, "HttpMethod": "POST",
               **(destination or {})})["ApiDestinationArn"]
        self.dead = Queue(weir.client("sqs"), name)
        self.events.put_rule(Name="r", EventBusName=name, EventPattern=json.dumps({"source": ["app"]}))
        done = self.events.put_targets(Rule="r", EventBusName=name, Targets=[{
            "Id": "t", "Arn": self.destination, "RoleArn": role, "DeadLetterConfig": {"Arn": self.dead.arn}, **target}])
        assert done["FailedEntryCount"] == 0, done

    def put(self, **detail):
        assert self.events.put_events(Entries=[entry(self.name, detail=detail or None)])["FailedEntryCount"] == 0

    def fault(self):
        """What the dead letter tells, and what it was."""
        letter, = self.dead.take()
        return {k: v["StringValue"] for k, v in letter["MessageAttributes"].items()}, json.loads(letter["Body"])


# --- connections ---------------------------------------------------------------------------------------------------

def test_connection(events, name):
    made = events.create_connection(Name=name, Description="d", AuthorizationType="BASIC", AuthParameters={
        **BASIC, "InvocationHttpParameters": {
            "HeaderParameters": [{"Key": "X-A", "Value": "open", "IsValueSecret": False}, {"Key": "X-B", "Value": "hidden", "IsValueSecret": True}],
            "QueryStringParameters": [{"Key": "q", "Value": "1"}], "BodyParameters": [{"Key": "b", "Value": "2", "IsValueSecret": True}]}})
    assert made["ConnectionState"] == "AUTHORIZED" and made["ConnectionArn"].startswith(f"{ARN}:connection/{name}/")
    told = events.describe_connection(Name=name)
    assert told["ConnectionArn"] == made["ConnectionArn"] and told["Description"] == "d"
    assert told["AuthorizationType"] == "BASIC" and told["ConnectionState"] == "AUTHORIZED"
    assert told["AuthParameters"] == {
        "BasicAuthParameters": {"Username": "ann"}, "InvocationHttpParameters": {
            "HeaderParameters": [{"Key": "X-A", "Value": "open", "IsValueSecret": False}, {"Key": "X-B", "IsValueSecret": True}],
            "QueryStringParameters": [{"Key": "q", "Value": "1", "IsValueSecret": False}], "BodyParameters": [{"Key": "b", "IsValueSecret": True}]}}
    assert "s3cret" not in json.dumps(told, default=str) and "hidden" not in json.dumps(told, default=str)
    assert told["LastAuthorizedTime"] == told["CreationTime"]
    assert code(events.create_connection, Name=name, AuthorizationType="BASIC", AuthParameters=BASIC) == "ResourceAlreadyExistsException"
    assert events.delete_connection(Name=name)["ConnectionState"] == "DELETING"
    for call in (events.describe_connection, events.delete_connection, events.deauthorize_connection, events.update_connection):
        assert code(call, Name=name) == "ResourceNotFoundException"


def test_update_connection(events, name):
    connection(events, name)
    assert events.update_connection(Name=name, Description="new")["ConnectionState"] == "AUTHORIZED"
    assert events.describe_connection(Name=name)["AuthParameters"] == {"BasicAuthParameters": {"Username": "ann"}}
    events.update_connection(Name=name, AuthorizationType="BASIC", AuthParameters={"BasicAuthParameters": {"Username": "bob"}})
    assert events.describe_connection(Name=name)["AuthParameters"] == {"BasicAuthParameters": {"Username": "bob"}}
    key = {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "v"}}
    assert code(events.update_connection, Name=name, AuthorizationType="API_KEY", AuthParameters=BASIC) == "ValidationException"
    assert code(events.update_connection, Name=name, AuthorizationType="API_KEY") == "ValidationException"
    events.update_connection(Name=name, AuthorizationType="API_KEY", AuthParameters=key)
    told = events.describe_connection(Name=name)
    assert told["AuthorizationType"] == "API_KEY" and told["AuthParameters"] == {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key"}}
    assert told["Description"] == "new"


def test_deauthorize(events, name):
    arn = connection(events, name)
    events.create_api_destination(Name=name, ConnectionArn=arn, InvocationEndpoint="https://example.com/", HttpMethod="GET")
    assert events.deauthorize_connection(Name=name)["ConnectionState"] == "DEAUTHORIZED"
    told = events.describe_connection(Name=name)
    assert told["ConnectionState"] == "DEAUTHORIZED" and "AuthParameters" not in told
    assert events.describe_api_destination(Name=name)["ApiDestinationState"] == "INACTIVE"
    assert code(events.update_connection, Name=name, AuthorizationType="BASIC", AuthParameters={"BasicAuthParameters": {"Username": "ann"}}) \
        == "ValidationException"  # the password is gone
    assert events.update_connection(Name=name, AuthorizationType="BASIC", AuthParameters=BASIC)["ConnectionState"] == "AUTHORIZED"
    assert events.describe_api_destination(Name=name)["ApiDestinationState"] == "ACTIVE"


@pytest.mark.parametrize("kind, auth", [
    ("BASIC", {}), ("API_KEY", BASIC), ("OAUTH_CLIENT_CREDENTIALS", {}), ("BASIC", {**BASIC, "ApiKeyAuthParameters": {"ApiKeyName": "a", "ApiKeyValue": "b"}}),
    ("OAUTH_CLIENT_CREDENTIALS", {"OAuthParameters": {"ClientParameters": {"ClientID": "a", "ClientSecret": "b"}, "AuthorizationEndpoint": "ftp://a", "HttpMethod": "POST"}}),
    ("OAUTH_CLIENT_CREDENTIALS", {"OAuthParameters": {"ClientParameters": {"ClientID": "a", "ClientSecret": "b"}, "AuthorizationEndpoint": "https:///x", "HttpMethod": "POST"}})])
def test_bad_connections(events, name, kind, auth):
    assert code(events.create_connection, Name=name, AuthorizationType=kind, AuthParameters=auth) == "ValidationException"
    assert code(events.describe_connection, Name=name) == "ResourceNotFoundException"


def test_list_connections(events, name):
    for i in range(3):
        connection(events, f"{name}{i}")
    events.deauthorize_connection(Name=f"{name}1")
    one = events.list_connections(NamePrefix=name, Limit=2)
    two = events.list_connections(NamePrefix=name, Limit=2, NextToken=one["NextToken"])
    assert [c["Name"] for c in one["Connections"] + two["Connections"]] == [f"{name}{i}" for i in range(3)]
    assert "NextToken" not in two and one["Connections"][0]["AuthorizationType"] == "BASIC"
    assert [c["Name"] for c in events.list_connections(NamePrefix=name, ConnectionState="DEAUTHORIZED")["Connections"]] == [f"{name}1"]
    assert code(events.list_connections, NextToken="x") == "ValidationException"


# --- destinations ----------------------------------------------------------------------------------------------------

def test_destination(events, name):
    arn = connection(events, name)
    made = events.create_api_destination(Name=name, Description="d", ConnectionArn=arn, InvocationEndpoint="https://example.com/*/x", HttpMethod="PUT")
    assert made["ApiDestinationState"] == "ACTIVE" and made["ApiDestinationArn"].startswith(f"{ARN}:api-destination/{name}/")
    told = events.describe_api_destination(Name=name)
    assert {k: told[k] for k in ("ConnectionArn", "Description", "InvocationEndpoint", "HttpMethod", "InvocationRateLimitPerSecond")} == {
        "ConnectionArn": arn, "Description": "d", "InvocationEndpoint": "https://example.com/*/x", "HttpMethod": "PUT", "InvocationRateLimitPerSecond": 300}
    assert code(events.create_api_destination, Name=name, ConnectionArn=arn, InvocationEndpoint="https://e.com", HttpMethod="GET") == "ResourceAlreadyExistsException"
    changed = events.update_api_destination(Name=name, HttpMethod="POST", InvocationRateLimitPerSecond=7, InvocationEndpoint="https://b.example/")
    assert changed["ApiDestinationArn"] == made["ApiDestinationArn"]
    told = events.describe_api_destination(Name=name)
    assert (told["HttpMethod"], told["InvocationRateLimitPerSecond"], told["InvocationEndpoint"], told["Description"]) == ("POST", 7, "https://b.example/", "d")
    assert code(events.update_api_destination, Name=name, InvocationRateLimitPerSecond=301) == "LimitExceededException"
    assert code(events.update_api_destination, Name=name, ConnectionArn=arn[:-1] + ("0" if arn[-1] != "0" else "1")) == "ResourceNotFoundException"
    events.delete_connection(Name=name)
    assert events.describe_api_destination(Name=name)["ApiDestinationState"] == "INACTIVE"
    events.delete_api_destination(Name=name)
    for call in (events.describe_api_destination, events.delete_api_destination, events.update_api_destination):
        assert code(call, Name=name) == "ResourceNotFoundException"


@pytest.mark.parametrize("endpoint", ["http:///x", "https://", "ftp://a.b/", "https://*/x", "example.com"])
def test_bad_endpoints(events, name, endpoint):
    arn = connection(events, name)
    assert code(events.create_api_destination, Name=name, ConnectionArn=arn, InvocationEndpoint=endpoint, HttpMethod="GET") == "ValidationException"


def test_list_destinations(events, name):
    arn, other = connection(events, name), connection(events, name + "-other")
    for i in range(3):
        events.create_api_destination(Name=f"{name}{i}", ConnectionArn=other if i == 1 else arn, InvocationEndpoint="https://e.com", HttpMethod="GET")
    one = events.list_api_destinations(NamePrefix=name, Limit=2)
    two = events.list_api_destinations(NamePrefix=name, Limit=2, NextToken=one["NextToken"])
    assert [d["Name"] for d in one["ApiDestinations"] + two["ApiDestinations"]] == [f"{name}{i}" for i in range(3)]
    assert [d["Name"] for d in events.list_api_destinations(ConnectionArn=other)["ApiDestinations"]] == [f"{name}1"]
    assert code(events.list_api_destinations, NextToken="x") == "ValidationException"


def test_put_targets(weir, events, name, role):
    arn = connection(events, name)
    to = events.create_api_destination(Name=name, ConnectionArn=arn, InvocationEndpoint="https://e.com/*", HttpMethod="GET")["ApiDestinationArn"]
    events.put_rule(Name=name, EventPattern='{"source": ["never"]}')
    put = lambda **t: dict(Rule=name, Targets=[{"Id": "t", "Arn": to, **t}])
    assert "RoleArn is required" in message(events.put_targets, **put())
    http = {"PathParameterValues": ["$.detail.id"], "HeaderParameters": {"X": "y"}, "QueryStringParameters": {"q": "$.source"}}
    assert "HttpParameters" in message(events.put_targets, **put(Arn=f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", HttpParameters=http))
    events.put_targets(**put(RoleArn=role, HttpParameters=http))
    assert events.list_targets_by_rule(Rule=name)["Targets"] == [{"Id": "t", "Arn": to, "RoleArn": role, "HttpParameters": http}]
    # Nothing else sends to one.
    assert code(weir.client("scheduler").create_schedule, Name=name, ScheduleExpression="rate(1 day)", FlexibleTimeWindow={"Mode": "OFF"},
                Target={"Arn": to, "RoleArn": role}) == "ValidationException"


# --- what is asked ----------------------------------------------------------------------------------------------------

def test_basic(weir, name, receiver, role):
    way = Way(weir, name, receiver.url, role)
    way.put(n=5)
    headers, body = receiver.next()
    assert headers["authorization"] == "Basic " + base64.b64encode(b"ann:s3cret").decode()
    assert headers["content-type"] == "application/json; charset=utf-8" and headers["user-agent"] == "Amazon/EventBridge/ApiDestinations"
    assert (receiver.method, receiver.path) == ("POST", "/in") and json.loads(body)["detail"] == {"n": 5}
    assert way.dead.is_empty()


def test_parameters(weir, name, receiver, role):
    auth = {"ApiKeyAuthParameters": {"ApiKeyName": "X-Api-Key", "ApiKeyValue": "k3y"}, "InvocationHttpParameters": {
        "HeaderParameters": [{"Key": "X-Both", "Value": "connection"}, {"Key": "X-Own", "Value": "o", "IsValueSecret": True}],
        "QueryStringParameters": [{"Key": "both", "Value": "connection"}, {"Key": "c", "Value": "a&b"}],
        "BodyParameters": [{"Key": "added", "Value": "yes"}, {"Key": "n", "Value": "over"}]}}
    way = Way(weir, name, receiver.base + "/a/*/b/*?fixed=1", role, "API_KEY", auth, {"HttpMethod": "PUT"}, InputPath="$.detail", HttpParameters={
        "PathParameterValues": ["$.detail.id", "x/y z"], "HeaderParameters": {"x-both": "target", "X-Mine": "$.detail-type", "Host": "evil", "X-Api-Key": "no"},
        "QueryStringParameters": {"both": "target", "t": "$.detail.n", "gone": "$.detail.none"}})
    way.put(id="ä 1", n={"m": [1]})
    headers, body = receiver.next()
    assert receiver.method == "PUT"
    path, query = receiver.path.split("?")
    assert path == "/a/%C3%A4%201/b/x%2Fy%20z"
    assert urllib.parse.parse_qs(query, keep_blank_values=True) == {"fixed": ["1"], "both": ["connection"], "c": ["a&b"], "t": ['{"m":[1]}'], "gone": [""]}
    assert headers["x-api-key"] == "k3y" and headers["x-both"] == "connection" and headers["x-own"] == "o" and headers["x-mine"] == "thing"
    assert headers["host"].startswith("127.0.0.1")
    assert json.loads(body) == {"id": "ä 1", "n": "over", "added": "yes"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PATCH", "DELETE"])
def test_methods(weir, name, receiver, role, method):
    way = Way(weir, name, receiver.url, role, destination={"HttpMethod": method}, Input='"x"')
    way.put()
    _, body = receiver.next()
    assert receiver.method == method and body == ("" if method in ("GET", "HEAD", "OPTIONS") else '"x"')


# --- what goes wrong -----------------------------------------------------------------------------------------------

def test_retries(weir, name, receiver, role):
    way = Way(weir, name, receiver.url, role)
    receiver.answers = [500, 409]
    way.put()
    assert len({receiver.next()[1] for _ in range(3)}) == 1
    assert way.dead.is_empty()


@pytest.mark.parametrize("answer", [404, 400, 302, (503, {"Retry-After": "-1"}, "")])
def test_no_retry(weir, name, receiver, role, answer):
    way = Way(weir, name, receiver.url, role)
    receiver.answers = [answer]
    way.put()
    fault, event = way.fault()
    assert fault["ERROR_CODE"] == "SDK_CLIENT_ERROR" and fault["RETRY_ATTEMPTS"] == "0" and "EXHAUSTED_RETRY_CONDITION" not in fault
    assert fault["TARGET_ARN"] == way.destination and f"status {answer[0] if isinstance(answer, tuple) else answer}" in fault["ERROR_MESSAGE"]
    assert event["source"] == "app" and receiver.got.qsize() == 1


def test_retries_exhausted(weir, name, receiver, role):
    way = Way(weir, name, receiver.url, role, RetryPolicy={"MaximumRetryAttempts": 1})
    receiver.answers = [500, 500]
    way.put()
    fault, _ = way.fault()
    assert fault["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts" and fault["RETRY_ATTEMPTS"] == "1"


def test_retry_after(weir, name, receiver, role):
    way = Way(weir, name, receiver.url, role)
    receiver.answers = [(429, {"Retry-After": "2"}, "")]
    way.put()
    receiver.next()
    then = time.monotonic()
    receiver.next()
    assert time.monotonic() - then > 1.9  # the first pause alone is 1.2 s at most


def test_unreachable(weir, name, role):
    way = Way(weir, name, "http://127.0.0.1:9/", role, RetryPolicy={"MaximumRetryAttempts": 0})
    way.put()
    fault, _ = way.fault()
    assert fault["ERROR_CODE"] == "SDK_CLIENT_ERROR" and "cannot be reached" in fault["ERROR_MESSAGE"]


def test_denied_address(weir, name, role):
    way = Way(weir, name, "http://169.254.169.254/latest", role)
    way.put()
    fault, _ = way.fault()
    assert "cannot be reached" in fault["ERROR_MESSAGE"] and fault["RETRY_ATTEMPTS"] == "0"


def test_gone(weir, name, receiver, role):
    way = Way(weir, name, receiver.url, role)
    way.events.delete_api_destination(Name=name)
    way.put()
    assert way.fault()[0]["ERROR_CODE"] == "NO_RESOURCE"


@pytest.mark.parametrize("what", ["role", "policy", "trust"])
def test_not_permitted(weir, name, receiver, what):
    iam = weir.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    way = Way(weir, name, receiver.url, arn)
    if what == "role":
        iam.delete_role(RoleName=name)
    if what == "trust":
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(TRUST).replace("events", "lambda"))
    way.put()
    assert way.fault()[0]["ERROR_CODE"] == {"policy": "NO_PERMISSIONS"}.get(what, "FAILED_TO_ASSUME_ROLE")
    assert receiver.got.empty()


def test_wildcards_without_values(weir, name, receiver, role):
    way = Way(weir, name, receiver.base + "/*", role)
    way.put()
    assert way.fault()[0]["ERROR_CODE"] == "INVALID_PARAMETER"


def test_deauthorized(weir, name, receiver, role):
    way = Way(weir, name, receiver.url, role, RetryPolicy={"MaximumRetryAttempts": 0})
    way.events.deauthorize_connection(Name=name)
    way.put()
    assert "not authorized" in way.fault()[0]["ERROR_MESSAGE"] and receiver.got.empty()


def test_rate(weir, name, receiver, role):
    """Two in each second: the fifth comes two seconds after the first was put, whatever keeps this test from looking."""
    way = Way(weir, name, receiver.url, role, destination={"InvocationRateLimitPerSecond": 2})
    began = time.monotonic()
    for _ in range(5):
        way.put()
    for _ in range(5):
        receiver.next()
    assert time.monotonic() - began > 1.8


# --- OAuth -----------------------------------------------------------------------------------------------------------

def oauth(receiver, **more):
    return {"OAuthParameters": {"ClientParameters": {"ClientID": "id", "ClientSecret": "hush"}, "AuthorizationEndpoint": receiver.base + "/token",
                                "HttpMethod": "POST", **more}}


def token(text, **more):
    return (200, {"Content-Type": "application/json"}, json.dumps({"access_token": text, "token_type": "Bearer", **more}))


def authorized(events, name, state="AUTHORIZED"):
    wait_for(lambda: events.describe_connection(Name=name)["ConnectionState"] == state)


def test_oauth(weir, name, receiver, role):
    receiver.answers = [token("t1", expires_in=3600)]
    way = Way(weir, name, receiver.url, role, "OAUTH_CLIENT_CREDENTIALS", oauth(receiver, OAuthHttpParameters={
        "BodyParameters": [{"Key": "scope", "Value": "a b", "IsValueSecret": False}], "HeaderParameters": [{"Key": "X-H", "Value": "h", "IsValueSecret": True}],
        "QueryStringParameters": [{"Key": "q", "Value": "1", "IsValueSecret": False}]}))
    headers, body = receiver.next()
    assert (receiver.method, receiver.path) == ("POST", "/token?q=1") and headers["x-h"] == "h"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert urllib.parse.parse_qs(body) == {"client_id": ["id"], "client_secret": ["hush"], "grant_type": ["client_credentials"], "scope": ["a b"]}
    authorized(way.events, name)
    told = way.events.describe_connection(Name=name)
    assert told["AuthParameters"]["OAuthParameters"] == {
        "ClientParameters": {"ClientID": "id"}, "AuthorizationEndpoint": receiver.base + "/token", "HttpMethod": "POST", "OAuthHttpParameters": {
            "BodyParameters": [{"Key": "scope", "Value": "a b", "IsValueSecret": False}], "HeaderParameters": [{"Key": "X-H", "IsValueSecret": True}],
            "QueryStringParameters": [{"Key": "q", "Value": "1", "IsValueSecret": False}]}}
    assert "t1" not in json.dumps(told, default=str) and "hush" not in json.dumps(told, default=str)
    way.put()
    assert receiver.next()[0]["authorization"] == "Bearer t1"


@pytest.mark.parametrize("status", [401, 407])
def test_oauth_again(weir, name, receiver, role, status):
    receiver.answers = [token("old"), status, token("new")]
    way = Way(weir, name, receiver.url, role, "OAUTH_CLIENT_CREDENTIALS", oauth(receiver, HttpMethod="GET"))
    receiver.next()
    assert receiver.method == "GET" and "client_secret=hush" in receiver.path
    authorized(way.events, name)
    way.put()
    assert receiver.next()[0]["authorization"] == "Bearer old"
    receiver.next()
    assert receiver.path.startswith("/token")
    assert receiver.next()[0]["authorization"] == "Bearer new"
    assert way.dead.is_empty()


@pytest.mark.parametrize("answer", [403, (200, {}, "no json"), (200, {}, '{"access_token": "a b"}')])
def test_oauth_refused(weir, name, receiver, answer):
    receiver.answers = [answer]
    events = weir.client("events")
    made = events.create_connection(Name=name, AuthorizationType="OAUTH_CLIENT_CREDENTIALS", AuthParameters=oauth(receiver))
    assert made["ConnectionState"] == "AUTHORIZING"
    authorized(events, name, "DEAUTHORIZED")
    assert "authorization endpoint" in events.describe_connection(Name=name)["StateReason"]
    receiver.answers = [500, token("t")]  # what may pass is tried again
    events.update_connection(Name=name, AuthorizationType="OAUTH_CLIENT_CREDENTIALS", AuthParameters=oauth(receiver))
    authorized(events, name)
    assert "StateReason" not in events.describe_connection(Name=name)


def test_secrets_are_sealed(weir, name, receiver):
    receiver.answers = [token("tok3n-of-" + name)]
    events = weir.client("events")
    auth = oauth(receiver)
    auth["OAuthParameters"]["ClientParameters"]["ClientSecret"] = "plain-" + name
    events.create_connection(Name=name, AuthorizationType="OAUTH_CLIENT_CREDENTIALS", AuthParameters=auth)
    authorized(events, name)
    kept = b"".join(p.read_bytes() for p in pathlib.Path(weir.data_dir).rglob("*") if p.is_file())
    assert name.encode() in kept
    assert ("plain-" + name).encode() not in kept and ("tok3n-of-" + name).encode() not in kept
