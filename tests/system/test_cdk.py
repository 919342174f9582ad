"""The CDK CLI of npm, unmodified, with an app of the project's own (tests/cdk): bootstrap, deploy, no difference, a change
in place and a replacement, destroy, and nothing is left."""
import os
import shutil
import subprocess

import pytest

from weirtest import ROOT, Weir

FOLDER = os.path.join(ROOT, "tests", "cdk")


@pytest.fixture(scope="module")
def assembly(tmp_path_factory):
    """The app, synthesized once; `tools/deps.sh test` installs what it imports beforehand."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("node and npm are not on this machine")
    done = subprocess.run(["sh", os.path.join(FOLDER, "install.sh")], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    out = str(tmp_path_factory.mktemp("cdk") / "cdk.out")
    # CDK's own rules for good templates take most of the time of a synthesis, and are not what is seen here.
    subprocess.run(["node", "app.mjs"], cwd=FOLDER, env={**os.environ, "CDK_OUTDIR": out, "CDK_VALIDATION": "false"}, check=True, timeout=300)
    return out


@pytest.fixture(scope="module")
def cdk(assembly):
    node = shutil.which("node")
    # The provider of autoDeleteObjects asks for a newer Node.js than there may be.
    with Weir(["--runtime", f"nodejs24.x={node}"]) as weir:

        def run(*args):
            env = {**weir.cli_env(), "AWS_ENDPOINT_URL_S3": weir.endpoint, "CI": "true", "CDK_DISABLE_VERSION_CHECK": "true"}
            done = subprocess.run([os.path.join(FOLDER, "node_modules", ".bin", "cdk"), *args, "--app", assembly, "--no-notices", "--no-color"],
                                  cwd=FOLDER, env=env, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
            assert done.returncode == 0, (done.stdout + done.stderr)[-6000:] + weir.log_text()[-2000:]
            return done.stdout + done.stderr

        run.weir = weir
        yield run


def left(weir):
    return [weir.client("lambda").list_functions()["Functions"],
            weir.client("dynamodb").list_tables()["TableNames"],
            weir.client("sqs").list_queues().get("QueueUrls", []),
            weir.client("sns").list_topics()["Topics"],
            weir.client("apigateway").get_rest_apis()["items"],
            weir.client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"],
            weir.client("events").list_rules()["Rules"],
            weir.client("cloudwatch").describe_alarms()["MetricAlarms"],
            # What a function wrote stays, as with AWS: its group is of no stack.
            [g for g in weir.client("logs").describe_log_groups()["logGroups"] if not g["logGroupName"].startswith("/aws/lambda/Shop-CustomS3Auto")],
            [b for b in weir.client("s3").list_buckets()["Buckets"] if not b["Name"].startswith("cdk-")],
            [r for r in weir.client("iam").list_roles()["Roles"] if not r["RoleName"].startswith("cdk-")]]


def test_an_app_lives(cdk):
    weir, cloudformation = cdk.weir, cdk.weir.client("cloudformation")

    def resources():
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName="Shop")
        return {r["LogicalResourceId"]: r["PhysicalResourceId"] for page in pages for r in page["StackResourceSummaries"]}

    cdk("bootstrap", f"aws://{weir.account}/{weir.region}")
    assert "✅" in cdk("deploy", "Shop", "--require-approval", "never")
    first = resources()
    bucket = next(v for k, v in first.items() if k.startswith("Bucket") and k.count("Policy") == 0 and "Auto" not in k)
    weir.client("s3").put_object(Bucket=bucket, Key="left/by a user", Body=b"x")  # autoDeleteObjects takes it
    assert "(no changes)" in cdk("deploy", "Shop", "--require-approval", "never")
    assert "There were no differences" in cdk("diff", "Shop")

    cdk("deploy", "Shop", "--require-approval", "never", "--parameters", "Size=large")
    second = resources()
    queue = next(k for k in first if k.startswith("Queue"))
    consumer = next(k for k in first if k.startswith("Consumer") and len(k) == len("Consumer") + 8)
    assert first[queue] != second[queue] and second[queue].endswith(".fifo")
    assert first[consumer] == second[consumer]
    assert weir.client("lambda").get_function_configuration(FunctionName=first[consumer])["MemorySize"] == 256

    cdk("destroy", "Shop", "--force")
    assert left(weir) == [[] for _ in left(weir)]
