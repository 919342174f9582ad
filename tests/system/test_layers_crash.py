"""kill -9 while layers are published, set and deleted: afterwards there is no half of one, and nothing that nobody uses."""
import base64
import hashlib
import io
import json
import os
import threading
import urllib.request
import zipfile

from botocore.config import Config

from weirtest import Weir

ROUNDS, WORKERS, CALLS = 3, 3, 8
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})


def packed(worker, n):
    """Of many files, so that a kill meets it half unpacked or half merged."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for i in range(60):
            z.writestr(f"d{i % 7}/{worker}-{i}", f"{worker} {n} {i}")
    return out.getvalue()


def work(weir, worker, generation, acknowledged, enough):
    api = weir.client("lambda", config=Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=20))
    n, arns = 0, []
    while True:
        n += 1
        content = packed(worker, n + generation * 1000)
        try:
            made = api.publish_layer_version(LayerName=f"l{worker}-{n % 2}", Content={"ZipFile": content})
            acknowledged[made["LayerVersionArn"]] = base64.b64encode(hashlib.sha256(content).digest()).decode()
            arns = [a for a in arns if a.split(":")[-2] != made["LayerVersionArn"].split(":")[-2]] + [made["LayerVersionArn"]]
            api.update_function_configuration(FunctionName=f"f{worker}", Layers=arns)
            if n % 3 == 0:
                gone = arns[0]
                acknowledged.pop(gone, None)  # from here on it may be there or not
                api.delete_layer_version(LayerName=gone.split(":")[-2], VersionNumber=int(gone.split(":")[-1]))
                arns = arns[1:]
        except Exception:  # killed under this call: what it did is not known
            return
        if n == CALLS:
            enough.release()


def check(weir, acknowledged):
    """Every acknowledged version is whole; what is in the folder is what layers and functions name."""
    api, named = weir.client("lambda"), set()
    there = {v["LayerVersionArn"] for layer in api.list_layers()["Layers"]
             for page in api.get_paginator("list_layer_versions").paginate(LayerName=layer["LayerName"]) for v in page["LayerVersions"]}
    assert set(acknowledged) <= there
    for arn in there:
        content = api.get_layer_version_by_arn(Arn=arn)["Content"]
        with urllib.request.urlopen(content["Location"]) as reply:
            sha = base64.b64encode(hashlib.sha256(reply.read()).digest()).decode()
        assert sha == content["CodeSha256"] == acknowledged.get(arn, sha)
        named.add(base64.b64decode(sha).hex())
    base = os.path.join(weir.data_dir, "lambda", "code")
    zips = {name[:-4] for name in os.listdir(base) if name.endswith(".zip")}
    merged = {name for name in os.listdir(base) if not name.endswith(".zip")} - zips
    functions = [api.get_function(FunctionName=f"f{w}")["Configuration"] for w in range(WORKERS)]
    packages = {base64.b64decode(f["CodeSha256"]).hex() for f in functions}
    assert {z.split("-")[0] for z in zips} - packages >= named
    assert len(zips) <= len(there) + 2 * WORKERS  # and the layer that a function has alone, though it is deleted
    several = [f for f in functions if len(f.get("Layers", [])) > 1]
    assert len(merged) == len(several)
    for folder in zips:
        count = sum(len(files) for _, _, files in os.walk(os.path.join(base, folder)))
        assert count == (1 if folder.split("-")[0] in packages else 60)


def test_kill():
    weir = Weir()
    try:
        role = weir.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as z:
            z.writestr("bootstrap", "#!/bin/sh")
        for w in range(WORKERS):
            weir.client("lambda").create_function(FunctionName=f"f{w}", Runtime="provided.al2023", Role=role, Handler="h",
                                                  Code={"ZipFile": out.getvalue()})
        acknowledged = {}
        for generation in range(ROUNDS):
            enough = threading.Semaphore(0)
            workers = [threading.Thread(target=work, args=(weir, w, generation, acknowledged, enough)) for w in range(WORKERS)]
            for worker in workers:
                worker.start()
            assert enough.acquire(timeout=120)  # the quickest has done its part; the others are amid theirs
            weir.kill9()
            for worker in workers:
                worker.join()
            weir.start()
            check(weir, acknowledged)
    finally:
        weir.stop()
