"""A stream and its consumers lose nothing when the server is killed again and again: every change of every
item comes, and in order; only what was not noted as done comes twice."""
import os
import random
import sys
import threading

from botocore.exceptions import BotoCoreError, ClientError

from weirtest import ROOT, wait_for

sys.path.insert(0, os.path.join(ROOT, "tests", "compat"))
from test_lambda_streams import Stage  # noqa: E402

KEYS, CHANGES, KILLS = 6, 40, 5

# Notes each number that comes, in the item's own list. An answer that is lost makes it come again.
NOTE = """
import boto3, os
ddb = boto3.client("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
def handler(event, context):
    for r in event["Records"]:
        image = r["dynamodb"]["NewImage"]
        ddb.update_item(TableName=os.environ["OUT"], Key={"id": image["id"]},
                        UpdateExpression="SET seen = list_append(if_not_exists(seen, :none), :n)",
                        ExpressionAttributeValues={":none": {"L": []}, ":n": {"L": [image["n"]]}})
"""


def first_times(numbers):
    seen = []
    for n in numbers:
        if n not in seen:
            seen.append(n)
    return seen


def test_killed_again_and_again(make_weir):
    weir = make_weir()
    stage = Stage(weir)
    table, arn = stage.streams.table("NEW_IMAGE")
    out, _ = stage.streams.table(view=None)
    name = stage.function(NOTE, Environment={"Variables": {"OUT": out}})
    stage.map(name, arn, BatchSize=7, ParallelizationFactor=2)
    written = threading.Semaphore(0)

    def write():
        for n in range(CHANGES):
            for key in range(KEYS):
                def put():
                    try:  # put again, it changes nothing, and leaves no second record
                        stage.ddb.put_item(TableName=table, Item={"id": {"S": f"k{key}"}, "n": {"N": str(n)}})
                        return True
                    except (BotoCoreError, ClientError):
                        return False
                wait_for(put, 60, "the server")
            written.release()

    writer = threading.Thread(target=write)
    writer.start()
    chance = random.Random(7)
    for _ in range(KILLS):
        for _ in range(chance.randint(2, CHANGES // KILLS)):
            written.acquire()
        weir.kill9()
        weir.start()
    writer.join()

    def seen():
        items = stage.ddb.scan(TableName=out)["Items"]
        return {i["id"]["S"]: [int(n["N"]) for n in i["seen"]["L"]] for i in items}

    want = {f"k{key}": list(range(CHANGES)) for key in range(KEYS)}
    wait_for(lambda: {k: first_times(v) for k, v in seen().items()} == want, 120, "every change, in order")
    for record in stage.streams.read(arn):
        assert "NewImage" in record["dynamodb"]
    assert len(stage.streams.read(arn)) == KEYS * CHANGES
