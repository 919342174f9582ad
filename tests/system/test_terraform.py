"""Terraform with HashiCorp's own provider: apply, a clean second plan, updates in place, clean again, destroy, and what
works in between. Runs where terraform and the provider are on the machine (nothing is downloaded).

Every part is a module (terraform/*/), and all live in one run: a command of Terraform's costs the same for one resource
and for hundreds. A new part is a module, a line in terraform/main.tf, a row in PARTS, and tests of what it does.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
import zipfile

import pytest

from weirtest import wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
# Of each part: resources that there are; added, changed and destroyed by the second apply.
PARTS = {
    "orders": (22, [0, 4, 0]),
    "streams": (7, [0, 1, 0]),
    "events": (57, [0, 21, 0]),
    "apigateway": (19 + 11, [1 + 1, 12 + 3, 1 + 1]),  # the deployments are others
    "cloudwatch": (9, [0, 4, 0]),
    "cognito": (8, [0, 1, 0]),
    "kms": (7, [0, 1, 0]),
    "access": (20, [0, 5, 0]),
}
ALL = pytest.mark.parametrize("part", PARTS)
HANDLERS = {
    "orders": '''
import json, os, boto3
from names_of_layer import key_of
def handler(event, context):
    for r in event["Records"]:
        boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=key_of(r))
''',
    "streams": '''
import json, os, boto3
def handler(event, context):
    sqs = boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    for r in event["Records"]:
        sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=r["eventName"] + " " + r["dynamodb"]["Keys"]["id"]["S"])
''',
    "echo": '''
def handler(event, context):
    return event
''',
}


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


def add_file(archive, name, text):
    with zipfile.ZipFile(archive, "w") as z:
        z.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), text)


@pytest.fixture(scope="module")
def terraform(weir, tmp_path_factory):
    """terraform(ARGUMENT...) gives what it printed."""
    binary, mirror = shutil.which("terraform"), find_provider_mirror()
    if not binary or not mirror:
        pytest.skip("terraform or its AWS provider is not on this machine")
    folder = tmp_path_factory.mktemp("terraform")
    shutil.copytree(os.path.join(HERE, "terraform"), folder, dirs_exist_ok=True)
    rc = folder / "terraformrc"
    rc.write_text(f'provider_installation {{\n  filesystem_mirror {{ path = "{mirror}" }}\n}}\n')
    for name, text in HANDLERS.items():
        add_file(folder / f"{name}.zip", "index.py", text)
    add_file(folder / "layer.zip", "python/names_of_layer.py", 'def key_of(record):\n    return record["s3"]["object"]["key"]\n')
    env = weir.cli_env()
    env.update(TF_CLI_CONFIG_FILE=str(rc), TF_IN_AUTOMATION="1", TF_INPUT="0", CHECKPOINT_DISABLE="1",
               TF_VAR_packages=str(folder), AWS_REGION=weir.region)

    def run(*args):
        done = subprocess.run([binary, *args], cwd=folder, env=env, capture_output=True, text=True, timeout=480)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
        return done.stdout

    env["TF_REATTACH_PROVIDERS"] = attach_provider(weir, mirror, folder, env)
    run("init", "-no-color")
    return run


class State:
    """The resources after an apply or a destroy."""

    def __init__(self, terraform, *args):
        said = terraform(*args, "-auto-approve", "-no-color", "-parallelism=40")
        self.counts = {part: [0, 0, 0] for part in PARTS}
        for part, what in re.findall(r"^module\.(\w+)\.[^:\n]*: (Creation|Modifications|Destruction) complete", said, re.M):
            self.counts[part][("Creation", "Modifications", "Destruction").index(what)] += 1
        total = re.search(r"(?:(\d+) added, (\d+) changed, )?(\d+) destroyed", said).groups(0)
        assert [int(n) for n in total] == [sum(n) for n in zip(*self.counts.values())]
        self.of = {} if args[0] == "destroy" else json.loads(terraform("output", "-json"))["of"]["value"]


@pytest.fixture(scope="module")
def applied(terraform):
    return State(terraform, "apply")


@pytest.fixture(scope="module")
def changed(terraform, applied):
    return State(terraform, "apply", "-var", "changed=true")


@pytest.fixture(scope="module")
def destroyed(terraform, changed):
    return State(terraform, "destroy", "-var", "changed=true")


@ALL
def test_apply(applied, part):
    assert applied.counts[part] == [PARTS[part][0], 0, 0]


def test_second_plan_is_clean(applied, terraform):
    terraform("plan", "-detailed-exitcode", "-no-color")  # exit 2 would be a difference


def test_orders_work(applied, weir):
    weir.client("s3").put_object(Bucket="tf-orders-incoming", Key="a b.csv", Body=b"x")
    weir.client("s3").put_object(Bucket="tf-orders-incoming", Key="other.txt", Body=b"x")
    url, sqs = applied.of["orders"]["queue_url"], weir.client("sqs")
    got = wait_for(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages"), 60, "summary")
    assert got[0]["Body"] == "a+b.csv"


def test_streams_work(applied, weir):
    ddb, sqs, url = weir.client("dynamodb"), weir.client("sqs"), applied.of["streams"]["queue_url"]
    ddb.put_item(TableName="tf-jobs", Item={"id": {"S": "one"}})
    ddb.delete_item(TableName="tf-jobs", Key={"id": {"S": "one"}})
    got = wait_for(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages"), 60, "record")
    assert got[0]["Body"] == "INSERT one"


def test_access_is_there(applied, weir):
    told = applied.of["access"]
    rows = weir.client("dynamodb").scan(TableName=told["table"])["Items"]
    assert sorted((r["id"]["S"], r["name"]["S"]) for r in rows) == [("1", "a"), ("2", "b")]
    assert weir.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=told["provider"])["ClientIDList"] == ["sts.amazonaws.com"]


def test_events_work(applied, weir):
    told = applied.of["events"]
    weir.client("events").put_events(Entries=[{"EventBusName": told["bus"], "Source": "orders", "DetailType": "made",
                                               "Detail": json.dumps({"id": 7, "total": 11})}])
    got = weir.client("sqs").receive_message(QueueUrl=told["orders"], WaitTimeSeconds=20)["Messages"]
    assert json.loads(got[0]["Body"]) == {"id": 7}
    by_url = urllib.request.Request(weir.endpoint + "/orders", headers={"Host": told["url"].split("/")[2]})
    with urllib.request.urlopen(by_url) as reply:
        assert json.load(reply)["rawPath"] == "/orders"


def deployment(weir, out):
    return weir.client("apigateway").get_stage(restApiId=out["id"], stageName="prod")["deploymentId"]


@pytest.fixture(scope="module")
def first_deployment(applied, weir):
    return deployment(weir, applied.of["apigateway"])


def test_apis_are_there(applied, first_deployment, weir):
    gw, out = weir.client("apigateway"), applied.of["apigateway"]
    assert first_deployment
    paths = {r["path"] for r in gw.get_resources(restApiId=out["described"])["items"]}
    assert paths == {"/", "/hello"}
    assert [k["value"] for k in gw.get_api_keys(includeValues=True)["items"]] == [out["key"]]


def test_alarms_work(applied, weir):
    cw, logs = weir.client("cloudwatch"), weir.client("logs")
    logs.create_log_stream(logGroupName="tf-cw-app", logStreamName="s")
    logs.put_log_events(logGroupName="tf-cw-app", logStreamName="s",
                        logEvents=[{"timestamp": int(time.time() * 1000) - 60000, "message": "an ERROR"}])

    def state(name, kind="MetricAlarm"):
        got = cw.describe_alarms(AlarmNames=[name], AlarmTypes=[kind])
        return (got.get("MetricAlarms") or got["CompositeAlarms"])[0]["StateValue"]
    wait_for(lambda: state("tf-cw-errors") == "ALARM")
    wait_for(lambda: state("tf-cw-any", "CompositeAlarm") == "ALARM")


def test_people_sign_in(applied, weir):
    got = weir.client("cognito-idp").initiate_auth(ClientId=applied.of["cognito"]["client"], AuthFlow="USER_PASSWORD_AUTH",
                                                   AuthParameters={"USERNAME": "ada@example.com", "PASSWORD": "correct-horse-1"})
    assert got["AuthenticationResult"]["ExpiresIn"] == 1800


@pytest.fixture(scope="module")
def key(applied, weir):
    return weir.client("kms").describe_key(KeyId="alias/tf-orders")["KeyMetadata"]["KeyId"]


def test_keys_are_there(key, weir):
    grants = weir.client("kms").list_grants(KeyId=key)["Grants"]
    assert [g["Constraints"] for g in grants] == [{"EncryptionContextEquals": {"team": "red"}}]


@ALL
def test_change(first_deployment, key, changed, part):
    assert changed.counts[part] == PARTS[part][1]


def test_plan_after_the_change_is_clean(changed, terraform):
    terraform("plan", "-detailed-exitcode", "-no-color", "-var", "changed=true")


def test_orders_are_changed(changed, weir):
    at = {"pk": {"S": "settings"}, "sk": {"S": "function"}}
    assert weir.client("dynamodb").get_item(TableName="tf-orders", Key=at)["Item"]["memory"] == {"N": "256"}


def test_events_are_changed(applied, changed, weir):
    stack = changed.of["events"]["stack"]
    assert stack["team"] == "blue" and stack["queue"] == applied.of["events"]["stack"]["queue"]
    delay = weir.client("sqs").get_queue_attributes(QueueUrl=stack["queue"], AttributeNames=["DelaySeconds"])
    assert delay["Attributes"] == {"DelaySeconds": "7"}


def test_apis_are_changed(first_deployment, changed, weir):
    gw, out = weir.client("apigateway"), changed.of["apigateway"]
    assert deployment(weir, out) != first_deployment
    plan, = gw.get_usage_plans()["items"]
    assert plan["throttle"]["rateLimit"] == 20 and plan["apiStages"][0]["throttle"]["/hello/GET"]["rateLimit"] == 20
    assert gw.get_stage(restApiId=out["id"], stageName="prod")["variables"] == {"b": "2"}


def test_keys_are_changed(key, changed, weir):
    assert weir.client("kms").get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]


@ALL
def test_destroy(destroyed, part):
    assert destroyed.counts[part] == [0, 0, PARTS[part][0]]


def test_nothing_is_left(key, destroyed, weir):
    events, cloudformation, gw = weir.client("events"), weir.client("cloudformation"), weir.client("apigateway")
    cw, kms = weir.client("cloudwatch"), weir.client("kms")
    left = {
        "queues": weir.client("sqs").list_queues().get("QueueUrls", []),
        "buckets": weir.client("s3").list_buckets()["Buckets"],
        "layers": weir.client("lambda").list_layers()["Layers"],
        "connections": events.list_connections()["Connections"],
        "destinations": events.list_api_destinations()["ApiDestinations"],
        "stacks": cloudformation.list_stacks(StackStatusFilter=["UPDATE_COMPLETE", "DELETE_FAILED"])["StackSummaries"],
        "schedules": weir.client("scheduler").list_schedules()["Schedules"],
        "topics": weir.client("sns").list_topics()["Topics"],
        "APIs": gw.get_rest_apis()["items"],
        "API keys": gw.get_api_keys()["items"],
        "usage plans": gw.get_usage_plans()["items"],
        "domains": gw.get_domain_names()["items"],
        "alarms": cw.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])["MetricAlarms"],
        "dashboards": cw.list_dashboards()["DashboardEntries"],
        "pools": weir.client("cognito-idp").list_user_pools(MaxResults=10)["UserPools"],
        "aliases": kms.list_aliases()["Aliases"],
    }
    assert {what: found for what, found in left.items() if found} == {}
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
