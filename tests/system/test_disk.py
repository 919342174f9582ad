"""The disk under Weir: damaged logs, full disks, who may read what, secrets at rest, clocks set back."""
import contextlib
import datetime
import glob
import json
import os
import re
import shutil
import stat
import subprocess
import time
import urllib.error
import urllib.request

import botocore.auth
import pytest
from botocore.config import Config

from weirtest import Weir, find_binary, wait_for

SECRET = "plain-words-of-a-secret-environment"
ROLE_TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})


def run(*args):
    return subprocess.run([find_binary(), *args], capture_output=True, text=True, timeout=120)


def refused(data_dir):
    done = run("serve", "--listen", "127.0.0.1:0", "--data", data_dir)
    assert done.returncode == 1, done.stderr
    return done.stderr


def health(weir):
    try:
        with urllib.request.urlopen(weir.endpoint + "/_weir/health", timeout=10) as reply:
            return reply.status, json.loads(reply.read())
    except urllib.error.HTTPError as e:
        return e.code, json.loads(e.read())


@pytest.fixture
def killed(tmp_path):
    """A data folder with acknowledged messages whose server was killed."""
    with Weir(data_dir=str(tmp_path / "data")) as weir:
        sqs = weir.client("sqs")
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        for i in range(100):
            sqs.send_message(QueueUrl=url, MessageBody=f"{i} " + "x" * 300)
        weir.kill9()
    return str(tmp_path / "data")


def newest_log(data_dir):
    return max(glob.glob(os.path.join(data_dir, "db", "*.log")), key=os.path.getsize)


def count(weir):
    sqs = weir.client("sqs")
    url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
    a = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    return int(a["ApproximateNumberOfMessages"])


