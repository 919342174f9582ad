"""API keys, usage plans, gateway responses, domain names, the account, tags, and API descriptions through boto3."""
import json
import time

import pytest
from botocore.exceptions import ClientError

REGION = "us-east-1"
ABSENT_KEY = ("NotFoundException", "Invalid API Key identifier specified")
ABSENT_PLAN = ("NotFoundException", "Invalid Usage Plan ID specified")


@pytest.fixture(scope="module")
def gw(weir):
    return weir.client("apigateway")


@pytest.fixture
def api(gw):
    made = gw.create_rest_api(name="a")
    yield made["id"]
    gw.delete_rest_api(restApiId=made["id"])


@pytest.fixture
def key(gw):
    made = gw.create_api_key(name="k", enabled=True)
    yield made
    gw.delete_api_key(apiKey=made["id"])


def refused(call, **asked):
    """Code and message of the error."""
    with pytest.raises(ClientError) as e:
        call(**asked)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


def patch(op, path, value=None):
    return [{"op": op, "path": path, **({} if value is None else {"value": value})}]


def body(answer):
    return {k: v for k, v in answer.items() if k != "ResponseMetadata"}


# --- keys ---------------------------------------------------------------------------------------


def test_api_keys(gw):
    made = gw.create_api_key(name="cars", description="d", customerId="c", tags={"a": "b"})
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert len(made["value"]) == 40 and made["enabled"] is False and made["stageKeys"] == [] and made["tags"] == {"a": "b"}
    seen = gw.get_api_key(apiKey=made["id"])
    assert "value" not in seen
    assert body(gw.get_api_key(apiKey=made["id"], includeValue=True)) == body(made)
    changed = gw.update_api_key(apiKey=made["id"], patchOperations=patch("replace", "/enabled", "true") + patch("replace", "/name", "trucks") + patch("replace", "/description", "e") + patch("replace", "/customerId", "f"))
    assert (changed["enabled"], changed["name"], changed["description"], changed["customerId"]) == (True, "trucks", "e", "f")
    assert changed["lastUpdatedDate"] >= made["createdDate"]
    code, message = refused(gw.update_api_key, apiKey=made["id"], patchOperations=patch("replace", "/value", "x"))
    assert code == "BadRequestException" and "Must be one of: [/name, /description, /enabled, /customerId]" in message
    assert refused(gw.update_api_key, apiKey=made["id"], patchOperations=patch("replace", "/enabled", "maybe"))[0] == "BadRequestException"
    assert gw.delete_api_key(apiKey=made["id"])["ResponseMetadata"]["HTTPStatusCode"] == 202
    for call in (gw.get_api_key, gw.delete_api_key):
        assert refused(call, apiKey=made["id"]) == ABSENT_KEY
    assert refused(gw.update_api_key, apiKey=made["id"], patchOperations=[]) == ABSENT_KEY


def test_values_of_keys(gw):
    value = "v" * 20
    made = gw.create_api_key(name="own", value=value)
    assert made["value"] == value
    assert refused(gw.create_api_key, value=value) == ("ConflictException", "API Key already exists")
    gw.delete_api_key(apiKey=made["id"])
    gw.delete_api_key(apiKey=gw.create_api_key(value=value)["id"])
    assert refused(gw.create_api_key, value="v" * 19) == ("BadRequestException", "API Key value should be at least 20 characters")
    assert refused(gw.create_api_key, value="v" * 129)[0] == "BadRequestException"


def test_listing_keys(gw):
    made = [gw.create_api_key(name=f"list-{i}", customerId="x" if i % 2 else "y") for i in range(5)]
    ids = sorted(m["id"] for m in made)
    pages = gw.get_paginator("get_api_keys").paginate(nameQuery="list-", PaginationConfig={"PageSize": 2})
    assert sorted(k["id"] for p in pages for k in p["items"]) == ids
    assert len(gw.get_api_keys(nameQuery="list-", customerId="x")["items"]) == 2
    values = gw.get_api_keys(nameQuery="list-", includeValues=True)["items"]
    assert {k["value"] for k in values} == {m["value"] for m in made}
    assert all("value" not in k for k in gw.get_api_keys(nameQuery="list-")["items"])
    assert refused(gw.get_api_keys, limit=501)[0] == "BadRequestException"
    assert refused(gw.get_api_keys, position="x")[0] == "BadRequestException"
    for m in made:
        gw.delete_api_key(apiKey=m["id"])


