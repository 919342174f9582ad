"""The order-aggregation pipeline: deployed by its own script, fed in every order of the three files,
with repeats, malformed rows and replaced files."""
import itertools
import json
import os
import subprocess
import time

import pytest

from weirtest import ROOT, wait_for

PIPELINE = os.path.join(ROOT, "pipelines", "order-aggregation")
KINDS = ("customers", "orders", "items")
EXPECTED = {
    "1": ("John Doe", "400.00", [("1001", ["501", "502"]), ("1002", ["503"])]),
    "2": ("Jane Smith", "300.00", [("1003", ["504"])]),
    "3": ("Alice Johnson", "200.00", [("1004", ["505"]), ("1005", ["506"])]),
}


class Deployed:
    def __init__(self, weir):
        self.weir = weir
        self.out = self.script("deploy.sh")
        self.names = dict(line.split("=", 1) for line in self.out.splitlines() if "=" in line and line.split("=")[0].isupper())
        self.s3, self.sqs = weir.client("s3"), weir.client("sqs")
        self.bucket, self.queue = self.names["BUCKET"], self.names["QUEUE_URL"]

    def script(self, name):
        env = self.weir.script_env()
        done = subprocess.run([os.path.join(PIPELINE, name), self.weir.endpoint], env=env, capture_output=True,
                              text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def sample(self, kind):
        with open(os.path.join(PIPELINE, "sample", f"{kind}_20230828.csv"), "rb") as f:
            return f.read()

    def put(self, kind, date, body=None):
        self.s3.put_object(Bucket=self.bucket, Key=f"{kind}_{date}.csv", Body=self.sample(kind) if body is None else body)

    def messages(self, n, seconds=60):
        """The next n messages, and whatever else comes at once with them."""
        got = []
        deadline = time.monotonic() + seconds
        while len(got) < n and time.monotonic() < deadline:
            batch = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=2)
            for m in batch.get("Messages", []):
                got.append(json.loads(m["Body"]))
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=m["ReceiptHandle"])
        return got

    def letter(self, about, seconds=60):
        """The next letter of the dead-letter queue whose file ends in `about`, taken out: its body and attributes."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            batch = self.sqs.receive_message(QueueUrl=self.names["DLQ_URL"], MaxNumberOfMessages=1, WaitTimeSeconds=2,
                                             MessageAttributeNames=["All"])
            for m in batch.get("Messages", []):
                body = json.loads(m["Body"])
                assert body["file"] == f"s3://{self.bucket}/{about}", body
                self.sqs.delete_message(QueueUrl=self.names["DLQ_URL"], ReceiptHandle=m["ReceiptHandle"])
                return body, m["MessageAttributes"]
        raise AssertionError(f"no letter about {about}")

    def letters(self):
        got = self.sqs.get_queue_attributes(QueueUrl=self.names["DLQ_URL"], AttributeNames=["All"])["Attributes"]
        return int(got["ApproximateNumberOfMessages"]) + int(got["ApproximateNumberOfMessagesNotVisible"])

    def logged(self, text):
        return wait_for(lambda: [e["message"] for e in self.weir.client("logs").filter_log_events(
            logGroupName="/aws/lambda/" + self.names["FUNCTION"], filterPattern=f'"{text}"')["events"]], 30, text)

    def rejects(self, name):
        return self.s3.get_object(Bucket=self.bucket, Key=f"rejects/{name}.jsonl")["Body"].read().decode()

    def none_follow(self):
        assert self.messages(1, seconds=3) == []


def simple(message):
    from decimal import Decimal
    total = message["total_amount_spent"]
    return str(message["id"]), (message["name"], f"{Decimal(str(total)):.2f}",
                                [(str(o["id"]), [str(i) for i in o["item_ids"]]) for o in message["orders"]])


@pytest.fixture(scope="module")
def deployed(weir):
    return Deployed(weir)


def test_deploy_is_idempotent_and_says_what_it_made(deployed):
    again = deployed.script("deploy.sh")
    for name in ("BUCKET", "QUEUE_URL", "DLQ_URL", "TABLE", "FUNCTION"):
        assert deployed.names[name] and f"{name}={deployed.names[name]}" in again


@pytest.mark.parametrize("order", list(itertools.permutations(KINDS)), ids="-".join)
def test_every_order(deployed, order):
    date = f"202401{10 + list(itertools.permutations(KINDS)).index(order)}"
    for kind in order[:2]:
        deployed.put(kind, date)
    deployed.put(order[2], date)
    assert dict(simple(m) for m in deployed.messages(3)) == EXPECTED
    deployed.none_follow()


def test_the_same_file_again_changes_nothing(deployed):
    date = "20240201"
    for kind in KINDS + ("orders", "customers", "orders"):
        deployed.put(kind, date)
    assert dict(simple(m) for m in deployed.messages(3)) == EXPECTED
    deployed.none_follow()


def test_a_replaced_file_makes_a_new_revision(deployed):
    date = "20240202"
    for kind in KINDS:
        deployed.put(kind, date)
    assert len(deployed.messages(3)) == 3
    deployed.put("customers", date, deployed.sample("customers").replace(b"Jane Smith", b"Jane Miller"))
    got = dict(simple(m) for m in deployed.messages(3))
    assert got["2"][0] == "Jane Miller" and set(got) == set(EXPECTED)
    deployed.none_follow()


def test_malformed_rows_are_told_and_the_rest_counts(deployed):
    date = "20240203"
    header, *rows = deployed.sample("items").decode().splitlines()
    columns = len(header.split(","))
    bad = "x" + "," * (columns + 3)
    body = "\ufeff" + "\r\n".join([header, bad, *rows, "nonsense"]) + "\r\n"
    deployed.put("customers", date)
    deployed.put("orders", date)
    deployed.put("items", date, body.encode())
    assert dict(simple(m) for m in deployed.messages(3)) == EXPECTED
    listed = wait_for(lambda: [o["Key"] for o in deployed.s3.list_objects_v2(Bucket=deployed.bucket, Prefix="rejects/").get("Contents", [])
                               if date in o["Key"]], 30, "rejects")
    text = deployed.s3.get_object(Bucket=deployed.bucket, Key=listed[0])["Body"].read().decode()
    assert len([line for line in text.splitlines() if f"items_{date}.csv" in line]) == 2, text


def test_amounts_are_numbers_written_exactly(deployed):
    """The text itself: a reader's double of 0.10 or 250.00 would hide how it was written."""
    date = "20240204"
    deployed.put("customers", date, b"customer_id,customer_name\n1,John Doe\n2,Nobody\n")
    deployed.put("orders", date, b"order_id,customer_id,amount\n1001,1,250.00\n1002,1,0.1\n1003,1,99999999999999.99\n\n")
    deployed.put("items", date, b"item_id,order_id\n501,1001\n502,1001\n\n\n")
    bodies = []
    while len(bodies) < 2:
        for m in deployed.sqs.receive_message(QueueUrl=deployed.queue, WaitTimeSeconds=20).get("Messages", []):
            bodies.append(m["Body"])
            deployed.sqs.delete_message(QueueUrl=deployed.queue, ReceiptHandle=m["ReceiptHandle"])
    assert sorted(bodies) == [
        '{"id":"1","name":"John Doe","total_amount_spent":100000000000250.09,"orders":['
        '{"id":"1001","amount":250.00,"item_ids":["501","502"]},{"id":"1002","amount":0.10,"item_ids":[]},'
        '{"id":"1003","amount":99999999999999.99,"item_ids":[]}]}',
        '{"id":"2","name":"Nobody","total_amount_spent":0.00,"orders":[]}']
    deployed.none_follow()


