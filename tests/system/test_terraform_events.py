"""Terraform with HashiCorp's own provider: a pipeline of schedules, and topics, buses, API destinations, keys and
mappings; applied, planned clean, updated in place, working, destroyed."""
import json
import re
import urllib.request

import pytest
from test_terraform import terraform_of

HANDLER = '''
def handler(event, context):
    return event
'''


@pytest.fixture
def terraform(weir, tmp_path):
    return terraform_of(weir, tmp_path, "events", HANDLER)


def counts(done):
    """Resources that were added, changed, destroyed."""
    return [int(n) for n in re.search(r"(?:(\d+) added, (\d+) changed, )?(\d+) destroyed", done.stdout).groups(0)]


def test_apply_plan_update_destroy(weir, terraform):
    changed = ["-no-color", "-var", "changed=true"]
    assert counts(terraform("apply", "-auto-approve", "-no-color")) == [57, 0, 0]
    terraform("plan", "-detailed-exitcode", "-no-color")  # exit 2 would be a difference
    told = {k: v["value"] for k, v in json.loads(terraform("output", "-json").stdout).items()}
    weir.client("events").put_events(Entries=[{"EventBusName": told["bus"], "Source": "orders", "DetailType": "made",
                                               "Detail": json.dumps({"id": 7, "total": 11})}])
    got = weir.client("sqs").receive_message(QueueUrl=told["orders"], WaitTimeSeconds=20)["Messages"]
    assert json.loads(got[0]["Body"]) == {"id": 7}
    by_url = urllib.request.Request(weir.endpoint + "/orders", headers={"Host": told["url"].split("/")[2]})
    with urllib.request.urlopen(by_url) as reply:
        assert json.load(reply)["rawPath"] == "/orders"
    assert counts(terraform("apply", "-auto-approve", *changed)) == [0, 21, 0]
    terraform("plan", "-detailed-exitcode", *changed)
    stack = json.loads(terraform("output", "-json").stdout)["stack"]["value"]
    assert stack["team"] == "blue" and stack["queue"] == told["stack"]["queue"]
    delay = weir.client("sqs").get_queue_attributes(QueueUrl=stack["queue"], AttributeNames=["DelaySeconds"])
    assert delay["Attributes"] == {"DelaySeconds": "7"}
    assert counts(terraform("destroy", "-auto-approve", *changed)) == [0, 0, 57]
    events = weir.client("events")
    assert events.list_connections()["Connections"] == [] and events.list_api_destinations()["ApiDestinations"] == []
    assert weir.client("cloudformation").list_stacks(StackStatusFilter=["UPDATE_COMPLETE", "DELETE_FAILED"])["StackSummaries"] == []
    assert weir.client("scheduler").list_schedules()["Schedules"] == [] and weir.client("sns").list_topics()["Topics"] == []
