"""weir exec: real clients that are told no endpoint, and what a command keeps of its own: terminal, files,
signals, exit code. Nothing may stay behind of it, however it ends."""
import glob
import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from test_function_network import CONNECT, need_own_network, own_addresses
from test_isolation import AS_ROOT, NO_NAMESPACES, NOBODY, as_nobody, data_dir
from test_terraform import find_provider_mirror
from weirtest import ROOT, Weir, find_binary, find_clis, wait_for


def bare_env(**more):
    """Nothing that tells of Weir, nor of whom to trust."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("AWS_", "WEIR_", "SSL_CERT_")) and not k.endswith(("CA_BUNDLE", "CA_CERTS"))}
    env.update(AWS_PAGER="", AWS_CONFIG_FILE="/nonexistent", AWS_EC2_METADATA_DISABLED="true", HOME="/nonexistent", **more)
    return env


def command(weir, *words, binary=None):
    return [binary or find_binary(), "exec", "--data", weir.data_dir, "--", *words]


def run(weir, *words, ok=True, prefix=(), env=None, **more):
    done = subprocess.run([*prefix, *command(weir, *words)], env=env or bare_env(), capture_output=True, text=True,
                          timeout=120, check=False, **more)
    if ok:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


def python(weir, code, **more):
    """`code` sets result."""
    done = run(weir, sys.executable, "-c", f"import json\n{code}\nprint(json.dumps(result))", **more)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def net():
    with Weir() as weir:
        need_own_network(weir)
        yield weir


# --- clients ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("major", ["1", "2"])
def test_aws_cli_without_an_endpoint(net, tmp_path, major):
    if major not in find_clis():
        pytest.skip(f"AWS CLI version {major} is not on this machine")

    # The queue's address is as a README writes it.
    script = f"""
set -e
aws sts get-caller-identity --query Account --output text
aws s3 cp customers.csv s3://exec-{major}.with.dots/in/ --no-progress
aws sqs receive-message --queue-url https://sqs.us-east-1.amazonaws.com/000000000000/exec-{major} \
    --query 'Messages[0].Body' --output text
aws dynamodb list-tables --output text >tables
"""
    net.client("s3").create_bucket(Bucket=f"exec-{major}.with.dots")
    sqs = net.client("sqs")
    sqs.send_message(QueueUrl=sqs.create_queue(QueueName=f"exec-{major}")["QueueUrl"], MessageBody="hello")
    (tmp_path / "customers.csv").write_text("1,John Doe\n")
    env = bare_env()
    env["PATH"] = os.path.dirname(find_clis()[major]) + ":" + env["PATH"]
    out = run(net, "sh", "-c", script, cwd=tmp_path, env=env).stdout.splitlines()
    assert out == ["000000000000", f"upload: ./customers.csv to s3://exec-{major}.with.dots/in/customers.csv", "hello"]
    (key,) = net.client("s3").list_objects_v2(Bucket=f"exec-{major}.with.dots")["Contents"]
    assert key["Size"] == 11


def test_boto3_without_an_endpoint(net):
    got = python(net, """
