"""Terraform with HashiCorp's own provider: a table with a stream and time to live, and a mapping with
every setting; applied, planned clean, updated in place, working, destroyed."""
import json
import os

import pytest

from test_terraform import terraform_of
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
    return terraform_of(weir, tmp_path, os.path.join("streams", "main.tf"), HANDLER)


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
