"""Terraform with HashiCorp's own provider: a REST API with all that stands around one, and one from a
description; applied, planned clean, updated in place, destroyed."""
import json
import os

import pytest

from test_terraform import terraform_of

HANDLER = 'def handler(event, context):\n    return {"statusCode": 200}\n'


@pytest.fixture
def terraform(weir, tmp_path):
    return terraform_of(weir, tmp_path, os.path.join("frontdoor", "main.tf"), HANDLER)


def test_apply_plan_update_destroy(weir, terraform):
    assert "30 added, 0 changed, 0 destroyed" in terraform("apply", "-auto-approve", "-no-color").stdout
    terraform("plan", "-detailed-exitcode", "-no-color")  # exit 2 would be a difference
    out = {k: v["value"] for k, v in json.loads(terraform("output", "-json").stdout).items()}
    gw = weir.client("apigateway")
    paths = {r["path"] for r in gw.get_resources(restApiId=out["described"])["items"]}
    assert paths == {"/", "/hello"}
    assert [k["value"] for k in gw.get_api_keys(includeValues=True)["items"]] == [out["key"]]

    changed = ["-no-color", "-var", "rate=20", "-var", "greeting=bye"]
    terraform("apply", "-auto-approve", *changed)
    terraform("plan", "-detailed-exitcode", *changed)
    plan, = gw.get_usage_plans()["items"]
    assert plan["throttle"]["rateLimit"] == 20 and plan["apiStages"][0]["throttle"]["/cars/POST"]["rateLimit"] == 20
    assert gw.get_stage(restApiId=out["api"], stageName="prod")["variables"] == {"greeting": "bye"}

    assert "30 destroyed" in terraform("destroy", "-auto-approve", *changed).stdout
    assert gw.get_rest_apis()["items"] == gw.get_api_keys()["items"] == gw.get_usage_plans()["items"] == gw.get_domain_names()["items"] == []
