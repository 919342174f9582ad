"""The order-aggregation pipeline loses nothing when its function is killed while it sends: the next
try goes on from the last mark, and what is sent again carries the same message_id."""
import json
import os
import signal
import subprocess
import sys

from weirtest import ROOT, wait_for

PIPELINE = os.path.join(ROOT, "pipelines", "order-aggregation")
DATE = "20240501"
CUSTOMERS, UNMARKED_MAX = 12000, 800


def functions_of(pid):
    """Host pids of the function processes below the server: server > helper > first process > function."""
    def children(of):
        found = subprocess.run(["pgrep", "-P", str(of)], capture_output=True, text=True).stdout
        return [int(p) for p in found.split()]
    return [f for helper in children(pid) for first in children(helper) for f in children(first)]


def test_killed_while_sending(make_weir, tmp_path):
    weir = make_weir(args=["--async-retry-base-ms", "500"])
    env = weir.script_env()
    subprocess.run([sys.executable, os.path.join(PIPELINE, "gen_csv.py"), str(tmp_path), DATE, str(CUSTOMERS),
                    "30000", "60000", "--bad", "300"], check=True)
    out = subprocess.run([os.path.join(PIPELINE, "deploy.sh"), weir.endpoint], env=env, capture_output=True, text=True,
                         timeout=300)
    assert out.returncode == 0, out.stderr
    names = dict(line.split("=", 1) for line in out.stdout.split())
    s3, sqs, table = weir.client("s3"), weir.client("sqs"), weir.client("dynamodb")

    def sending():
        return table.get_item(TableName=names["TABLE"], Key={"pk": {"S": DATE}, "sk": {"S": "SEND"}},
                              ConsistentRead=True).get("Item", {})

    for kind in ("customers", "orders", "items"):
        with open(tmp_path / f"{kind}_{DATE}.csv", "rb") as f:
            s3.put_object(Bucket=names["BUCKET"], Key=f"{kind}_{DATE}.csv", Body=f)
    wait_for(lambda: int(sending().get("next_customer", {"N": "0"})["N"]) > 100, 60, "the first messages")
    for pid in functions_of(weir.process.pid):
        os.kill(pid, signal.SIGKILL)
    assert "done_revision" not in sending(), "it was faster than this test; make the set larger"
    wait_for(lambda: "done_revision" in sending(), 150, "the rest, after the lease ran out")

    with open(tmp_path / f"expected_{DATE}.jsonl", encoding="utf-8") as f:
        expected = {json.loads(line)["id"]: line.rstrip("\n") for line in f}
    with open(tmp_path / f"expected_rejects_{DATE}.json", encoding="utf-8") as f:
        assert int(sending()["rejects"]["N"]) == sum(json.load(f).values())
    got, ids = [], {}
    while True:
        batch = sqs.receive_message(QueueUrl=names["QUEUE_URL"], MaxNumberOfMessages=10, WaitTimeSeconds=1,
                                    MessageAttributeNames=["All"]).get("Messages", [])
        if not batch:
            break
        for m in batch:
            customer = json.loads(m["Body"])["id"]
            assert m["Body"] == expected[customer]  # to the byte: amounts keep their places
            ids.setdefault(customer, set()).add(m["MessageAttributes"]["message_id"]["StringValue"])
            got.append(customer)
        sqs.delete_message_batch(QueueUrl=names["QUEUE_URL"], Entries=[
            {"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(batch)])
    assert set(got) == set(expected)
    assert all(len(one) == 1 for one in ids.values())
    assert len(got) - len(expected) <= UNMARKED_MAX
