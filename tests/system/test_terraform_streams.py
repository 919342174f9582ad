"""Terraform with HashiCorp's own provider: a table with a stream and time to live, and a mapping with
every setting; applied, planned clean, updated in place, working, destroyed."""
import json
import os
import shutil
import subprocess
import zipfile

import pytest

from test_terraform import HERE, find_provider_mirror
from weirtest import wait_for

HANDLER = '''
import json, os, boto3
def handler(event, context):
    sqs = boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    for r in event["Records"]:
        sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=r["eventName"] + " " + r["dynamodb"]["Keys"]["id"]["S"])
'''


@pytest.fixture
def terraform(weir, tmp_path):
    binary, mirror = shutil.which("terraform"), find_provider_mirror()
    if not binary or not mirror:
        pytest.skip("terraform or its AWS provider is not on this machine")
    rc = tmp_path / "terraformrc"
    rc.write_text(f'provider_installation {{\n  filesystem_mirror {{ path = "{mirror}" }}\n}}\n')
    package = tmp_path / "package.zip"
    with zipfile.ZipFile(package, "w") as z:
        z.writestr(zipfile.ZipInfo("index.py", (2026, 1, 1, 0, 0, 0)), HANDLER)
    shutil.copy(os.path.join(HERE, "terraform", "streams", "main.tf"), tmp_path)
    env = weir.cli_env()
    env.update(TF_CLI_CONFIG_FILE=str(rc), TF_IN_AUTOMATION="1", TF_INPUT="0", CHECKPOINT_DISABLE="1",
               TF_VAR_package=str(package), AWS_REGION=weir.region)

    def run(*args):
        done = subprocess.run([binary, *args], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done

    run("init", "-no-color")
    return run


def test_apply_plan_update_destroy(weir, terraform):
    assert "7 added, 0 changed, 0 destroyed" in terraform("apply", "-auto-approve", "-no-color").stdout
    terraform("plan", "-detailed-exitcode", "-no-color")  # exit 2 would be a difference
    url = json.loads(terraform("output", "-json").stdout)["queue_url"]["value"]
    ddb, sqs = weir.client("dynamodb"), weir.client("sqs")
    ddb.put_item(TableName="tf-jobs", Item={"id": {"S": "one"}})
    ddb.delete_item(TableName="tf-jobs", Key={"id": {"S": "one"}})
    got = wait_for(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages"), 60, "record")
    assert got[0]["Body"] == "INSERT one"
    changed = ["-no-color", "-var", "batch=20"]
    assert "0 added, 1 changed, 0 destroyed" in terraform("apply", "-auto-approve", *changed).stdout
    terraform("plan", "-detailed-exitcode", *changed)
    assert "7 destroyed" in terraform("destroy", "-auto-approve", *changed).stdout