def test_a_flipped_bit_in_the_log_is_refused_and_repaired(killed):
    log = newest_log(killed)
    with open(log, "r+b") as f:
        f.seek(os.path.getsize(log) // 2)
        byte = f.read(1)[0]
        f.seek(-1, 1)
        f.write(bytes([byte ^ 4]))
    said = refused(killed)
    assert "lacks acknowledged writes" in said and "weir repair" in said
    done = run("check", killed)
    assert done.returncode == 1 and "is damaged at byte" in done.stdout and "can still be read" in done.stdout
    done = run("repair", killed)
    assert done.returncode == 0, done.stdout
    assert "are given up" in done.stdout and "the old files are kept in" in done.stdout
    kept = glob.glob(os.path.join(killed, "db.damaged-*"))
    assert kept and os.path.exists(os.path.join(kept[0], os.path.basename(log)))
    assert run("check", killed).returncode == 0
    weir = Weir(data_dir=killed)
    assert 0 < count(weir) < 100
    weir.stop()


def test_a_deleted_log_is_refused(killed):
    os.unlink(newest_log(killed))
    assert "lacks acknowledged writes" in refused(killed)


def test_a_deleted_store_is_refused(killed):
    shutil.rmtree(os.path.join(killed, "db"))
    assert "has lost its files" in refused(killed)


def test_a_torn_end_starts(killed):
    assert run("check", killed).returncode == 0
    with open(newest_log(killed), "ab") as f:
        f.write(os.urandom(700))
    assert run("check", killed).returncode == 0
    weir = Weir(data_dir=killed)
    assert count(weir) == 100
    done = run("check", killed)
    assert done.returncode == 2 and "in use" in done.stdout
    weir.stop()


def test_check_reads_the_files_of_objects(tmp_path):
    weir = Weir(data_dir=str(tmp_path))
    s3 = weir.client("s3")
    s3.create_bucket(Bucket="kept")
    for i in range(3):
        s3.put_object(Bucket="kept", Key=f"k{i}", Body=b"x" * 200_000)
    weir.stop()
    done = run("check", "--objects", str(tmp_path))
    assert done.returncode == 0 and "3 object files of 600000 bytes, 0 damaged" in done.stdout, done.stdout
    paths = [p for p in glob.glob(str(tmp_path / "s3" / "objects" / "*" / "*")) if os.path.getsize(p)]
    with open(paths[0], "r+b") as f:
        f.seek(70_000)
        f.write(b"y")
    assert run("check", str(tmp_path)).returncode == 0  # of the store alone
    done = run("check", "--objects", str(tmp_path))
    assert done.returncode == 1, done.stdout
    assert "bucket=kept key=k" in done.stdout and "block does not match at byte 65536" in done.stdout
    assert "1 damaged" in done.stdout and done.stdout.endswith("damaged\n")
    weir = Weir(data_dir=str(tmp_path))  # it left a store that starts
    assert run("check", "--objects", str(tmp_path)).returncode == 2
    weir.stop()


# --- who may read what ---------------------------------------------------------------------------


def modes(folder):
    for path, folders, files in os.walk(folder):
        for name in folders + files:
            full = os.path.join(path, name)
            yield full, stat.S_IMODE(os.lstat(full).st_mode)


def test_an_open_folder_is_tightened(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    os.chmod(folder, 0o755)
    weir = Weir(data_dir=str(folder))
    weir.client("sqs").create_queue(QueueName="q")
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert "could be read by others" in weir.log_text()
    # What functions see (their root, their code) is readable by their own users, inside this folder.
    assert not [(path, oct(mode)) for path, mode in modes(folder)
                if mode & 0o077 and "lambda/code/" not in path and "/sandbox/" not in path + "/"]
    weir.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: gives the folder to another user")
def test_another_users_folder_is_refused(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    assert "belongs to user 12345" in refused(str(folder))


def package():
    import io
    import zipfile
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("bootstrap", "#!/bin/sh\nexit 1\n")
    return out.getvalue()


def test_secrets_are_sealed(tmp_path):
    folder = str(tmp_path / "data")
    weir = Weir(data_dir=folder)
    iam = weir.client("iam")
    iam.create_user(UserName="u")
    key = iam.create_access_key(UserName="u")["AccessKey"]
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=ROLE_TRUST)["Role"]["Arn"]
    weir.client("lambda").create_function(
        FunctionName="f", Role=role, Runtime="provided.al2023", Handler="x", Code={"ZipFile": package()},
        Environment={"Variables": {"PASSWORD": SECRET}})
    weir.restart()
    env = weir.client("lambda").get_function_configuration(FunctionName="f")["Environment"]["Variables"]
    assert env == {"PASSWORD": SECRET}
    sts = weir.client("sts", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert sts.get_caller_identity()["Arn"].endswith("user/u")
    weir.stop()
    for path, _, files in os.walk(folder):
        for name in files:
            if os.path.islink(os.path.join(path, name)):
                continue
            with open(os.path.join(path, name), "rb") as f:
                data = f.read()
            assert SECRET.encode() not in data, name
            assert key["SecretAccessKey"].encode() not in data, name
    root = os.path.join(folder, "root-credentials")
    shutil.move(root, root + ".kept")
    assert "root-credentials is missing" in refused(folder)
    with open(root + ".kept") as f:
        text = f.read()
    for field in ("access_key_id", "secret_access_key"):
        with open(root, "w") as f:
            f.write(re.sub(rf"({field} = )\S", r"\g<1>!", text))
        assert "is not the root key that this store was made with" in refused(folder)
    shutil.move(root + ".kept", root)
    again = Weir(data_dir=folder)
    again.stop()


# --- a full disk ---------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    mount = tmp_path / "small"
    mount.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(mount)], capture_output=True)
    if os.geteuid() != 0 or done.returncode != 0:
        pytest.skip("needs root: mounts a small file system")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def test_full_disk_is_told_and_left_behind(small_disk):
    weir = Weir(data_dir=str(small_disk / "data"))
    sqs = weir.client("sqs", config=Config(retries={"max_attempts": 0}))
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="before")
    filler = small_disk / "filler"
    with open(filler, "wb") as f, pytest.raises(OSError):
        while True:
            f.write(b"x" * 65536)
            f.flush()
    sent = 1
    with pytest.raises(Exception):
        for _ in range(2000):
            sqs.send_message(QueueUrl=url, MessageBody="y" * 30000)
            sent += 1
    status, body = wait_for(lambda: health(weir) if health(weir)[0] == 503 else None, 20, "health")
    assert body["status"] == "failed" and "No space left" in body["cause"]
    wait_for(lambda: "ENOSPC" in weir.log_text(), 20, "log line")
    pid = weir.process.pid
    os.unlink(filler)

    def well():
        try:
            return health(weir)[0] == 200
        except OSError:
            return False
    wait_for(well, 60, "service after there is room again")
    assert weir.process.pid == pid and weir.process.poll() is None
    assert count(weir) >= sent
    sqs = weir.client("sqs")
    sqs.send_message(QueueUrl=url, MessageBody="after")
    weir.stop()


# --- clocks --------------------------------------------------------------------------------------

