"""HTTP/2 as real clients speak it over TLS: curl, Node.js's own and the AWS SDK for JavaScript's."""
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import subprocess

import pytest

from test_serve import certificate  # noqa: F401  (a fixture)
from weirtest import ROOT, Weir, wait_for

LARGE = 100 * 1000 * 1000
NODE = shutil.which("node")


@pytest.fixture(scope="module")
def weir(certificate):  # noqa: F811
    cert, key = certificate
    weir = Weir(args=["--tls-cert", cert, "--tls-key", key])
    weir.certificate = cert
    os.environ["AWS_CA_BUNDLE"], before = cert, os.environ.get("AWS_CA_BUNDLE")
    weir.client("s3").create_bucket(Bucket="over-h2")
    yield weir
    if before is None:
        del os.environ["AWS_CA_BUNDLE"]
    else:
        os.environ["AWS_CA_BUNDLE"] = before
    weir.stop()


def curl(weir, *words, **more):
    """What -w says of each transfer: version, status, connections opened."""
    done = subprocess.run(["curl", "-sS", "--http2", "--cacert", weir.certificate,
                           "-w", "%{stderr}%{http_version} %{http_code} %{num_connects}\n", *words],
                          capture_output=True, timeout=120, check=False, **more)
    done.said = re.findall(r"\S+ \d{3} \d$", done.stderr.decode(), re.M)
    return done


def signed(weir, service, body):
    return ["--aws-sigv4", f"aws:amz:us-east-1:{service}", "--user", "test:test", "-d", body, weir.endpoint + "/"]