def test_importing_keys(gw):
    plan = gw.create_usage_plan(name="p")["id"]
    text = f'Name,key,description,Enabled,usageplanIds\r\nfirst,{"a" * 20},"one, two ""three""",TRUE,{plan}\nsecond,{"b" * 20},,false,\n'
    ids = gw.import_api_keys(body=text.encode(), format="csv")["ids"]
    first, second = (gw.get_api_key(apiKey=i, includeValue=True) for i in ids)
    assert (first["name"], first["value"], first["description"], first["enabled"]) == ("first", "a" * 20, 'one, two "three"', True)
    assert (second["name"], second["enabled"]) == ("second", False)
    assert [k["id"] for k in gw.get_usage_plan_keys(usagePlanId=plan)["items"]] == [ids[0]]
    for bad in ("name\nx", "key,colour\n", f'key\n"{"c" * 20}', f'key\n{"c" * 20},x', "key\nshort"):
        assert refused(gw.import_api_keys, body=bad.encode(), format="csv")[0] == "BadRequestException", bad
    assert refused(gw.import_api_keys, body=text.encode(), format="csv")[0] == "ConflictException"
    assert refused(gw.import_api_keys, body=f"key,usageplanids\n{'d' * 20},gone".encode(), format="csv") == ABSENT_PLAN
    for i in ids:
        gw.delete_api_key(apiKey=i)
    gw.delete_usage_plan(usagePlanId=plan)


# --- plans --------------------------------------------------------------------------------------


def test_usage_plans(gw):
    made = gw.create_usage_plan(name="gold", description="d", throttle={"rateLimit": 10.5, "burstLimit": 20}, quota={"limit": 1000, "period": "WEEK", "offset": 2}, tags={"a": "b"})
    assert made["throttle"] == {"rateLimit": 10.5, "burstLimit": 20} and made["quota"] == {"limit": 1000, "period": "WEEK", "offset": 2} and made["apiStages"] == [] and made["tags"] == {"a": "b"}
    assert body(gw.get_usage_plan(usagePlanId=made["id"])) == body(made)
    assert body(made) in gw.get_usage_plans(limit=500)["items"]
    ops = patch("replace", "/throttle/rateLimit", "5") + patch("remove", "/quota") + patch("replace", "/productCode", "p") + patch("replace", "/name", "silver")
    changed = gw.update_usage_plan(usagePlanId=made["id"], patchOperations=ops)
    assert changed["throttle"] == {"rateLimit": 5.0, "burstLimit": 20} and "quota" not in changed and changed["productCode"] == "p" and changed["name"] == "silver"
    ops = patch("remove", "/throttle") + patch("add", "/quota/limit", "7") + patch("add", "/quota/period", "DAY")
    changed = gw.update_usage_plan(usagePlanId=made["id"], patchOperations=ops)
    assert "throttle" not in changed and changed["quota"] == {"limit": 7, "period": "DAY", "offset": 0}
    assert refused(gw.update_usage_plan, usagePlanId=made["id"], patchOperations=patch("replace", "/id", "x"))[0] == "BadRequestException"
    assert refused(gw.update_usage_plan, usagePlanId=made["id"], patchOperations=patch("add", "/throttle/rateLimit", "many"))[0] == "BadRequestException"
    gw.delete_usage_plan(usagePlanId=made["id"])
    for call in (gw.get_usage_plan, gw.delete_usage_plan, gw.get_usage_plan_keys):
        assert refused(call, usagePlanId=made["id"]) == ABSENT_PLAN
    assert refused(gw.update_usage_plan, usagePlanId=made["id"], patchOperations=[]) == ABSENT_PLAN


@pytest.mark.parametrize("quota, message", [
    ({"limit": 1, "period": "DAY", "offset": 1}, "Usage Plan quota offset must be zero in the DAY period"),
    ({"limit": 1, "period": "WEEK", "offset": 7}, "Usage Plan quota offset must be between 0 and 6 inclusive in the WEEK period"),
    ({"limit": 1, "period": "MONTH", "offset": 28}, "Usage Plan quota offset must be between 0 and 27 inclusive in the MONTH period"),
    ({"limit": 0, "period": "DAY"}, "Usage Plan quota limit must be greater than zero"),
    ({"limit": 1}, "Usage Plan quota period must be one of DAY, WEEK, MONTH"),
])
def test_quotas_are_checked(gw, quota, message):
    assert refused(gw.create_usage_plan, name="p", quota=quota) == ("BadRequestException", message)