import boto3
s3 = boto3.client("s3")
s3.create_bucket(Bucket="exec-boto3")
s3.put_object(Bucket="exec-boto3", Key="k", Body=b"x" * 1000)
reply = s3.get_object(Bucket="exec-boto3", Key="k")
ddb = boto3.client("dynamodb")
ddb.create_table(TableName="exec", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                 AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
ddb.put_item(TableName="exec", Item={"id": {"S": "1"}})
result = [s3.meta.endpoint_url, s3.generate_presigned_url("get_object", Params={"Bucket": "exec-boto3", "Key": "k"})[:41],
          len(reply["Body"].read()), ddb.meta.endpoint_url, ddb.scan(TableName="exec")["Count"]]
""")
    assert got == ["https://s3.amazonaws.com", "https://exec-boto3.s3.amazonaws.com/k?AWS", 1000,
                   "https://dynamodb.us-east-1.amazonaws.com", 1]


JAVASCRIPT = {
    "sdk-v2": """
const { S3, SQS } = require("aws-sdk");
(async () => {
  const s3 = new S3(), sqs = new SQS();
  await s3.createBucket({ Bucket: "exec-v2" }).promise();
  await s3.putObject({ Bucket: "exec-v2", Key: "k", Body: "x" }).promise();
  const { QueueUrl } = await sqs.createQueue({ QueueName: "exec-v2" }).promise();
  await sqs.sendMessage({ QueueUrl, MessageBody: "hello" }).promise();
  const got = await sqs.receiveMessage({ QueueUrl }).promise();
  console.log(s3.endpoint.host, got.Messages[0].Body);
})();
""",
    "sdk-v3": """
const { S3Client, CreateBucketCommand } = require("@aws-sdk/client-s3");
const s3 = new S3Client({});
s3.send(new CreateBucketCommand({ Bucket: "exec-v3" })).then(() => console.log("s3.amazonaws.com hello"));
""",
}


@pytest.mark.parametrize("sdk", JAVASCRIPT)
def test_sdk_for_javascript(net, sdk):
    modules = os.path.join(ROOT, "runtime", sdk, "node_modules")
    if not shutil.which("node") or not os.path.isdir(modules):
        pytest.skip(f"node or runtime/{sdk} is not here (make deps)")
    env = bare_env(NODE_PATH=modules, AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE="1", NODE_NO_WARNINGS="1")
    assert run(net, "node", "-e", JAVASCRIPT[sdk], env=env).stdout == "s3.amazonaws.com hello\n"


TERRAFORM = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {}
resource "aws_s3_bucket" "b" { bucket = "exec-terraform" }
resource "aws_sqs_queue" "q" { name = "exec-terraform" }
"""


def test_terraform_without_endpoints(net, tmp_path):
    mirror = find_provider_mirror()
    if not shutil.which("terraform") or not mirror:
        pytest.skip("terraform or its AWS provider is not on this machine")
    (tmp_path / "main.tf").write_text(TERRAFORM)
    (tmp_path / "rc").write_text(f'provider_installation {{\n  filesystem_mirror {{ path = "{mirror}" }}\n}}\n')
    env = bare_env(TF_CLI_CONFIG_FILE=str(tmp_path / "rc"), TF_IN_AUTOMATION="1", TF_INPUT="0", CHECKPOINT_DISABLE="1")
    run(net, "terraform", "init", "-no-color", env=env, cwd=tmp_path)
    out = run(net, "terraform", "apply", "-auto-approve", "-no-color", env=env, cwd=tmp_path).stdout
    assert "2 added" in out
    assert "exec-terraform" in [b["Name"] for b in net.client("s3").list_buckets()["Buckets"]]
    (queue,) = net.client("sqs").list_queues(QueueNamePrefix="exec-terraform")["QueueUrls"]
    assert queue


def test_make_target_and_curl(net, tmp_path):
    """A program below a program, and one that knows nothing of AWS."""
    if not shutil.which("make") or not shutil.which("curl"):
        pytest.skip("needs make and curl")
    (tmp_path / "Makefile").write_text("all:\n\t@curl -sS -f https://sqs.eu-west-1.amazonaws.com/_weir/health\n")
    assert json.loads(run(net, "make", "-s", cwd=tmp_path).stdout)["status"] == "running"
    # Both protocols that clients of AWS's names speak.
    for words, version in ((["--http2"], "2"), (["--http1.1"], "1.1"), ([], "2")):
        said = run(net, "curl", "-sS", *words, "-o", "/dev/null", "-w", "%{http_version} %{http_code}",
                   "https://x.execute-api.us-east-1.amazonaws.com/_weir/health").stdout
        assert said == version + " 200"


# --- what a command finds -----------------------------------------------------------------------------

def env_of(weir, *names, **env):
    out = run(weir, "env", "-0", env=bare_env(**env)).stdout
    found = dict(line.split("=", 1) for line in out.split("\0") if line)
    return [found.get(name) for name in names]


def test_credentials_and_region(net, make_weir):
    names = ["AWS_ACCESS_KEY_ID", "AWS_SHARED_CREDENTIALS_FILE", "AWS_REGION", "AWS_DEFAULT_REGION"]
    assert env_of(net, *names) == ["test", None, "us-east-1", "us-east-1"]
    assert env_of(net, *names, AWS_ACCESS_KEY_ID="AKIAMINE", AWS_DEFAULT_REGION="eu-west-1") == \
        ["AKIAMINE", None, "eu-west-1", "eu-west-1"]
    assert env_of(net, *names, AWS_PROFILE="mine", AWS_REGION="eu-west-2") == [None, None, "eu-west-2", "eu-west-2"]
    strict = make_weir(args=["--no-dev-key", "--region", "eu-central-1"])
    file = os.path.join(strict.data_dir, "root-credentials")
    assert env_of(strict, *names) == [None, file, "eu-central-1", "eu-central-1"]
    who = "import boto3\nresult = boto3.client('sts').get_caller_identity()['Arn']"
    assert python(strict, who) == "arn:aws:iam::000000000000:root"


def test_names_lead_here_and_the_host_is_out_of_reach(net):
    """But for its own loopback, a command reaches what a function does."""
    with socket.create_server(("0.0.0.0", 0)) as server:
        port = server.getsockname()[1]
        got = python(net, CONNECT + f"""
own = socket.create_server(("127.0.0.1", 0))
with socket.create_connection(own.getsockname()) as s:
    own.accept()[0].sendall(b"mine")
    mine = s.recv(4).decode()
result = [socket.gethostbyname("my.bucket.s3.eu-west-1.amazonaws.com"), mine, reach("s3.amazonaws.com", 80)[:5],
          [reach(a, {port}) for a in {own_addresses()!r}]]
""")
        assert got[:3] == ["198.18.0.1", "mine", "HTTP/"] and all(g.endswith("Error") for g in got[3]), got


def test_own_bundle_is_added_to(net, tmp_path):
    mine = tmp_path / "mine.crt"
    mine.write_text("mine\n")
    (named,) = env_of(net, "AWS_CA_BUNDLE", AWS_CA_BUNDLE=str(mine))
    text = run(net, "sh", "-c", 'cat "$AWS_CA_BUNDLE"', env=bare_env(AWS_CA_BUNDLE=str(mine))).stdout
    assert text.startswith("mine\n") and "BEGIN CERTIFICATE" in text and named != str(mine)
    assert mine.read_text() == "mine\n"
    assert env_of(net, "SSL_CERT_FILE", SSL_CERT_FILE="/nonexistent") == ["/nonexistent"]


def test_weir_behind_a_certificate_of_its_own(make_weir, tmp_path):
    """Its address has the authority's certificate inside, and there is no development key."""
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=weir.corp",
                    "-keyout", key, "-out", cert], check=True, capture_output=True)
    weir = make_weir(args=["--listen", "0.0.0.0:0", "--tls-cert", cert, "--tls-key", key])
    need_own_network(weir)
    got = python(weir, """
import boto3, urllib.request
sqs = boto3.client("sqs")
url = sqs.create_queue(QueueName="q")["QueueUrl"]
result = [sqs.meta.endpoint_url, url, urllib.request.urlopen(url.rsplit("/", 2)[0] + "/_weir/health").status]
""")
    assert got == ["https://sqs.us-east-1.amazonaws.com", f"https://127.0.0.1:{weir.port}/{weir.account}/q", 200]


