"""The server as a program: starting, refusing, telling, stopping."""
import json
import os
import signal
import socket
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest
from botocore import UNSIGNED
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from weirtest import Weir, find_binary


def get(weir, path):
    with urllib.request.urlopen(weir.endpoint + path, timeout=10) as reply:
        return reply.status, reply.read().decode()


def run(*args, **kw):
    return subprocess.run([find_binary(), *args], capture_output=True, text=True, timeout=30, **kw)


def test_health_in_both_places(weir):
    for path in ("/_weir/health", "/_localstack/health"):
        status, body = get(weir, path)
        doc = json.loads(body)
        assert status == 200 and doc["services"]["s3"] == "running" and doc["services"]["sqs"] == "running"


def test_metrics(weir):
    weir.client("sqs").list_queues()
    status, body = get(weir, "/_weir/metrics")
    assert status == 200
    assert 'weir_calls_total{service="sqs",operation="ListQueues",outcome="ok"}' in body


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)],
                   check=True, capture_output=True)
    return str(cert), str(key)


def test_metrics_beyond_this_machine(make_weir, certificate):
    """From elsewhere the token is needed, and plain health says only that it runs."""
    peer = next((a for a in subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split() if "." in a), None)
    if not peer:
        pytest.skip("this machine has no address but loopback")
    cert, key = certificate
    weir = make_weir(args=["--tls-cert", cert, "--tls-key", key, "--listen", peer + ":0"])
    context = ssl.create_default_context(cafile=cert)
    context.check_hostname = False
    with open(os.path.join(weir.data_dir, "metrics-token")) as f:
        token = f.read()
    assert len(token) == 64 and os.stat(f.name).st_mode & 0o777 == 0o600

    def ask(path, **headers):
        try:
            request = urllib.request.Request(weir.endpoint + path, headers=headers)
            with urllib.request.urlopen(request, timeout=10, context=context) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    assert ask("/_weir/metrics")[0] == 403
    assert ask("/_weir/metrics", Authorization="Bearer " + "0" * 64)[0] == 403
    assert "weir_calls_running" in ask("/_weir/metrics", Authorization="Bearer " + token)[1]
    assert json.loads(ask("/_weir/health")[1]) == {"status": "running"}
    assert "services" in json.loads(ask("/_weir/health", Authorization="Bearer " + token)[1])


def test_status_and_env(weir):
    where = weir.endpoint.replace("http://", "")
    done = run("status", "--endpoint", where)
    assert done.returncode == 0 and json.loads(done.stdout)["status"] == "running"
    done = run("env", "--endpoint", where)
    assert f"export AWS_ENDPOINT_URL={weir.endpoint}" in done.stdout
    assert run("status", "--endpoint", "127.0.0.1:1").returncode == 1


def test_env_knows_who_serves_from_a_folder(fresh_weir, tmp_path):
    """Its address is in the data folder while it lives; what a killed one left is nobody."""
    weir = fresh_weir
    path = os.path.join(weir.data_dir, "running")
    assert os.stat(path).st_mode & 0o777 == 0o600
    for env in ({"WEIR_DATA": weir.data_dir}, {"WEIR_DATA": weir.data_dir, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}):
        done = run("env", env={**os.environ, **env})
        assert f"export AWS_ENDPOINT_URL={weir.endpoint}\n" in done.stdout and "AWS_ACCESS_KEY_ID=test" in done.stdout
    assert json.loads(run("status", "--data", weir.data_dir).stdout)["endpoint"] == weir.endpoint
    weir.kill9()
    assert os.path.exists(path)
    for command in ("env", "status"):
        done = run(command, "--data", weir.data_dir)
        assert done.returncode == 1 and "nothing serves from" in done.stderr
    weir.start()
    assert run("status", "--data", weir.data_dir).returncode == 0
    weir.terminate()
    assert not os.path.exists(path)


def test_env_of_tls_and_of_the_root_key(make_weir, certificate):
    cert, key = certificate
    weir = make_weir(args=["--tls-cert", cert, "--tls-key", key, "--no-dev-key", "--region", "eu-west-1"])
    done = run("env", "--data", weir.data_dir)
    assert done.returncode == 0, done.stderr
    shell = subprocess.run(["sh", "-c", done.stdout + "env"], env={"AWS_ACCESS_KEY_ID": "x"}, capture_output=True, text=True)
    assert f"AWS_ENDPOINT_URL=https://127.0.0.1:{weir.port}\n" in shell.stdout and "AWS_REGION=eu-west-1" in shell.stdout
    assert f"AWS_SHARED_CREDENTIALS_FILE={os.path.realpath(weir.data_dir)}/root-credentials\n" in shell.stdout
    assert "AWS_ACCESS_KEY_ID" not in shell.stdout and f"AWS_CA_BUNDLE='{cert}'" in done.stdout
    assert json.loads(run("status", "--data", weir.data_dir).stdout)["status"] == "running"


