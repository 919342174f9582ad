"""weir deploy, diff, destroy and stacks as a user types them, and the wrong ways."""
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import termios
import urllib.parse
import urllib.request
import zipfile
from io import BytesIO

import pytest
from botocore.exceptions import ClientError

TEMPLATE = """# as its author wrote it
Parameters:
  Delay: {Type: Number, Description: seconds, Default: 1}
  Other: {Type: String, Default: x}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {DelaySeconds: !Ref Delay, MessageRetentionPeriod: 600}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Code: code # a folder
      Handler: bootstrap
      Runtime: provided.al2023
      Role: !GetAtt Role.Arn
Outputs:
  ApiUrl: {Value: "https://abc.execute-api.us-east-1.amazonaws.com/prod/x"}
  QueueUrl: {Value: !Ref Queue}
"""
FAILING = TEMPLATE.replace("DelaySeconds: !Ref Delay", "DelaySeconds: 901")
# Goes on until somebody says so.
WAITING = """Resources:
  Queue: {Type: AWS::SQS::Queue}
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
  Waits: {Type: AWS::CloudFormation::WaitCondition, Properties: {Handle: !Ref Handle, Timeout: 300}}
"""


class Place:
    """A folder with a template, and a shell in it."""

    def __init__(self, weir, dir):
        self.weir, self.dir = weir, dir
        self.name = dir.name  # of the stack, too
        self.cloudformation = weir.client("cloudformation")
        (dir / "code").mkdir()
        (dir / "code" / "bootstrap").write_text("#!/bin/sh\n")
        (dir / "code" / "bootstrap").chmod(0o700)
        self.write(TEMPLATE)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "WEIR_"))}
        self.env.update(AWS_ENDPOINT_URL=weir.endpoint, HOME=str(dir), ASAN_OPTIONS="detect_leaks=1:exitcode=99")

    def write(self, text):
        (self.dir / "template.yaml").write_text(text)

    def run(self, *args, code=0):
        done = subprocess.run([self.weir.binary, *args], env=self.env, cwd=self.dir, capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout, done.stderr

    def begin(self, *args):
        return subprocess.Popen([self.weir.binary, *args], env=self.env, cwd=self.dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, stdin=subprocess.DEVNULL)

    def stack(self):
        try:
            return self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as e:
            assert "does not exist" in str(e)
            return {"StackStatus": None}

    def parameters(self):
        return {p["ParameterKey"]: p["ParameterValue"] for p in self.stack()["Parameters"]}

    def physical(self, logical):
        return self.cloudformation.describe_stack_resource(StackName=self.name, LogicalResourceId=logical)["StackResourceDetail"]["PhysicalResourceId"]

    def go_on(self):
        body = json.dumps({"Status": "SUCCESS", "UniqueId": "1", "Reason": "told", "Data": "d"}).encode()
        url = urllib.parse.urlsplit(self.physical("Handle"))  # AWS's name, which leads here in functions' networks
        request = urllib.request.Request(f"{self.weir.endpoint}{url.path}?{url.query}", method="PUT", data=body, headers={"Host": url.netloc})
        urllib.request.urlopen(request, timeout=30).read()


def read_until(process, words):
    """Of its standard error; what follows stays to be read."""
    while line := process.stderr.readline():
        if words in line:
            return
    raise AssertionError(f"it ended without {words!r}: {process.wait()}")


def finish(process):
    out, err = process.stdout.read(), process.stderr.read()
    return process.wait(timeout=60), out, err


@pytest.fixture
def make_place(tmp_path, request):
    def make(weir):
        dir = tmp_path / ("p-" + request.node.name.replace("[", "-").replace("]", "").replace("_", "-"))[:60]
        dir.mkdir()
        return Place(weir, dir)

    return make


@pytest.fixture
def place(weir, make_place):
    return make_place(weir)


def test_a_life(place):
    name, s3 = place.name, place.weir.client("s3")
    out, err = place.run("deploy", ".", "-p", "Delay=7")
    assert f"  ApiUrl    {place.weir.endpoint}/restapis/abc/prod/_user_request_/x\n" in out
    assert "uploaded Function.Code" in err and "Queue  AWS::SQS::Queue  CREATE_COMPLETE" in err
    assert place.parameters() == {"Delay": "7", "Other": "x"}
    text = place.cloudformation.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    assert text.startswith("# as its author wrote it\n") and "} # a folder\n" in text

    (object_,) = s3.list_objects_v2(Bucket=f"weir-deploy-{place.weir.account}-us-east-1")["Contents"]
    body = s3.get_object(Bucket=f"weir-deploy-{place.weir.account}-us-east-1", Key=object_["Key"])["Body"].read()
    (info,) = zipfile.ZipFile(BytesIO(body)).infolist()
    assert (info.filename, info.external_attr >> 16 & 0o777) == ("bootstrap", 0o755)

    out, err = place.run("deploy", ".")
    assert f"no changes: {name} is what template.yaml says" in err and "uploaded" not in err and "ApiUrl" in out
    assert "no changes" in place.run("diff", ".", "--exit-code")[0]

    place.write(TEMPLATE.replace("Period: 600", "Period: 700"))
    out, _ = place.run("diff", ".", "--exit-code", code=1)
    assert "  ~ Queue  AWS::SQS::Queue\n      MessageRetentionPeriod: 600 -> 700\n" in out and "0 to add, 1 to change, 0 to remove" in out
    out, err = place.run("deploy", "template.yaml", "--stack", name, "-p", "Other=y", "--env")
    assert out == f"API_URL={place.weir.endpoint}/restapis/abc/prod/_user_request_/x\nQUEUE_URL={place.physical('Queue')}\n"
    assert place.parameters() == {"Delay": "7", "Other": "y"}
    assert place.weir.client("sqs").get_queue_attributes(QueueUrl=place.physical("Queue"), AttributeNames=["All"])["Attributes"]["MessageRetentionPeriod"] == "700"

    out, _ = place.run("stacks")
    assert f"{name}  " in out and "UPDATE_COMPLETE" in out
    _, err = place.run("destroy", name, code=2)
    assert "--yes" in err and place.stack()["StackStatus"] == "UPDATE_COMPLETE"
    _, err = place.run("destroy", ".", "--yes")
    assert f"removed {name}" in err and place.stack()["StackStatus"] is None
    assert "removed the deployment bucket" in err and s3.list_buckets()["Buckets"] == []
    assert f"there is no stack {name}" in place.run("destroy", name, "--yes")[1]
    assert place.run("stacks")[0] == ""


@pytest.mark.parametrize("args, code, says", [
    (["deploy", "nowhere"], 2, "there is no template at nowhere"),
    (["deploy"], 2, "which template?"),
    (["deploy", ".", "-p", "Nope=1"], 2, "has no parameter Nope; it has:\n  Delay  seconds"),
    (["deploy", ".", "-p", "Delay"], 2, "-p takes KEY=VALUE"),
    (["deploy", ".", "-p", "Delay=soon"], 1, "Delay"),
    (["deploy", ".", "--capabilities", "none"], 1, "Requires capabilities : [CAPABILITY_IAM]"),
    (["deploy", ".", "--nope"], 2, "unknown option"),
    (["destroy"], 2, "which stack?"),
    (["deploy", ".", "--endpoint", "http://127.0.0.1:1"], 1, "nothing answers at http://127.0.0.1:1"),
    (["stacks", "--endpoint", "http://a:b:c"], 2, "the endpoint must look like"),
], ids=range(10))
def test_what_cannot_be(place, args, code, says):
    assert says in place.run(*args, code=code)[1]
    assert place.stack()["StackStatus"] is None


def test_code_that_is_not_there(place):
    place.write(TEMPLATE.replace("Code: code", "Code: ../nowhere"))
    _, err = place.run("deploy", ".", code=1)
    assert "Function.Code is ../nowhere, which is not there" in err
    place.write("Resources: {")
    assert "template.yaml:2:1: " in place.run("deploy", ".", code=1)[1]


def test_a_resource_fails(place):
    place.write(FAILING)
    _, err = place.run("deploy", ".", code=1)
    says = err.split("weir: ")[1]
    assert says.startswith(f"{place.name} is ROLLBACK_COMPLETE: nothing of it is left") and "\n  Queue  AWS::SQS::Queue  CREATE_FAILED  " in says
    assert "rolled back: " in says
    place.write(TEMPLATE)
    _, err = place.run("deploy", ".")
    assert "removing what an earlier attempt left" in err and place.stack()["StackStatus"] == "CREATE_COMPLETE"
    place.write(FAILING)
    _, err = place.run("deploy", ".", code=1)
    assert f"weir: {place.name} is UPDATE_ROLLBACK_COMPLETE: it is what it was before" in err and "UPDATE_FAILED" in err
    place.run("destroy", ".", "--yes")


def test_diff_leaves_nothing(place):
    out, _ = place.run("diff", ".")
    assert f"what would be made as {place.name}:" in out and "  + Queue  AWS::SQS::Queue\n" in out and "3 to add" in out
    assert place.stack()["StackStatus"] is None


def test_buckets_are_emptied(place):
    place.write("Resources: {Store: {Type: AWS::S3::Bucket, Properties: {VersioningConfiguration: {Status: Enabled}}}}")
    place.run("deploy", ".")
    s3, bucket = place.weir.client("s3"), place.physical("Store")
    for body in (b"1", b"2"):
        s3.put_object(Bucket=bucket, Key="a b/\u00fc+", Body=body)
    s3.delete_object(Bucket=bucket, Key="a b/\u00fc+")
    _, err = place.run("destroy", ".", "--yes", code=1)
    assert "is DELETE_FAILED: what could not be removed is still there" in err and "  Store  AWS::S3::Bucket  DELETE_FAILED  " in err
    place.run("destroy", ".", "--yes", "--empty")
    assert place.stack()["StackStatus"] is None


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_ended_in_the_middle(place, how):
    place.write(WAITING)
    first = place.begin("deploy", ".")
    read_until(first, "Waits  ")
    first.send_signal(how)
    code, _, err = finish(first)
    if how == signal.SIGINT:
        assert code == 130 and "the stack goes on without this command" in err
    second = place.begin("deploy", ".")
    read_until(second, "is CREATE_IN_PROGRESS already: waiting for its end")
    place.go_on()
    code, _, err = finish(second)
    assert code == 0 and "no changes" in err
    place.run("destroy", ".", "--yes")


def test_the_server_goes_away(fresh_weir, make_place):
    place = make_place(fresh_weir)
    place.write(WAITING)
    command = place.begin("deploy", ".")
    read_until(command, "Waits  ")
    fresh_weir.kill9()
    read_until(command, "waiting for it")
    fresh_weir.start()
    place.go_on()
    code, _, err = finish(command)
    assert code == 0, err
    assert place.stack()["StackStatus"] == "CREATE_COMPLETE"


def test_on_a_terminal(place):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    process = subprocess.Popen([place.weir.binary, "deploy", "."], env=place.env, cwd=place.dir, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    text = b""
    try:
        while piece := os.read(ours, 65536):
            text += piece
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.wait(timeout=60) == 0
    assert b"\x1b[J" in text and b"\x1b[32mCREATE_COMPLETE\x1b[0m" in text and b"ApiUrl" in text