def test_stages_of_plans_exist(gw, api):
    asked = {"apiId": api, "stage": "none"}
    assert refused(gw.create_usage_plan, name="p", apiStages=[asked]) == ("NotFoundException", f"API Stage not found: {api}:none")
    plan = gw.create_usage_plan(name="p")["id"]
    assert refused(gw.update_usage_plan, usagePlanId=plan, patchOperations=patch("add", "/apiStages", f"{api}:none"))[0] == "NotFoundException"
    assert refused(gw.update_usage_plan, usagePlanId=plan, patchOperations=patch("remove", "/apiStages", f"{api}:none"))[0] == "NotFoundException"
    assert refused(gw.update_usage_plan, usagePlanId=plan, patchOperations=patch("add", "/apiStages", "x"))[0] == "BadRequestException"
    gw.delete_usage_plan(usagePlanId=plan)


def test_keys_of_plans(gw, key):
    plan = gw.create_usage_plan(name="p")["id"]
    made = gw.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    assert body(made) == {"id": key["id"], "type": "API_KEY", "value": key["value"], "name": "k"}
    assert body(gw.get_usage_plan_key(usagePlanId=plan, keyId=key["id"])) == body(made)
    assert gw.get_usage_plan_keys(usagePlanId=plan)["items"] == [body(made)]
    assert gw.get_usage_plan_keys(usagePlanId=plan, nameQuery="z")["items"] == []
    assert [p["id"] for p in gw.get_usage_plans(keyId=key["id"])["items"]] == [plan]
    assert refused(gw.create_usage_plan_key, usagePlanId=plan, keyId=key["id"], keyType="API_KEY")[0] == "ConflictException"
    assert refused(gw.create_usage_plan_key, usagePlanId=plan, keyId=key["id"], keyType="OTHER")[0] == "BadRequestException"
    assert refused(gw.create_usage_plan_key, usagePlanId=plan, keyId="gone", keyType="API_KEY") == ABSENT_KEY
    assert refused(gw.create_usage_plan_key, usagePlanId="gone", keyId=key["id"], keyType="API_KEY") == ABSENT_PLAN
    gw.delete_usage_plan_key(usagePlanId=plan, keyId=key["id"])
    for call in (gw.get_usage_plan_key, gw.delete_usage_plan_key):
        assert refused(call, usagePlanId=plan, keyId=key["id"]) == ABSENT_KEY
    gw.delete_usage_plan(usagePlanId=plan)


def test_a_key_has_so_many_plans(gw, key):
    plans = [gw.create_usage_plan(name="p")["id"] for _ in range(11)]
    for plan in plans[:10]:
        gw.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    assert refused(gw.create_usage_plan_key, usagePlanId=plans[10], keyId=key["id"], keyType="API_KEY")[0] == "LimitExceededException"
    gw.delete_usage_plan(usagePlanId=plans[0])  # a plan that is gone counts for nothing
    gw.create_usage_plan_key(usagePlanId=plans[10], keyId=key["id"], keyType="API_KEY")
    for plan in plans[1:]:
        gw.delete_usage_plan(usagePlanId=plan)


def test_usage(gw, key):
    plan = gw.create_usage_plan(name="p", quota={"limit": 10, "period": "MONTH"})["id"]
    gw.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    today = time.strftime("%Y-%m-%d", time.gmtime())
    seen = gw.get_usage(usagePlanId=plan, startDate=today, endDate=today)
    assert seen["items"] == {key["id"]: [[0, 10]]} and (seen["startDate"], seen["usagePlanId"]) == (today, plan)
    seen = gw.get_usage(usagePlanId=plan, keyId=key["id"], startDate="2026-01-30", endDate="2026-02-02")
    assert seen["items"] == {key["id"]: [[0, 10]] * 4}
    changed = gw.update_usage(usagePlanId=plan, keyId=key["id"], patchOperations=patch("replace", "/remaining", "25"))
    assert changed["items"] == {key["id"]: [[0, 25]]}
    assert gw.get_usage(usagePlanId=plan, startDate=today, endDate=today)["items"] == {key["id"]: [[0, 25]]}
    for value in ("-1", "1.5", "many"):
        assert refused(gw.update_usage, usagePlanId=plan, keyId=key["id"], patchOperations=patch("replace", "/remaining", value))[0] == "BadRequestException"
    for start, end in (("x", today), (today, "2026-01-01"), ("2026-01-01", "2026-12-31")):
        assert refused(gw.get_usage, usagePlanId=plan, startDate=start, endDate=end)[0] == "BadRequestException"
    assert refused(gw.get_usage, usagePlanId="gone", startDate=today, endDate=today) == ABSENT_PLAN
    assert refused(gw.get_usage, usagePlanId=plan, keyId="gone", startDate=today, endDate=today) == ABSENT_KEY
    assert refused(gw.update_usage, usagePlanId=plan, keyId="gone", patchOperations=[]) == ABSENT_KEY
    gw.delete_usage_plan(usagePlanId=plan)


