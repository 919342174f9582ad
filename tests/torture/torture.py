#!/usr/bin/env python3
"""Long tests, one line of figures each; see README.md."""
import argparse
import hashlib
import json
import os
import random
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "..", "system"), os.path.join(HERE, "..", "compat")]

from botocore.config import Config  # noqa: E402

import leave as leaving  # noqa: E402
import test_cloudformation_crash  # noqa: E402
import test_crash  # noqa: E402
import test_disk  # noqa: E402
import test_stream_crash  # noqa: E402
from weirtest import Weir, find_binary, wait_for  # noqa: E402

ONCE = Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=20)


class Figures(dict):
    def add(self, name, n=1):
        self[name] = self.get(name, 0) + n


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def answers(weir):
    """Seconds that a durable write took."""
    begin = time.monotonic()
    weir.client("sqs", config=ONCE).create_queue(QueueName="probe")
    return time.monotonic() - begin


# --- kill ----------------------------------------------------------------------------------------


def kill(rng, until, figures):
    weir = Weir()
    try:
        test_crash.make_pipeline(weir)
        load = test_crash.Load(weir)
        while time.monotonic() < until or figures.get("kills", 0) == 0:
            load.stop.clear()
            generation = figures.get("kills", 0)
            threads = [threading.Thread(target=load.run, args=(w, generation)) for w in range(6)]
            for t in threads:
                t.start()
            before = len(load.items)
            wait_for(lambda: len(load.items) > before, 60, "load")
            time.sleep(rng.uniform(0.05, 2.0))
            weir.kill9()
            load.stop.set()
            for t in threads:
                t.join()
            weir.start()
            figures.add("kills")
        sqs, s3 = weir.client("sqs"), weir.client("s3")
        stored = {}
        for page in weir.client("dynamodb").get_paginator("scan").paginate(TableName=test_crash.TABLE, ConsistentRead=True):
            stored.update({i["id"]["S"]: int(i["n"]["N"]) for i in page["Items"]})
        check(not {k for k, v in load.items.items() if stored.get(k) != v}, "acknowledged items are lost")
        for key, digest in load.objects.items():
            body = s3.get_object(Bucket=test_crash.BUCKET, Key=key)["Body"].read()
            check(hashlib.sha256(body).hexdigest() == digest, f"object {key} differs")
        check(not load.messages - set(test_crash.drain(sqs, test_crash.QUEUE)), "acknowledged messages are lost")
        told = {r["s3"]["object"]["key"] for body in test_crash.drain(sqs, test_crash.EVENTS)
                for r in json.loads(body).get("Records", [])}
        check(not set(load.objects) - told, "events are lost")
        figures.update(items=len(load.items), messages=len(load.messages), objects=len(load.objects), events=len(told))
    finally:
        weir.stop()


# --- full ----------------------------------------------------------------------------------------


def full(rng, until, figures):
    if os.geteuid() != 0:
        figures.add("skipped_needs_root")
        return
    mount = tempfile.mkdtemp(prefix="weir-small-")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", mount], check=True)
    weir = Weir(data_dir=os.path.join(mount, "data"))
    try:
        sqs = weir.client("sqs", config=ONCE)
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        while time.monotonic() < until or figures.get("rounds", 0) == 0:
            filler = os.path.join(mount, "filler")
            with open(filler, "wb") as f:
                try:
                    while True:
                        f.write(b"x" * 65536)
                        f.flush()
                except OSError:
                    pass
            sent = set()
            try:
                for i in range(4000):
                    body = f"{figures.get('rounds', 0)}-{i}-" + "y" * rng.randrange(60000)
                    sqs.send_message(QueueUrl=url, MessageBody=body)
                    sent.add(body)
            except Exception:
                pass
            status, doc = wait_for(lambda: test_disk.health(weir) if test_disk.health(weir)[0] == 503 else None, 30, "503")
            check("No space left" in doc["cause"], doc)
            os.unlink(filler)

            def well():
                try:
                    return test_disk.health(weir)[0] == 200
                except OSError:
                    return False
            wait_for(well, 60, "service again")
            got = set(test_crash.drain(weir.client("sqs"), "q"))
            check(not sent - got, f"{len(sent - got)} acknowledged messages are lost")
            figures.add("rounds")
            figures.add("messages", len(sent))
    finally:
        weir.stop()
        subprocess.run(["umount", "-l", mount], check=True)
        os.rmdir(mount)


# --- flips ---------------------------------------------------------------------------------------

OBJECTS, ITEMS = 4, 40


