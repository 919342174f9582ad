"""API Gateway's control plane (REST APIs) through boto3."""
import json

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "000000000000"
FUNCTION = (f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:{ACCOUNT}:function:f/invocations")
DYNAMODB = "arn:aws:apigateway:us-east-1:dynamodb:action/PutItem"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/gateway"
NOT_HERE = "zzzzzz"


@pytest.fixture(scope="module")
def gw(weir):
    return weir.client("apigateway")


class Api:
    """An API, and short ways to its parts."""

    def __init__(self, gw, **asked):
        self.gw = gw
        self.made = gw.create_rest_api(**{"name": "a", **asked})
        self.id = self.made["id"]
        self.root = next(r["id"] for r in self.resources() if r["path"] == "/")

    def __getattr__(self, name):
        call = getattr(self.gw, name)
        return lambda **asked: call(restApiId=self.id, **asked)

    def resources(self, **asked):
        return self.gw.get_resources(restApiId=self.id, limit=500, **asked)["items"]

    def resource(self, part, parent=None):
        return self.create_resource(parentId=parent or self.root, pathPart=part)["id"]

    def method(self, resource=None, verb="GET", **asked):
        at = {"resourceId": resource or self.root, "httpMethod": verb}
        self.put_method(**at, **{"authorizationType": "NONE", **asked})
        return at

    def mock(self, resource=None, verb="GET", **asked):
        at = self.method(resource, verb, **asked)
        self.put_integration(**at, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
        return at


@pytest.fixture
def api(gw):
    a = Api(gw)
    yield a
    gw.delete_rest_api(restApiId=a.id)


def refused(call, **asked):
    """Code and message of the error."""
    with pytest.raises(ClientError) as e:
        call(**asked)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


def bad(call, part, **asked):
    """BadRequestException, whose message has `part`."""
    code, message = refused(call, **asked)
    assert code == "BadRequestException" and part in message, (code, message)


def absent(call, message, **asked):
    assert refused(call, **asked) == ("NotFoundException", message)


def conflict(call, part, **asked):
    code, message = refused(call, **asked)
    assert code == "ConflictException" and part in message, (code, message)


def ops(*triples):
    """Patch operations, from "replace /name value"."""
    out = []
    for t in triples:
        op, path, *value = t.split(" ", 2)
        out.append({"op": op, "path": path, **({"value": value[0]} if value else {})})
    return out


def body(reply):
    return {k: v for k, v in reply.items() if k != "ResponseMetadata"}


# --- APIs -----------------------------------------------------------------------------------------------

def test_rest_apis(gw):
    made = gw.create_rest_api(name="cars", description="d", version="1", binaryMediaTypes=["image/*"], minimumCompressionSize=1,
                              apiKeySource="AUTHORIZER", endpointConfiguration={"types": ["REGIONAL"]}, tags={"a": "b"},
                              disableExecuteApiEndpoint=True)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert len(made["id"]) == 10 and made["createdDate"]
    assert {k: made[k] for k in ("name", "description", "version", "binaryMediaTypes", "minimumCompressionSize", "apiKeySource", "tags",
                                 "disableExecuteApiEndpoint")} == {
        "name": "cars", "description": "d", "version": "1", "binaryMediaTypes": ["image/*"], "minimumCompressionSize": 1,
        "apiKeySource": "AUTHORIZER", "tags": {"a": "b"}, "disableExecuteApiEndpoint": True}
    assert made["endpointConfiguration"]["types"] == ["REGIONAL"]
    assert body(gw.get_rest_api(restApiId=made["id"])) == body(made)
    assert body(made) in gw.get_rest_apis(limit=500)["items"]
    assert {m["name"] for m in gw.get_models(restApiId=made["id"])["items"]} == {"Empty", "Error"}
    assert gw.delete_rest_api(restApiId=made["id"])["ResponseMetadata"]["HTTPStatusCode"] == 202
    absent(gw.get_rest_api, f"Invalid API identifier specified {ACCOUNT}:{made['id']}", restApiId=made["id"])
    absent(gw.delete_rest_api, f"Invalid API identifier specified {ACCOUNT}:{made['id']}", restApiId=made["id"])


def test_rest_api_defaults(api):
    assert api.made["apiKeySource"] == "HEADER" and api.made["endpointConfiguration"]["types"] == ["EDGE"]
    assert api.made["disableExecuteApiEndpoint"] is False and "tags" not in api.made and "policy" not in api.made


def test_rest_api_patches(api):
    seen = api.update_rest_api(patchOperations=ops(
        "replace /name n", "replace /description d", "add /binaryMediaTypes/image~1png", "add /binaryMediaTypes/a~1b",
        "replace /minimumCompressionSize 10", "replace /apiKeySource AUTHORIZER", "replace /disableExecuteApiEndpoint true",
        "replace /endpointConfiguration/types/EDGE REGIONAL"))
    assert seen["name"] == "n" and seen["description"] == "d" and seen["binaryMediaTypes"] == ["image/png", "a/b"]
    assert seen["minimumCompressionSize"] == 10 and seen["apiKeySource"] == "AUTHORIZER"
    assert seen["disableExecuteApiEndpoint"] is True and seen["endpointConfiguration"]["types"] == ["REGIONAL"]
    seen = api.update_rest_api(patchOperations=ops(
        "replace /description ", "remove /binaryMediaTypes/a~1b", "replace /minimumCompressionSize ", "replace /binaryMediaTypes/image~1png c/d",
        "replace /endpointConfiguration/types/0 EDGE"))
    assert "description" not in seen and "minimumCompressionSize" not in seen and seen["binaryMediaTypes"] == ["c/d"]
    assert seen["endpointConfiguration"]["types"] == ["EDGE"]
    assert body(api.get_rest_api()) == body(seen)
    for op, part in [
            ("replace /nothing x", "Invalid patch path  '/nothing' specified for op 'replace'. Must be one of: [/apiKeySource, "),
            ("add /name x", "Invalid patch path  '/name' specified for op 'add'. Must be one of: [/binaryMediaTypes/[type]"),
            ("test /name n", "Invalid patch path  '/name' specified for op 'test'. Must be one of: []"),
            ("move /name n", "specified for op 'move'"), ("copy /name n", "specified for op 'copy'"),
            ("replace name n", "Invalid patch path  'name'"), ("replace / n", "Invalid patch path  '/'"),
            ("replace /a/b/c/d/e/f/g/h/i n", "Invalid patch path"),
            ("replace /disableExecuteApiEndpoint yes", "Must be a boolean"), ("replace /minimumCompressionSize x", "Must be a whole number"),
            ("replace /minimumCompressionSize 99999999", "Invalid minimum compression size"), ("replace /apiKeySource BODY", "HEADER AUTHORIZER"),
            ("replace /name ", "Name cannot be empty"), ("replace /endpointConfiguration/types/EDGE PRIVATE", "PRIVATE is not supported"),
            ("replace /securityPolicy TLS_9", "Security policy TLS_9"), ("replace /endpointAccessMode STRICT", "STRICT is not supported")]:
        bad(api.update_rest_api, part, patchOperations=ops(op))
    bad(api.update_rest_api, "needs op and path", patchOperations=[{"op": "replace", "value": "x"}])
    bad(api.update_rest_api, "More than 1000", patchOperations=ops("replace /name x") * 1001)
    absent(api.update_rest_api, "Invalid patch path '/binaryMediaTypes/x': there is no such element", patchOperations=ops("remove /binaryMediaTypes/x"))


def test_rest_api_policy(gw):
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": ["execute-api:/*"],
         "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}]}
    api = Api(gw, policy=json.dumps(policy))
    shown = api.get_rest_api()["policy"]
    assert '\\"' in shown and "10.0.0.0\\/8" in shown  # as AWS: clients unquote it
    seen = json.loads(json.loads(f'"{shown}"'))
    assert seen["Statement"][0]["Resource"] == [f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{api.id}/*"]
    bad(api.update_rest_api, "Invalid policy document", patchOperations=ops("replace /policy {"))
    bad(api.update_rest_api, "Invalid policy document", patchOperations=ops('replace /policy {"Version":"2012-10-17"}'))
    bad(gw.create_rest_api, "Invalid policy document", name="p", policy="x" * 9000)
    assert "policy" in api.update_rest_api(patchOperations=ops("replace /description d"))
    assert "policy" not in api.update_rest_api(patchOperations=ops("replace /policy "))
    gw.delete_rest_api(restApiId=api.id)


def test_rest_api_refused(gw):
    bad(gw.create_rest_api, "PRIVATE is not supported", name="p", endpointConfiguration={"types": ["PRIVATE"]})
    bad(gw.create_rest_api, "VPC endpoints", name="p", endpointConfiguration={"types": ["REGIONAL"], "vpcEndpointIds": ["vpce-1"]})
    bad(gw.create_rest_api, "Only one endpoint type", name="p", endpointConfiguration={"types": ["REGIONAL", "EDGE"]})
    bad(gw.create_rest_api, "Name cannot be empty", name="")
    absent(gw.create_rest_api, f"Invalid API identifier specified {ACCOUNT}:none", name="p", cloneFrom="none")
    code, message = refused(gw.create_rest_api, name="p", apiKeySource="BODY")
    assert code == "ValidationException" and "apiKeySource" in message


def test_positions(gw):
    api = Api(gw)
    made = {api.resource(f"r{i}") for i in range(30)} | {api.root}
    seen, position, pages = set(), None, 0
    while True:
        page = api.get_resources(**({"position": position} if position else {}))
        seen |= {r["id"] for r in page["items"]}
        pages += 1
        position = page.get("position")
        if not position:
            break
    assert seen == made and pages == 2
    assert len(api.get_resources(limit=3)["items"]) == 3
    bad(api.get_resources, "Invalid position parameter", position="x")
    bad(api.get_resources, "between 1 and 500", limit=501)
    bad(api.get_resources, "between 1 and 500", limit=0)
    gw.delete_rest_api(restApiId=api.id)


def test_clone(gw):
    api = Api(gw)
    authorizer = api.create_authorizer(name="t", type="TOKEN", authorizerUri=FUNCTION, identitySource="method.request.header.Auth")["id"]
    validator = api.create_request_validator(name="v", validateRequestBody=True)["id"]
    api.create_model(name="Car", contentType="application/json", schema='{"type": "object"}')
    api.create_model(name="Cars", contentType="application/json", schema=json.dumps(
        {"type": "array", "items": {"$ref": f"https://apigateway.amazonaws.com/restapis/{api.id}/models/Car"}}))
    cars = api.resource("{id}", api.resource("cars"))
    at = api.mock(cars, "POST", authorizationType="CUSTOM", authorizerId=authorizer, requestValidatorId=validator,
                  requestModels={"application/json": "Cars"}, requestParameters={"method.request.path.id": True})
    api.put_method_response(**at, statusCode="200", responseModels={"application/json": "Car"})
    api.put_integration_response(**at, statusCode="200", selectionPattern="")
    copy = Api(gw, cloneFrom=api.id, name="copy")
    assert copy.made["name"] == "copy"
    assert {r["path"] for r in copy.resources()} == {"/", "/cars", "/cars/{id}"}
    there = next(r for r in copy.resources(embed=["methods"]) if r["path"] == "/cars/{id}")
    method = there["resourceMethods"]["POST"]
    assert there["id"] != cars and method["authorizerId"] != authorizer and method["requestValidatorId"] != validator
    assert copy.get_authorizer(authorizerId=method["authorizerId"])["name"] == "t"
    assert copy.get_request_validator(requestValidatorId=method["requestValidatorId"])["validateRequestBody"] is True
    assert method["methodIntegration"]["cacheNamespace"] == there["id"]
    assert method["methodIntegration"]["integrationResponses"]["200"]["statusCode"] == "200"
    assert copy.id in copy.get_model(modelName="Cars")["schema"] and api.id not in copy.get_model(modelName="Cars")["schema"]
    for a in (api, copy):
        gw.delete_rest_api(restApiId=a.id)


# --- resources ------------------------------------------------------------------------------------------

def test_resources(api):
    made = api.create_resource(parentId=api.root, pathPart="cars")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["path"] == "/cars" and made["pathPart"] == "cars" and made["parentId"] == api.root
    cars = made["id"]
    one = api.resource("{id}", cars)
    api.resource("wheels", one)
    assert {r["path"] for r in api.resources()} == {"/", "/cars", "/cars/{id}", "/cars/{id}/wheels"}
    seen = api.update_resource(resourceId=cars, patchOperations=ops("replace /pathPart autos"))
    assert seen["path"] == "/autos"
    assert {r["path"] for r in api.resources()} == {"/", "/autos", "/autos/{id}", "/autos/{id}/wheels"}
    other = api.resource("other")
    assert api.update_resource(resourceId=one, patchOperations=ops(f"replace /parentId {other}"))["path"] == "/other/{id}"
    assert {r["path"] for r in api.resources()} == {"/", "/autos", "/other", "/other/{id}", "/other/{id}/wheels"}
    absent(api.update_resource, "Invalid Resource identifier specified", resourceId=other, patchOperations=ops(f"replace /parentId {one}"))
    assert api.delete_resource(resourceId=other)["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert {r["path"] for r in api.resources()} == {"/", "/autos"}
    absent(api.get_resource, "Invalid Resource identifier specified", resourceId=one)
    assert api.get_resource(resourceId=cars)["path"] == "/autos"


def test_resource_rules(api):
    cars = api.resource("cars")
    assert refused(api.create_resource, parentId=api.root, pathPart="cars") == (
        "ConflictException", "Another resource with the same parent already has this name: cars")
    api.resource("{id}")
    bad(api.create_resource, "A sibling ({id}) of this resource already has a variable path part -- only one is allowed",
        parentId=api.root, pathPart="{name}")
    bad(api.create_resource, "A sibling ({id})", parentId=api.root, pathPart="{proxy+}")
    proxy = api.resource("{proxy+}", cars)
    bad(api.create_resource, "greedy path variable: {proxy+}", parentId=proxy, pathPart="x")
    for part in ("", "a b", "{", "{}", "{+}", "a/b", "{a", "a}", "ä", "a?"):
        bad(api.create_resource, "Resource's path part only allow", parentId=cars, pathPart=part)
    absent(api.create_resource, "Invalid Resource identifier specified", parentId=NOT_HERE, pathPart="x")
    bad(api.delete_resource, "Root resource cannot be deleted", resourceId=api.root)
    bad(api.update_resource, "Root resource cannot be updated", resourceId=api.root, patchOperations=ops("replace /pathPart x"))
    conflict(api.update_resource, "already has this name", resourceId=proxy, patchOperations=ops(f"replace /parentId {api.root}", "replace /pathPart cars"))
    bad(api.create_resource, "at most 1600 characters", parentId=cars, pathPart="a" * 1600)


def test_embed(api):
    api.mock(verb="GET")
    plain = next(r for r in api.resources() if r["path"] == "/")
    assert plain["resourceMethods"] == {"GET": {}}
    full = next(r for r in api.resources(embed=["methods"]) if r["path"] == "/")
    assert full["resourceMethods"]["GET"]["methodIntegration"]["type"] == "MOCK"
    assert api.get_resource(resourceId=api.root, embed=["methods"])["resourceMethods"] == full["resourceMethods"]
    assert api.get_resource(resourceId=api.root)["resourceMethods"] == {"GET": {}}


# --- methods --------------------------------------------------------------------------------------------

def test_methods(api):
    made = api.put_method(resourceId=api.root, httpMethod="POST", authorizationType="AWS_IAM", apiKeyRequired=True, operationName="op",
                          requestParameters={"method.request.header.A": True}, requestModels={"application/json": "Empty"})
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert body(made) == {"httpMethod": "POST", "authorizationType": "AWS_IAM", "apiKeyRequired": True, "operationName": "op",
                          "requestParameters": {"method.request.header.A": True}, "requestModels": {"application/json": "Empty"}}
    at = {"resourceId": api.root, "httpMethod": "POST"}
    assert body(api.get_method(**at)) == body(made)
    conflict(api.put_method, "Method already exists for this resource", **at, authorizationType="NONE")
    validator = api.create_request_validator(name="v")["id"]
    seen = api.update_method(**at, patchOperations=ops(
        "replace /authorizationType NONE", "replace /apiKeyRequired false", f"replace /requestValidatorId {validator}",
        "add /requestParameters/method.request.querystring.q false", "remove /requestParameters/method.request.header.A",
        "replace /requestModels/application~1json Error", "add /requestModels/text~1plain Empty", "replace /operationName o"))
    assert seen["authorizationType"] == "NONE" and seen["apiKeyRequired"] is False and seen["requestValidatorId"] == validator
    assert seen["requestParameters"] == {"method.request.querystring.q": False} and seen["operationName"] == "o"
    assert seen["requestModels"] == {"application/json": "Error", "text/plain": "Empty"}
    bad(api.update_method, "Invalid patch path", **at, patchOperations=ops("replace /httpMethod GET"))
    absent(api.update_method, "Invalid parameter name specified", **at, patchOperations=ops("remove /requestParameters/method.request.path.x"))
    assert api.delete_method(**at)["ResponseMetadata"]["HTTPStatusCode"] == 204
    for call in (api.get_method, api.delete_method, api.update_method):
        absent(call, "Invalid Method identifier specified", **at)
    absent(api.get_method, "Invalid Resource identifier specified", resourceId=NOT_HERE, httpMethod="GET")


def test_method_rules(api):
    at = {"resourceId": api.root, "httpMethod": "GET"}
    bad(api.put_method, "Invalid HttpMethod specified", resourceId=api.root, httpMethod="BREW", authorizationType="NONE")
    bad(api.put_method, "Invalid Authorization type", **at, authorizationType="SOME")
    bad(api.put_method, "Invalid authorizer ID specified", **at, authorizationType="CUSTOM")
    bad(api.put_method, "Invalid authorizer ID specified", **at, authorizationType="CUSTOM", authorizerId=NOT_HERE)
    pool = api.create_authorizer(name="p", type="COGNITO_USER_POOLS", identitySource="method.request.header.Authorization",
                                 providerARNs=[f"arn:aws:cognito-idp:us-east-1:{ACCOUNT}:userpool/us-east-1_x"])["id"]
    bad(api.put_method, "Invalid authorizer ID specified", **at, authorizationType="CUSTOM", authorizerId=pool)
    bad(api.put_method, "Invalid Request Validator identifier", **at, authorizationType="NONE", requestValidatorId=NOT_HERE)
    bad(api.put_method, "Invalid model identifier specified: None", **at, authorizationType="NONE", requestModels={"application/json": "None"})
    bad(api.put_method, "[Invalid mapping expression parameter specified: method.request.body.a]", **at, authorizationType="NONE",
        requestParameters={"method.request.body.a": True})
    api.put_method(**at, authorizationType="COGNITO_USER_POOLS", authorizerId=pool, authorizationScopes=["a/b"])
    assert api.update_method(**at, patchOperations=ops("add /authorizationScopes c/d", "remove /authorizationScopes a/b"))["authorizationScopes"] == ["c/d"]
    bad(api.update_method, "Must be a boolean", **at, patchOperations=ops("replace /apiKeyRequired maybe"))
    conflict(api.delete_authorizer, "is referenced in method", authorizerId=pool)


def test_method_responses(api):
    at = api.method()
    made = api.put_method_response(**at, statusCode="200", responseParameters={"method.response.header.A": True},
                                   responseModels={"application/json": "Empty"})
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert body(made) == {"statusCode": "200", "responseParameters": {"method.response.header.A": True}, "responseModels": {"application/json": "Empty"}}
    assert body(api.get_method_response(**at, statusCode="200")) == body(made)
    assert api.get_method(**at)["methodResponses"] == {"200": body(made)}
    conflict(api.put_method_response, "Response already exists for this resource", **at, statusCode="200")
    seen = api.update_method_response(**at, statusCode="200", patchOperations=ops(
        "add /responseParameters/method.response.header.B false", "remove /responseModels/application~1json"))
    assert seen["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert seen["responseParameters"] == {"method.response.header.A": True, "method.response.header.B": False}
    bad(api.put_method_response, "Invalid mapping expression parameter specified: x", **at, statusCode="400", responseParameters={"x": True})
    bad(api.put_method_response, "Invalid model identifier specified: None", **at, statusCode="400", responseModels={"a/b": "None"})
    bad(api.update_method_response, "Invalid patch path", **at, statusCode="200", patchOperations=ops("replace /statusCode 201"))
    assert refused(api.put_method_response, **at, statusCode="600")[0] == "ValidationException"
    assert api.delete_method_response(**at, statusCode="200")["ResponseMetadata"]["HTTPStatusCode"] == 204
    for call in (api.get_method_response, api.update_method_response, api.delete_method_response):
        absent(call, "Invalid Response status code specified", **at, statusCode="200")


# --- integrations ---------------------------------------------------------------------------------------

def test_integrations(api):
    at = api.method(verb="POST", requestParameters={"method.request.header.A": True})
    absent(api.get_integration, "Invalid Integration identifier specified", **at)
    made = api.put_integration(**at, type="AWS", integrationHttpMethod="POST", uri=DYNAMODB, credentials=ROLE,
                               requestParameters={"integration.request.header.X": "method.request.header.A", "integration.request.querystring.s": "'s'"},
                               requestTemplates={"application/json": "{}"}, passthroughBehavior="NEVER", timeoutInMillis=50,
                               contentHandling="CONVERT_TO_TEXT", cacheKeyParameters=["method.request.header.A"], cacheNamespace="n")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert body(made) == {
        "type": "AWS", "httpMethod": "POST", "uri": DYNAMODB, "credentials": ROLE, "requestTemplates": {"application/json": "{}"},
        "requestParameters": {"integration.request.header.X": "method.request.header.A", "integration.request.querystring.s": "'s'"},
        "passthroughBehavior": "NEVER", "timeoutInMillis": 50, "contentHandling": "CONVERT_TO_TEXT",
        "cacheKeyParameters": ["method.request.header.A"], "cacheNamespace": "n"}
    assert body(api.get_integration(**at)) == body(made) == api.get_method(**at)["methodIntegration"]
    seen = api.update_integration(**at, patchOperations=ops(
        "replace /requestTemplates/application~1json {\"a\": 1}", "add /requestTemplates/text~1plain x", "replace /timeoutInMillis 29000",
        "replace /passthroughBehavior WHEN_NO_TEMPLATES", "remove /requestParameters/integration.request.header.X",
        "remove /cacheKeyParameters/method.request.header.A", "add /cacheKeyParameters/method.request.querystring.q",
        "replace /contentHandling ", "replace /cacheNamespace m", "replace /uri arn:aws:apigateway:us-east-1:dynamodb:action/GetItem",
        "replace /credentials arn:aws:iam::*:user/*"))
    assert seen["requestTemplates"] == {"application/json": '{"a": 1}', "text/plain": "x"} and seen["timeoutInMillis"] == 29000
    assert seen["passthroughBehavior"] == "WHEN_NO_TEMPLATES" and seen["requestParameters"] == {"integration.request.querystring.s": "'s'"}
    assert seen["cacheKeyParameters"] == ["method.request.querystring.q"] and "contentHandling" not in seen
    assert seen["uri"].endswith("GetItem") and seen["credentials"] == "arn:aws:iam::*:user/*"
    assert api.delete_integration(**at)["ResponseMetadata"]["HTTPStatusCode"] == 204
    for call in (api.get_integration, api.update_integration, api.delete_integration):
        absent(call, "Invalid Integration identifier specified", **at)
    absent(api.put_integration, "Invalid Method identifier specified", resourceId=api.root, httpMethod="PUT", type="MOCK")


def test_integration_defaults(api):
    at = api.method(requestParameters={"method.request.path.p": True})
    made = api.put_integration(**at, type="HTTP_PROXY", integrationHttpMethod="GET", uri="https://example.com/{p}",
                               requestParameters={"integration.request.path.p": "method.request.path.p"})
    assert made["passthroughBehavior"] == "WHEN_NO_MATCH" and made["timeoutInMillis"] == 29000
    assert made["cacheNamespace"] == api.root and made["cacheKeyParameters"] == []


@pytest.mark.parametrize("asked, part", [
    ({"type": "HTTP"}, "Enumeration value for HttpMethod must be non-empty"),
    ({"type": "HTTP", "integrationHttpMethod": "GET"}, "Invalid HTTP endpoint specified for URI"),
    ({"type": "HTTP", "integrationHttpMethod": "GET", "uri": "ftp://a"}, "Invalid HTTP endpoint specified for URI"),
    ({"type": "AWS_PROXY", "integrationHttpMethod": "POST"}, "Invalid ARN specified in the request"),
    ({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"}, "Invalid ARN specified"),
    ({"type": "AWS", "integrationHttpMethod": "POST", "uri": "arn:aws:apigateway:us-east-1:dynamodb:x/PutItem"}, "must contain path or action"),
    ({"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": DYNAMODB}, "currently only supports Lambda function"),
    ({"type": "AWS", "integrationHttpMethod": "POST", "uri": DYNAMODB}, "Role ARN must be specified for AWS integrations"),
    ({"type": "AWS", "integrationHttpMethod": "POST", "uri": DYNAMODB, "credentials": "x"}, "Invalid ARN specified in the request"),
    ({"type": "AWS", "integrationHttpMethod": "POST", "uri": "arn:aws:apigateway:us-east-1:states:action/StartExecution", "credentials": ROLE},
     "Integrations with the service 'states' are not supported"),
    ({"type": "MOCK", "timeoutInMillis": 49}, "Timeout should be between 50 ms and 29000 ms"),
    ({"type": "MOCK", "timeoutInMillis": 29001}, "Timeout should be between 50 ms and 29000 ms"),
    ({"type": "MOCK", "passthroughBehavior": "SOMETIMES"}, "Invalid passthroughBehavior"),
    ({"type": "MOCK", "connectionType": "VPC_LINK", "connectionId": "x"}, "VPC links are not supported"),
    ({"type": "MOCK", "connectionId": "x"}, "VPC links are not supported"),
    ({"type": "MOCK", "requestParameters": {"integration.request.header.X": "method.request.header.Undeclared"}},
     "errors : [Invalid mapping expression specified: method.request.header.Undeclared]"),
    ({"type": "MOCK", "requestParameters": {"x": "'y'"}}, "errors : [Invalid mapping expression parameter specified: x]"),
    ({"type": "MOCK", "cacheKeyParameters": ["x"]}, "errors : [Invalid mapping expression parameter specified: x]"),
    ({"type": "MOCK", "requestTemplates": {"a/b": "x" * (300 * 1024 + 1)}}, "at most 307200 bytes"),
])
def test_integration_rules(api, asked, part):
    bad(api.put_integration, part, **api.method(), **asked)


def test_integration_rules_hold_for_patches(api):
    at = api.mock()
    for op, part in [("replace /timeoutInMillis 1", "Timeout should be"), ("replace /type HTTP", "HttpMethod must be non-empty"),
                     ("replace /contentHandling X", "Invalid contentHandling"), ("replace /connectionType VPC_LINK", "VPC links"),
                     ("add /requestParameters/x 'y'", "expression parameter specified: x"), ("replace /connectionId x", "VPC links"),
                     ("replace /tlsConfig/insecureSkipVerification x", "Must be a boolean"), ("replace /responseTransferMode STREAM", "STREAM")]:
        bad(api.update_integration, part, **at, patchOperations=ops(op))
    assert api.update_integration(**at, patchOperations=ops("replace /tlsConfig/insecureSkipVerification true"))["tlsConfig"] == {
        "insecureSkipVerification": True}


def test_integration_responses(api):
    at = api.mock()
    absent(api.put_integration_response, "Invalid Response status code specified", **at, statusCode="200")
    api.put_method_response(**at, statusCode="200", responseParameters={"method.response.header.A": True})
    made = api.put_integration_response(**at, statusCode="200", selectionPattern="2..", responseTemplates={"application/json": ""},
                                        responseParameters={"method.response.header.A": "integration.response.body.a[0]"},
                                        contentHandling="CONVERT_TO_BINARY")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert body(made) == {"statusCode": "200", "selectionPattern": "2..", "responseTemplates": {"application/json": ""},
                          "responseParameters": {"method.response.header.A": "integration.response.body.a[0]"}, "contentHandling": "CONVERT_TO_BINARY"}
    assert body(api.get_integration_response(**at, statusCode="200")) == body(made)
    assert api.get_integration(**at)["integrationResponses"] == {"200": body(made)}
    seen = api.update_integration_response(**at, statusCode="200", patchOperations=ops(
        "replace /selectionPattern x", "remove /contentHandling", "replace /responseParameters/method.response.header.A 'a'",
        "add /responseTemplates/a~0b y"))
    assert seen["selectionPattern"] == "x" and "contentHandling" not in seen
    assert seen["responseParameters"] == {"method.response.header.A": "'a'"} and seen["responseTemplates"] == {"application/json": "", "a~b": "y"}
    bad(api.put_integration_response, "Invalid mapping expression parameter specified: method.response.header.B", **at, statusCode="200",
        responseParameters={"method.response.header.B": "'a'"})
    bad(api.update_integration_response, "Invalid mapping expression specified: b", **at, statusCode="200",
        patchOperations=ops("replace /responseParameters/method.response.header.A b"))
    bad(api.update_integration_response, "Invalid contentHandling", **at, statusCode="200", patchOperations=ops("replace /contentHandling b"))
    assert api.delete_integration_response(**at, statusCode="200")["ResponseMetadata"]["HTTPStatusCode"] == 204
    for call in (api.get_integration_response, api.update_integration_response, api.delete_integration_response):
        absent(call, "Invalid Response status code specified", **at, statusCode="200")
    absent(api.put_integration_response, "Invalid Integration identifier specified", **api.method(verb="PUT"), statusCode="200")


# --- models, validators, authorizers --------------------------------------------------------------------

def test_models(api):
    made = api.create_model(name="Car", description="d", contentType="application/json", schema='{"type": "object", "properties": {"a": {"type": "string"}}}')
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201 and made["id"] and made["name"] == "Car"
    assert body(api.get_model(modelName="Car")) == body(made)
    assert body(made) in api.get_models()["items"]
    conflict(api.create_model, "Model name already exists for this REST API", name="Car", contentType="application/json", schema="{}")
    assert api.update_model(modelName="Car", patchOperations=ops('replace /schema {"type": "string"}', "replace /description e"))["description"] == "e"
    bad(api.update_model, "Invalid patch path  '/name' specified for op 'replace'. Must be one of: [/description, /schema]",
        modelName="Car", patchOperations=ops("replace /name x"))
    bad(api.update_model, "Invalid model schema specified", modelName="Car", patchOperations=ops("replace /schema {"))
    assert api.delete_model(modelName="Car")["ResponseMetadata"]["HTTPStatusCode"] == 202
    for call in (api.get_model, api.update_model, api.delete_model, api.get_model_template):
        absent(call, "Invalid model name specified: Car", modelName="Car")


@pytest.mark.parametrize("asked, part", [
    ({"name": "a b"}, "Model name must be alphanumeric: a b"), ({"schema": "{"}, "Invalid model schema specified"),
    ({"schema": ""}, "at least 1 property"), ({"schema": '{"type": "thing"}'}, "Invalid model schema specified"),
    ({"schema": '{"$ref": "https://apigateway.amazonaws.com/restapis/x/models/None"}'}, "Invalid model schema specified"),
    ({"schema": json.dumps({"description": "x" * 400 * 1024})}, "at most 409600 bytes")])
def test_model_rules(api, asked, part):
    bad(api.create_model, part, **{"name": "M", "contentType": "application/json", "schema": "{}", **asked})


def test_models_in_use(api):
    api.create_model(name="A", contentType="application/json", schema="{}")
    api.create_model(name="B", contentType="application/json", schema=json.dumps(
        {"$ref": f"https://apigateway.amazonaws.com/restapis/{api.id}/models/A"}))
    conflict(api.delete_model, "is referenced in model 'B'", modelName="A")
    at = api.method(requestModels={"application/json": "B"})
    conflict(api.delete_model, "is referenced in method request", modelName="B")
    api.put_method_response(**at, statusCode="200", responseModels={"application/json": "Error"})
    conflict(api.delete_model, "is referenced in method response", modelName="Error")
    bad(api.get_model, "Flattened models are not supported", modelName="B", flatten=True)


def test_model_template(api):
    api.create_model(name="T", contentType="application/json", schema=json.dumps({
        "type": "object", "properties": {"name": {"type": "string"}, "n": {"type": "integer"},
                                         "list": {"type": "array", "items": {"type": "string"}}}}))
    template = api.get_model_template(modelName="T")["value"]
    assert template.startswith("#set($inputRoot = $input.path('$'))\n{\n")
    assert '"name" : "$inputRoot.name"' in template and '"n" : $inputRoot.n' in template
    assert "#foreach($elem1 in $inputRoot.list)" in template and '"$elem1"#if($foreach.hasNext),#end' in template


def test_request_validators(api):
    made = api.create_request_validator(name="v", validateRequestBody=True)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert {k: made[k] for k in ("name", "validateRequestBody", "validateRequestParameters")} == {
        "name": "v", "validateRequestBody": True, "validateRequestParameters": False}
    one = {"requestValidatorId": made["id"]}
    assert body(api.get_request_validator(**one)) == body(made) and api.get_request_validators()["items"] == [body(made)]
    seen = api.update_request_validator(**one, patchOperations=ops("replace /name w", "replace /validateRequestParameters true"))
    assert seen["name"] == "w" and seen["validateRequestParameters"] is True
    bad(api.update_request_validator, "Must be a boolean", **one, patchOperations=ops("replace /validateRequestBody 1"))
    api.method(requestValidatorId=made["id"])
    conflict(api.delete_request_validator, "is referenced in method", **one)
    api.delete_method(resourceId=api.root, httpMethod="GET")
    assert api.delete_request_validator(**one)["ResponseMetadata"]["HTTPStatusCode"] == 202
    for call in (api.get_request_validator, api.update_request_validator, api.delete_request_validator):
        absent(call, "Invalid Request Validator identifier specified", **one)


def test_authorizers(api):
    made = api.create_authorizer(name="t", type="TOKEN", authorizerUri=FUNCTION, identitySource="method.request.header.Auth",
                                 identityValidationExpression="^a$", authorizerCredentials=ROLE)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["authType"] == "custom" and made["authorizerResultTtlInSeconds"] == 300
    one = {"authorizerId": made["id"]}
    assert body(api.get_authorizer(**one)) == body(made) and api.get_authorizers()["items"] == [body(made)]
    seen = api.update_authorizer(**one, patchOperations=ops(
        "replace /name u", "replace /authorizerResultTtlInSeconds 0", "replace /type REQUEST",
        "replace /identitySource method.request.header.A, context.stage", "replace /identityValidationExpression "))
    assert seen["name"] == "u" and seen["authorizerResultTtlInSeconds"] == 0 and seen["type"] == "REQUEST"
    assert "identityValidationExpression" not in seen
    pool = f"arn:aws:cognito-idp:us-east-1:{ACCOUNT}:userpool/us-east-1_"
    other = api.create_authorizer(name="p", type="COGNITO_USER_POOLS", providerARNs=[pool + "a"], identitySource="method.request.header.A")
    assert other["authType"] == "cognito_user_pools"
    assert api.update_authorizer(authorizerId=other["id"], patchOperations=ops(f"add /providerARNs {pool}b", f"remove /providerARNs {pool}a"))[
        "providerARNs"] == [pool + "b"]
    conflict(api.create_authorizer, "Authorizer name must be unique", name="p", type="TOKEN", authorizerUri=FUNCTION,
             identitySource="method.request.header.A")
    assert api.delete_authorizer(**one)["ResponseMetadata"]["HTTPStatusCode"] == 202
    for call in (api.get_authorizer, api.update_authorizer, api.delete_authorizer):
        absent(call, "Invalid Authorizer identifier specified", **one)


@pytest.mark.parametrize("asked, part", [
    ({"authorizerUri": "x"}, "Invalid Authorizer URI: x"), ({"authorizerUri": None}, "Invalid Authorizer URI"),
    ({"identitySource": None}, "Identity source is required"), ({"identitySource": "method.request.querystring.a"}, "Invalid identity source"),
    ({"identitySource": "method.request.header.A,method.request.header.B"}, "Invalid identity source"),
    ({"authorizerResultTtlInSeconds": 3601}, "between 0 and 3600"), ({"authorizerResultTtlInSeconds": -1}, "between 0 and 3600"),
    ({"authorizerCredentials": "x"}, "Invalid ARN specified"), ({"name": ""}, "Authorizer name cannot be empty"),
    ({"type": "COGNITO_USER_POOLS"}, "needs provider ARNs"), ({"type": "COGNITO_USER_POOLS", "providerARNs": ["x"]}, "Invalid ARN")])
def test_authorizer_rules(api, asked, part):
    whole = {"name": "a", "type": "TOKEN", "authorizerUri": FUNCTION, "identitySource": "method.request.header.A", **asked}
    bad(api.create_authorizer, part, **{k: v for k, v in whole.items() if v is not None})


def test_authorizer_limit(api):
    for i in range(10):
        api.create_authorizer(name=f"a{i}", type="REQUEST", authorizerUri=FUNCTION, authorizerResultTtlInSeconds=0)
    assert refused(api.create_authorizer, name="more", type="REQUEST", authorizerUri=FUNCTION, authorizerResultTtlInSeconds=0)[0] == "LimitExceededException"


# --- deployments and stages -----------------------------------------------------------------------------

def test_deployments(api):
    bad(api.create_deployment, "The REST API doesn't contain any methods")
    at = api.method()
    bad(api.create_deployment, "No integration defined for method")
    api.put_integration(**at, type="MOCK")
    made = api.create_deployment(description="d")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201 and made["id"] and made["description"] == "d" and made["createdDate"]
    one = {"deploymentId": made["id"]}
    assert body(api.get_deployment(**one)) == body(made) and api.get_deployments()["items"] == [body(made)]
    api.mock(verb="PUT")  # is not in what was deployed
    assert api.get_deployment(**one, embed=["apisummary"])["apiSummary"] == {"/": {"GET": {"authorizationType": "NONE", "apiKeyRequired": False}}}
    assert api.update_deployment(**one, patchOperations=ops("replace /description e"))["description"] == "e"
    bad(api.update_deployment, "Invalid patch path", **one, patchOperations=ops("replace /id e"))
    api.create_stage(stageName="s", **one)
    bad(api.delete_deployment, "Active stages pointing to this deployment must be moved or deleted", **one)
    api.delete_stage(stageName="s")
    assert api.delete_deployment(**one)["ResponseMetadata"]["HTTPStatusCode"] == 202
    for call in (api.get_deployment, api.update_deployment, api.delete_deployment):
        absent(call, "Invalid Deployment identifier specified", **one)


def test_deployment_with_stage(api):
    api.mock()
    first = api.create_deployment(stageName="prod", stageDescription="s", variables={"a": "b"}, cacheClusterEnabled=True, tracingEnabled=True)["id"]
    stage = api.get_stage(stageName="prod")
    assert stage["deploymentId"] == first and stage["description"] == "s" and stage["variables"] == {"a": "b"}
    assert stage["cacheClusterEnabled"] is True and stage["cacheClusterSize"] == "0.5" and stage["tracingEnabled"] is True
    second = api.create_deployment(stageName="prod")["id"]
    again = api.get_stage(stageName="prod")
    assert again["deploymentId"] == second and again["variables"] == {"a": "b"}
    bad(api.create_deployment, "Stage name only allows", stageName="a b")
    bad(api.create_deployment, "Canary deployments are not supported", stageName="prod", canarySettings={"percentTraffic": 1.0})


def test_stages(api):
    api.mock()
    deployment = api.create_deployment()["id"]
    made = api.create_stage(stageName="prod", deploymentId=deployment, description="d", variables={"url": "https://a.b/c?d=e"}, tags={"k": "v"})
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert {k: made[k] for k in ("stageName", "deploymentId", "description", "variables", "tags", "cacheClusterEnabled", "cacheClusterStatus",
                                 "tracingEnabled", "methodSettings")} == {
        "stageName": "prod", "deploymentId": deployment, "description": "d", "variables": {"url": "https://a.b/c?d=e"}, "tags": {"k": "v"},
        "cacheClusterEnabled": False, "cacheClusterStatus": "NOT_AVAILABLE", "tracingEnabled": False, "methodSettings": {}}
    assert body(api.get_stage(stageName="prod")) == body(made)
    assert api.get_stages()["item"] == [body(made)] == api.get_stages(deploymentId=deployment)["item"]
    assert api.get_stages(deploymentId=NOT_HERE)["item"] == []
    conflict(api.create_stage, "Stage already exists", stageName="prod", deploymentId=deployment)
    bad(api.create_stage, "Deployment id does not exist", stageName="other", deploymentId=NOT_HERE)
    bad(api.create_stage, "Stage name only allows", stageName="a.b", deploymentId=deployment)
    bad(api.create_stage, "Invalid stage variable value: {}", stageName="x", deploymentId=deployment, variables={"a": "{}"})
    bad(api.create_stage, "Stage variable names", stageName="x", deploymentId=deployment, variables={"a-b": "c"})
    bad(api.create_stage, "Canary", stageName="x", deploymentId=deployment, canarySettings={"percentTraffic": 1.0})
    bad(api.create_stage, "Documentation versions", stageName="x", deploymentId=deployment, documentationVersion="1")
    assert api.delete_stage(stageName="prod")["ResponseMetadata"]["HTTPStatusCode"] == 202
    for call in (api.get_stage, api.update_stage, api.delete_stage, api.flush_stage_cache, api.flush_stage_authorizers_cache):
        absent(call, "Invalid stage identifier specified", stageName="prod")
    assert "tags" not in api.create_stage(stageName="prod", deploymentId=deployment)
    for i in range(9):
        api.create_stage(stageName=f"s{i}", deploymentId=deployment)
    assert refused(api.create_stage, stageName="more", deploymentId=deployment)[0] == "LimitExceededException"


@pytest.fixture(scope="module")
def logs_role(weir, gw):
    """The account's role, without which no log is turned on."""
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    role = weir.client("iam").create_role(RoleName="gw-logs", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    account = lambda value: gw.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": value}])
    account(role)
    yield account
    account("")


def test_logs_need_a_role(logs_role, api):
    api.mock()
    api.create_deployment(stageName="s")
    role = api.gw.get_account()["cloudwatchRoleArn"]
    destination = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:g"
    logs_role("")
    for op in ("/*/*/logging/loglevel ERROR", "/~1a/GET/logging/loglevel INFO", f"/accessLogSettings/destinationArn {destination}"):
        assert refused(api.update_stage, stageName="s", patchOperations=ops("replace " + op)) == (
            "BadRequestException", "CloudWatch Logs role ARN must be set in account settings to enable logging")
    assert "accessLogSettings" not in api.get_stage(stageName="s") and not api.get_stage(stageName="s")["methodSettings"]
    api.update_stage(stageName="s", patchOperations=ops("replace /*/*/logging/loglevel OFF", "remove /accessLogSettings"))
    logs_role(role)
    api.update_stage(stageName="s", patchOperations=ops("replace /*/*/logging/loglevel ERROR"))


def test_stage_patches(logs_role, api):
    api.mock()
    first, second = api.create_deployment(stageName="s")["id"], api.create_deployment()["id"]
    group = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:g"
    seen = api.update_stage(stageName="s", patchOperations=ops(
        "replace /variables/a b", "add /variables/c d", f"replace /deploymentId {second}", "replace /description e", "replace /tracingEnabled true",
        "replace /cacheClusterEnabled true", "replace /cacheClusterSize 1.6", f"replace /accessLogSettings/destinationArn {group}:*",
        "replace /accessLogSettings/format $context.requestId"))
    assert seen["variables"] == {"a": "b", "c": "d"} and seen["deploymentId"] == second and seen["description"] == "e"
    assert seen["tracingEnabled"] is True and seen["cacheClusterStatus"] == "AVAILABLE" and seen["cacheClusterSize"] == "1.6"
    assert seen["accessLogSettings"] == {"destinationArn": group, "format": "$context.requestId"}
    seen = api.update_stage(stageName="s", patchOperations=ops("remove /variables/a", "remove /accessLogSettings", "remove /canarySettings"))
    assert seen["variables"] == {"c": "d"} and "accessLogSettings" not in seen
    for op, part in [(f"replace /deploymentId {NOT_HERE}", "Deployment id does not exist"), ("replace /canarySettings/percentTraffic 1", "Canary"),
                     ("replace /documentationVersion 1", "Documentation versions"), ("replace /clientCertificateId x", "Client certificates"),
                     ("replace /accessLogSettings/destinationArn arn:aws:firehose:us-east-1:1:deliverystream/x", "Invalid ARN"),
                     ("replace /cacheClusterSize 3", "one of: [0.5 "), ("replace /variables/a {", "Invalid stage variable value"),
                     ("replace /stageName x", "Invalid patch path")]:
        bad(api.update_stage, part, stageName="s", patchOperations=ops(op))
    assert first != second
    assert api.flush_stage_cache(stageName="s")["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert api.flush_stage_authorizers_cache(stageName="s")["ResponseMetadata"]["HTTPStatusCode"] == 202


def test_method_settings(logs_role, api):
    api.mock()
    api.create_deployment(stageName="s")
    seen = api.update_stage(stageName="s", patchOperations=ops(
        "replace /*/*/throttling/burstLimit 200", "replace /*/*/throttling/rateLimit 100.5", "replace /~1cars/POST/logging/loglevel INFO",
        "replace /~1cars/POST/logging/dataTrace true", "replace /cars/GET/metrics/enabled true", "replace /cars/GET/caching/ttlInSeconds 60",
        "replace /cars/GET/caching/enabled true", "replace /cars/GET/caching/dataEncrypted true",
        "replace /cars/GET/caching/requireAuthorizationForCacheControl false",
        "replace /cars/GET/caching/unauthorizedCacheControlHeaderStrategy FAIL_WITH_403"))["methodSettings"]
    assert seen["*/*"]["throttlingBurstLimit"] == 200 and seen["*/*"]["throttlingRateLimit"] == 100.5 and seen["*/*"]["loggingLevel"] == "OFF"
    assert seen["~1cars/POST"]["loggingLevel"] == "INFO" and seen["~1cars/POST"]["dataTraceEnabled"] is True
    assert seen["cars/GET"] == {
        "metricsEnabled": True, "loggingLevel": "OFF", "dataTraceEnabled": False, "throttlingBurstLimit": 5000, "throttlingRateLimit": 10000.0,
        "cachingEnabled": True, "cacheTtlInSeconds": 60, "cacheDataEncrypted": True, "requireAuthorizationForCacheControl": False,
        "unauthorizedCacheControlHeaderStrategy": "FAIL_WITH_403"}
    assert set(api.update_stage(stageName="s", patchOperations=ops("remove /cars/GET"))["methodSettings"]) == {"*/*", "~1cars/POST"}
    for op, part in [("replace /*/*/logging/loglevel LOUD", "OFF ERROR INFO"), ("replace /*/*/throttling/burstLimit x", "whole number"),
                     ("replace /*/*/throttling/rateLimit -2", "must not be negative"), ("replace /*/*/caching/ttlInSeconds 3601", "between 0 and 3600"),
                     ("replace /*/*/caching/size 1", "Invalid patch path"), ("replace /*/* 1", "Invalid patch path")]:
        bad(api.update_stage, part, stageName="s", patchOperations=ops(op))


# --- permissions ----------------------------------------------------------------------------------------

def test_roles_must_be_passed(weir, api):
    """Who may use API Gateway, but not pass the role, cannot have it use the role."""
    iam = weir.client("iam")
    iam.create_user(UserName="maker")
    iam.put_user_policy(UserName="maker", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "apigateway:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": ROLE + "-mine", "Condition": {
            "StringEquals": {"iam:PassedToService": "apigateway.amazonaws.com"}}}]}))
    key = iam.create_access_key(UserName="maker")["AccessKey"]
    theirs = weir.client("apigateway", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    at = {"restApiId": api.id, **api.method()}
    aws = {"type": "AWS", "integrationHttpMethod": "POST", "uri": DYNAMODB}
    token = {"restApiId": api.id, "name": "t", "type": "TOKEN", "authorizerUri": FUNCTION, "identitySource": "method.request.header.A"}
    assert refused(theirs.put_integration, **at, **aws, credentials=ROLE)[0] == "AccessDeniedException"
    theirs.put_integration(**at, **aws, credentials=ROLE + "-mine")
    theirs.update_integration(**at, patchOperations=ops("replace /credentials arn:aws:iam::*:user/*"))
    assert refused(theirs.update_integration, **at, patchOperations=ops(f"replace /credentials {ROLE}"))[0] == "AccessDeniedException"
    assert refused(theirs.create_authorizer, **token, authorizerCredentials=ROLE)[0] == "AccessDeniedException"
    made = theirs.create_authorizer(**token, authorizerCredentials=ROLE + "-mine")["id"]
    assert refused(theirs.update_authorizer, restApiId=api.id, authorizerId=made, patchOperations=ops(f"replace /authorizerCredentials {ROLE}"))[
        0] == "AccessDeniedException"


def test_permissions_are_of_paths(weir, api):
    iam = weir.client("iam")
    iam.create_user(UserName="reader")
    iam.put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "apigateway:GET", "Resource": f"arn:aws:apigateway:us-east-1::/restapis/{api.id}/models/Empty"}]}))
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    theirs = weir.client("apigateway", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert theirs.get_model(restApiId=api.id, modelName="Empty")["name"] == "Empty"
    code, message = refused(theirs.get_model, restApiId=api.id, modelName="Error")
    assert code == "AccessDeniedException"
    assert f"is not authorized to perform: apigateway:GET on resource: arn:aws:apigateway:us-east-1::/restapis/{api.id}/models/Error" in message


# --- what is not there ----------------------------------------------------------------------------------

def test_second_version_is_refused(weir):
    """HTTP and WebSocket APIs, which clients sign for like REST APIs."""
    v2 = weir.client("apigatewayv2")
    for call, asked in ((v2.get_apis, {}), (v2.create_api, {"Name": "a", "ProtocolType": "HTTP"})):
        code, message = refused(call, **asked)
        assert code == "UnknownOperationException" and "AmazonApiGatewayV2 is not there" in message


def test_operations_not_there(gw):
    for call, asked in ((gw.get_vpc_links, {}), (gw.get_client_certificates, {}), (gw.get_sdk_types, {}),
                        (gw.get_documentation_parts, {"restApiId": "a"})):
        code, message = refused(call, **asked)
        assert code == "UnknownOperationException" and "is not supported by Weir" in message