@pytest.fixture
def deployed(gw):
    made = gw.import_rest_api(body=PETS.encode())["id"]
    for stage in ("prod", "test"):
        gw.create_deployment(restApiId=made, stageName=stage)
    yield made
    gw.delete_rest_api(restApiId=made)


def test_stages_of_plans(gw, deployed, key):
    limits = {"/pets/GET": {"rateLimit": 2.0, "burstLimit": 3}}
    plan = gw.create_usage_plan(name="p", apiStages=[{"apiId": deployed, "stage": "prod", "throttle": limits}])
    assert plan["apiStages"] == [{"apiId": deployed, "stage": "prod", "throttle": limits}]
    gw.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    assert gw.get_api_key(apiKey=key["id"])["stageKeys"] == [f"{deployed}/prod"]
    # The path of a method as Terraform writes it, and as the pointers of RFC 6901 are.
    prefix = f"/apiStages/{deployed}:prod/throttle/"
    ops = patch("replace", prefix + "/pets/GET/rateLimit", "5") + patch("replace", prefix + "~1pets~1{id}/POST/burstLimit", "7")
    changed = gw.update_usage_plan(usagePlanId=plan["id"], patchOperations=ops)
    assert changed["apiStages"][0]["throttle"] == {"/pets/GET": {"rateLimit": 5.0, "burstLimit": 3}, "/pets/{id}/POST": {"rateLimit": 0.0, "burstLimit": 7}}
    changed = gw.update_usage_plan(usagePlanId=plan["id"], patchOperations=patch("remove", prefix + "/pets/GET"))
    assert list(changed["apiStages"][0]["throttle"]) == ["/pets/{id}/POST"]
    changed = gw.update_usage_plan(usagePlanId=plan["id"], patchOperations=patch("remove", prefix[:-1]) + patch("add", "/apiStages", f"{deployed}:test"))
    assert changed["apiStages"] == [{"apiId": deployed, "stage": "prod"}, {"apiId": deployed, "stage": "test"}]
    assert refused(gw.update_usage_plan, usagePlanId=plan["id"], patchOperations=patch("add", "/apiStages", f"{deployed}:test"))[0] == "ConflictException"
    assert refused(gw.update_usage_plan, usagePlanId=plan["id"], patchOperations=patch("replace", prefix + "/pets/GET/rateLimit", "x"))[0] == "BadRequestException"
    other = gw.create_usage_plan(name="q", apiStages=[{"apiId": deployed, "stage": "test"}])["id"]
    code, message = refused(gw.create_usage_plan_key, usagePlanId=other, keyId=key["id"], keyType="API_KEY")
    assert code == "ConflictException" and f"{deployed}:test" in message
    assert refused(gw.delete_usage_plan, usagePlanId=other)[0] == "BadRequestException"
    # Nor the other way: a plan with the key gets no stage that another plan with the key has.
    third = gw.create_usage_plan(name="r")["id"]
    gw.create_usage_plan_key(usagePlanId=third, keyId=key["id"], keyType="API_KEY")
    code, message = refused(gw.update_usage_plan, usagePlanId=third, patchOperations=patch("add", "/apiStages", f"{deployed}:prod"))
    assert code == "ConflictException" and "cannot reference multiple Usage Plans with the same API stage" in message
    gw.delete_usage_plan_key(usagePlanId=third, keyId=key["id"])
    gw.update_usage_plan(usagePlanId=third, patchOperations=patch("add", "/apiStages", f"{deployed}:prod"))
    gw.delete_stage(restApiId=deployed, stageName="test")
    gw.update_usage_plan(usagePlanId=plan["id"], patchOperations=patch("remove", "/apiStages", f"{deployed}:prod"))
    assert gw.get_usage_plan(usagePlanId=plan["id"])["apiStages"] == [] == gw.get_usage_plan(usagePlanId=other)["apiStages"]
    gw.delete_rest_api(restApiId=gw.create_rest_api(name="b", cloneFrom=deployed)["id"])
    assert gw.get_usage_plan(usagePlanId=third)["apiStages"] == [{"apiId": deployed, "stage": "prod"}]
    gw.delete_stage(restApiId=deployed, stageName="prod")
    for p in (plan["id"], other, third):
        gw.delete_usage_plan(usagePlanId=p)


# --- gateway responses --------------------------------------------------------------------------


