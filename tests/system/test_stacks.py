"""weir deploy, diff, destroy and stacks as a user types them, and the wrong ways: CloudFormation's part is a fake,
S3's and STS's are the server's."""
import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import zipfile
from io import BytesIO

import pytest

from fake_cloudformation import Fake
from weirtest import wait_for

TEMPLATE = """# as its author wrote it
Parameters:
  Delay: {Type: Number, Description: seconds, Default: 1}
  Other: {Type: String, Default: x}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {DelaySeconds: 5}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Code: code # a folder
Outputs:
  ApiUrl: {Value: "https://abc.execute-api.us-east-1.amazonaws.com/prod/x"}
"""


class Place:
    """A folder with a template, and a shell in it."""

    def __init__(self, weir, fake, dir):
        self.weir, self.fake, self.dir = weir, fake, dir
        self.name = dir.name
        (dir / "code").mkdir()
        (dir / "code" / "bootstrap").write_text("#!/bin/sh\n")
        (dir / "code" / "bootstrap").chmod(0o700)
        self.write(TEMPLATE)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "WEIR_"))}
        self.env.update(AWS_ENDPOINT_URL=weir.endpoint, AWS_ENDPOINT_URL_CLOUDFORMATION=fake.url, HOME=str(dir),
                        ASAN_OPTIONS="detect_leaks=1:exitcode=99")

    def write(self, text):
        (self.dir / "template.yaml").write_text(text)

    def command(self, *args):
        return [self.weir.binary, *args]

    def run(self, *args, code=0, **env):
        done = subprocess.run(self.command(*args), env={**self.env, **env}, cwd=self.dir, capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout, done.stderr

    def begin(self, *args):
        return subprocess.Popen(self.command(*args), env=self.env, cwd=self.dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                stdin=subprocess.DEVNULL)


@pytest.fixture
def place(weir, tmp_path):
    dir = tmp_path / "my-pipeline"
    dir.mkdir()
    fake = Fake()
    yield Place(weir, fake, dir)
    fake.stop()


def test_a_life(place):
    out, err = place.run("deploy", ".", "-p", "Delay=7")
    assert f"  ApiUrl  {place.fake.url}/restapis/abc/prod/_user_request_/x\n" in out
    assert "uploaded Function.Code" in err and "Queue  AWS::SQS::Queue  CREATE_COMPLETE" in err
    stack = place.fake.stacks["my-pipeline"]
    assert stack.parameters == {"Delay": "7"}
    (text,) = [c["TemplateBody"] for c in place.fake.calls if c["Action"] == "CreateChangeSet"]
    assert text.startswith("# as its author wrote it\n") and "} # a folder\n" in text

    code = stack.resources["Function"]["Properties"]["Code"]
    body = place.weir.client("s3").get_object(Bucket=code["S3Bucket"], Key=code["S3Key"])["Body"].read()
    (info,) = zipfile.ZipFile(BytesIO(body)).infolist()
    assert (info.filename, info.external_attr >> 16 & 0o777) == ("bootstrap", 0o755)

    out, err = place.run("deploy", ".")
    assert "no changes: my-pipeline is what template.yaml says" in err and "uploaded" not in err and "ApiUrl" in out
    out, _ = place.run("diff", ".", "--exit-code")
    assert "no changes" in out

    place.write(TEMPLATE.replace("DelaySeconds: 5", "DelaySeconds: 6"))
    out, _ = place.run("diff", ".", "--exit-code", code=1)
    assert "  ~ Queue  AWS::SQS::Queue\n" in out and "0 to add, 1 to change, 0 to remove" in out
    out, err = place.run("deploy", "template.yaml", "--stack", "my-pipeline", "-p", "Other=y", "--env")
    assert out == "API_URL=" + place.fake.url + "/restapis/abc/prod/_user_request_/x\n"
    assert stack.parameters == {"Delay": "7", "Other": "y"}

    out, _ = place.run("stacks")
    assert out.startswith("my-pipeline  ") and "UPDATE_COMPLETE" in out
    _, err = place.run("destroy", "my-pipeline", code=2)
    assert "--yes" in err and stack.status == "UPDATE_COMPLETE"
    _, err = place.run("destroy", ".", "--yes")
    assert "removed my-pipeline" in err and stack.status == "DELETE_COMPLETE"
    assert "removed the deployment bucket" in err and place.weir.client("s3").list_buckets()["Buckets"] == []
    _, err = place.run("destroy", "my-pipeline", "--yes")
    assert "there is no stack my-pipeline" in err
    assert place.run("stacks")[0] == ""


@pytest.mark.parametrize("args, code, says", [
    (["deploy", "nowhere"], 2, "there is no template at nowhere"),
    (["deploy"], 2, "which template?"),
    (["deploy", ".", "-p", "Nope=1"], 2, "has no parameter Nope; it has:\n  Delay  seconds"),
    (["deploy", ".", "-p", "Delay"], 2, "-p takes KEY=VALUE"),
    (["deploy", ".", "--nope"], 2, "unknown option"),
    (["destroy"], 2, "which stack?"),
    (["deploy", ".", "--endpoint", "http://127.0.0.1:1"], 1, "nothing answers at http://127.0.0.1:1"),
    (["stacks", "--endpoint", "http://a:b:c"], 2, "the endpoint must look like"),
])
def test_what_cannot_be_meant(place, args, code, says):
    assert says in place.run(*args, code=code)[1]
    assert not place.fake.stacks


def test_code_that_is_not_there(place):
    place.write(TEMPLATE.replace("Code: code", "Code: ../nowhere"))
    _, err = place.run("deploy", ".", code=1)
    assert "Function.Code is ../nowhere, which is not there" in err
    place.write("Resources: {")
    assert "template.yaml:2:1: " in place.run("deploy", ".", code=1)[1]


def test_a_resource_fails(place):
    bad = TEMPLATE.replace("DelaySeconds: 5", "DelaySeconds: 901")
    place.write(bad)
    _, err = place.run("deploy", ".", code=1)
    assert "weir: my-pipeline is ROLLBACK_COMPLETE: nothing of it is left" in err
    assert "  Queue  AWS::SQS::Queue  CREATE_FAILED  Invalid value" in err.split("weir: ")[1]
    assert "rolled back: Queue" in err
    place.write(TEMPLATE)
    _, err = place.run("deploy", ".")
    assert "removing what an earlier attempt left" in err and place.fake.stacks["my-pipeline"].status == "CREATE_COMPLETE"
    place.write(bad)
    _, err = place.run("deploy", ".", code=1)
    assert "weir: my-pipeline is UPDATE_ROLLBACK_COMPLETE: it is what it was before" in err


def test_diff_leaves_nothing(place):
    out, _ = place.run("diff", ".")
    assert "what would be made as my-pipeline:" in out and "  + Queue  AWS::SQS::Queue\n" in out and "2 to add" in out
    assert place.fake.stacks["my-pipeline"].status == "DELETE_COMPLETE"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_ended_in_the_middle(place, how):
    place.fake.held.set()
    first = place.begin("deploy", ".")
    wait_for(lambda: any(c["Action"] == "ExecuteChangeSet" for c in place.fake.calls))
    looks = len(place.fake.calls)
    wait_for(lambda: len(place.fake.calls) > looks)  # it follows
    first.send_signal(how)
    _, err = first.communicate(timeout=60)
    if how == signal.SIGINT:
        assert first.returncode == 130 and "the stack goes on without this command" in err
    place.fake.held.clear()
    _, err = place.run("deploy", ".")
    assert "is CREATE_IN_PROGRESS already: waiting for its end" in err and "no changes" in err


def test_on_a_terminal(place):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    process = subprocess.Popen(place.command("deploy", "."), env=place.env, cwd=place.dir, stdin=theirs, stdout=theirs, stderr=theirs)
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