CLOCK_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *ts)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int r = real(id, ts);
    const char *path = getenv("TEST_CLOCK_FILE");
    long skew = 0;
    FILE *f = id == CLOCK_REALTIME && path ? fopen(path, "r") : NULL;
    if (f) {
        if (fscanf(f, "%ld", &skew) != 1)
            skew = 0;
        fclose(f);
    }
    ts->tv_sec += skew;
    return r;
}
"""


def build_clock(folder):
    """A library that sets the wall clock of who preloads it, by a file."""
    source, library = os.path.join(folder, "clock.c"), os.path.join(folder, "clock.so")
    with open(source, "w") as f:
        f.write(CLOCK_SOURCE)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


def start_clocked(library, folder):
    """A server whose wall clock is set by set_clock(seconds)."""
    skew = os.path.join(folder, "skew")

    def set_clock(seconds):
        with open(skew + ".new", "w") as f:
            f.write(str(seconds))
        os.replace(skew + ".new", skew)
    set_clock(0)
    linked = subprocess.run(["ldd", find_binary()], capture_output=True, text=True).stdout
    first = re.search(r"libasan\S* => (\S+)", linked)
    weir = Weir(data_dir=os.path.join(folder, "data"), env={
        "LD_PRELOAD": " ".join(filter(None, [first and first.group(1), library])), "TEST_CLOCK_FILE": skew})
    weir.set_clock = set_clock
    return weir


def received(sqs, url, body):
    got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2, MaxNumberOfMessages=10).get("Messages", [])
    for m in got:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
    return body in [m["Body"] for m in got]


@pytest.fixture
def clocked(tmp_path):
    with start_clocked(build_clock(str(tmp_path)), str(tmp_path)) as weir:
        yield weir


@contextlib.contextmanager
def client_clock(seconds):
    """botocore signs by a clock that is off by so much."""
    real = datetime.datetime

    class Set(real):
        @classmethod
        def utcnow(cls):
            return real.utcnow() + datetime.timedelta(seconds=seconds)

        @classmethod
        def now(cls, tz=None):
            return real.now(tz) + datetime.timedelta(seconds=seconds)
    had = botocore.auth.datetime.datetime
    botocore.auth.datetime.datetime = Set
    try:
        yield
    finally:
        botocore.auth.datetime.datetime = had


def test_clock_an_hour_back(clocked):
    """Delays and visibility time-outs go on in their own time, and over a restart with that clock;
    signatures are judged by the wall clock."""
    sqs = clocked.client("sqs", config=Config(retries={"max_attempts": 0}))
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "3"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="leased")
    assert sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    sqs.send_message(QueueUrl=url, MessageBody="delayed", DelaySeconds=3)
    clocked.set_clock(-3600)
    with client_clock(-3600):
        got = set()
        deadline = time.monotonic() + 30
        while got != {"leased", "delayed"} and time.monotonic() < deadline:
            for m in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2, MaxNumberOfMessages=10,
                                         VisibilityTimeout=60).get("Messages", []):
                got.add(m["Body"])
        assert got == {"leased", "delayed"}
        sqs.send_message(QueueUrl=url, MessageBody="restarted", DelaySeconds=3)
        wait_for(lambda: "the wall clock jumped by -3" in clocked.log_text(), 30, "log line")
        clocked.kill9()
        clocked.start()
        assert "behind what this store has seen" in clocked.log_text()
        assert received(sqs, url, "restarted") or wait_for(lambda: received(sqs, url, "restarted"), 20, "message")


def test_tokens_of_user_pools_expire(clocked):
    """At an API's authorizer, which goes by the wall clock."""
    idp, gw = clocked.client("cognito-idp"), clocked.client("apigateway")
    pool = idp.create_user_pool(PoolName="p")["UserPool"]
    client = idp.create_user_pool_client(UserPoolId=pool["Id"], ClientName="c", IdTokenValidity=30, TokenValidityUnits={"IdToken": "minutes"},
                                         ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])["UserPoolClient"]["ClientId"]
    idp.sign_up(ClientId=client, Username="ada", Password="Correct-horse-1")
    idp.admin_confirm_sign_up(UserPoolId=pool["Id"], Username="ada")
    token = idp.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={
        "USERNAME": "ada", "PASSWORD": "Correct-horse-1"})["AuthenticationResult"]["IdToken"]
    api = gw.import_rest_api(body=json.dumps({
        "swagger": "2.0", "info": {"title": "t", "version": "1"},
        "securityDefinitions": {"pool": {
            "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "cognito_user_pools",
            "x-amazon-apigateway-authorizer": {"type": "cognito_user_pools", "providerARNs": [pool["Arn"]]}}},
        "paths": {"/": {"get": {"security": [{"pool": []}], "responses": {"200": {"description": "ok"}},
                                "x-amazon-apigateway-integration": {
                                    "type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'},
                                    "responses": {"default": {"statusCode": "200"}}}}}}}).encode())["id"]
    gw.create_deployment(restApiId=api, stageName="prod")

    def ask():
        request = urllib.request.Request(f"{clocked.endpoint}/restapis/{api}/prod/_user_request_/", headers={"Authorization": token})
        try:
            with urllib.request.urlopen(request) as reply:
                return reply.status
        except urllib.error.HTTPError as e:
            return e.code, json.load(e)

    clocked.set_clock(29 * 60)
    assert ask() == 200
    clocked.set_clock(30 * 60 + 5)
    assert ask() == (401, {"message": "The incoming token has expired"})