def test_gateway_responses(gw, api):
    every = gw.get_gateway_responses(restApiId=api, limit=500)["items"]
    assert len(every) == 21 and all(r["defaultResponse"] for r in every)
    assert {r["responseType"]: r.get("statusCode") for r in every}["THROTTLED"] == "429"
    pages = gw.get_paginator("get_gateway_responses").paginate(restApiId=api, PaginationConfig={"PageSize": 4})
    assert [r for p in pages for r in p["items"]] == every
    asked = {"statusCode": "404", "responseParameters": {"gatewayresponse.header.X": "'y'"}, "responseTemplates": {"application/json": "{}"}}
    made = gw.put_gateway_response(restApiId=api, responseType="MISSING_AUTHENTICATION_TOKEN", **asked)
    assert body(made) == {"responseType": "MISSING_AUTHENTICATION_TOKEN", "defaultResponse": False, **asked}
    assert body(gw.get_gateway_response(restApiId=api, responseType="MISSING_AUTHENTICATION_TOKEN")) == body(made)
    assert body(made) in gw.get_gateway_responses(restApiId=api, limit=500)["items"]
    ops = patch("replace", "/statusCode", "405") + patch("add", "/responseTemplates/text~1plain", "no") + patch("remove", "/responseParameters/gatewayresponse.header.X")
    changed = gw.update_gateway_response(restApiId=api, responseType="MISSING_AUTHENTICATION_TOKEN", patchOperations=ops)
    assert (changed["statusCode"], changed["responseTemplates"], changed["responseParameters"]) == ("405", {"application/json": "{}", "text/plain": "no"}, {})
    gw.delete_gateway_response(restApiId=api, responseType="MISSING_AUTHENTICATION_TOKEN")
    assert gw.get_gateway_response(restApiId=api, responseType="MISSING_AUTHENTICATION_TOKEN")["defaultResponse"]
    assert refused(gw.delete_gateway_response, restApiId=api, responseType="MISSING_AUTHENTICATION_TOKEN") == ("NotFoundException", "Gateway response type not defined on api")
    for bad in ({"statusCode": "199"}, {"responseParameters": {"X": "'y'"}}):
        assert refused(gw.put_gateway_response, restApiId=api, responseType="THROTTLED", **bad)[0] == "BadRequestException"
    assert refused(gw.put_gateway_response, restApiId=api, responseType="OTHER")[0] in ("BadRequestException", "ValidationException")
    assert refused(gw.update_gateway_response, restApiId=api, responseType="THROTTLED", patchOperations=patch("replace", "/x", "y"))[0] == "BadRequestException"
    for call in (gw.get_gateway_response, gw.put_gateway_response, gw.delete_gateway_response, gw.update_gateway_response):
        assert refused(call, restApiId="gone", responseType="THROTTLED")[0] == "NotFoundException"
    assert refused(gw.get_gateway_responses, restApiId="gone")[0] == "NotFoundException"


# --- domain names -------------------------------------------------------------------------------


def test_domain_names(gw):
    certificate = f"arn:aws:acm:{REGION}:000000000000:certificate/x"
    made = gw.create_domain_name(domainName="api.example.com", regionalCertificateArn=certificate, endpointConfiguration={"types": ["REGIONAL"]}, tags={"a": "b"})
    assert made["domainNameStatus"] == "AVAILABLE" and made["securityPolicy"] == "TLS_1_2" and made["tags"] == {"a": "b"}
    assert made["regionalDomainName"].endswith(f".execute-api.{REGION}.amazonaws.com") and made["regionalHostedZoneId"]
    assert body(gw.get_domain_name(domainName="api.example.com")) == body(made)
    assert gw.get_domain_names()["items"] == [body(made)]
    assert refused(gw.create_domain_name, domainName="api.example.com")[0] == "BadRequestException"
    changed = gw.update_domain_name(domainName="api.example.com", patchOperations=patch("replace", "/regionalCertificateArn", certificate + "2") + patch("replace", "/securityPolicy", "TLS_1_0"))
    assert changed["regionalCertificateArn"] == certificate + "2" and changed["securityPolicy"] == "TLS_1_0"
    changed = gw.update_domain_name(domainName="api.example.com", patchOperations=patch("replace", "/endpointConfiguration/types/REGIONAL", "EDGE"))
    assert changed["endpointConfiguration"]["types"] == ["EDGE"] and "distributionDomainName" in changed and "regionalDomainName" not in changed
    for ops in (patch("replace", "/securityPolicy", "x"), patch("replace", "/endpointConfiguration/types/EDGE", "PRIVATE"), patch("replace", "/mutualTlsAuthentication/truststoreUri", "s3://b/k")):
        assert refused(gw.update_domain_name, domainName="api.example.com", patchOperations=ops)[0] == "BadRequestException"
    gw.delete_domain_name(domainName="api.example.com")
    for call in (gw.get_domain_name, gw.delete_domain_name, gw.get_base_path_mappings):
        assert refused(call, domainName="api.example.com") == ("NotFoundException", "Invalid domain name identifier specified")
    assert refused(gw.update_domain_name, domainName="api.example.com", patchOperations=[])[0] == "NotFoundException"
    for name in ("", "x", "Api.example.com", "a b.example.com", "-a.example.com", "*.example.com"):
        assert refused(gw.create_domain_name, domainName=name)[0] == "BadRequestException", name


