"""REST APIs for tests: made of a description by boto3, asked with bytes."""
import http.client
import json
import socket

OPEN = {"responseModels": {}}


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        self.text = body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)


class Api:
    """An API that grows by method(), and is asked once it is deployed."""

    def __init__(self, weir, name="test", **kw):
        self.weir = weir
        self.gw = weir.client("apigateway")
        self.id = self.gw.create_rest_api(name=name, **kw)["id"]
        self.resources = {"/": self.gw.get_resources(restApiId=self.id)["items"][0]["id"]}
        self.stage = None

    def resource(self, path):
        if path not in self.resources:
            parent, part = path.rsplit("/", 1)
            self.resources[path] = self.gw.create_resource(
                restApiId=self.id, parentId=self.resource(parent or "/"), pathPart=part)["id"]
        return self.resources[path]

    def method(self, verb, path, integration, responses=None, **kw):
        """`responses`: integration responses by status, each with its method response made of what it maps."""
        where = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": verb}
        kw.setdefault("authorizationType", "NONE")
        self.gw.put_method(**where, **kw)
        self.gw.put_integration(**where, **integration)
        for status, response in (responses or {}).items():
            named = {name: False for name in response.get("responseParameters", {})}
            self.gw.put_method_response(**where, statusCode=status, responseParameters=named)
            self.gw.put_integration_response(**where, statusCode=status, **response)
        return self

    def mock(self, verb, path, status=200, template='{"statusCode": 200}', **kw):
        """Of both the method and its integration response."""
        of_method = {k: kw.pop(k) for k in ("authorizationType", "authorizerId", "apiKeyRequired") if k in kw}
        integration = {"type": "MOCK", "requestTemplates": {"application/json": template}}
        return self.method(verb, path, integration, {str(status): kw}, **of_method)

    def deploy(self, stage="prod", **kw):
        self.gw.create_deployment(restApiId=self.id, stageName=stage, **kw)
        self.stage = stage
        return self

    def patch_stage(self, **values):
        """{"/*/*/throttling/rateLimit": "1"}: with a slash at their start."""
        operations = [{"op": "replace", "path": path, "value": value} for path, value in values.items()]
        self.gw.update_stage(restApiId=self.id, stageName=self.stage, patchOperations=operations)
        return self

    def arn(self, verb="*", path="/*", stage="*"):
        return f"arn:aws:execute-api:{self.weir.region}:{self.weir.account}:{self.id}/{stage}/{verb}{path}"

    def ask(self, path="/", method="GET", body=None, headers=(), by_host=False, stage=None):
        """Headers as a list of pairs, or a dictionary."""
        stage = stage or self.stage
        prefix = f"/{stage}" if by_host else f"/restapis/{self.id}/{stage}/_user_request_"
        host = f"{self.id}.execute-api.localhost:{self.weir.port}" if by_host else f"127.0.0.1:{self.weir.port}"
        connection = http.client.HTTPConnection("127.0.0.1", self.weir.port, timeout=60)
        connection.putrequest(method, prefix + path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host)
        body = body.encode() if isinstance(body, str) else body
        pairs = list(headers.items() if isinstance(headers, dict) else headers)
        for name, value in pairs + ([("Content-Length", str(len(body)))] if body is not None else []):
            connection.putheader(name, value)
        connection.endheaders(body)
        got = connection.getresponse()
        reply = Reply(got.status, got.headers, got.read())
        connection.close()
        return reply

    def delete(self):
        self.gw.delete_rest_api(restApiId=self.id)


def exchange(weir, request):
    """Sends bytes on a connection of its own; all that comes back."""
    with socket.create_connection(("127.0.0.1", weir.port), timeout=30) as s:
        s.sendall(request)
        got = b""
        while True:
            piece = s.recv(65536)
            if not piece:
                return got
            got += piece