def test_world_as_functions_have_it(make_weir):
    weir = make_weir(args=["--function-network=none"])
    need_own_network(weir)
    got = python(weir, CONNECT + """
def name(host):
    try:
        return socket.gethostbyname(host)
    except OSError as e:
        return type(e).__name__
result = [reach("93.184.216.34", 443), name("example.com"), name("sqs.us-east-1.amazonaws.com")]
""")
    assert got == ["OSError", "gaierror", "198.18.0.1"]


def test_aws_names_lead_here_when_functions_have_the_real_ones(make_weir):
    weir = make_weir(args=["--function-aws=real"])
    need_own_network(weir)
    assert python(weir, "import boto3\nresult = boto3.client('sts').get_caller_identity()['Account']") == weir.account


# --- what a command keeps -----------------------------------------------------------------------------

def test_files_folder_and_input(net, tmp_path):
    done = run(net, "sh", "-c", "cat >copy; pwd; id -u; umask", cwd=tmp_path, input="what came in")
    umask = subprocess.run(["sh", "-c", "umask"], capture_output=True, text=True, check=True).stdout
    assert done.stdout == f"{tmp_path}\n{os.geteuid()}\n{umask}"
    assert (tmp_path / "copy").read_text() == "what came in"
    assert os.stat(tmp_path / "copy").st_uid == os.geteuid()
    before = subprocess.run(["ls", "/proc/self/fd"], capture_output=True, text=True, check=True).stdout
    assert run(net, "ls", "/proc/self/fd").stdout == before  # no descriptor of ours


def test_terminal(net):
    ours, theirs = pty.openpty()
    with subprocess.Popen(command(net, "sh", "-c", "tty && stty size"), stdin=theirs, stdout=theirs, env=bare_env()) as p:
        assert p.wait(timeout=60) == 0
    name = os.ttyname(theirs)
    os.close(theirs)
    assert os.read(ours, 1000).decode().startswith(name)
    os.close(ours)