def digest(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else hashlib.sha256(f.read()).hexdigest()


def test_large_objects_both_ways(weir, tmp_path):
    """At once: three up over one connection, then three down, beside a small one that does not wait for them."""
    s3 = weir.client("s3")
    block = os.urandom(1000 * 1000)
    (tmp_path / "up").write_bytes(block * (LARGE // len(block)))
    put = s3.generate_presigned_url("put_object", Params={"Bucket": "over-h2", "Key": "large"})
    up = curl(weir, "-f", "-T", str(tmp_path / "up"), put)
    assert up.said == ["2 200 1"], up.stderr
    get = s3.generate_presigned_url("get_object", Params={"Bucket": "over-h2", "Key": "large"})
    down = curl(weir, "-f", "-Z", "--parallel-max", "3", get, "-o", str(tmp_path / "1"), get, "-o", str(tmp_path / "2"))
    assert sorted(down.said) in (["2 200 0", "2 200 1"], ["2 200 1", "2 200 1"]), down.stderr
    assert digest(tmp_path / "1") == digest(tmp_path / "2") == digest(tmp_path / "up")
    part = curl(weir, "-f", "-r", "500-999", get)
    assert part.stdout == block[500:1000] and part.said == ["2 206 1"]


def test_many_streams_of_one_connection(weir, tmp_path):
    s3 = weir.client("s3")
    s3.put_object(Bucket="over-h2", Key="small", Body=b"x" * 5000)
    get = s3.generate_presigned_url("get_object", Params={"Bucket": "over-h2", "Key": "small"})
    words = [w for i in range(100) for w in (get, "-o", str(tmp_path / str(i)))]
    done = curl(weir, "-f", "-Z", "--parallel-max", "100", *words)
    assert len(done.said) == 100 and all(s.startswith("2 200 ") for s in done.said), done.stderr
    assert all((tmp_path / str(i)).read_bytes() == b"x" * 5000 for i in range(100))


def test_long_polls_alongside(weir):
    sqs = weir.client("sqs")
    url = sqs.create_queue(QueueName="h2")["QueueUrl"]
    receive = f"Action=ReceiveMessage&QueueUrl={url}&WaitTimeSeconds=20"
    with concurrent.futures.ThreadPoolExecutor() as pool:
        polls = [pool.submit(curl, weir, *signed(weir, "sqs", receive)) for _ in range(2)]
        wait_for(lambda: waiting(weir) == 2)
        for body in "ab":
            sqs.send_message(QueueUrl=url, MessageBody=f"message-{body}")
        came = [p.result() for p in polls]
    assert [c.said for c in came] == [["2 200 1"]] * 2
    text = b"".join(c.stdout for c in came)
    assert b"message-a" in text and b"message-b" in text


def waiting(weir):
    done = curl(weir, weir.endpoint + "/_weir/metrics")
    return sum(float(line.split()[-1]) for line in done.stdout.decode().splitlines() if line.startswith("weir_calls_running "))


def test_who_leaves_takes_nothing_along(weir):
    """A stream that is broken off is a receiver that left."""
    sqs = weir.client("sqs")
    url = sqs.create_queue(QueueName="h2-left")["QueueUrl"]
    words = signed(weir, "sqs", f"Action=ReceiveMessage&QueueUrl={url}&WaitTimeSeconds=20")
    with subprocess.Popen(["curl", "-sS", "--http2", "--cacert", weir.certificate, *words]) as poll:
        wait_for(lambda: waiting(weir) == 1)
        poll.kill()
    wait_for(lambda: waiting(weir) == 0)
    sqs.send_message(QueueUrl=url, MessageBody="for who stays")
    assert sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"][0]["Body"] == "for who stays"


def test_plain_text_stays_http_1(weir, tmp_path):
    """Prior knowledge over TLS is no other protocol; ALPN decides."""
    done = curl(weir, "--no-alpn", weir.endpoint + "/_weir/health")
    assert done.said == ["1.1 200 1"]
    plain = Weir()
    try:
        done = subprocess.run(["curl", "-sS", "--http2", "-w", "%{http_version}", "-o", "/dev/null", plain.endpoint + "/_weir/health"],
                              capture_output=True, text=True, timeout=60)
        assert done.stdout == "1.1"  # no upgrade to h2c
        done = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", plain.endpoint + "/_weir/health"],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode != 0
    finally:
        plain.stop()


# Streams over one session: bodies up and down, one that is broken off, and the session lives on.
NODE_STREAMS = """
const http2 = require('node:http2'), fs = require('node:fs');
const session = http2.connect(process.argv[2], { ca: fs.readFileSync(process.argv[3]) });
const ask = (url, method, body) => new Promise((done, failed) => {
  const u = new URL(url), stream = session.request({
    ':path': u.pathname + u.search, ':method': method, host: u.host, ...(body && { 'content-length': body.length }) });
  let status, got = [];
  stream.on('response', h => { status = h[':status']; });
  stream.on('data', d => got.push(d));
  stream.on('end', () => done([status, Buffer.concat(got)]));
  stream.on('error', failed);
  stream.end(body);
});
(async () => {
  const [put, get] = JSON.parse(process.argv[4]);
  const body = Buffer.alloc(3000000, 'weir');
  const put_status = (await ask(put, 'PUT', body))[0];
  const broken = session.request({ ':path': new URL(get).pathname + new URL(get).search });
  await new Promise(done => broken.once('data', done));
  broken.close(http2.constants.NGHTTP2_CANCEL);
  const all = await Promise.all(Array.from({ length: 20 }, () => ask(get, 'GET')));
  console.log(JSON.stringify([put_status, all.every(([s, b]) => s === 200 && b.equals(body)), session.closed]));
  session.close();
})().catch(e => { console.error(e); process.exit(1); });
"""


@pytest.mark.skipif(not NODE, reason="needs Node.js")
def test_streams_of_node(weir, tmp_path):
    s3 = weir.client("s3")
    urls = [s3.generate_presigned_url(op, Params={"Bucket": "over-h2", "Key": "node"}) for op in ("put_object", "get_object")]
    (tmp_path / "streams.js").write_text(NODE_STREAMS)
    done = subprocess.run([NODE, str(tmp_path / "streams.js"), weir.endpoint, weir.certificate, json.dumps(urls)],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [200, True, False]


SDK = """
import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { NodeHttp2Handler } from '@smithy/node-http-handler';
const ddb = new DynamoDB({ endpoint: process.argv[2], region: 'us-east-1', requestHandler: new NodeHttp2Handler(),
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
const TableName = 'over-h2';
await ddb.createTable({ TableName, BillingMode: 'PAY_PER_REQUEST', KeySchema: [{ AttributeName: 'k', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'k', AttributeType: 'S' }] });
await Promise.all(Array.from({ length: 50 }, (_, i) => ddb.putItem({ TableName, Item: { k: { S: `${i}` }, v: { S: 'x'.repeat(1000) } } })));
const { Count } = await ddb.scan({ TableName });
const refused = await ddb.getItem({ TableName: 'none-such', Key: { k: { S: 'a' } } }).catch(e => e.name);
console.log(JSON.stringify([Count, refused]));
process.exit(0);
"""


@pytest.mark.skipif(not NODE or not os.path.isdir(os.path.join(ROOT, "tests", "node", "node_modules", "@smithy", "node-http-handler")),
                    reason="needs the packages of tests/node")
def test_sdk_for_javascript(weir):
    folder = os.path.join(ROOT, "tests", "node")
    done = subprocess.run([NODE, "--input-type=module", "-", weir.endpoint], input=SDK, cwd=folder, capture_output=True, text=True,
                          timeout=60, env=dict(os.environ, NODE_EXTRA_CA_CERTS=weir.certificate))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [50, "ResourceNotFoundException"]
