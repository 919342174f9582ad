"""What EventBridge and Scheduler acknowledged happens, kill -9 or not: events put before the kill arrive
at the end of a chain of buses, are in the archive, and a schedule that fired while nothing ran fires once."""
import json
from datetime import datetime, timedelta, timezone

from weirtest import wait_for

ACCOUNT = "000000000000"
BUSES = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/"
ROUNDS, BATCHES = 3, 5


def role(iam, *services):
    made = iam.create_role(RoleName="sends", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole"}]}))
    iam.put_role_policy(RoleName="sends", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["events:PutEvents", "sqs:SendMessage"], "Resource": "*"}]}))
    return made["Role"]["Arn"]


def take(sqs, url, seen, wanted):
    """Messages' bodies until all that are wanted were seen."""
    def more():
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        for m in found:
            seen.append(json.loads(m["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
        return wanted <= {e["id"] for e in seen}
    wait_for(more, 60, "all events")


def test_events_put_before_a_kill_arrive(fresh_weir):
    weir = fresh_weir
    arn = role(weir.client("iam"), "events.amazonaws.com")
    url = weir.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
    events = weir.client("events")
    events.create_event_bus(Name="second")
    events.create_archive(ArchiveName="all", EventSourceArn=BUSES + "default")
    for bus, target in (("default", BUSES + "second"), ("second", queue)):
        events.put_rule(Name="on", EventBusName=bus, EventPattern='{"source": ["app"]}')
        events.put_targets(Rule="on", EventBusName=bus, Targets=[{"Id": "t", "Arn": target, "RoleArn": arn}])
    seen, acknowledged = [], set()
    for _ in range(ROUNDS):
        events = weir.client("events")
        for n in range(BATCHES):
            done = events.put_events(Entries=[{"Source": "app", "DetailType": "t", "Detail": json.dumps({"n": n})}] * 10)
            acknowledged |= {e["EventId"] for e in done["Entries"]}
        weir.kill9()
        weir.start()
    assert len(acknowledged) == ROUNDS * BATCHES * 10
    take(weir.client("sqs"), url, seen, acknowledged)
    assert len(seen) == len(acknowledged)  # what is staged with its cause is sent once
    events, now = weir.client("events"), datetime.now(timezone.utc)
    assert events.describe_archive(ArchiveName="all")["EventCount"] == len(acknowledged)
    events.start_replay(ReplayName="again", EventSourceArn=f"arn:aws:events:us-east-1:{ACCOUNT}:archive/all",
                        EventStartTime=now - timedelta(hours=1), EventEndTime=now + timedelta(hours=1), Destination={"Arn": BUSES + "default"})
    weir.kill9()
    weir.start()
    replayed = []
    take(weir.client("sqs"), url, replayed, acknowledged)
    assert len(replayed) == len(acknowledged) and all(e["replay-name"] == "again" for e in replayed)


def test_a_schedule_that_came_due_while_nothing_ran(fresh_weir):
    weir = fresh_weir
    arn = role(weir.client("iam"), "scheduler.amazonaws.com")
    sqs, scheduler = weir.client("sqs"), weir.client("scheduler")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    due = (datetime.now(timezone.utc) + timedelta(seconds=2)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    for n in range(20):
        scheduler.create_schedule(Name=f"s{n}", ScheduleExpression=due, FlexibleTimeWindow={"Mode": "OFF"},
                                  Target={"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", "RoleArn": arn, "Input": json.dumps({"id": str(n)})})
    weir.kill9()
    weir.start()
    seen = []
    take(weir.client("sqs"), url, seen, {str(n) for n in range(20)})
    assert len(seen) == 20
