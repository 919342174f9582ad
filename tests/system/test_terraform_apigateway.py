"""Terraform with HashiCorp's own provider: REST APIs, applied, planned clean, updated in place, destroyed."""
import json

import pytest
from test_terraform import terraform_of
from test_terraform_events import HANDLER, counts


@pytest.fixture
def terraform(weir, tmp_path):
    return terraform_of(weir, tmp_path, "apigateway", HANDLER)


def test_apply_plan_update_destroy(weir, terraform):
    changed = ["-no-color", "-var", "changed=true"]
    assert counts(terraform("apply", "-auto-approve", "-no-color")) == [19, 0, 0]
    terraform("plan", "-detailed-exitcode", "-no-color")  # exit 2 would be a difference
    api = json.loads(terraform("output", "-json").stdout)["id"]["value"]
    gw = weir.client("apigateway")
    first = gw.get_stage(restApiId=api, stageName="prod")["deploymentId"]
    assert counts(terraform("apply", "-auto-approve", *changed)) == [1, 12, 1]  # the deployment is another one
    terraform("plan", "-detailed-exitcode", *changed)
    assert gw.get_stage(restApiId=api, stageName="prod")["deploymentId"] != first
    assert counts(terraform("destroy", "-auto-approve", *changed)) == [0, 0, 19]
    assert gw.get_rest_apis()["items"] == []
