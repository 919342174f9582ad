"""Alarms, dashboards and metric filters through Terraform's provider: apply, a clean second plan, updates in place,
working, destroy."""
import time

import pytest
from test_terraform import terraform_of
from test_terraform_events import counts

from weirtest import wait_for


@pytest.fixture
def terraform(weir, tmp_path):
    return terraform_of(weir, tmp_path, "cloudwatch", "")


def test_alarms(weir, terraform):
    changed = ["-no-color", "-var", "changed=true"]
    assert counts(terraform("apply", "-auto-approve", "-no-color")) == [9, 0, 0]
    terraform("plan", "-detailed-exitcode", "-no-color")  # exit 2 would be a difference
    cw, logs = weir.client("cloudwatch"), weir.client("logs")
    logs.create_log_stream(logGroupName="tf-cw-app", logStreamName="s")
    logs.put_log_events(logGroupName="tf-cw-app", logStreamName="s",
                        logEvents=[{"timestamp": int(time.time() * 1000) - 60000, "message": "an ERROR"}])

    def state(name, kind="MetricAlarm"):
        got = cw.describe_alarms(AlarmNames=[name], AlarmTypes=[kind])
        return (got.get("MetricAlarms") or got["CompositeAlarms"])[0]["StateValue"]
    wait_for(lambda: state("tf-cw-errors") == "ALARM")
    wait_for(lambda: state("tf-cw-any", "CompositeAlarm") == "ALARM")
    assert counts(terraform("apply", "-auto-approve", *changed)) == [0, 4, 0]
    terraform("plan", "-detailed-exitcode", *changed)
    assert counts(terraform("destroy", "-auto-approve", *changed)) == [0, 0, 9]
    assert cw.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])["MetricAlarms"] == [] and cw.list_dashboards()["DashboardEntries"] == []