@pytest.mark.parametrize("command", ["serve", "status", "env", "backup", "restore", "check", "repair", "version", "help"])
def test_help_of_a_command(command, tmp_path):
    for words in (["--help"], ["-h"], ["--data", "x", "--help"]):
        done = run(command, *words, cwd=tmp_path)
        assert done.returncode == 0 and done.stdout.startswith(f"weir {command} ") and not done.stderr
    assert not list(tmp_path.iterdir())


def test_insecure_network(make_weir):
    """Plain HTTP and test/test at every address and under any host name, but not for web pages."""
    weir = make_weir(args=["--listen", "0.0.0.0:0", "--insecure-network"])
    assert "--insecure-network: whoever can reach" in weir.log_text()
    local = f"http://127.0.0.1:{weir.port}"
    doc = json.loads(urllib.request.urlopen(local + "/_weir/health", timeout=10).read())
    assert "insecure" in doc["network"] and doc["endpoint"] == local
    weir.endpoint = local
    signed = AWSRequest(method="GET", url=f"http://weir:{weir.port}/", headers={"Host": f"weir:{weir.port}"})
    S3SigV4Auth(Credentials("test", "test"), "s3", "us-east-1").add_auth(signed)
    headers = dict(signed.headers)

    def status(**more):
        try:
            request = urllib.request.Request(local + "/", headers={**headers, **{k.replace("_", "-"): v for k, v in more.items()}})
            return urllib.request.urlopen(request, timeout=10).status
        except urllib.error.HTTPError as e:
            return e.code

    assert status() == 200
    assert status(Origin="http://evil.example") == 403 and status(Sec_Fetch_Site="cross-site") == 403
    assert status(Sec_Fetch_Site="same-origin") == 403  # a page under a name that its owner made lead here
    assert status(Referer=f"http://weir:{weir.port}/") == 403
    weir = make_weir()
    local = f"http://127.0.0.1:{weir.port}"
    assert status() == 403
    assert "network" not in json.loads(get(weir, "/_weir/health")[1])


def test_a_service_that_is_not_there(weir):
    """It is named, whatever says which one it is, and whatever protocol it speaks."""
    for service, call in (("pipes", "list_pipes"), ("eks", "list_clusters"), ("redshift", "describe_clusters"),
                          ("stepfunctions", "list_state_machines"), ("cloudfront", "list_distributions")):
        client = weir.client(service)
        with pytest.raises(ClientError, match="is not there: Weir does not have this service"):
            getattr(client, call)()
    client = weir.client("cognito-identity", config=Config(signature_version=UNSIGNED))
    with pytest.raises(ClientError, match="Amazon Cognito Identity"):
        client.get_id(IdentityPoolId="us-east-1:0")
    client = weir.client("pipes", key="unknown")
    with pytest.raises(ClientError, match="EventBridge Pipes"):
        client.list_pipes()
    assert weir.log_text().count("unknown service: pipes") == 1


def test_who_opens_the_address(weir):
    for headers in ({}, {"Accept": "text/html"}):
        with urllib.request.urlopen(urllib.request.Request(weir.endpoint + "/", headers=headers), timeout=10) as reply:
            text = reply.read().decode()
        assert reply.headers["Content-Type"].startswith("text/plain") and "weir env" in text and "/_weir/health" in text
    anonymous = weir.client("s3", config=Config(signature_version=UNSIGNED))
    with pytest.raises(ClientError, match="AccessDenied"):
        anonymous.list_buckets()
    assert weir.client("s3").list_buckets()["Buckets"] is not None


def test_a_foreign_key_is_told_where_to_look(weir):
    for service, call in (("s3", "list_buckets"), ("sqs", "list_queues"), ("dynamodb", "list_tables"), ("iam", "list_users")):
        with pytest.raises(ClientError, match="weir env"):
            getattr(weir.client(service, key="AKIAIOSFODNN7EXAMPLE"), call)()


def test_busy_port_is_a_clear_error(weir, tmp_path):
    done = run("serve", "--listen", f"127.0.0.1:{weir.port}", "--data", str(tmp_path / "d"))
    assert done.returncode == 1
    assert str(weir.port) in done.stderr and "in use" in done.stderr


def test_one_process_a_data_folder(weir):
    done = run("serve", "--listen", "127.0.0.1:0", "--data", weir.data_dir)
    assert done.returncode == 1 and "in use" in done.stderr


@pytest.mark.parametrize("args, say", [
    (["serve", "--nonsense"], "unknown option"),
    (["serve", "--listen"], "needs a value"),
    (["serve", "--listen", "nowhere"], "ADDR:PORT"),
    (["serve", "--listen", "127.0.0.1:99999"], "ADDR:PORT"),
    (["serve", "--threads", "x"], "whole number"),
    (["serve", "--account", "12"], "12 digits"),
    (["serve", "--log-level", "loud"], "log-level"),
    (["serve", "--tls-cert", "x"], "go together"),
    (["fly"], "no command"),
])
def test_bad_usage(args, say, tmp_path):
    done = run(*args, cwd=tmp_path)
    assert done.returncode in (1, 2) and say in done.stderr


