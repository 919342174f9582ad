"""Clients that leave: in the middle of what they send, of what they are told, or while they wait. See README.md."""
import json
import os
import socket
import struct
import threading
import time

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from test_lambda import Stage

SIZES = [0, 10, 60_000, 70_000, 300_000, 900_000, 1_500_000, 3_000_000]
CLIENTS = 12
ECHO = """
import time
def handler(event, context):
    time.sleep(event["wait"])
    return {"x": "y" * event["n"]}
"""


class Requests:
    """Makes signed requests as bytes."""

    def __init__(self, weir):
        self.weir = weir
        s3, sqs = weir.client("s3"), weir.client("sqs")
        self.bytes = os.urandom(SIZES[-1])
        s3.create_bucket(Bucket="left")
        s3.put_object(Bucket="left", Key="big", Body=self.bytes)
        self.upload = s3.create_multipart_upload(Bucket="left", Key="parts")["UploadId"]
        self.queue = sqs.create_queue(QueueName="left")["QueueUrl"]
        Stage(weir).function(ECHO, FunctionName="left")

    def make(self, service, method, path, headers=None, body=b"", chunks=None):
        request = AWSRequest(method=method, url=self.weir.endpoint + path, data=body, headers=headers or {})
        auth = S3SigV4Auth if service == "s3" else SigV4Auth
        auth(Credentials("test", "test"), service, self.weir.region).add_auth(request)
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.weir.port}"]
        lines += [f"{k}: {v}" for k, v in request.headers.items() if k.lower() != "host"]
        if chunks is None:
            lines.append(f"Content-Length: {len(body)}")
        else:
            lines.append("Transfer-Encoding: chunked")
            body = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + b"0\r\n\r\n"
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def some(self, rng):
        body = self.bytes[:rng.choice(SIZES)]
        event = json.dumps({"wait": rng.choice([0, 0, .3]), "n": rng.choice([1, 100, 3_000_000])}).encode()
        poll = json.dumps({"QueueUrl": self.queue, "WaitTimeSeconds": 5}).encode()
        step = rng.randint(1000, 200_000)
        return rng.choice([
            lambda: self.make("s3", "PUT", f"/left/k{rng.randint(0, 20)}", body=body),
            lambda: self.make("s3", "PUT", f"/left/parts?partNumber={rng.randint(1, 5)}&uploadId={self.upload}", body=body),
            lambda: self.make("s3", "PUT", "/left/chunked", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"},
                              chunks=[body[i:i + step] for i in range(0, len(body), step)]),
            lambda: self.make("s3", "PUT", "/left/copy", {"x-amz-copy-source": "/left/big"}),
            lambda: self.make("s3", "GET", "/left/big"),
            lambda: self.make("s3", "GET", "/left/big", {"Range": f"bytes={rng.randrange(SIZES[-1])}-"}),
            lambda: self.make("s3", "GET", "/left/big") * 3,
            lambda: self.make("sqs", "POST", "/", {"X-Amz-Target": "AmazonSQS.ReceiveMessage",
                                                   "Content-Type": "application/x-amz-json-1.0"}, poll),
            lambda: self.make("lambda", "POST", "/2015-03-31/functions/left/invocations", body=event),
            lambda: self.make("lambda", "POST", "/2021-11-15/functions/left/response-streaming-invocations", body=event),
        ])()


def visit(weir, rng, data):
    """Sends some of it, reads some of the answer, and leaves in one of three ways."""
    s = socket.create_connection(("127.0.0.1", weir.port))
    if rng.random() < .3:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    end = len(data) if rng.random() < .4 else rng.randint(0, len(data))
    s.settimeout(10)
    try:
        s.sendall(data[:end])
        s.settimeout(rng.choice([.01, .1, 1]))
        wanted = rng.choice([0, 1, 1000, 100_000, 10_000_000]) if end == len(data) else rng.choice([0, 1])
        bored = time.monotonic() + 2
        while wanted > 0 and time.monotonic() < bored:
            got = s.recv(min(wanted, 65536))
            if not got:
                break
            wanted -= len(got)
    except OSError:
        pass
    if rng.random() < .3:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # with RST
    s.close()


def play(weir, rng, until, figures):
    requests = Requests(weir)
    seeds = [rng.random() for _ in range(CLIENTS)]

    def client(own):
        while True:
            visit(weir, own, requests.some(own))
            figures.add("visits")
            if time.monotonic() >= until or weir.process.poll() is not None:
                return

    threads = [threading.Thread(target=client, args=(type(rng)(seed),)) for seed in seeds]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert weir.client("s3").get_object(Bucket="left", Key="big")["Body"].read() == requests.bytes
