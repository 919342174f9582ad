"""Terraform with HashiCorp's own provider: apply, a clean second plan, an update in place, a working
pipeline, destroy. Runs where terraform and the provider are on the machine (nothing is downloaded)."""
import glob
import json
import os
import re
import shutil
import subprocess
import zipfile

import pytest

from weirtest import wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
HANDLER = '''
import json, os, boto3
from names_of_layer import key_of
def handler(event, context):
    for r in event["Records"]:
        boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=key_of(r))
'''


def find_provider_mirror():
    """A folder that holds registry.terraform.io/hashicorp/aws, in the usual places."""
    places = [os.path.expanduser("~/.terraform.d/plugins"), "/usr/local/share/terraform/plugins",
              "/usr/share/terraform/plugins", *glob.glob("/opt/*"), *glob.glob("/usr/local/share/*")]
    named = os.environ.get("TF_PLUGIN_MIRROR")
    for place in ([named] if named else []) + places:
        if os.path.isdir(os.path.join(place, "registry.terraform.io", "hashicorp", "aws")):
            return place
    return None


def attach_provider(weir, mirror, folder, env):
    """Starts the provider once for all commands, as its developers do to debug it: the value of TF_REATTACH_PROVIDERS.
    Else each command starts it several times, which costs more than all that it does. It ends with `weir`."""
    (program,) = glob.glob(os.path.join(mirror, "registry.terraform.io", "hashicorp", "aws", "*", "*", "terraform-provider-aws_*"))
    said = folder / "provider.txt"
    with open(said, "wb") as out:
        provider = subprocess.Popen([program, "-debug"], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, cwd=folder)

    def end():
        provider.kill()
        provider.wait()

    weir.before_stop.append(end)
    return wait_for(lambda: re.search(r"TF_REATTACH_PROVIDERS='(.*)'", said.read_text()), 120, "provider")[1]


def terraform_of(weir, folder, main, handler=None):
    """terraform(ARGUMENT...) in `folder`, with the resources of `main`, a file or a folder, and `handler` as its function's package."""
    binary, mirror = shutil.which("terraform"), find_provider_mirror()
    if not binary or not mirror:
        pytest.skip("terraform or its AWS provider is not on this machine")
    rc = folder / "terraformrc"
    rc.write_text(f'provider_installation {{\n  filesystem_mirror {{ path = "{mirror}" }}\n}}\n')
    package = folder / "package.zip"
    if handler:
        with zipfile.ZipFile(package, "w") as z:
            z.writestr(zipfile.ZipInfo("index.py", (2026, 1, 1, 0, 0, 0)), handler)
    source = os.path.join(HERE, "terraform", main)
    for file in glob.glob(os.path.join(source, "*.tf")) if os.path.isdir(source) else [source]:
        shutil.copy(file, folder)
    env = weir.cli_env()
    env.update(TF_CLI_CONFIG_FILE=str(rc), TF_IN_AUTOMATION="1", TF_INPUT="0", CHECKPOINT_DISABLE="1",
               TF_VAR_package=str(package), AWS_REGION=weir.region)

    def run(*args, ok=(0,), timeout=240):
        done = subprocess.run([binary, *args], cwd=folder, env=env, capture_output=True, text=True, timeout=timeout)
        assert done.returncode in ok, done.stdout[-3000:] + done.stderr[-3000:]
        return done

    run("init", "-no-color")
    env["TF_REATTACH_PROVIDERS"] = attach_provider(weir, mirror, folder, env)
    return run


@pytest.fixture
def terraform(weir, tmp_path):
    layer = tmp_path / "layer.zip"
    with zipfile.ZipFile(layer, "w") as z:
        z.writestr(zipfile.ZipInfo("python/names_of_layer.py", (2026, 1, 1, 0, 0, 0)),
                   'def key_of(record):\n    return record["s3"]["object"]["key"]\n')
    (tmp_path / "terraform.tfvars").write_text(f'layer = "{layer}"\n')
    return terraform_of(weir, tmp_path, "main.tf", HANDLER)


def test_apply_plan_update_destroy(weir, terraform):
    out = terraform("apply", "-auto-approve", "-no-color")
    assert "22 added, 0 changed, 0 destroyed" in out.stdout
    terraform("plan", "-detailed-exitcode", "-no-color")  # exit 2 would be a difference

    url = json.loads(terraform("output", "-json").stdout)["queue_url"]["value"]
    weir.client("s3").put_object(Bucket="tf-orders-incoming", Key="a b.csv", Body=b"x")
    weir.client("s3").put_object(Bucket="tf-orders-incoming", Key="other.txt", Body=b"x")
    sqs = weir.client("sqs")
    got = wait_for(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages"), 60, "summary")
    assert got[0]["Body"] == "a+b.csv"

    out = terraform("apply", "-auto-approve", "-no-color", "-var", "memory=256", "-var", "delay=1")
    assert "0 added, 4 changed, 0 destroyed" in out.stdout
    terraform("plan", "-detailed-exitcode", "-no-color", "-var", "memory=256", "-var", "delay=1")
    key = {"pk": {"S": "settings"}, "sk": {"S": "function"}}
    assert weir.client("dynamodb").get_item(TableName="tf-orders", Key=key)["Item"]["memory"] == {"N": "256"}
    out = terraform("destroy", "-auto-approve", "-no-color", "-var", "memory=256", "-var", "delay=1")
    assert "22 destroyed" in out.stdout
    assert weir.client("sqs").list_queues().get("QueueUrls", []) == []
    assert weir.client("s3").list_buckets()["Buckets"] == []
    assert weir.client("lambda").list_layers()["Layers"] == []