@pytest.mark.parametrize("date,kind,header,reason", [
    ("20240210", "customers", "customer_id,name", "the header row lacks the column customer_name"),
    ("20240211", "orders", "order_id,customer_id", "the header row lacks the column amount"),
    ("20240212", "items", "id,order,amount", "the header row lacks the column item_id and the column order_id"),
    ("20240213", "items", "", "the file is empty: a header row is needed"),
], ids=["customers", "orders", "items", "empty"])
def test_a_header_row_that_does_not_fit_is_told(deployed, date, kind, header, reason):
    for other in KINDS:
        if other != kind:
            deployed.put(other, date)
    deployed.put(kind, date, header.encode())
    name = f"{kind}_{date}.csv"
    body, attributes = deployed.letter(name)
    assert body["reason"] == reason and body["Records"][0]["s3"]["object"]["key"] == name
    assert attributes["ErrorMessage"]["StringValue"] == reason
    assert deployed.logged(f"not used: s3://{deployed.bucket}/{name}: {reason}")
    assert json.loads(deployed.rejects(name)) == {"file": name, "line": 1, "reason": reason}
    # Nothing was sent of it; the right one makes the set whole, and its rejects go.
    deployed.put(kind, date)
    assert dict(simple(m) for m in deployed.messages(3)) == EXPECTED
    with pytest.raises(deployed.s3.exceptions.NoSuchKey):
        deployed.rejects(name)
    assert deployed.letters() == 0


