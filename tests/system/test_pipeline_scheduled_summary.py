"""The scheduled-summary pipeline, deployed by its own scripts: cars that are and are none, sent again and at once,
the summary with its versions, and what the functions' roles do not allow."""
import json
import os
import subprocess
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from weirtest import ROOT, Weir

PIPELINE = os.path.join(ROOT, "pipelines", "scheduled-summary")
CAR = {"make": "Volvo", "model": "240", "year": 1985}


class Deployed:
    def __init__(self, weir):
        self.weir = weir
        self.names = self.script("deploy.sh")

    def script(self, name):
        done = subprocess.run([os.path.join(PIPELINE, name), self.weir.endpoint], env=self.weir.script_env(),
                              capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(line.split("=", 1) for line in done.stdout.splitlines()) if name == "deploy.sh" else done.stdout

    def send(self, body, method="POST", **headers):
        request = urllib.request.Request(self.names["API_URL"] + "/cars", method=method, headers={"Content-Type": "application/json", **headers},
                                         data=body if isinstance(body, bytes) else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return reply.status, reply.headers, reply.read()
        except urllib.error.HTTPError as e:
            return e.code, e.headers, e.read()

    def post(self, body):
        status, _, text = self.send(body)
        return status, json.loads(text)

    def cars(self):
        return self.weir.client("dynamodb").scan(TableName=self.names["TABLE"], ConsistentRead=True)["Items"]


@pytest.fixture(scope="module")
def deployed():
    with Weir() as weir:
        yield Deployed(weir)


def test_cars(deployed):
    status, answer = deployed.post({**CAR, "price": 1500})
    assert status == 200
    (item,) = [c for c in deployed.cars() if c["id"]["S"] == answer["id"]]
    assert {k: v for k, v in item.items() if k not in ("id", "created_at")} == {
        "make": {"S": "Volvo"}, "model": {"S": "240"}, "year": {"N": "1985"}, "price": {"N": "1500"}}
    status, headers, _ = deployed.send(CAR, Origin="https://example.com")
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, "*")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', {}, {**CAR, "year": "1985"}, {**CAR, "year": 1885}, {**CAR, "wheels": 4},
                                  {**CAR, "id": "a b"}, {**CAR, "price": -1}, {**CAR, "make": ""}])
def test_what_is_no_car(deployed, body):
    before = len(deployed.cars())
    status, headers, text = deployed.send(body)
    assert (status, json.loads(text)) == (400, {"message": "Invalid request body"})
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert len(deployed.cars()) == before


def test_the_function_checks_too(deployed):
    """Called past the gateway, and for what the gateway does not lead to it."""
    invoke = deployed.weir.client("lambda").invoke

    def call(**event):
        event = {"resource": "/cars", "path": "/cars", "httpMethod": "POST", "requestContext": {"requestId": "r"}, **event}
        answer = json.loads(invoke(FunctionName=deployed.names["API_FUNCTION"], Payload=json.dumps(event))["Payload"].read())
        return answer["statusCode"], json.loads(answer["body"])

    assert call(body='{"make":"a"}') == (400, {"message": "model must be a text of 1 to 64 characters"})
    assert call(body=None) == (400, {"message": "the body must be a JSON object"})
    assert call(resource="/trucks") == (404, {"message": "there is nothing here"})
    assert call(httpMethod="GET") == (405, {"message": "cars are sent by POST"})


def test_sent_again(deployed):
    car = {**CAR, "id": uuid.uuid4().hex}
    with ThreadPoolExecutor(8) as pool:
        assert set(map(str, pool.map(deployed.post, [car] * 16))) == {str((200, {"id": car["id"]}))}
    assert len([c for c in deployed.cars() if c["id"]["S"] == car["id"]]) == 1
    assert deployed.post({**car, "year": 1986}) == (400, {"message": "another car has this id"})


def test_pages_ask_first(deployed):
    status, headers, _ = deployed.send(b"", method="OPTIONS", Origin="https://example.com")
    assert status == 204
    assert (headers["Access-Control-Allow-Origin"], headers["Access-Control-Allow-Methods"]) == ("*", "OPTIONS,POST")


def test_nothing_else_is_there(deployed):
    status, headers, text = deployed.send(b"", method="PUT")
    assert (status, json.loads(text)) == (403, {"message": "Missing Authentication Token"})
    assert headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"


def test_summary(deployed):
    """More cars than a page has, of several days; written twice on one day, it has two versions."""
    ddb, s3 = deployed.weir.client("dynamodb"), deployed.weir.client("s3")
    before = json.loads(deployed.script("run-now.sh"))["items"]
    many = 1500  # of a kilobyte: two pages
    for at in range(0, many, 25):
        ddb.batch_write_item(RequestItems={deployed.names["TABLE"]: [{"PutRequest": {"Item": {
            "id": {"S": f"bulk-{n}"}, "created_at": {"S": f"2020-01-{n % 3 + 1:02d}T00:00:00.000Z"}, "more": {"S": "x" * 1000}}}}
            for n in range(at, at + 25)]})
    answer = json.loads(deployed.script("run-now.sh"))
    assert answer["items"] == before + many
    bucket = deployed.names["BUCKET"]
    summary = json.loads(s3.get_object(Bucket=bucket, Key=answer["key"])["Body"].read())
    assert summary["items"] == before + many
    assert {d: n for d, n in summary["days"].items() if d < "2021"} == {f"2020-01-0{d}": many // 3 for d in (1, 2, 3)}
    assert len(s3.list_object_versions(Bucket=bucket, Prefix=answer["key"])["Versions"]) >= 2
    assert s3.head_object(Bucket=bucket, Key=answer["key"])["ServerSideEncryption"] == "AES256"


def test_the_rule_leads_to_it(deployed):
    events, name = deployed.weir.client("events"), deployed.names["RULE"]
    assert events.describe_rule(Name=name)["ScheduleExpression"] == "cron(0 23 ? * SUN *)"
    (target,) = events.list_targets_by_rule(Rule=name)["Targets"]
    assert target["Arn"].endswith(":function:" + deployed.names["SUMMARY_FUNCTION"])


def test_roles_allow_no_more(deployed):
    sts = deployed.weir.client("sts")
    iam = deployed.weir.client("iam")
    role = deployed.names["API_FUNCTION"]
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    trust["Statement"].append({"Effect": "Allow", "Principal": {"AWS": deployed.weir.account}, "Action": "sts:AssumeRole"})
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    got = sts.assume_role(RoleArn=f"arn:aws:iam::{deployed.weir.account}:role/{role}", RoleSessionName="test")["Credentials"]
    ddb = deployed.weir.client("dynamodb", key=got["AccessKeyId"], secret=got["SecretAccessKey"], token=got["SessionToken"])
    with pytest.raises(ClientError, match="AccessDenied"):
        ddb.scan(TableName=deployed.names["TABLE"])


def test_again_and_away(deployed):
    """A second deploy changes nothing, undeploy leaves nothing."""
    apigateway = deployed.weir.client("apigateway")
    api = deployed.names["API_ID"]
    before = apigateway.get_deployments(restApiId=api)["items"]
    assert deployed.script("deploy.sh") == deployed.names
    assert apigateway.get_deployments(restApiId=api)["items"] == before
    deployed.script("undeploy.sh")
    assert apigateway.get_rest_apis()["items"] == []
    assert deployed.weir.client("lambda").list_functions()["Functions"] == []
    assert deployed.weir.client("s3").list_buckets()["Buckets"] == []
    assert deployed.weir.client("iam").list_roles()["Roles"] == []
    deployed.script("undeploy.sh")
