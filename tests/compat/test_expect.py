"""Calls that wait for "100 Continue": each is followed by another call on the same connection, which
must not wait for anything. Driven by every boto3 and AWS CLI of the machine, in processes of their own:
what a client gets wrong about a connection shows at its next call."""
import os
import shutil
import subprocess
import sys

import boto3
import pytest

from weirtest import find_clis

SCRIPT = """
import sys, boto3, botocore.exceptions
from botocore.config import Config
s3 = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="test",
                  aws_secret_access_key="test",
                  config=Config(retries={"total_max_attempts": 1}, read_timeout=10, max_pool_connections=1,
                                parameter_validation=False, s3={"addressing_style": "path"}))
bucket, extra = sys.argv[2], {}
s3.meta.events.register("before-call.s3.PutObject", lambda params, **kw: params["headers"].update(extra))

def put(key, body, code=None, bucket=bucket, **headers):
    extra.clear()
    extra.update(headers)
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body)
        got = None
    except botocore.exceptions.ClientError as e:
        got = e.response["Error"]["Code"]
    assert got == code, (key, got, code)
    s3.list_objects_v2(Bucket=sys.argv[2])["KeyCount"]

s3.create_bucket(Bucket=bucket)
for body in (b"", b"x", b"x" * 100000, b"y" * 2000000):
    put("k", body)
    put("k", body, "PreconditionFailed", **{"If-None-Match": "*"})
    put("k", body, "NoSuchBucket", bucket="no-such-" + bucket)
    put("k" * 1025, body, "KeyTooLongError")
    put("k", body)
print(boto3.__version__)
"""


def pythons():
    """Every Python here that has boto3, by its version of it."""
    found, asked = {boto3.__version__: sys.executable}, {os.path.realpath(sys.executable)}
    for python in ["/usr/bin/python3", shutil.which("python3")]:
        if python and os.path.realpath(python) not in asked:
            asked.add(os.path.realpath(python))
            done = subprocess.run([python, "-c", "import boto3; print(boto3.__version__)"], capture_output=True, text=True)
            if done.returncode == 0:
                found.setdefault(done.stdout.strip(), python)
    return found


PYTHONS = pythons()


@pytest.mark.parametrize("version", PYTHONS)
def test_boto3(weir, version):
    bucket = "expect-" + version.replace(".", "-")
    done = subprocess.run([PYTHONS[version], "-c", SCRIPT, weir.endpoint, bucket], env=weir.cli_env(),
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout.strip() == version, done.stdout + done.stderr


@pytest.mark.parametrize("major", ["1", "2"])
def test_cli(weir, major, tmp_path):
    clis = find_clis()
    if major not in clis:
        pytest.skip(f"AWS CLI version {major} is not on this machine")
    for i in range(6):
        (tmp_path / f"f{i}").write_bytes(b"" if i % 2 else os.urandom(1000))
    config = tmp_path.parent / f"config{major}"
    config.write_text("[default]\ns3 =\n  max_concurrent_requests = 1\n")
    bucket = f"expect-cli-{major}"
    weir.client("s3").create_bucket(Bucket=bucket)
    done = subprocess.run([clis[major], "s3", "sync", ".", f"s3://{bucket}", "--endpoint-url", weir.endpoint],
                          env={**weir.cli_env(), "AWS_CONFIG_FILE": str(config)}, cwd=tmp_path,
                          capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stdout + done.stderr
    assert weir.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 6