@pytest.mark.parametrize("name", ["inventory_20230828.csv", "orders_2023-08-28.csv", "orders_20230828.CSV",
                                  "in/orders_20230828.csv.gz", "caf\u00e9 1.txt"])
def test_a_file_with_another_name_is_told(deployed, name):
    deployed.s3.put_object(Bucket=deployed.bucket, Key=name, Body=b"x")
    body, _ = deployed.letter(name)
    assert body["reason"] == "its name is not customers_, orders_ or items_YYYYMMDD.csv"
    assert deployed.logged(f"not used: s3://{deployed.bucket}/{name}: its name")
    assert deployed.letters() == 0


def test_rejects_and_folder_markers_are_no_files_of_the_partner(deployed):
    before = len(deployed.logged("END RequestId"))
    for key in ("in/", "rejects/notes.txt"):
        deployed.s3.put_object(Bucket=deployed.bucket, Key=key, Body=b"")
    wait_for(lambda: len(deployed.logged("END RequestId")) >= before + 2, 30, "both events")
    assert deployed.letters() == 0


def test_redrive_reads_files_of_no_use_again(deployed):
    """A letter whose file was mended is done with; one whose file was not comes back, once."""
    date = "20240206"
    deployed.put("orders", date, b"order_id,customer_id\n")
    wait_for(lambda: deployed.letters() == 1, 30, "the first letter")
    deployed.put("items", date, b"item_id\n")
    wait_for(lambda: deployed.letters() == 2, 30, "the second letter")
    deployed.put("orders", date)
    assert "REDRIVEN=2" in deployed.script("redrive.sh")
    body, _ = deployed.letter(f"items_{date}.csv")
    assert body["reason"] == "the header row lacks the column order_id"
    assert deployed.letters() == 0


def test_all_at_once(deployed):
    """Several dates concurrently: the function runs in parallel on one set."""
    from concurrent.futures import ThreadPoolExecutor
    dates = [f"202403{d:02d}" for d in range(10, 18)]
    jobs = [(k, d) for d in dates for k in KINDS]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda job: deployed.put(*job), jobs))
    got = [simple(m) for m in deployed.messages(3 * len(dates), 120)]
    assert len(got) == 3 * len(dates)
    assert all(EXPECTED[i] == rest for i, rest in got)
    deployed.none_follow()


def test_undeploy(weir, deployed):
    deployed.script("undeploy.sh")
    assert weir.client("sqs").list_queues().get("QueueUrls", []) == []
    assert weir.client("lambda").list_functions()["Functions"] == []
    deployed.script("undeploy.sh")  # nothing left is not an error
