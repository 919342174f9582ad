"""weir backup and weir restore: while a server works under load, nothing that was acknowledged before is
missing, and what cannot be a backup is none."""
import hashlib
import hmac
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import zipfile

import pytest

from weirtest import Weir, find_binary, wait_for

TABLE, BUCKET, QUEUE = "backup-table", "backup-bucket", "backup-queue"


def run(*args, **kw):
    return subprocess.run([find_binary(), *args], capture_output=True, text=True, timeout=120, **kw)


def prepare(weir):
    dynamodb, s3, sqs = (weir.client(n) for n in ("dynamodb", "s3", "sqs"))
    dynamodb.create_table(TableName=TABLE, BillingMode="PAY_PER_REQUEST",
                          AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                          KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}])
    s3.create_bucket(Bucket=BUCKET)
    sqs.create_queue(QueueName=QUEUE)


class Load(threading.Thread):
    """Puts items, objects that are files, and messages, and deletes every other object; keeps what was
    acknowledged."""

    def __init__(self, weir, name):
        super().__init__()
        self.clients = [weir.client(n) for n in ("dynamodb", "s3", "sqs")]
        self.prefix, self.stopping, self.error = name, threading.Event(), None
        self.items, self.objects, self.messages = [], {}, []

    def run(self):
        try:
            n = 0
            while not self.stopping.is_set():
                self.step(n)
                n += 1
        except Exception as e:
            self.error = e

    def step(self, n):
        dynamodb, s3, sqs = self.clients
        name = f"{self.prefix}-{n}"
        dynamodb.put_item(TableName=TABLE, Item={"id": {"S": name}})
        self.items.append(name)
        body = os.urandom(20000 + n)
        s3.put_object(Bucket=BUCKET, Key=name, Body=body)
        if n % 2:
            s3.delete_object(Bucket=BUCKET, Key=name)
        else:
            self.objects[name] = hashlib.sha256(body).hexdigest()
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"], MessageBody=name)
        self.messages.append(name)


def restored(backup, tmp_path):
    folder = str(tmp_path / "restored")
    done = run("restore", backup, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    checked = run("check", folder)
    assert checked.returncode == 0 and checked.stdout.strip().endswith("whole"), checked.stdout
    return folder


def all_is_there(weir, items, objects, messages):
    dynamodb, s3, sqs = (weir.client(n) for n in ("dynamodb", "s3", "sqs"))
    for name in items:
        assert "Item" in dynamodb.get_item(TableName=TABLE, Key={"id": {"S": name}}), name
    for name, digest in objects.items():
        body = s3.get_object(Bucket=BUCKET, Key=name)["Body"].read()
        assert hashlib.sha256(body).hexdigest() == digest, name
    if not messages:  # receiving hides them
        return
    url, found = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"], set()
    while True:
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        if not got:
            break
        found |= {m["Body"] for m in got}
    assert set(messages) <= found


@pytest.mark.parametrize("elsewhere", [False, True])
def test_backup_under_load(fresh_weir, tmp_path, elsewhere):
    """Twice to the same place: the second one replaces the first and copies only what is new. On the
    same file system tables and objects get second names, on another their bytes are copied."""
    weir, place = fresh_weir, tmp_path
    if elsewhere:
        if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == os.stat(weir.data_dir).st_dev:
            pytest.skip("no second file system")
        place = type(tmp_path)(subprocess.check_output(["mktemp", "-d", "-p", "/dev/shm"], text=True).strip())
    try:
        prepare(weir)
        loads = [Load(weir, f"w{i}") for i in range(3)]
        for load in loads:
            load.start()
        backup = str(place / "backup")
        for round_ in (1, 2):
            wait_for(lambda: all(len(x.messages) > 12 * round_ or x.error for x in loads), what="writes")
            before = [(list(x.items), dict(x.objects), list(x.messages)) for x in loads]
            done = run("backup", backup, "--data", weir.data_dir)
            assert done.returncode == 0, done.stdout + done.stderr
        for load in loads:
            load.stopping.set()
            load.join()
            assert not load.error, load.error
        files, _, new_files = [int(w) for w in done.stdout.replace(",", "").split() if w.isdigit()][:3]
        assert new_files < files
        assert sorted(os.listdir(place)) == ["backup"] or not elsewhere
        assert os.stat(os.path.join(backup, "root-credentials")).st_mode & 0o777 == 0o600
        wait_for(lambda: not os.path.exists(os.path.join(weir.data_dir, "backup")), what="the end of holding still")
        again = Weir(data_dir=restored(backup, tmp_path))
        try:
            for items, objects, messages in before:
                all_is_there(again, items, objects, [])
            all_is_there(again, [], {}, [m for _, _, messages in before for m in messages])
        finally:
            again.stop()
    finally:
        if elsewhere:
            shutil.rmtree(place)


def test_function_survives(fresh_weir, tmp_path):
    """The package of a function, the layers that it sees as one, and the seal of its variables come along."""
    weir = fresh_weir
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr("f.py", "import os\ndef handler(event, context):\n"
                           "    return ' '.join([os.environ['WORD'], open('/opt/one').read(), open('/opt/two').read()])\n")
    layers = []
    for name in ("one", "two"):
        layer = io.BytesIO()
        with zipfile.ZipFile(layer, "w") as z:
            z.writestr(name, name)
        layers.append(weir.client("lambda").publish_layer_version(LayerName=name, Content={"ZipFile": layer.getvalue()})["LayerVersionArn"])
    role = weir.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                                                "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    runtime = f"python3.{sys.version_info.minor}"
    weir.client("lambda").create_function(FunctionName="f", Runtime=runtime, Role=role, Handler="f.handler",
                                          Code={"ZipFile": packed.getvalue()}, Layers=layers,
                                          Environment={"Variables": {"WORD": "kept"}})
    backup = str(tmp_path / "backup")
    assert run("backup", backup, "--data", weir.data_dir).returncode == 0
    weir.client("lambda").delete_function(FunctionName="f")
    for name in ("one", "two"):
        weir.client("lambda").delete_layer_version(LayerName=name, VersionNumber=1)
    again = Weir(data_dir=restored(backup, tmp_path))
    try:
        reply = again.client("lambda").invoke(FunctionName="f")
        assert reply["Payload"].read() == b'"kept one two"'
        assert [x["LayerName"] for x in again.client("lambda").list_layers()["Layers"]] == ["one", "two"]
    finally:
        again.stop()


def test_packages_dropped_meanwhile_go_when_the_backup_ends(fresh_weir):
    """A copy may still need them; the server need not start anew for them to go."""
    weir = fresh_weir
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr("f.py", "def handler(event, context):\n    return 1\n")
    role = weir.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                                                "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    weir.client("lambda").create_function(FunctionName="f", Runtime=f"python3.{sys.version_info.minor}", Role=role,
                                          Handler="f.handler", Code={"ZipFile": packed.getvalue()})
    code = os.path.join(weir.data_dir, "lambda", "code")
    assert len(os.listdir(code)) == 2
    with open(os.path.join(weir.data_dir, "root-credentials")) as f:
        secret = next(line.split(" = ")[1].strip() for line in f if line.startswith("aws_secret_access_key"))
    token = hmac.new(secret.encode(), b"weir: bearer token of backups", hashlib.sha256).hexdigest()
    with urllib.request.urlopen(urllib.request.Request(weir.endpoint + "/_weir/backup", method="POST", headers={
            "Authorization": "Bearer " + token}), timeout=60) as held:
        while held.readline() != b"ready\n":
            pass
        weir.client("lambda").delete_function(FunctionName="f")
        for _ in range(2):  # beats of the server, between which it tries again
            while held.readline() != b".\n":
                pass
        assert len(os.listdir(code)) == 2
    wait_for(lambda: os.listdir(code) == [], what="package removed")