def test_exit_codes(net):
    assert run(net, "sh", "-c", "exit 7", ok=False).returncode == 7
    done = run(net, "no-such-command", ok=False)
    assert done.returncode == 127 and "no-such-command: No such file" in done.stderr
    assert run(net, "/etc/passwd", ok=False).returncode == 126
    # A command's words are its own, and "--" is where they begin.
    assert run(net, "echo", "--help", "--", "--data").stdout == "--help -- --data\n"
    for words in (["exec"], ["exec", "--"], ["exec", "true"], ["exec", "--no-such", "--", "true"]):
        done = subprocess.run([find_binary(), *words], capture_output=True, text=True, check=False)
        assert done.returncode == 125 and done.stderr.startswith("weir: "), words
    done = subprocess.run([find_binary(), "exec", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "--data DIR" in done.stdout


def test_signals(net):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        # What a shell starts in the background ignores interrupts, and so would all that it starts.
        with subprocess.Popen(command(net, "sh", "-c", "echo up; exec sleep 100"), stdout=subprocess.PIPE, env=bare_env(),
                              preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) as p:
            assert p.stdout.readline() == b"up\n"
            p.send_signal(number)
            assert p.wait(timeout=60) == -number


# --- without a server, and after ----------------------------------------------------------------------

def test_server_is_not_running(tmp_path):
    done = subprocess.run([find_binary(), "exec", "--data", str(tmp_path), "--", "true"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 125 and f"nothing serves from {tmp_path}" in done.stderr


def test_server_of_a_shared_network(make_weir):
    done = run(make_weir(args=["--function-network=host"]), "true", ok=False)
    assert done.returncode == 125 and "--function-network=host" in done.stderr


def test_server_stops_and_starts_meanwhile(make_weir):
    weir = make_weir()
    need_own_network(weir)
    ask = ("import socket, sys\nprint('up', flush=True)\nsys.stdin.readline()\n"
           "try:\n    socket.create_connection(('198.18.0.1', 443), timeout=30)\nexcept OSError as e:\n    print(type(e).__name__)\n")
    with subprocess.Popen(command(weir, sys.executable, "-c", ask), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          env=bare_env(), text=True) as p:
        assert p.stdout.readline() == "up\n"
        weir.terminate()
        assert not os.path.exists(os.path.join(weir.data_dir, "guests"))
        assert p.communicate("go\n", timeout=60)[0] == "ConnectionRefusedError\n"
    weir.start()
    weir.kill9()
    assert "nothing serves" in run(weir, "true", ok=False).stderr
    weir.start()  # over the socket that the killed one left
    run(weir, "true")


def descriptors(weir):
    return len(os.listdir(f"/proc/{weir.process.pid}/fd"))


def left(weir):
    """What a command could leave: mounts, folders and files, sockets of its network."""
    with open("/proc/self/mountinfo", encoding="ascii") as f:
        mounts = len(f.readlines())
    return mounts, sorted(os.listdir(weir.data_dir)), sorted(glob.glob(weir.data_dir + "/sandbox/net/*"))


def test_nothing_is_left_behind(net):
    run(net, "true")
    wait_for(lambda: not guests(net), what="end of earlier commands")
    open_before, before = descriptors(net), left(net)
    with subprocess.Popen(command(net, "sh", "-c", "echo up; exec sleep 100"), stdout=subprocess.PIPE, env=bare_env()) as p:
        assert p.stdout.readline() == b"up\n"
        assert descriptors(net) > open_before and left(net) == before
        p.kill()
    wait_for(lambda: descriptors(net) <= open_before, what="closed sockets")
    assert left(net) == before


def guests(weir):
    """Descriptors of processes that a server holds."""
    folder = f"/proc/{weir.process.pid}/fd"
    links = []
    for name in os.listdir(folder):
        try:
            links.append(os.readlink(os.path.join(folder, name)))
        except OSError:
            continue
    return [link for link in links if "pidfd" in link]


# --- others than root, and hosts that refuse ----------------------------------------------------------

def test_plain_user(make_weir):
    if not AS_ROOT:
        pytest.skip("every other test here is of a plain user already")
    if subprocess.run(as_nobody(["test", "-x", find_binary()]), check=False).returncode:
        pytest.skip("the user nobody cannot reach the binary")
    folder = data_dir(NOBODY)
    try:
        weir = make_weir(data_dir=folder, prefix=as_nobody())
        need_own_network(weir, as_nobody())
        code = "import boto3, os\nresult = [boto3.client('sts').get_caller_identity()['Account'], os.getuid(), os.getgid()]"
        assert python(weir, code, prefix=as_nobody(), cwd="/") == [weir.account, NOBODY.pw_uid, NOBODY.pw_gid]
        # root may too, in anybody's
        assert python(weir, code) == [weir.account, 0, os.getgid()]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_host_that_refuses(net):
    done = run(net, "true", ok=False, prefix=[sys.executable, "-c", NO_NAMESPACES])
    assert done.returncode == 125 and "namespaces" in done.stderr and "Operation not permitted" in done.stderr


def test_backup_beside_it(net, tmp_path):
    done = subprocess.run([find_binary(), "backup", str(tmp_path / "b"), "--data", net.data_dir], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not os.path.exists(tmp_path / "b" / "guests")