def test_base_path_mappings(gw, api):
    gw.create_domain_name(domainName="m.example.com")
    made = gw.create_base_path_mapping(domainName="m.example.com", restApiId=api)
    assert body(made) == {"basePath": "(none)", "restApiId": api}
    assert body(gw.create_base_path_mapping(domainName="m.example.com", basePath="v1", restApiId=api)) == {"basePath": "v1", "restApiId": api}
    assert body(gw.get_base_path_mapping(domainName="m.example.com", basePath="(none)")) == body(made)
    assert [m["basePath"] for m in gw.get_base_path_mappings(domainName="m.example.com")["items"]] == ["(none)", "v1"]
    pages = gw.get_paginator("get_base_path_mappings").paginate(domainName="m.example.com", PaginationConfig={"PageSize": 1})
    assert [m["basePath"] for p in pages for m in p["items"]] == ["(none)", "v1"]
    assert refused(gw.create_base_path_mapping, domainName="m.example.com", restApiId=api)[0] == "ConflictException"
    assert refused(gw.create_base_path_mapping, domainName="m.example.com", basePath="a/b", restApiId=api)[0] == "BadRequestException"
    assert refused(gw.create_base_path_mapping, domainName="m.example.com", basePath="v2", restApiId="gone") == ("BadRequestException", "Invalid REST API identifier specified")
    assert refused(gw.create_base_path_mapping, domainName="m.example.com", basePath="v2", restApiId=api, stage="none") == ("BadRequestException", "Invalid stage identifier specified")
    assert refused(gw.create_base_path_mapping, domainName="gone.example.com", restApiId=api)[0] == "NotFoundException"
    assert gw.update_base_path_mapping(domainName="m.example.com", basePath="v1", patchOperations=patch("replace", "/basePath", "v2"))["basePath"] == "v2"
    assert refused(gw.update_base_path_mapping, domainName="m.example.com", basePath="v2", patchOperations=patch("replace", "/basePath", ""))[0] == "ConflictException"
    gw.delete_base_path_mapping(domainName="m.example.com", basePath="v2")
    for call in (gw.get_base_path_mapping, gw.delete_base_path_mapping):
        assert refused(call, domainName="m.example.com", basePath="v2") == ("NotFoundException", "Invalid base path mapping identifier specified")
    assert refused(gw.update_base_path_mapping, domainName="m.example.com", basePath="v2", patchOperations=[])[0] == "NotFoundException"
    gw.delete_domain_name(domainName="m.example.com")


# --- account and tags ---------------------------------------------------------------------------


