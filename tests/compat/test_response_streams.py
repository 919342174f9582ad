"""Responses that functions stream: InvokeWithResponseStream as events, and function URLs in the mode RESPONSE_STREAM,
piece by piece while the function runs, no faster than the client reads."""
import http.client
import json
import shutil
import socket
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.eventstream import EventStreamBuffer

from test_function_urls import ask, permit
from test_lambda import Stage, raw, zipped
from weirtest import wait_for

SOURCE = """
import { setTimeout as pause } from "node:timers/promises";
const once = (out, text) => new Promise((done) => out.write(text, done));
export const handler = awslambda.streamifyResponse(async (event, out, context) => {
    const ask = event.headers ? event.headers["x-ask"] : event.ask;
    if (ask === "early") throw new Error("early");
    if (ask === "head") {
        out = awslambda.HttpResponseStream.from(out, { statusCode: 418, headers: { "x-a": "1", "content-type": "text/tea" }, cookies: ["c=1"] });
        out.write("tea");
    } else if (ask === "badhead") {
        out = awslambda.HttpResponseStream.from(out, { statusCode: 1 });
    } else if (ask === "longhead") {
        out = awslambda.HttpResponseStream.from(out, { statusCode: 200, headers: { "x-a": "a".repeat(70000) } });
    } else if (ask === "nohead") {
        out.setContentType("application/vnd.awslambda.http-integration-response");
        out.write("no end");
    } else if (ask === "late") {
        await once(out, "begun");
        await pause(50);
        throw new TypeError("late");
    } else if (ask === "big") {
        const piece = Buffer.alloc(65536, 97);
        for (let i = 0; i < event.pieces; i++) if (!out.write(piece)) await new Promise((done) => out.once("drain", done));
    } else if (ask === "flood") {
        console.log("flooding");
        const piece = Buffer.alloc(65536, 98);
        let n = 0;
        for (; n < 480; n++) await once(out, piece);
        console.log("flooded " + n);
    } else if (ask === "wait") {
        out.setContentType("text/plain");
        await once(out, "one");
        const at = event.rawQueryString || event.at;
        for (;;) if ((await fetch(at)).ok) break; else await pause(20);
        out.write("two");
    } else if (ask !== "empty") {
        out.write(JSON.stringify(event));
    }
    out.end();
});
"""
WHOLE = """
def handler(event, context):
    if event.get("ask") == "raise":
        raise ValueError("no good")
    return {"statusCode": 201, "whole": event.get("rawPath", event.get("x"))}
"""


@pytest.fixture(scope="module")
def stage(weir):
    return Stage(weir)


@pytest.fixture(scope="module")
def node(stage):
    if not shutil.which("node"):
        pytest.skip("node is not on this machine")
    for major in (20, 18, 22, 24):
        try:
            return stage.function(Runtime=f"nodejs{major}.x", Code={"ZipFile": zipped(SOURCE, "app.mjs")}, Timeout=30)
        except stage.awslambda.exceptions.InvalidParameterValueException:
            continue
    pytest.skip("no nodejs runtime")


@pytest.fixture(scope="module")
def whole(stage):
    return stage.function(WHOLE)


@pytest.fixture(scope="module")
def url(stage, node):
    made = raw(stage, "POST", f"/2021-10-31/functions/{node}/url", {"AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM"})
    assert made["InvokeMode"] == "RESPONSE_STREAM"
    permit(stage, node)
    return made["FunctionUrl"]


