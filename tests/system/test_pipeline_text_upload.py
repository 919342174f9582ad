"""The text-upload pipeline, deployed by its own scripts: texts of users who are signed in, texts of nobody, the
throttle, the alarms, and what the functions' roles do not allow."""
import base64
import json
import os
import subprocess
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from weirtest import ROOT, Weir, wait_for

PIPELINE = os.path.join(ROOT, "pipelines", "text-upload")
EMAIL, PASSWORD = "ann@example.com", "Passw0rd-1"


class Deployed:
    def __init__(self, weir):
        self.weir = weir
        self.names = self.script("deploy.sh")
        self.token = self.script("token.sh", EMAIL, PASSWORD).strip()

    def script(self, name, *args, **env):
        done = subprocess.run([os.path.join(PIPELINE, name), self.weir.endpoint, *args],
                              env={**self.weir.script_env(), "PERIOD": "60", **env},
                              capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(line.split("=", 1) for line in done.stdout.splitlines()) if name == "deploy.sh" else done.stdout

    def send(self, text, authorization):
        headers = {"Content-Type": "text/plain", **({"Authorization": authorization} if authorization else {})}
        request = urllib.request.Request(self.names["API_URL"] + "/dataproc", data=text, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as e:
            return e.code, json.loads(e.read())

    def upload(self, text):
        return self.send(text, f"Bearer {self.token}")

    def lines(self, upload):
        got = self.weir.client("dynamodb").query(TableName=self.names["TABLE"], ConsistentRead=True, KeyConditionExpression="upload = :u",
                                                 ExpressionAttributeValues={":u": {"S": upload}})["Items"]
        return {int(i["line"]["N"]): i["text"]["S"] for i in got}


@pytest.fixture(scope="module")
def deployed():
    with Weir() as weir:
        yield Deployed(weir)


def test_lines(deployed):
    text = "one\r\n\ntw\u00f6\nbell \a\nlast".encode() + b"\n\xff\n"
    status, answer = deployed.upload(text)
    assert status == 200
    assert answer == {"upload": answer["upload"], "lines": 6, "stored": 3, "empty": 1, "rejected": 2,
                      "rejects": [{"line": 4, "reason": "a control character"}, {"line": 6, "reason": "not UTF-8"}]}
    assert deployed.lines(answer["upload"]) == {1: "one", 3: "tw\u00f6", 5: "last"}
    assert deployed.upload(text) == (status, answer)
    owner = json.loads(base64.urlsafe_b64decode(deployed.token.split(".")[1] + "=="))["sub"]
    item = deployed.weir.client("dynamodb").get_item(TableName=deployed.names["TABLE"], Key={"upload": {"S": answer["upload"]}, "line": {"N": "1"}})
    assert item["Item"]["owner"]["S"] == owner


def test_long_texts(deployed):
    status, answer = deployed.upload(b"".join(b"line %d\n" % n for n in range(2000)))
    assert (status, answer["stored"]) == (200, 2000)
    assert len(deployed.lines(answer["upload"])) == 2000
    assert deployed.upload(b"x\n" * 10001) == (400, {"message": "a text has at most 10,000 lines"})
    assert deployed.upload(b"")[1]["lines"] == 0


def forged(token, **claims):
    head, body, signature = token.split(".")
    body = {**json.loads(base64.urlsafe_b64decode(body + "==")), **claims}
    return ".".join([head, base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip("="), signature])


def test_nobody_passes_without_a_token(deployed):
    token = deployed.token
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=") + "." + token.split(".")[1] + "."
    assert deployed.send(b"x", None) == (401, {"message": "Unauthorized"})
    for authorization in [token, f"Basic {token}", "Bearer x", f"Bearer {token[:-8]}AAAAAAAA", f"Bearer {unsigned}",
                          f"Bearer {forged(token, sub='other')}"]:
        assert deployed.send(b"x", authorization) == (401, {"message": "Unauthorized"}), authorization
    assert deployed.send(b"x", f"bearer {token}")[0] == 200


def test_tokens_of_others(deployed):
    """Another client's of the same pool, and an id token."""
    cognito = deployed.weir.client("cognito-idp")
    client = cognito.create_user_pool_client(UserPoolId=deployed.names["USER_POOL_ID"], ClientName="other",
                                             ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])["UserPoolClient"]["ClientId"]

    def tokens(client_id):
        return cognito.initiate_auth(AuthFlow="USER_PASSWORD_AUTH", ClientId=client_id,
                                     AuthParameters={"USERNAME": EMAIL, "PASSWORD": PASSWORD})["AuthenticationResult"]

    assert deployed.send(b"x", "Bearer " + tokens(client)["AccessToken"])[0] == 401
    assert deployed.send(b"x", "Bearer " + tokens(deployed.names["CLIENT_ID"])["IdToken"])[0] == 401
    assert deployed.send(b"x", "Bearer " + tokens(deployed.names["CLIENT_ID"])["AccessToken"])[0] == 200


def test_the_throttle(deployed):
    """A burst of three and no more for a while: the rest is told so."""
    deployed.script("deploy.sh", RATE="0.1", BURST="3")
    try:
        with ThreadPoolExecutor(8) as pool:
            got = list(pool.map(lambda _: deployed.upload(b"x"), range(16)))
        assert [s for s, _ in got].count(200) in (3, 4)
        assert {str(g) for g in got if g[0] != 200} == {str((429, {"message": "Too Many Requests"}))}
    finally:
        deployed.script("deploy.sh")


def test_an_alarm_is_told(deployed):
    sqs, sns = deployed.weir.client("sqs"), deployed.weir.client("sns")
    url = sqs.create_queue(QueueName="alarms")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = deployed.names["TOPIC_ARN"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}})})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    bad = deployed.weir.client("lambda").invoke(FunctionName=deployed.names["UPLOAD_FUNCTION"], Payload=b"{}")
    assert bad["FunctionError"] == "Unhandled"
    (message,) = wait_for(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10).get("Messages"), 120, "alarm")
    told = json.loads(message["Body"])
    assert (told["AlarmName"], told["NewStateValue"]) == ("text-upload-Errors", "ALARM")
    alarms = deployed.weir.client("cloudwatch").describe_alarms(AlarmNamePrefix="text-upload-")["MetricAlarms"]
    assert {a["AlarmName"] for a in alarms} == {f"text-upload-{m}" for m in ("Errors", "Duration", "Throttles")}