def test_account(gw, weir):
    seen = gw.get_account()
    assert seen["throttleSettings"] == {"burstLimit": 5000, "rateLimit": 10000.0} and seen["features"] == ["UsagePlans"] and "cloudwatchRoleArn" not in seen
    iam = weir.client("iam")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName="gateway-logs", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    trust["Statement"][0]["Principal"]["Service"] = "lambda.amazonaws.com"
    other = iam.create_role(RoleName="gateway-other", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    assert gw.update_account(patchOperations=patch("replace", "/cloudwatchRoleArn", role))["cloudwatchRoleArn"] == role
    assert gw.get_account()["cloudwatchRoleArn"] == role
    for bad in (other, role + "x", "role"):
        assert refused(gw.update_account, patchOperations=patch("replace", "/cloudwatchRoleArn", bad))[0] == "BadRequestException"
    assert refused(gw.update_account, patchOperations=patch("replace", "/throttleSettings", "1"))[0] == "BadRequestException"
    assert "cloudwatchRoleArn" not in gw.update_account(patchOperations=patch("replace", "/cloudwatchRoleArn", ""))
    for name in ("gateway-logs", "gateway-other"):
        iam.delete_role(RoleName=name)


def test_tags(gw, api, key):
    plan = gw.create_usage_plan(name="p")["id"]
    gw.create_domain_name(domainName="t.example.com")
    for name in (f"restapis/{api}", f"apikeys/{key['id']}", f"usageplans/{plan}", "domainnames/t.example.com"):
        arn = f"arn:aws:apigateway:{REGION}::/{name}"
        gw.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
        gw.untag_resource(resourceArn=arn, tagKeys=["a"])
        assert gw.get_tags(resourceArn=arn)["tags"] == {"b": "2"}
    assert gw.get_usage_plan(usagePlanId=plan)["tags"] == {"b": "2"}
    arn = f"arn:aws:apigateway:{REGION}::/apikeys/gone"
    for call, more in ((gw.get_tags, {}), (gw.tag_resource, {"tags": {"a": "b"}}), (gw.untag_resource, {"tagKeys": ["a"]})):
        assert refused(call, resourceArn=arn, **more)[0] == "NotFoundException"
    assert refused(gw.tag_resource, resourceArn=f"arn:aws:apigateway:{REGION}::/restapis/{api}", tags={"aws:x": "y"})[0] == "BadRequestException"
    gw.delete_domain_name(domainName="t.example.com")
    gw.delete_usage_plan(usagePlanId=plan)


# --- descriptions -------------------------------------------------------------------------------

PETS = """
openapi: 3.0.1
info: {title: pets, version: "1"}
paths:
  /pets:
    get:
      responses: {200: {description: ok, content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}}}
      x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{"statusCode": 200}'}, responses: {default: {statusCode: "200"}}}
components:
  schemas:
    Pet: {type: object, properties: {name: {type: string}}}
x-amazon-apigateway-gateway-responses: {THROTTLED: {statusCode: 420}}
"""


def test_import(gw):
    made = gw.import_rest_api(body=PETS.encode(), parameters={"endpointConfigurationTypes": "REGIONAL"})
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["name"] == "pets" and made["endpointConfiguration"]["types"] == ["REGIONAL"] and made["version"] == "1"
    assert body(gw.get_rest_api(restApiId=made["id"])) == body(made)
    assert gw.get_gateway_response(restApiId=made["id"], responseType="THROTTLED")["statusCode"] == "420"
    gw.delete_rest_api(restApiId=made["id"])


def test_import_refused(gw):
    assert refused(gw.import_rest_api, body=b"x") == ("BadRequestException", "Invalid OpenAPI input. Neither Swagger 2.0 nor OpenAPI 3.0")
    code, message = refused(gw.import_rest_api, body=PETS.replace("/Pet\"", "/Dog\"").encode())
    assert code == "BadRequestException" and message == "Errors found during import:\n\tInvalid model identifier specified: Dog"
    with_warning = PETS.replace("get:", "trace: {}\n    get:").encode()
    code, message = refused(gw.import_rest_api, body=with_warning, failOnWarnings=True)
    assert code == "BadRequestException" and message.startswith("Warnings found during import:\n\tMethod TRACE")
    made = gw.import_rest_api(body=with_warning)
    assert len(made["warnings"]) == 1
    gw.delete_rest_api(restApiId=made["id"])
    assert refused(gw.import_rest_api, body=PETS.encode(), parameters={"basepath": "other"})[0] == "BadRequestException"
    assert refused(gw.import_rest_api, body=PETS.encode(), parameters={"endpointConfigurationTypes": "PRIVATE"})[0] == "BadRequestException"


def test_put(gw, api):
    put = gw.put_rest_api(restApiId=api, mode="overwrite", body=PETS.encode())
    assert put["id"] == api and put["name"] == "pets"
    more = {"swagger": "2.0", "info": {"title": "dogs", "version": "2"}, "x-amazon-apigateway-gateway-responses": {"UNAUTHORIZED": {"statusCode": 420}}}
    assert gw.put_rest_api(restApiId=api, mode="merge", body=json.dumps(more))["name"] == "dogs"
    assert gw.get_gateway_response(restApiId=api, responseType="THROTTLED")["statusCode"] == "420"
    assert gw.get_gateway_response(restApiId=api, responseType="UNAUTHORIZED")["statusCode"] == "420"
    gw.put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(more))
    assert gw.get_gateway_response(restApiId=api, responseType="THROTTLED")["defaultResponse"]
    assert refused(gw.put_rest_api, restApiId="gone", body=PETS.encode())[0] == "NotFoundException"
    assert refused(gw.put_rest_api, restApiId=api, body=b"[]")[0] == "BadRequestException"
    assert refused(gw.get_export, restApiId=api, stageName="none", exportType="swagger") == ("NotFoundException", "Invalid stage identifier specified")
    assert refused(gw.get_export, restApiId=api, stageName="none", exportType="raml")[0] == "BadRequestException"