def begin(stage, name, event, headers=None, qualifier=""):
    """The open reply of an InvokeWithResponseStream."""
    path = f"/2021-11-15/functions/{name}/response-streaming-invocations{qualifier}"
    body = json.dumps(event).encode()
    request = AWSRequest("POST", stage.weir.endpoint + path, data=body, headers=headers or {})
    SigV4Auth(Credentials("test", "test"), "lambda", "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection("127.0.0.1", stage.weir.port, timeout=60)
    connection.request("POST", path, body, dict(request.headers.items()))
    reply = connection.getresponse()
    reply.connection = connection
    return reply


def events(data):
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    for event in buffer:  # checks lengths and checksums
        assert event.headers[":message-type"] == "event"
        yield event.headers[":event-type"], event.payload, event.headers[":content-type"]


def invoke(stage, name, event, **kw):
    reply = begin(stage, name, event, **kw)
    assert reply.status == 200, reply.read()
    assert reply.headers["Content-Type"] == "application/vnd.amazon.eventstream"
    assert reply.headers["X-Amz-Executed-Version"] == "$LATEST"
    got = list(events(reply.read()))
    assert [kind for kind, _, _ in got[:-1]] == ["PayloadChunk"] * (len(got) - 1) and got[-1][0] == "InvokeComplete"
    assert all(type == "application/octet-stream" for _, _, type in got[:-1])
    return b"".join(payload for _, payload, _ in got[:-1]), json.loads(got[-1][1])


# --- InvokeWithResponseStream --------------------------------------------------------------------


def test_events(stage, node):
    assert invoke(stage, node, {"a": "é"}) == ('{"a":"é"}'.encode(), {})
    assert invoke(stage, node, {"ask": "empty"}) == (b"", {})
    body, complete = invoke(stage, node, {"ask": "big", "pieces": 200})
    assert len(body) == 200 * 65536 and set(body) == {97} and complete == {}


def test_errors_of_functions(stage, node, whole):
    body, complete = invoke(stage, node, {"ask": "early"})
    assert body == b"" and complete["ErrorCode"] == "Unhandled" and json.loads(complete["ErrorDetails"])["errorMessage"] == "early"
    body, complete = invoke(stage, node, {"ask": "late"})
    assert body == b"begun" and complete["ErrorCode"] == "Unhandled" and json.loads(complete["ErrorDetails"])["errorType"] == "TypeError"
    body, complete = invoke(stage, whole, {"ask": "raise"})
    assert body == b"" and json.loads(complete["ErrorDetails"])["errorType"] == "ValueError"
    assert invoke(stage, node, {"b": 1})[0] == b'{"b":1}'  # it lives on


def test_answered_whole(stage, whole):
    body, complete = invoke(stage, whole, {"x": 5}, headers={"X-Amz-Log-Type": "Tail"})
    assert json.loads(body) == {"statusCode": 201, "whole": 5} and complete["LogResult"]


def test_the_buffered_invoke_of_a_streaming_function(stage, node):
    got = stage.invoke(node, {"a": 1})
    assert got["Payload"].read() == b'{"a":1}'
    got = stage.invoke(node, {"ask": "late"})
    assert got["FunctionError"] == "Unhandled" and json.load(got["Payload"])["errorType"] == "TypeError"
    got = stage.invoke(node, {"ask": "big", "pieces": 100})
    assert got["FunctionError"] == "Unhandled" and "ResponseSizeTooLarge" in got["Payload"].read().decode()


def test_refusals(stage, node):
    reply = begin(stage, "none", {})
    assert reply.status == 404 and reply.headers["x-amzn-errortype"].startswith("ResourceNotFoundException")
    reply = begin(stage, node, {}, headers={"X-Amz-Invocation-Type": "Event"})
    assert reply.status == 400
    reply = begin(stage, node, {}, headers={"X-Amz-Invocation-Type": "DryRun"})
    assert reply.status == 204 and reply.read() == b""
    reply = begin(stage, node, {}, headers={"X-Amz-Client-Context": "!"})
    assert reply.status == 400 and reply.headers["x-amzn-errortype"].startswith("InvalidRequestContentException")
    reply = begin(stage, node, {}, headers={"X-Amz-Tenant-Id": "a"})
    assert reply.status == 400
    reply = begin(stage, node, "x" * (6 * 1024 * 1024))
    assert reply.status == 413
    reply = begin(stage, node, {}, qualifier="?Qualifier=7")
    assert reply.status == 404
    stage.awslambda.put_function_concurrency(FunctionName=node, ReservedConcurrentExecutions=0)
    try:
        reply = begin(stage, node, {})
        assert reply.status == 429 and reply.headers["x-amzn-errortype"].startswith("TooManyRequestsException")
    finally:
        stage.awslambda.delete_function_concurrency(FunctionName=node)


def test_pieces_come_while_it_runs(stage, node):
    """The function goes on only once the test has seen its first piece."""
    gate = Gate(stage)
    reply = begin(stage, node, {"ask": "wait", "at": gate.address})
    first = b""
    while b"one" not in first:
        first += reply.read1(65536)
    gate.open()
    got = list(events(first + reply.read()))
    assert [payload for kind, payload, _ in got if kind == "PayloadChunk"] == [b"one", b"two"]


class Gate:
    """What a function asks whether it may go on: a function URL, which everybody may ask once it is open."""

    def __init__(self, stage):
        self.stage, self.name = stage, stage.function(WHOLE)
        self.address = stage.awslambda.create_function_url_config(FunctionName=self.name, AuthType="NONE")["FunctionUrl"]

    def open(self):
        permit(self.stage, self.name)


def read_some(stage, name, event, n):
    reply = begin(stage, name, event)
    got = b""
    while len(got) < n:
        got += reply.read1(65536)
    return reply, got


def test_a_slow_reader_holds_the_function_up(stage, node):
    reply, got = read_some(stage, node, {"ask": "flood"}, 65536)
    wait_for(lambda: any("flooding" in line for line in stage.log_lines(node)), what="flooding")
    # 30 MiB do not fit into what may wait on the way: buffers here, and those of sockets.
    assert not any("flooded" in line for line in stage.log_lines(node))
    body = b"".join(payload for kind, payload, _ in events(got + reply.read()) if kind == "PayloadChunk")
    assert len(body) == 480 * 65536
    wait_for(lambda: any("flooded 480" in line for line in stage.log_lines(node)), what="the end")


def test_a_reader_that_leaves_holds_nothing_up(stage, node):
    reply, _ = read_some(stage, node, {"ask": "flood"}, 65536)
    before = sum("flooded" in line for line in stage.log_lines(node))
    reply.connection.sock.shutdown(socket.SHUT_RDWR)
    reply.connection.close()
    reply.close()
    wait_for(lambda: sum("flooded 480" in line for line in stage.log_lines(node)) > before, what="the end")


# --- function URLs -------------------------------------------------------------------------------


def test_url_with_a_head(stage, url):
    got = ask(stage, url, headers=[("x-ask", "head")])
    assert (got.status, got.text, got.headers["x-a"], got.headers["content-type"]) == (418, "tea", "1", "text/tea")
    assert got.headers["set-cookie"] == "c=1" and got.headers["transfer-encoding"] == "chunked"


def test_url_without_a_head(stage, url):
    got = ask(stage, url, "/p?q=1")
    assert got.status == 200 and got.json()["rawPath"] == "/p" and got.headers["content-type"] == "application/octet-stream"
    got = ask(stage, url, headers=[("x-ask", "empty")])
    assert got.status == 200 and got.body == b""


@pytest.mark.parametrize("what", ["badhead", "longhead", "nohead", "early"])
def test_url_with_a_malformed_head(stage, url, what):
    got = ask(stage, url, headers=[("x-ask", what)])
    assert (got.status, got.text) == (502, "Internal Server Error")


def test_url_that_fails_on_the_way_breaks_off(stage, url):
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        ask(stage, url, headers=[("x-ask", "late")])


def test_url_of_a_function_that_answers_whole(stage, whole):
    url = raw(stage, "POST", f"/2021-10-31/functions/{whole}/url", {"AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM"})["FunctionUrl"]
    permit(stage, whole)
    got = ask(stage, url, "/w")  # it is not looked into, as on AWS
    assert got.status == 200 and got.json() == {"statusCode": 201, "whole": "/w"} and got.headers["content-type"] == "application/json"


def test_url_pieces_come_while_it_runs(stage, url):
    gate = Gate(stage)
    connection = http.client.HTTPConnection("127.0.0.1", stage.weir.port, timeout=60)
    connection.request("GET", "/?" + gate.address, headers={"Host": urlsplit(url).netloc, "x-ask": "wait"})
    reply = connection.getresponse()
    assert reply.status == 200 and reply.headers["content-type"] == "text/plain"
    assert reply.read1(100) == b"one"
    gate.open()
    assert reply.read() == b"two"
    connection.close()
