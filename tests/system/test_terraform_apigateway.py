"""Terraform with HashiCorp's own provider: a REST API of many kinds of parts, all that stands around one, and an API
from a description; applied, planned clean, updated in place, destroyed. All in one, since most of the time is
the provider's start."""
import json

import pytest
from test_terraform import terraform_of
from test_terraform_events import HANDLER, counts


@pytest.fixture
def terraform(weir, tmp_path):
    return terraform_of(weir, tmp_path, "apigateway", HANDLER)


def test_apply_plan_update_destroy(weir, terraform):
    changed = ["-no-color", "-var", "changed=true", "-var", "rate=20", "-var", "greeting=bye"]
    assert counts(terraform("apply", "-auto-approve", "-no-color")) == [19 + 11, 0, 0]
    terraform("plan", "-detailed-exitcode", "-no-color")  # exit 2 would be a difference
    out = {k: v["value"] for k, v in json.loads(terraform("output", "-json").stdout).items()}
    gw = weir.client("apigateway")
    first = gw.get_stage(restApiId=out["id"], stageName="prod")["deploymentId"]
    paths = {r["path"] for r in gw.get_resources(restApiId=out["described"])["items"]}
    assert paths == {"/", "/hello"}
    assert [k["value"] for k in gw.get_api_keys(includeValues=True)["items"]] == [out["key"]]

    assert counts(terraform("apply", "-auto-approve", *changed)) == [1 + 1, 12 + 3, 1 + 1]  # the deployments are others
    terraform("plan", "-detailed-exitcode", *changed)
    assert gw.get_stage(restApiId=out["id"], stageName="prod")["deploymentId"] != first
    plan, = gw.get_usage_plans()["items"]
    assert plan["throttle"]["rateLimit"] == 20 and plan["apiStages"][0]["throttle"]["/hello/GET"]["rateLimit"] == 20
    assert gw.get_stage(restApiId=out["id"], stageName="prod")["variables"] == {"b": "2"}

    assert counts(terraform("destroy", "-auto-approve", *changed)) == [0, 0, 19 + 11]
    assert gw.get_rest_apis()["items"] == gw.get_api_keys()["items"] == gw.get_usage_plans()["items"] == gw.get_domain_names()["items"] == []