@pytest.mark.parametrize("kind, accepts", [("swagger", "application/json"), ("oas30", "application/json"), ("oas30", "application/yaml")])
def test_export(gw, deployed, kind, accepts):
    out = gw.get_export(restApiId=deployed, stageName="prod", exportType=kind, accepts=accepts, parameters={"extensions": "apigateway"})
    text = out["body"].read()
    assert out["contentType"] == accepts and out["contentDisposition"].startswith(f'attachment; filename="{kind}_')
    again = gw.import_rest_api(body=text)["id"]
    seen = [[gw.get_method(restApiId=a, resourceId=r["id"], httpMethod="GET") for r in gw.get_resources(restApiId=a)["items"] if r["path"] == "/pets"][0] for a in (deployed, again)]
    for method in seen:
        del method["ResponseMetadata"], method["methodIntegration"]["cacheNamespace"]
    assert seen[0] == seen[1] and seen[0]["methodIntegration"]["integrationResponses"]["200"]
    assert gw.get_model(restApiId=again, modelName="Pet")["schema"]
    assert gw.get_gateway_response(restApiId=again, responseType="THROTTLED")["statusCode"] == "420"
    gw.delete_rest_api(restApiId=again)


def test_export_without_extensions(gw, deployed):
    text = gw.get_export(restApiId=deployed, stageName="prod", exportType="swagger")["body"].read()
    assert b"x-amazon" not in text and json.loads(text)["basePath"] == "/prod"
    assert refused(gw.get_export, restApiId=deployed, stageName="prod", exportType="swagger", parameters={"extensions": "postman"})[0] == "BadRequestException"


def test_models_refer_to_each_other(gw):
    text = PETS.replace("name: {type: string}", 'name: {type: string}, mother: {$ref: "#/components/schemas/Pet"}')
    made = gw.import_rest_api(body=text.encode())["id"]
    schema = json.loads(gw.get_model(restApiId=made, modelName="Pet")["schema"])
    assert schema["properties"]["mother"] == {"$ref": f"https://apigateway.amazonaws.com/restapis/{made}/models/Pet"}
    gw.delete_rest_api(restApiId=made)


def test_merge_keeps_what_is_named(gw, deployed):
    """A validator and an authorizer of the same name are the same afterwards; methods of others stay."""
    text = {"swagger": "2.0", "info": {"title": "p", "version": "1"}, "x-amazon-apigateway-request-validators": {"all": {"validateRequestBody": True}},
            "x-amazon-apigateway-request-validator": "all",
            "paths": {"/dogs": {"get": {"responses": {}, "x-amazon-apigateway-integration": {"type": "mock"}}}}}
    for _ in range(2):
        gw.put_rest_api(restApiId=deployed, mode="merge", body=json.dumps(text))
    validators = gw.get_request_validators(restApiId=deployed)["items"]
    assert [v["name"] for v in validators] == ["all"]
    resources = {r["path"]: r["id"] for r in gw.get_resources(restApiId=deployed)["items"]}
    assert set(resources) == {"/", "/pets", "/dogs"}
    assert gw.get_method(restApiId=deployed, resourceId=resources["/dogs"], httpMethod="GET")["requestValidatorId"] == validators[0]["id"]
    gw.put_rest_api(restApiId=deployed, mode="overwrite", body=json.dumps(text))
    assert {r["path"] for r in gw.get_resources(restApiId=deployed)["items"]} == {"/", "/dogs"}


def test_mapping_to_a_stage(gw, deployed):
    gw.create_domain_name(domainName="s.example.com")
    assert gw.create_base_path_mapping(domainName="s.example.com", restApiId=deployed, stage="prod")["stage"] == "prod"
    changed = gw.update_base_path_mapping(domainName="s.example.com", basePath="(none)", patchOperations=patch("replace", "/stage", "test"))
    assert (changed["stage"], changed["basePath"]) == ("test", "(none)")
    gw.create_domain_name(domainName="a.example.com")
    gw.create_base_path_mapping(domainName="a.example.com", basePath="a", restApiId=deployed)
    assert refused(gw.delete_rest_api, restApiId=deployed) == (
        "BadRequestException", f"Deleting RestApi {deployed} failed. Please remove all base path mappings related to the RestApi "
        "in your domains: a.example.com, s.example.com.")
    assert gw.get_stages(restApiId=deployed)["item"]
    assert refused(gw.delete_stage, restApiId=deployed, stageName="test") == (
        "BadRequestException", "Deleting stage test failed. Please remove all base path mappings related to the stage in your "
        "domains: s.example.com.")
    gw.delete_domain_name(domainName="a.example.com")
    gw.delete_domain_name(domainName="s.example.com")