def test_of_a_stopped_server(fresh_weir, tmp_path):
    weir = fresh_weir
    prepare(weir)
    weir.client("s3").put_object(Bucket=BUCKET, Key="k", Body=b"x" * 50000)
    weir.kill9()
    backup = str(tmp_path / "backup")
    done = run("backup", backup, env={**os.environ, "WEIR_DATA": weir.data_dir})
    assert done.returncode == 0, done.stderr
    again = Weir(data_dir=restored(backup, tmp_path))
    try:
        assert again.client("s3").get_object(Bucket=BUCKET, Key="k")["ContentLength"] == 50000
    finally:
        again.stop()


def test_refusals(fresh_weir, tmp_path):
    weir = fresh_weir
    prepare(weir)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("x")
    done = run("backup", str(tmp_path / "mine"), "--data", weir.data_dir)
    assert done.returncode == 1 and "no backup" in done.stderr
    assert run("backup", str(tmp_path / "b"), "--data", str(tmp_path)).returncode == 1
    assert run("backup").returncode == 2 and run("restore", "x").returncode == 2
    assert run("backup", str(tmp_path / "b"), "--data", weir.data_dir).returncode == 0
    done = run("restore", str(tmp_path / "b"), str(tmp_path / "mine"))
    assert done.returncode == 1 and "not empty" in done.stderr
    done = run("restore", str(tmp_path / "mine"), str(tmp_path / "new"))
    assert done.returncode == 1 and "no whole backup" in done.stderr
    table = next(f for f in os.listdir(tmp_path / "b" / "db") if f.endswith(".sst"))
    os.truncate(tmp_path / "b" / "db" / table, 100)
    weir.kill9()  # they may be one file
    done = run("restore", str(tmp_path / "b"), str(tmp_path / "new"))
    assert done.returncode == 1 and not (tmp_path / "new").exists() and not (tmp_path / "new.new").exists()


def test_what_a_lost_file_says(fresh_weir, tmp_path):
    weir = fresh_weir
    prepare(weir)
    weir.client("s3").put_object(Bucket=BUCKET, Key="k", Body=b"x" * 50000)
    objects = os.path.join(weir.data_dir, "s3", "objects")
    path = next(os.path.join(d, f) for d, _, files in os.walk(objects) for f in files)
    os.unlink(path)
    done = run("backup", str(tmp_path / "b"), "--data", weir.data_dir)
    assert done.returncode == 1 and os.path.basename(path) in done.stderr and "missing" in done.stderr


def test_only_who_has_the_root_key(fresh_weir):
    with open(os.path.join(fresh_weir.data_dir, "metrics-token")) as f:
        token = f.read()
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer " + token}):
        with pytest.raises(urllib.error.HTTPError) as e:
            urllib.request.urlopen(urllib.request.Request(fresh_weir.endpoint + "/_weir/backup", method="POST",
                                                          headers=headers), timeout=10)
        assert e.value.code == 403


def test_a_backup_that_was_killed_holds_nothing(fresh_weir, tmp_path):
    """The server lets go, what the next start leaves is clean, and another backup works."""
    weir = fresh_weir
    prepare(weir)
    process = subprocess.Popen([find_binary(), "backup", str(tmp_path / "b"), "--data", weir.data_dir])
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = wait_for(lambda: (lambda d: d if d.returncode == 0 else None)(
        run("backup", str(tmp_path / "b"), "--data", weir.data_dir)), what="backup")
    assert done.returncode == 0
    wait_for(lambda: not os.path.exists(os.path.join(weir.data_dir, "backup")), what="checkpoint removed")