def make_data(folder):
    """A killed server's folder with messages in the log, items in tables, and objects in files."""
    weir = Weir(data_dir=folder)
    test_crash.make_pipeline(weir)
    dynamodb, s3 = weir.client("dynamodb"), weir.client("s3")
    for i in range(ITEMS):
        dynamodb.put_item(TableName=test_crash.TABLE, Item={"id": {"S": str(i)}, "n": {"N": str(i)}, "pad": {"S": "p" * 400}})
    for i in range(40):
        dynamodb.batch_write_item(RequestItems={test_crash.TABLE: [
            {"PutRequest": {"Item": {"id": {"S": f"b{i}-{k}"}, "n": {"N": "1"}}}} for k in range(25)]})
    weir.restart()
    s3 = weir.client("s3")
    for i in range(OBJECTS):
        s3.put_object(Bucket=test_crash.BUCKET, Key=f"o{i}", Body=(f"object {i} " * 20000).encode())
    weir.kill9()
    weir.stop()


def all_there(weir):
    """(wrong, errors): what is answered and wrong, and what is answered with an error."""
    dynamodb, s3 = weir.client("dynamodb", config=ONCE), weir.client("s3", config=ONCE)
    wrong = errors = 0
    for i in range(ITEMS):
        try:
            item = dynamodb.get_item(TableName=test_crash.TABLE, Key={"id": {"S": str(i)}}, ConsistentRead=True).get("Item")
            wrong += item != {"id": {"S": str(i)}, "n": {"N": str(i)}, "pad": {"S": "p" * 400}}
        except Exception:
            errors += 1
    for i in range(OBJECTS):
        try:
            body = s3.get_object(Bucket=test_crash.BUCKET, Key=f"o{i}")["Body"].read()
            wrong += body != (f"object {i} " * 20000).encode()
        except Exception:
            errors += 1
    return wrong, errors


def kind_of(path):
    name = os.path.basename(path)
    for part in (".log", ".sst", "MANIFEST", "CURRENT", "OPTIONS", "IDENTITY", "root-credentials", ".synced"):
        if part in name:
            return part.strip(".")
    return "object" if "/db/" not in path else "other"


def files_of(folder):
    found = {}
    for path, folders, files in os.walk(folder):
        folders[:] = [f for f in folders if f not in ("sandbox", "lambda")]
        for name in files:
            full_path = os.path.join(path, name)
            if not os.path.islink(full_path) and os.path.getsize(full_path) > 0:
                found.setdefault(kind_of(full_path), []).append(os.path.relpath(full_path, folder))
    return found


def flips(rng, until, figures, kinds=None):
    base = tempfile.mkdtemp(prefix="weir-flips-")
    try:
        whole = os.path.join(base, "whole")
        make_data(whole)
        found = files_of(whole)
        order = sorted(kinds or found)
        while time.monotonic() < until or figures.get("flips", 0) < len(order):
            kind = order[figures.get("flips", 0) % len(order)]
            folder = os.path.join(base, "data")
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(whole, folder, symlinks=True, ignore=shutil.ignore_patterns("guests"))  # a socket
            path = os.path.join(folder, rng.choice(found[kind]))
            at = rng.randrange(os.path.getsize(path))
            with open(path, "r+b") as f:
                f.seek(at)
                byte = f.read(1)[0]
                f.seek(at)
                f.write(bytes([byte ^ 1 << rng.randrange(8)]))
            figures.add("flips")
            try:
                weir = Weir(data_dir=folder)
            except AssertionError as e:
                check("weir: " in str(e), f"{kind} at {at}: refused without a word: {e}")
                figures.add(f"{kind}_refused")
                continue
            try:
                wrong, errors = all_there(weir)
            finally:
                weir.kill9()
                weir.stop()
            check(not wrong, f"{kind}, {path} at {at}: {wrong} wrong answers")
            figures.add(f"{kind}_wrong" if wrong else f"{kind}_errors" if errors else f"{kind}_complete")
    finally:
        shutil.rmtree(base, ignore_errors=True)


# --- files, stall, slow ---------------------------------------------------------------------------


def open_many(weir, n, head):
    held = []
    for _ in range(n):
        try:
            s = socket.create_connection(("127.0.0.1", weir.port), timeout=5)
            s.sendall(head)
            held.append(s)
        except OSError:
            break
    return held


def held_up(weir, until, figures, n, head, name):
    """Holds connections again and again; others must be served while and after."""
    worst = 0
    while time.monotonic() < until or figures.get("rounds", 0) == 0:
        held = open_many(weir, n, head)
        worst = max(worst, answers(weir))
        for s in held:
            s.close()
        worst = max(worst, answers(weir))
        figures.add("rounds")
        figures.add(name, len(held))
    figures["worst_s"] = round(worst, 2)