def test_beyond_loopback_only_with_tls(tmp_path):
    done = run("serve", "--listen", "0.0.0.0:0", "--data", str(tmp_path / "d"))
    assert done.returncode == 1 and "TLS" in done.stderr


@pytest.fixture(scope="module")
def tls_weir(certificate):
    cert, key = certificate
    weir = Weir(args=["--tls-cert", cert, "--tls-key", key])
    weir.certificate = cert
    yield weir
    weir.stop()


def test_tls(tls_weir, monkeypatch):
    weir, cert = tls_weir, tls_weir.certificate
    assert weir.endpoint.startswith("https://")
    monkeypatch.setenv("AWS_CA_BUNDLE", cert)
    s3 = weir.client("s3")
    s3.create_bucket(Bucket="over-tls")
    s3.put_object(Bucket="over-tls", Key="k", Body=b"x" * 300000)
    assert s3.get_object(Bucket="over-tls", Key="k")["Body"].read() == b"x" * 300000


def test_policies_see_the_version_of_tls(tls_weir, monkeypatch):
    weir, cert = tls_weir, tls_weir.certificate
    monkeypatch.setenv("AWS_CA_BUNDLE", cert)
    s3 = weir.client("s3")
    s3.create_bucket(Bucket="tls-versions")
    s3.put_object(Bucket="tls-versions", Key="k", Body=b"x")
    s3.put_bucket_policy(Bucket="tls-versions", Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::tls-versions/*",
         "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.3"}}}]}))
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "tls-versions", "Key": "k"})
    for version, status in ((ssl.TLSVersion.TLSv1_2, 403), (ssl.TLSVersion.TLSv1_3, 200)):
        context = ssl.create_default_context(cafile=cert)
        context.minimum_version = context.maximum_version = version
        try:
            with urllib.request.urlopen(url, context=context) as reply:
                assert reply.status == status
        except urllib.error.HTTPError as e:
            assert e.code == status


@pytest.mark.parametrize("suites, spoken", [
    ("ECDHE-RSA-AES128-GCM-SHA256", True), ("ECDHE-RSA-CHACHA20-POLY1305", True),
    ("AES128-GCM-SHA256", False), ("AES256-SHA", False),  # no forward secrecy
    ("ECDHE-RSA-AES128-SHA256", False), ("ECDHE-RSA-AES256-SHA", False),  # no AEAD
])
def test_suites_of_tls_12(tls_weir, suites, spoken):
    context = ssl.create_default_context(cafile=tls_weir.certificate)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suites)
    with socket.create_connection(("127.0.0.1", tls_weir.port)) as raw:
        try:
            with context.wrap_socket(raw, server_hostname="127.0.0.1"):
                assert spoken
        except ssl.SSLError:
            assert not spoken


def test_beyond_loopback_the_development_key_is_unknown(make_weir, certificate, monkeypatch):
    cert, key = certificate
    weir = make_weir(args=["--tls-cert", cert, "--tls-key", key, "--no-dev-key"])
    monkeypatch.setenv("AWS_CA_BUNDLE", cert)
    with pytest.raises(Exception, match="InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient"):
        weir.client("sts").get_caller_identity()
    with open(os.path.join(weir.data_dir, "root-credentials")) as f:
        fields = dict(line.strip().split(" = ") for line in f if " = " in line)
    assert os.stat(os.path.join(weir.data_dir, "root-credentials")).st_mode & 0o777 == 0o600
    sts = weir.client("sts", key=fields["aws_access_key_id"], secret=fields["aws_secret_access_key"])
    assert sts.get_caller_identity()["Arn"] == "arn:aws:iam::000000000000:root"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_clean_stop(number):
    weir = Weir()
    weir.client("sqs").create_queue(QueueName="q")
    idle = socket.create_connection(("127.0.0.1", weir.port))
    weir.process.send_signal(number)
    assert weir.process.wait(timeout=30) == 0
    idle.close()
    weir.process.stdout.close()
    assert "Sanitizer" not in weir.log_text()
    weir.start()
    assert weir.client("sqs").get_queue_url(QueueName="q")
    weir.stop()


def test_unknown_service_and_operation(weir):
    request = urllib.request.Request(weir.endpoint + "/", data=b"{}", headers={
        "X-Amz-Target": "Comprehend_20171127.DetectSentiment", "Content-Type": "application/x-amz-json-1.1"})
    with pytest.raises(urllib.error.HTTPError) as e:
        urllib.request.urlopen(request, timeout=10)
    assert 400 <= e.value.code < 500
    with pytest.raises(Exception) as e:
        weir.client("s3").put_bucket_replication(Bucket="b", ReplicationConfiguration={"Role": "arn:aws:iam::000000000000:role/r", "Rules": []})
    assert "NotImplemented" in str(e.value)
    with pytest.raises(Exception):
        weir.client("s3").put_bucket_replication(Bucket="b", ReplicationConfiguration={"Role": "arn:aws:iam::000000000000:role/r", "Rules": []})
    assert weir.log_text().count("not supported: s3 PutBucketReplication") == 1