def test_roles_allow_no_more(deployed):
    """The uploading function's role writes, and cannot read what it wrote."""
    iam, sts = deployed.weir.client("iam"), deployed.weir.client("sts")
    role = deployed.names["UPLOAD_FUNCTION"]
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    trust["Statement"].append({"Effect": "Allow", "Principal": {"AWS": deployed.weir.account}, "Action": "sts:AssumeRole"})
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    got = sts.assume_role(RoleArn=f"arn:aws:iam::{deployed.weir.account}:role/{role}", RoleSessionName="test")["Credentials"]
    as_function = {"key": got["AccessKeyId"], "secret": got["SecretAccessKey"], "token": got["SessionToken"]}
    with pytest.raises(ClientError, match="AccessDenied"):
        deployed.weir.client("dynamodb", **as_function).scan(TableName=deployed.names["TABLE"])
    with pytest.raises(ClientError, match="AccessDenied"):
        deployed.weir.client("cognito-idp", **as_function).admin_get_user(UserPoolId=deployed.names["USER_POOL_ID"], Username=EMAIL)


def test_users_survive_a_kill(deployed):
    deployed.weir.kill9()
    deployed.weir.start()
    assert deployed.upload(b"x")[0] == 200
    assert deployed.script("token.sh", EMAIL, PASSWORD).count(".") == 2


def test_away(deployed):
    deployed.script("undeploy.sh")
    assert deployed.weir.client("cognito-idp").list_user_pools(MaxResults=10)["UserPools"] == []
    assert deployed.weir.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert deployed.weir.client("iam").list_roles()["Roles"] == []
    deployed.script("undeploy.sh")