def limited(args):
    """The server under a low limit of descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    script = tempfile.NamedTemporaryFile("w", suffix=".sh", delete=False)
    script.write(f"#!/bin/sh\nulimit -n {args}\nexec {find_binary()} \"$@\"\n")
    script.close()
    os.chmod(script.name, 0o755)
    return script.name


def files(rng, until, figures):
    script = limited(512)
    had = os.environ.get("WEIR_BIN")
    os.environ["WEIR_BIN"] = script
    try:
        weir = Weir()
    finally:
        if had:
            os.environ["WEIR_BIN"] = had
        else:
            del os.environ["WEIR_BIN"]
    try:
        while time.monotonic() < until or figures.get("rounds", 0) == 0:
            held = open_many(weir, 600, b"")
            figures.add("connections", len(held))
            for s in held:
                s.close()
            wait_for(lambda: try_answer(weir), 30, "service after the connections are gone")
            figures.add("rounds")
    finally:
        weir.stop()
        os.unlink(script)


def try_answer(weir):
    try:
        return answers(weir) or True
    except Exception:
        return False


def stall(rng, until, figures):
    weir = Weir()
    try:
        head = (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"
                b"X-Amz-Target: AmazonSQS.SendMessage\r\nContent-Length: 1000\r\n\r\n{")
        held_up(weir, until, figures, 400, head, "stalled")
    finally:
        weir.stop()


def slow(rng, until, figures):
    weir = Weir()
    try:
        s3 = weir.client("s3")
        s3.create_bucket(Bucket="slow")
        s3.put_object(Bucket="slow", Key="big", Body=b"z" * 8_000_000)
        url = s3.generate_presigned_url("get_object", Params={"Bucket": "slow", "Key": "big"})
        path = url.split(weir.endpoint, 1)[1]
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{weir.port}\r\n\r\n".encode()
        held_up(weir, until, figures, 200, head, "readers")
    finally:
        weir.stop()


def leave(rng, until, figures):
    with Weir() as weir:
        leaving.play(weir, rng, until, figures)


# --- clock ---------------------------------------------------------------------------------------


def clock(rng, until, figures):
    base = tempfile.mkdtemp(prefix="weir-clock-")
    weir = None
    try:
        library = test_disk.build_clock(base)
        weir = test_disk.start_clocked(library, base)
        sqs = weir.client("sqs", config=ONCE)
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        worst = 0.0
        while time.monotonic() < until or figures.get("jumps", 0) == 0:
            body = f"m{figures.get('jumps', 0)}"
            sqs.send_message(QueueUrl=url, MessageBody=body, DelaySeconds=2)
            begin = time.monotonic()
            skew = rng.randrange(-600, 600)
            weir.set_clock(skew)  # within what signatures allow
            wait_for(lambda: test_disk.received(sqs, url, body), 20, f"a message after a jump to {skew} s")
            worst = max(worst, time.monotonic() - begin)
            figures.add("jumps")
        figures["worst_s"] = round(worst, 2)
    finally:
        if weir:
            weir.stop()
        shutil.rmtree(base, ignore_errors=True)


# --- chain ---------------------------------------------------------------------------------------

# Notes in its job's own list of what it saw: each record twice at most, and first times in order.
WATCHES = """
import boto3, os
ddb = boto3.client("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
def handler(event, context):
    for r in event["Records"]:
        new = r["dynamodb"]["NewImage"]
        ddb.update_item(TableName="seen", Key={"id": new["id"]},
                        UpdateExpression="SET seen = list_append(if_not_exists(seen, :none), :one)",
                        ExpressionAttributeValues={":none": {"L": []}, ":one": {"L": [new.get("version", {"N": "0"})]}})
"""


def chain(rng, until, figures, jobs=10_000):
    """The async-jobs pipeline, whose error handler fails at first, under kill -9: every job has its outcome in the end, after a
    replay, and a watcher sees each job's changes in their order."""
    import test_pipeline_async_jobs as pipeline
    from test_lambda_streams import Stage
    from botocore.exceptions import BotoCoreError, ClientError
    weir = Weir(args=["--async-retry-base-ms", "100"])
    try:
        deployed = pipeline.Deployed(weir)
        deployed.deploy(MARKING="off")
        stage = Stage(weir)
        stage.ddb.create_table(TableName="seen", BillingMode="PAY_PER_REQUEST",
                               AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                               KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}])
        stage.map(stage.function(WATCHES, FunctionName="watches", Timeout=60), deployed.names["STREAM_ARN"], ParallelizationFactor=2)
        want = {f"job-{n}": pipeline.want_of(n % 300 + 1) for n in range(jobs)}
        todo, lock = list(want), threading.Lock()

        def put_all():
            while True:
                with lock:
                    if not todo:
                        return
                    name = todo.pop()
                kind, text, _ = want[name]

                def put():
                    try:
                        deployed.put(name, kind, text)
                    except deployed.ddb.exceptions.ConditionalCheckFailedException:
                        pass  # the answer to the try before was lost
                    except (BotoCoreError, ClientError):
                        return False
                    return True
                wait_for(put, 120, "the server")

        def kill_soon():
            time.sleep(rng.uniform(0.2, 3.0))
            weir.kill9()
            weir.start()
            figures.add("kills")

        threads = [threading.Thread(target=put_all) for _ in range(6)]
        for t in threads:
            t.start()
        while any(t.is_alive() for t in threads) or figures.get("kills", 0) < 2:
            kill_soon()
        for t in threads:
            t.join()

        def table(name):
            pages = weir.client("dynamodb").get_paginator("scan").paginate(TableName=name, ConsistentRead=True)
            return {i["id"]["S"]: i for page in pages for i in page["Items"]}

        good = {name for name, (_, _, outcome) in want.items() if not isinstance(outcome, str)}
        failing = set(want) - good

        def unsettled(names):
            items = table(deployed.table)
            return [n for n in names if "status" not in items[n]]

        while time.monotonic() < until and unsettled(good):
            kill_soon()
        wait_for(lambda: not unsettled(good), 900, "outcomes of jobs that can be done")
        check(len(unsettled(failing)) == len(failing), "a failing job was marked though marking is off")
        wait_for(lambda: quiet(deployed), 300, "failures in the archive")
        figures["archived"] = deployed.archived()
        deployed.deploy(MARKING="on")
        for n in range(4):  # what came to the archive after a replay began is in the next
            replay(weir, deployed, f"chain-{n}")
            kill_soon()
            kill_soon()
            try:
                wait_for(lambda: not unsettled(failing), 120, "outcomes of jobs that fail")
                break
            except AssertionError:
                check(n < 3, "jobs that fail have no outcome after four replays")
        items = table(deployed.table)
        check(set(items) == set(want), "jobs are lost")
        for name, (_, _, outcome) in want.items():
            item = items[name]
            if isinstance(outcome, str):
                check(item["status"]["S"] == "FAILED" and item["reason"]["S"] == outcome, item)
            else:
                check(item["status"]["S"] == "DONE" and {k: int(v["N"]) for k, v in item["result"]["M"].items()} == outcome, item)
            check(item["version"]["N"] == "1", f"{name} was settled twice")

        def seen():
            return {n: test_stream_crash.first_times([v["N"] for v in i["seen"]["L"]]) for n, i in table("seen").items()}
        wait_for(lambda: seen() == {n: ["0", "1"] for n in want}, 300, "every change in order at the watcher")
        figures.update(jobs=jobs, failed=len(failing))
    finally:
        weir.stop()


def replay(weir, deployed, name):
    events, now = weir.client("events"), time.time()
    archive = events.describe_archive(ArchiveName=deployed.names["ARCHIVE"])
    events.start_replay(ReplayName=name, EventSourceArn=archive["ArchiveArn"], EventStartTime=now - 86400, EventEndTime=now + 60,
                        Destination={"Arn": archive["EventSourceArn"], "FilterArns": [deployed.names["RULE_ARN"]]})


def quiet(deployed):
    """Nothing came to the archive for a while: the count is the same, three times, a second apart."""
    counts = []
    for _ in range(3):
        counts.append(deployed.archived())
        time.sleep(1)
    return counts[0] and len(set(counts)) == 1


# --- stacks --------------------------------------------------------------------------------------


def stacks(rng, until, figures):
    with Weir() as weir:
        many = test_cloudformation_crash.Many(weir, rng)
        while time.monotonic() < until or figures.get("kills", 0) == 0:
            figures.add(many.round())
            figures.add("kills")
            figures.add(many.state.lower())


TORTURES = {f.__name__: f for f in (kill, full, flips, files, stall, slow, leave, clock, chain, stacks)}


def play(name, seed, seconds, **kw):
    """Runs one; its figures. Raises what it found."""
    figures = Figures()
    begin = time.monotonic()
    try:
        TORTURES[name](random.Random(f"{seed} {name}"), begin + seconds, figures, **kw)
        word = "skipped" if "skipped_needs_root" in figures else "ok"
    except BaseException as e:
        word = f"FAILED ({e})"
        raise
    finally:
        text = " ".join(f"{k}={v}" for k, v in sorted(figures.items()))
        print(f"{word} {name}: seconds={time.monotonic() - begin:.0f} {text}", flush=True)
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=" ".join(TORTURES))
    parser.add_argument("--minutes", type=float, default=14, help="all together")
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(1 << 32)))
    args = parser.parse_args()
    names = args.names or list(TORTURES)
    print(f"seed {args.seed}: torture.py {' '.join(names)} --minutes {args.minutes} --seed {args.seed}", flush=True)
    failures = 0
    for name in names:
        try:
            play(name, args.seed, args.minutes * 60 / len(names))
        except Exception:
            failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
