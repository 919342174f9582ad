"""DynamoDB's point-in-time recovery, backups, restores, exports and imports, driven by boto3."""
import base64
import datetime
import gzip
import hashlib
import json
import subprocess
import threading
import time
import uuid

import pytest

from test_dynamodb import error, make, raw
from weirtest import wait_for

KEYS = [{"AttributeName": "id", "KeyType": "HASH"}]
BY_GROUP = {"IndexName": "by-group", "KeySchema": [{"AttributeName": "group", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"}}
BY_NAME = {"IndexName": "by-name", "KeySchema": [{"AttributeName": "name", "KeyType": "HASH"}],
           "Projection": {"ProjectionType": "KEYS_ONLY"}}
DEFS = [{"AttributeName": "group", "AttributeType": "S"}, {"AttributeName": "name", "AttributeType": "S"}]


@pytest.fixture
def ddb(weir):
    return weir.client("dynamodb")


@pytest.fixture(scope="module")
def module_table(weir):
    """ARN of a table without recovery, which nobody changes."""
    ddb = weir.client("dynamodb")
    return ddb.describe_table(TableName=make(ddb))["Table"]["TableArn"]


def recover(ddb, name, on=True):
    return ddb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification={
        "PointInTimeRecoveryEnabled": on})["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]


def keep_days(weir, name, days, on=True):
    """What the server says of this recovery period, which the installed SDK may not know."""
    status, reply = raw(weir, "UpdateContinuousBackups", {"TableName": name, "PointInTimeRecoverySpecification": {
        "PointInTimeRecoveryEnabled": on, **({"RecoveryPeriodInDays": days} if days else {})}})
    if status != 200:
        return reply["__type"].rpartition("#")[2]
    return reply["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"].get("RecoveryPeriodInDays")


def put(ddb, table, key, **more):
    ddb.put_item(TableName=table, Item={"id": {"S": key}, **{k: {"S": v} for k, v in more.items()}})


def items(ddb, name, **more):
    pages = ddb.get_paginator("scan").paginate(TableName=name, **more)
    return sorted((i for p in pages for i in p["Items"]), key=lambda i: i["id"]["S"])


def active(ddb, name):
    wait_for(lambda: ddb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE")
    return ddb.describe_table(TableName=name)["Table"]


def ready(ddb, arn):
    wait_for(lambda: ddb.describe_backup(BackupArn=arn)["BackupDescription"]["BackupDetails"]["BackupStatus"] == "AVAILABLE")
    return ddb.describe_backup(BackupArn=arn)["BackupDescription"]


def backup(ddb, name, called="nightly"):
    arn = ddb.create_backup(TableName=name, BackupName=called)["BackupDetails"]["BackupArn"]
    ready(ddb, arn)
    return arn


def fresh():
    return "r-" + uuid.uuid4().hex[:12]


def now(ddb, name):
    """The server's own clock, at a moment that no write shares."""
    at = ddb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"][
        "PointInTimeRecoveryDescription"]["LatestRestorableDateTime"]
    wait_for(lambda: ddb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"][
        "PointInTimeRecoveryDescription"]["LatestRestorableDateTime"] > at)
    return at


def restore_to(weir, name, moment):
    """The name of a table that is restored to the moment, which the SDK would cut to its second."""
    target = fresh()
    status, reply = raw(weir, "RestoreTableToPointInTime", {
        "SourceTableName": name, "TargetTableName": target, "RestoreDateTime": moment.timestamp()})
    assert status == 200, reply
    assert reply["TableDescription"]["TableStatus"] == "CREATING"
    assert reply["TableDescription"]["RestoreSummary"]["RestoreInProgress"]
    return target


# --- point-in-time recovery ---------------------------------------------------------------------


def test_recovery_is_switched(weir, ddb):
    name = make(ddb)
    on = recover(ddb, name)
    assert on["PointInTimeRecoveryStatus"] == "ENABLED"
    assert on["EarliestRestorableDateTime"].microsecond == 0 # a moment that every client can name
    assert abs(on["EarliestRestorableDateTime"] - on["LatestRestorableDateTime"]) <= datetime.timedelta(seconds=1)
    assert [keep_days(weir, name, days) for days in (None, 3, None, 1, 35)] == [35, 3, 3, 1, 35]
    assert {keep_days(weir, name, days) for days in (0.5, -1, 36)} <= {"ValidationException", "SerializationException"}
    assert keep_days(weir, name, 5, on=False) == "ValidationException"
    described = ddb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert described["ContinuousBackupsStatus"] == "ENABLED"
    assert described["PointInTimeRecoveryDescription"]["EarliestRestorableDateTime"] == on["EarliestRestorableDateTime"]
    assert recover(ddb, name, False) == {"PointInTimeRecoveryStatus": "DISABLED"}
    assert recover(ddb, name, False) == {"PointInTimeRecoveryStatus": "DISABLED"}
    with error("TableNotFoundException", "Table not found: no-such-table"):
        recover(ddb, "no-such-table")
    with error("TableNotFoundException"):
        ddb.describe_continuous_backups(TableName="no-such-table")


def test_restore_to_moments(weir, ddb):
    name = make(ddb, GlobalSecondaryIndexes=[BY_GROUP], AttributeDefinitions=DEFS[:1], Tags=[{"Key": "a", "Value": "b"}],
                StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    put(ddb, name, "old", group="x")
    recover(ddb, name)
    put(ddb, name, "changed", group="x")
    put(ddb, name, "gone", group="y")
    first, then = now(ddb, name), items(ddb, name)
    ddb.transact_write_items(TransactItems=[
        {"Delete": {"TableName": name, "Key": {"id": {"S": "gone"}}}},
        {"Put": {"TableName": name, "Item": {"id": {"S": "new"}, "group": {"S": "x"}}}}])
    ddb.update_item(TableName=name, Key={"id": {"S": "changed"}}, UpdateExpression="SET #g = :y",
                    ExpressionAttributeNames={"#g": "group"}, ExpressionAttributeValues={":y": {"S": "y"}})
    second, after = now(ddb, name), items(ddb, name)
    ddb.batch_write_item(RequestItems={name: [{"DeleteRequest": {"Key": {"id": {"S": "old"}}}}]})
    target = restore_to(weir, name, first)
    t = active(ddb, target)
    assert items(ddb, target) == then
    found = ddb.query(TableName=target, IndexName="by-group", KeyConditionExpression="#g = :x", ExpressionAttributeNames={"#g": "group"},
                      ExpressionAttributeValues={":x": {"S": "x"}})["Items"]
    assert sorted(i["id"]["S"] for i in found) == ["changed", "old"]
    summary = t["RestoreSummary"]
    assert not summary["RestoreInProgress"] and summary["RestoreDateTime"] == first
    assert summary["SourceTableArn"].endswith("table/" + name)
    assert "StreamSpecification" not in t and ddb.list_tags_of_resource(ResourceArn=t["TableArn"])["Tags"] == []
    assert ddb.describe_continuous_backups(TableName=target)["ContinuousBackupsDescription"][
        "PointInTimeRecoveryDescription"] == {"PointInTimeRecoveryStatus": "DISABLED"}
    arn = ddb.describe_table(TableName=name)["Table"]["TableArn"]
    middle, latest = restore_to(weir, name, second), fresh()
    ddb.restore_table_to_point_in_time(SourceTableArn=arn, TargetTableName=latest, UseLatestRestorableTime=True)
    for table, expected in ((middle, after), (latest, items(ddb, name))):
        active(ddb, table)
        assert items(ddb, table) == expected
    put(ddb, latest, "writable", group="z")


def test_restore_is_refused(ddb):
    name, off = make(ddb), make(ddb)
    recover(ddb, name)
    restore = ddb.restore_table_to_point_in_time
    with error("PointInTimeRecoveryUnavailableException", "Point in time recovery is not enabled"):
        restore(SourceTableName=off, TargetTableName=fresh(), UseLatestRestorableTime=True)
    with error("TableNotFoundException"):
        restore(SourceTableName="no-such-table", TargetTableName=fresh(), UseLatestRestorableTime=True)
    with error("TableAlreadyExistsException"):
        restore(SourceTableName=name, TargetTableName=off, UseLatestRestorableTime=True)
    for moment in (datetime.datetime(2020, 1, 1), datetime.datetime.now() + datetime.timedelta(hours=1)):
        with error("InvalidRestoreTimeException"):
            restore(SourceTableName=name, TargetTableName=fresh(), RestoreDateTime=moment)
    for more in ({}, {"UseLatestRestorableTime": True, "RestoreDateTime": datetime.datetime.now()}):
        with error("ValidationException", "Either one of RestoreDateTime or UseLatestRestorableTime must be specified, but not both"):
            restore(SourceTableName=name, TargetTableName=fresh(), **more)
    with error("ValidationException"):
        restore(TargetTableName=fresh(), UseLatestRestorableTime=True)
    with error("ValidationException", "ReadCapacityUnits and WriteCapacityUnits"):
        restore(SourceTableName=name, TargetTableName=fresh(), UseLatestRestorableTime=True, BillingModeOverride="PROVISIONED")
    with error("ValidationException", "by-group"):
        restore(SourceTableName=name, TargetTableName=fresh(), UseLatestRestorableTime=True, GlobalSecondaryIndexOverride=[BY_GROUP])


def test_overrides(weir, ddb):
    name = make(ddb, GlobalSecondaryIndexes=[BY_GROUP, BY_NAME], AttributeDefinitions=DEFS)
    put(ddb, name, "1", group="g", name="n")
    arn, units = backup(ddb, name), {"ReadCapacityUnits": 3, "WriteCapacityUnits": 4}
    one, none = fresh(), fresh()
    ddb.restore_table_from_backup(BackupArn=arn, TargetTableName=one, BillingModeOverride="PROVISIONED",
                                  ProvisionedThroughputOverride=units,
                                  GlobalSecondaryIndexOverride=[{**BY_NAME, "ProvisionedThroughput": units}])
    ddb.restore_table_from_backup(BackupArn=arn, TargetTableName=none, GlobalSecondaryIndexOverride=[])
    t = active(ddb, one)
    assert [i["IndexName"] for i in t["GlobalSecondaryIndexes"]] == ["by-name"]
    assert {k: t["ProvisionedThroughput"][k] for k in units} == units
    assert {k: t["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"][k] for k in units} == units
    assert len(t["AttributeDefinitions"]) == 2
    assert ddb.scan(TableName=one, IndexName="by-name")["Items"] == [{"id": {"S": "1"}, "name": {"S": "n"}}]
    assert "GlobalSecondaryIndexes" not in active(ddb, none)
    with error("ValidationException", "by-name"):
        ddb.restore_table_from_backup(BackupArn=arn, TargetTableName=fresh(), GlobalSecondaryIndexOverride=[
            {**BY_NAME, "Projection": {"ProjectionType": "ALL"}}])
    status, reply = raw(weir, "RestoreTableFromBackup", {"BackupArn": arn, "TargetTableName": fresh(),
                                                         "OnDemandThroughputOverride": {"MaxReadRequestUnits": 5}})
    assert status == 400 and "OnDemandThroughput" in reply["message"]


# --- backups ------------------------------------------------------------------------------------


def test_backup_outlives_its_table(ddb):
    name = make(ddb, GlobalSecondaryIndexes=[BY_GROUP], AttributeDefinitions=DEFS[:1])
    for i in range(30):
        put(ddb, name, f"{i:02}", group=f"g{i % 3}")
    before = items(ddb, name)
    made = ddb.create_backup(TableName=name, BackupName="first")["BackupDetails"]
    arn = made["BackupArn"]
    assert made["BackupStatus"] in ("CREATING", "AVAILABLE") and made["BackupType"] == "USER" and made["BackupName"] == "first"
    b = ready(ddb, arn)
    source = b["SourceTableDetails"]
    assert (source["TableName"], source["ItemCount"], source["KeySchema"]) == (name, 30, KEYS)
    assert b["BackupDetails"]["BackupSizeBytes"] == source["TableSizeBytes"] > 0
    assert b["SourceTableFeatureDetails"]["GlobalSecondaryIndexes"][0]["IndexName"] == "by-group"
    put(ddb, name, "later")
    ddb.delete_table(TableName=name)
    target = fresh()
    ddb.restore_table_from_backup(BackupArn=arn, TargetTableName=target)
    assert active(ddb, target)["RestoreSummary"]["SourceBackupArn"] == arn
    assert items(ddb, target) == before
    assert len(ddb.scan(TableName=target, IndexName="by-group")["Items"]) == 30
    with error("TableAlreadyExistsException"):
        ddb.restore_table_from_backup(BackupArn=arn, TargetTableName=target)
    assert ddb.delete_backup(BackupArn=arn)["BackupDescription"]["BackupDetails"]["BackupStatus"] == "DELETED"
    for call in (ddb.describe_backup, ddb.delete_backup):
        with error("BackupNotFoundException", "Backup not found: " + arn):
            call(BackupArn=arn)
    with error("BackupNotFoundException"):
        ddb.restore_table_from_backup(BackupArn=arn, TargetTableName=fresh())
    with error("BackupNotFoundException"):
        ddb.describe_backup(BackupArn="arn:aws:dynamodb:us-east-1:000000000000:table/x")
    with error("TableNotFoundException"):
        ddb.create_backup(TableName=name, BackupName="late")
    assert items(ddb, target) == before


def test_deleted_table_leaves_a_system_backup(ddb):
    name = make(ddb)
    recover(ddb, name)
    put(ddb, name, "kept")
    ddb.delete_table(TableName=name)
    assert ddb.list_backups(TableName=name)["BackupSummaries"] == []
    b, = ddb.list_backups(TableName=name, BackupType="SYSTEM")["BackupSummaries"]
    assert b["BackupName"] == name + "$DeletedTableBackup" and b["BackupStatus"] == "AVAILABLE"
    assert b["BackupExpiryDateTime"] - b["BackupCreationDateTime"] == datetime.timedelta(days=35)
    with error("TableNotFoundException"):
        ddb.restore_table_to_point_in_time(SourceTableName=name, TargetTableName=fresh(), UseLatestRestorableTime=True)
    ddb.restore_table_from_backup(BackupArn=b["BackupArn"], TargetTableName=name)
    active(ddb, name)
    assert items(ddb, name) == [{"id": {"S": "kept"}}]
    wait_for(lambda: ddb.delete_backup(BackupArn=b["BackupArn"]))
    assert items(ddb, name) == [{"id": {"S": "kept"}}]


def test_list_backups(weir, ddb):
    name = make(ddb)
    arns = [backup(ddb, name, f"backup-{i}") for i in range(5)]
    listed = ddb.list_backups(TableName=name)
    assert [b["BackupArn"] for b in listed["BackupSummaries"]] == arns and "LastEvaluatedBackupArn" not in listed
    page = ddb.list_backups(TableName=name, Limit=2)
    assert page["LastEvaluatedBackupArn"] == arns[1]
    ddb.delete_backup(BackupArn=arns[1])
    rest = ddb.list_backups(TableName=name, Limit=3, ExclusiveStartBackupArn=arns[1])
    assert [b["BackupArn"] for b in rest["BackupSummaries"]] == arns[2:] and "LastEvaluatedBackupArn" not in rest
    at = rest["BackupSummaries"][1]["BackupCreationDateTime"].timestamp() # the SDK would cut it to its second
    for bound, expected in (("Lower", arns[3:]), ("Upper", [arns[0], arns[2]])):
        found = raw(weir, "ListBackups", {"TableName": name, f"TimeRange{bound}Bound": at})[1]["BackupSummaries"]
        assert [b["BackupArn"] for b in found] == expected
    assert ddb.list_backups(TableName=name, BackupType="SYSTEM")["BackupSummaries"] == []
    assert len(ddb.list_backups(TableName=name, BackupType="ALL")["BackupSummaries"]) == 4
    assert set(arns) - {arns[1]} <= {b["BackupArn"] for b in ddb.list_backups()["BackupSummaries"]}
    with error("ValidationException", "ExclusiveStartBackupArn"):
        ddb.list_backups(ExclusiveStartBackupArn="x" * 40)


def test_backup_under_a_key(weir, ddb):
    kms = weir.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    name = make(ddb, SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key})
    put(ddb, name, "1", secret="x")
    recover(ddb, name)
    at = now(ddb, name)
    put(ddb, name, "1", secret="y")
    arn, plain, kept = backup(ddb, name), fresh(), restore_to(weir, name, at)
    ddb.restore_table_from_backup(BackupArn=arn, TargetTableName=plain, SSESpecificationOverride={"Enabled": False})
    assert active(ddb, kept)["SSEDescription"]["KMSMasterKeyArn"] == key
    assert "SSEDescription" not in active(ddb, plain)
    assert items(ddb, kept) == [{"id": {"S": "1"}, "secret": {"S": "x"}}]
    assert items(ddb, plain) == [{"id": {"S": "1"}, "secret": {"S": "y"}}]
    assert ddb.describe_backup(BackupArn=arn)["BackupDescription"]["SourceTableFeatureDetails"]["SSEDescription"]["KMSMasterKeyArn"] == key


def test_copies_are_whole_while_writes_go_on(ddb):
    """Each transaction moves one between two counters: in every copy the sum stays."""
    name = make(ddb)
    recover(ddb, name)
    ddb.batch_write_item(RequestItems={name: [
        {"PutRequest": {"Item": {"id": {"S": k}, "n": {"N": "100"}}}} for k in "abcdefgh"]})
    stop, moved = threading.Event(), []

    def write():
        while not stop.is_set():
            pair = [("abcdefgh"[len(moved) % 8], "-1"), ("abcdefgh"[(len(moved) * 3 + 1) % 8], "1")]
            if pair[0][0] != pair[1][0]:
                ddb.transact_write_items(TransactItems=[{"Update": {
                    "TableName": name, "Key": {"id": {"S": k}}, "UpdateExpression": "ADD n :d",
                    "ExpressionAttributeValues": {":d": {"N": d}}}} for k, d in pair])
            moved.append(time.time())

    writer = threading.Thread(target=write)
    writer.start()
    try:
        targets = []
        for _ in range(4):
            seen = len(moved)
            wait_for(lambda: len(moved) > seen + 10)
            targets += [fresh(), fresh()]
            ddb.restore_table_to_point_in_time(SourceTableName=name, TargetTableName=targets[-2], UseLatestRestorableTime=True)
            ddb.restore_table_from_backup(BackupArn=backup(ddb, name), TargetTableName=targets[-1])
    finally:
        stop.set()
        writer.join()
    for target in targets:
        active(ddb, target)
        assert sum(int(i["n"]["N"]) for i in items(ddb, target)) == 800


# --- exports ------------------------------------------------------------------------------------


def exported(ddb, arn):
    def over():
        return ddb.describe_export(ExportArn=arn)["ExportDescription"]["ExportStatus"] != "IN_PROGRESS"
    wait_for(over, what="export")
    return ddb.describe_export(ExportArn=arn)["ExportDescription"]


def read_export(s3, told):
    """What a reader of the manifests finds, every sum checked."""
    def get(key):
        return s3.get_object(Bucket=told["S3Bucket"], Key=key)["Body"].read()

    def checked(name):
        body = get(folder + name)
        assert get(folder + name.rpartition(".")[0] + ".md5") == base64.b64encode(hashlib.md5(body).digest())
        return body
    folder = told["ExportManifest"].rpartition("/")[0] + "/"
    assert get(folder + "_started") == b""
    summary, found = json.loads(checked("manifest-summary.json")), []
    assert summary["manifestFilesS3Key"] == folder + "manifest-files.json" and summary["exportArn"] == told["ExportArn"]
    for line in checked("manifest-files.json").splitlines():
        part = json.loads(line)
        body = get(part["dataFileS3Key"])
        assert part["md5Checksum"] == base64.b64encode(hashlib.md5(body).digest()).decode() and part["etag"] == hashlib.md5(body).hexdigest()
        items = [json.loads(row)["Item"] for row in gzip.decompress(body).splitlines()]
        assert len(items) == part["itemCount"]
        found += items
    assert len(found) == summary["itemCount"] == told["ItemCount"]
    return sorted(found, key=lambda i: i["id"]["S"])


def test_export(weir, ddb):
    s3, name = weir.client("s3"), make(ddb)
    bucket, arn = "export-" + uuid.uuid4().hex[:8], ddb.describe_table(TableName=name)["Table"]["TableArn"]
    s3.create_bucket(Bucket=bucket)
    ask = {"TableArn": arn, "S3Bucket": bucket, "S3Prefix": "deep/er", "ClientToken": "once"}
    with error("PointInTimeRecoveryUnavailableException"):
        ddb.export_table_to_point_in_time(**ask)
    recover(ddb, name)
    want = [{"id": {"S": f"{i:03}"}, "v": {"S": "x" * 2000}, "b": {"B": b"\0\1"}, "n": {"NS": ["1", "2"]}} for i in range(300)]
    for at in range(0, 300, 25):
        ddb.batch_write_item(RequestItems={name: [{"PutRequest": {"Item": i}} for i in want[at:at + 25]]})
    first = ddb.export_table_to_point_in_time(**ask)["ExportDescription"]
    put(ddb, name, "later")  # is not in it
    assert first["ExportStatus"] == "IN_PROGRESS" and first["ExportArn"].startswith(arn + "/export/")
    assert ddb.export_table_to_point_in_time(**ask)["ExportDescription"]["ExportArn"] == first["ExportArn"]
    with error("ExportConflictException"):
        ddb.export_table_to_point_in_time(**{**ask, "S3Prefix": "other"})
    told = exported(ddb, first["ExportArn"])
    assert told["ExportStatus"] == "COMPLETED", told
    found = read_export(s3, told)
    for i in want:
        i["b"] = {"B": "AAE="}
    assert [{**i, "n": {"NS": sorted(i["n"]["NS"])}} for i in found] == want
    assert first["ExportArn"] in [e["ExportArn"] for e in ddb.list_exports(TableArn=arn)["ExportSummaries"]]
    page = ddb.list_exports(MaxResults=1)
    assert len(page["ExportSummaries"]) == 1
    assert ddb.list_exports(TableArn=arn + "x")["ExportSummaries"] == []

    failed = exported(ddb, ddb.export_table_to_point_in_time(TableArn=arn, S3Bucket="no-such-bucket-here")["ExportDescription"]["ExportArn"])
    assert failed["ExportStatus"] == "FAILED" and failed["FailureCode"] == "S3NoSuchBucket", failed
    with error("ValidationException", "Invalid Export ARN"):
        ddb.describe_export(ExportArn=arn)
    with error("ExportNotFoundException", f"Export not found: Export not found: {first['ExportArn']}0"):
        ddb.describe_export(ExportArn=first["ExportArn"] + "0")
    with error("TableNotFoundException", f"Table not found: {arn}x"):
        ddb.export_table_to_point_in_time(TableArn=arn + "x", S3Bucket=bucket)
    with error("ValidationException", "Invalid Request: Table ARN is invalid."):
        ddb.export_table_to_point_in_time(TableArn=arn + "/index/i", S3Bucket=bucket)
    with error("InvalidExportTimeException", "Export Time is invalid"):
        ddb.export_table_to_point_in_time(TableArn=arn, S3Bucket=bucket, ExportTime=datetime.datetime(2020, 1, 1))
    with error("ValidationException", "tableArn is not a valid ARN"):
        ddb.export_table_to_point_in_time(TableArn=name, S3Bucket=bucket)


def test_export_in_ion(weir, ddb):
    s3, name = weir.client("s3"), make(ddb)
    bucket, arn = "export-" + uuid.uuid4().hex[:8], ddb.describe_table(TableName=name)["Table"]["TableArn"]
    s3.create_bucket(Bucket=bucket)
    recover(ddb, name)
    ddb.put_item(TableName=name, Item={"id": {"S": "k"}, "n": {"N": "600"}, "s": {"SS": ["x"]}, "null": {"M": {"b c": {"B": b"hi"}}}})
    ask = {"TableArn": arn, "S3Bucket": bucket, "ExportFormat": "ION", "ClientToken": name}
    told = exported(ddb, ddb.export_table_to_point_in_time(**ask)["ExportDescription"]["ExportArn"])
    assert (told["ExportStatus"], told["ExportFormat"]) == ("COMPLETED", "ION"), told
    with error("ExportConflictException"):
        ddb.export_table_to_point_in_time(**{**ask, "ExportFormat": "DYNAMODB_JSON"})
    folder = told["ExportManifest"].rpartition("/")[0]
    get = lambda key: s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    assert json.loads(get(told["ExportManifest"]))["outputFormat"] == "ION"
    key = json.loads(get(folder + "/manifest-files.json"))["dataFileS3Key"]
    assert key.startswith(folder + "/data/") and key.endswith(".ion.gz")
    head, _, rest = gzip.decompress(get(key)).decode().partition("{Item:{")
    assert head == "$ion_1_0 " and rest.endswith("}}\n"), (head, rest)
    for part in ('id:"k"', "n:6d2", 's:$dynamodb_SS::["x"]', "'null':{'b c':{{aGk=}}}"):
        assert part in rest, rest


@pytest.mark.parametrize("ask, code, message", [
    ({"IncrementalExportSpecification": {"ExportFromTime": 1}}, "ValidationException",
     "Invalid Request: Export Type expected to be Incremental Export when incremental export specification is provided"),
    ({"ExportType": "FULL_EXPORT", "IncrementalExportSpecification": {}}, "ValidationException",
     "Invalid Request: When Export Type is Full Export , Incremental Export Specification should not be provided"),
    ({"ExportType": "INCREMENTAL_EXPORT"}, "ValidationException",
     "Invalid Request: Incremental Export Specification expected when export type is set as Incremental Export"),
    ({"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": {"ExportViewType": "NEW_IMAGE"}}, "ValidationException",
     "Invalid Request: ExportFromTime must be provided in IncrementalExportSpecification"),
    ({"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": {"ExportViewType": "NEW_IMAGES"}}, "ValidationException",
     "1 validation error detected: Value 'NEW_IMAGES' at 'incrementalExportSpecification.exportViewType' failed to satisfy constraint"),
    ({"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": {"ExportFromTime": 86400}}, "InvalidExportTimeException",
     "Incremental export period from time cannot be less than the table creation time : 1970-01-02T00:00:00Z"),
    ({"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": {"ExportFromTime": 86400, "ExportToTime": 8000000000}},
     "InvalidExportTimeException", "Incremental export period to time cannot be greater than the current time : 2223-07-06T14:13:20Z"),
])
def test_incremental_exports_are_refused(weir, ddb, module_table, ask, code, message):
    """What they tell is a unit test's, under a fake clock: their windows are a quarter of an hour and more."""
    status, reply = raw(weir, "ExportTableToPointInTime", {"TableArn": module_table, "S3Bucket": "bucket", **ask})
    assert status == 400 and reply["__type"].endswith("#" + code) and reply["message"].startswith(message), reply


def test_export_as_its_caller(weir, ddb):
    """The bucket is written as who asked: who may not is told so in the description."""
    iam, name = weir.client("iam"), make(ddb)
    arn, bucket, user = ddb.describe_table(TableName=name)["Table"]["TableArn"], "export-" + uuid.uuid4().hex[:8], "u-" + uuid.uuid4().hex[:8]
    weir.client("s3").create_bucket(Bucket=bucket)
    recover(ddb, name)
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]}))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    theirs = weir.client("dynamodb", key["AccessKeyId"], key["SecretAccessKey"])
    told = exported(ddb, theirs.export_table_to_point_in_time(TableArn=arn, S3Bucket=bucket)["ExportDescription"]["ExportArn"])
    assert told["ExportStatus"] == "FAILED" and told["FailureCode"] == "S3AccessDenied", told


# --- imports ------------------------------------------------------------------------------------

ONE_KEY = {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "KeySchema": KEYS, "BillingMode": "PAY_PER_REQUEST"}
WRONG = "Some of the items failed validation checks and were not imported. Please check CloudWatch error logs for more details."


@pytest.fixture(scope="module")
def source(weir):
    """A bucket that the imports of this file read, each under a prefix of its own."""
    name = "import-" + uuid.uuid4().hex[:8]
    weir.client("s3").create_bucket(Bucket=name)
    return name


def lines(*items):
    return "".join(json.dumps({"Item": i}) + "\n" for i in items).encode()


def imported(weir, bucket, objects, format="DYNAMODB_JSON", wait=True, client=None, **more):
    """What came of an import of these objects; its table's name is under `name`."""
    ddb, s3, prefix = client or weir.client("dynamodb"), weir.client("s3"), uuid.uuid4().hex[:8] + "/"
    for key, body in objects.items():
        s3.put_object(Bucket=bucket, Key=prefix + key, Body=body)
    parameters = {"TableName": "im-" + uuid.uuid4().hex[:8], **ONE_KEY, **more.pop("table", {})}
    told = ddb.import_table(**{"S3BucketSource": {"S3Bucket": bucket, "S3KeyPrefix": prefix}, "InputFormat": format,
                               "TableCreationParameters": parameters, **more})["ImportTableDescription"]
    assert told["ImportStatus"] == "IN_PROGRESS" and told["TableCreationParameters"] == parameters
    if wait:
        told = import_over(weir.client("dynamodb"), told["ImportArn"])
    return {**told, "name": parameters["TableName"], "prefix": prefix}


def import_over(ddb, arn):
    def over():
        return ddb.describe_import(ImportArn=arn)["ImportTableDescription"]["ImportStatus"] != "IN_PROGRESS"
    wait_for(over, what="import")
    return ddb.describe_import(ImportArn=arn)["ImportTableDescription"]


def counts(told):
    return told["ImportStatus"], told["ImportedItemCount"], told["ErrorCount"], told["ProcessedItemCount"]


def zstd(body):
    return subprocess.run(["zstd", "-q", "-c"], input=body, stdout=subprocess.PIPE, check=True).stdout


def test_import(weir, ddb, source):
    want = [{"id": {"S": f"{i:03}"}, "v": {"S": "x\n\u00e9"}, "l": {"L": [{"N": "1"}]}, "group": {"S": str(i % 3)}} for i in range(300)]
    table = {"AttributeDefinitions": ONE_KEY["AttributeDefinitions"] + DEFS[:1], "GlobalSecondaryIndexes": [BY_GROUP]}
    told = imported(weir, source, {"a.json": lines(*want[:200]) + b"\n", "b/c.json": lines(*want[200:]).rstrip(), "empty": b""}, table=table)
    assert counts(told) == ("COMPLETED", 300, 0, 300) and "FailureCode" not in told and told["EndTime"] >= told["StartTime"]
    assert told["ProcessedSizeBytes"] == len(lines(*want)) and "InputFormatOptions" not in told
    assert told["S3BucketSource"] == {"S3Bucket": source, "S3KeyPrefix": told["prefix"], "S3BucketOwner": "000000000000"}
    assert told["CloudWatchLogGroupArn"].endswith(":log-group:/aws-dynamodb/imports:*") and told["InputCompressionType"] == "NONE"
    shown = active(ddb, told["name"])
    assert (shown["TableArn"], shown["TableId"], shown["ItemCount"]) == (told["TableArn"], told["TableId"], 300) and "RestoreSummary" not in shown
    assert items(ddb, told["name"]) == want
    assert ddb.query(TableName=told["name"], IndexName="by-group", KeyConditionExpression="#g=:g", ExpressionAttributeNames={"#g": "group"},
                     ExpressionAttributeValues={":g": {"S": "2"}}, Select="COUNT")["Count"] == 100
    put(ddb, told["name"], "000", group="9")  # an ordinary table
    assert ddb.scan(TableName=told["name"], IndexName="by-group", Select="COUNT")["Count"] == 300
    assert told["ImportArn"] in [i["ImportArn"] for i in ddb.list_imports(TableArn=told["TableArn"])["ImportSummaryList"]]
    second = imported(weir, source, {})  # nothing there is a table without items
    assert counts(second) == ("COMPLETED", 0, 0, 0) and items(ddb, second["name"]) == [] and "ProcessedSizeBytes" not in second
    page = ddb.list_imports(PageSize=1)
    assert [i["ImportArn"] for i in page["ImportSummaryList"]] == [second["ImportArn"]]
    assert ddb.list_imports(PageSize=1, NextToken=page["NextToken"])["ImportSummaryList"][0]["ImportArn"] == told["ImportArn"]
    ddb.delete_table(TableName=told["name"])
    assert import_over(ddb, told["ImportArn"])["TableArn"] == told["TableArn"]  # the record stays


@pytest.mark.parametrize("kind, objects, want", [
    ("GZIP", {"a": gzip.compress(lines({"id": {"S": "1"}})) + gzip.compress(lines({"id": {"S": "2"}}))}, ("COMPLETED", 2, 0, 2)),
    ("GZIP", {"a": lines({"id": {"S": "1"}})}, ("FAILED", 0, 1, 1)),
    ("GZIP", {"a": gzip.compress(lines({"id": {"S": "1"}}))[:-9]}, ("FAILED", 0, 1, 1)),
    ("ZSTD", {"a": lambda: zstd(lines({"id": {"S": "1"}})) + zstd(lines({"id": {"S": "2"}}))}, ("COMPLETED", 2, 0, 2)),
    ("NONE", {"a": lines({"id": {"S": "1"}}, {"no": {"S": "key"}}, {"id": {"S": "2"}}, {"id": {"N": "3"}}, {"id": {"S": "1"}, "v": {"S": "new"}})},
     ("FAILED", 3, 2, 5)),
    ("NONE", {"a": lines({"id": {"S": "1"}}) + b"garbage\n" + lines({"id": {"S": "2"}}), "b": lines({"id": {"S": "3"}})}, ("FAILED", 2, 1, 3)),
    ("NONE", {"a": b'{"id": {"S": "1"}}\n'}, ("FAILED", 0, 1, 1)),
    ("NONE", {"a": b"\xef\xbb\xbf" + lines({"id": {"S": "1"}}).replace(b"\n", b"\r\n")}, ("COMPLETED", 1, 0, 1)),
    ("NONE", {"a": lines({"id": {"S": "1"}, "v": {"S": "x" * 409600}})}, ("FAILED", 0, 1, 1)),
], ids=["gzip members", "no gzip", "gzip cut", "zstd frames", "bad items", "bad line", "no Item", "bom", "too large"])
def test_import_json(weir, ddb, source, kind, objects, want):
    told = imported(weir, source, {k: v() if callable(v) else v for k, v in objects.items()}, InputCompressionType=kind)
    assert counts(told) == want, told
    shown = items(ddb, told["name"])
    if want[0] == "COMPLETED":
        assert len(shown) == want[1]
        return
    assert (told["FailureCode"], told["FailureMessage"]) == ("ItemValidationError", WRONG)
    events = weir.client("logs").get_log_events(logGroupName="/aws-dynamodb/imports", logStreamName=told["ImportArn"].split("/")[-1] + "/error", startFromHead=True)
    rows = [json.loads(e["message"]) for e in events["events"]]
    assert len(rows) == want[2] and all(r["importArn"] == told["ImportArn"] and r["errorMessages"] for r in rows)
    assert rows[0]["itemS3Pointer"]["bucket"] == source and rows[0]["itemS3Pointer"]["key"] == told["prefix"] + "a"
    if want == ("FAILED", 3, 2, 5):
        assert [r["itemS3Pointer"]["itemIndex"] for r in rows] == [1, 3]
        assert rows[0]["errorMessages"] == ["One or more parameter values were invalid: Missing the key id in the item"]
        assert shown == [{"id": {"S": "1"}, "v": {"S": "new"}}, {"id": {"S": "2"}}]


CSV_TABLE = {"AttributeDefinitions": ONE_KEY["AttributeDefinitions"] + [{"AttributeName": "n", "AttributeType": "N"}],
             "KeySchema": KEYS + [{"AttributeName": "n", "KeyType": "RANGE"}]}


@pytest.mark.parametrize("body, options, want", [
    ('id,n,text\na,1,x\nb,2.50,"q ""1"", and\nmore"\n', None, [{"id": "a", "n": 1, "text": "x"}, {"id": "b", "n": 2.5, "text": 'q "1", and\nmore'}]),
    ("id,n,empty\r\na,1,\r\n\r\n", None, [{"id": "a", "n": 1}]),
    ("a;1;2\nb;2;3", {"Delimiter": ";", "HeaderList": ["id", "n", "v"]}, [{"id": "a", "n": 1, "v": "2"}, {"id": "b", "n": 2, "v": "3"}]),
    ("id\tn\na\t1\n", {"Delimiter": "\t"}, [{"id": "a", "n": 1}]),
    ("id,n\na,one\nb,2\nc\nd,4,5\n", None, 3),
    ('id,n\na,1\nb"b,2\nc,3\n', None, 1),
    ('id,n\na,1\n"b,2\n', None, 1),
    ("id,id\na,1\n", None, 1),
    ("title,artist\nThe Dark Side of the Moon,Pink Floyd\n", None, 1),
])
def test_import_csv(weir, ddb, source, body, options, want):
    more = {"InputFormatOptions": {"Csv": options}} if options else {}
    told = imported(weir, source, {"x.csv": body}, "CSV", table=CSV_TABLE, **more)
    assert told.get("InputFormatOptions") == ({"Csv": options} if options else None)
    if isinstance(want, int):
        assert (told["ImportStatus"], told["ErrorCount"]) == ("FAILED", want), told
        return
    assert told["ImportStatus"] == "COMPLETED", told
    assert items(ddb, told["name"]) == [{k: {"N": str(v)} if k == "n" else {"S": v} for k, v in i.items()} for i in want]


def test_import_refused(weir, ddb, source):
    ask = {"S3BucketSource": {"S3Bucket": source}, "InputFormat": "DYNAMODB_JSON", "TableCreationParameters": {"TableName": "refused", **ONE_KEY}}
    for change, message in [
            ({"InputFormatOptions": {"Csv": {}}}, "Invalid Request: Unsupported InputFormatOptions for the given input format: DYNAMODB_JSON."),
            ({"InputFormat": "ION"}, "InputFormat ION is not supported here"),
            ({"InputFormat": "CSV", "InputFormatOptions": {"Csv": {"Delimiter": "x"}}}, "Value 'x' at 'inputFormatOptions.csv.delimiter'"),
            ({"InputCompressionType": "BZIP2"}, "Member must satisfy enum value set: [ZSTD, NONE, GZIP]"),
            ({"TableCreationParameters": {"TableName": "refused", **ONE_KEY, "BillingMode": "PROVISIONED"}},
             "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")]:
        with error("ValidationException", message):
            ddb.import_table(**{**ask, **change})
    with error("ResourceNotFoundException"):
        ddb.describe_table(TableName="refused")
    gone = import_over(ddb, ddb.import_table(**{**ask, "S3BucketSource": {"S3Bucket": "no-such-bucket-here"}})["ImportTableDescription"]["ImportArn"])
    assert counts(gone) == ("FAILED", 0, 0, 0) and gone["FailureCode"] == "S3NoSuchBucket", gone
    assert gone["FailureMessage"].startswith("The specified bucket does not exist (Service: Amazon S3; Status Code: 404; Error Code: NoSuchBucket; Request ID: ")
    with error("ResourceNotFoundException"):
        ddb.describe_table(TableName="refused")
    with error("ValidationException", "Invalid Import ARN"):
        ddb.describe_import(ImportArn=gone["TableArn"])
    with error("ImportNotFoundException"):
        ddb.describe_import(ImportArn=gone["ImportArn"] + "0")
    with error("ValidationException"):
        ddb.list_imports(NextToken="0" * 112)


def test_import_token(weir, ddb, source):
    body = {"a": lines({"id": {"S": "1"}})}
    told = imported(weir, source, body, ClientToken="t-" + uuid.uuid4().hex)
    ask = {k: told[k] for k in ("S3BucketSource", "InputFormat", "InputCompressionType", "TableCreationParameters", "ClientToken")}
    with error("ResourceInUseException", "Table already exists: " + told["name"]):
        ddb.import_table(**ask)
    ddb.delete_table(TableName=told["name"])
    with error("ImportConflictException", "Import conflict: Duplicate request detected with conflicting parameters"):
        ddb.import_table(**{**ask, "TableCreationParameters": {**ask["TableCreationParameters"], "TableName": "another"}})
    del ask["S3BucketSource"]["S3BucketOwner"], ask["InputCompressionType"]  # their defaults
    assert ddb.import_table(**ask)["ImportTableDescription"]["ImportArn"] == told["ImportArn"]
    with error("ResourceNotFoundException"):
        ddb.describe_table(TableName=told["name"])


@pytest.mark.parametrize("actions, code", [(["dynamodb:*", "logs:*"], "S3AccessDenied"), (["dynamodb:*", "s3:*"], "AccessDeniedException"),
                                           (["dynamodb:*", "logs:*", "s3:ListBucket"], "S3AccessDenied"), (["dynamodb:*", "logs:*", "s3:*"], None)])
def test_import_as_its_caller(weir, ddb, source, actions, code):
    """Objects are read, and errors logged, as who asked."""
    iam, user = weir.client("iam"), "u-" + uuid.uuid4().hex[:8]
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": actions, "Resource": "*"}]}))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    theirs = weir.client("dynamodb", key["AccessKeyId"], key["SecretAccessKey"])
    told = imported(weir, source, {"a": lines({"id": {"S": "1"}})}, client=theirs)
    assert told["ImportStatus"] == ("FAILED" if code else "COMPLETED") and told.get("FailureCode") == code, told


def test_exports_and_imports_survive_a_crash(fresh_weir):
    """Killed in the middle: no item is lost, and none counted twice."""
    n, ddb, s3 = 5000, fresh_weir.client("dynamodb"), fresh_weir.client("s3")
    rows = lines(*({"id": {"S": f"{i:05}"}, "group": {"S": str(i % 7)}, "v": {"S": uuid.uuid4().hex * 4}} for i in range(n)))
    half = rows.index(b"\n", len(rows) // 2) + 1
    name = make(ddb)
    s3.create_bucket(Bucket="both")
    recover(ddb, name)
    for i in range(40):
        put(ddb, name, f"{i:02}", v="x" * 50_000)
    table = {"AttributeDefinitions": ONE_KEY["AttributeDefinitions"] + DEFS[:1], "GlobalSecondaryIndexes": [BY_GROUP]}
    plain = imported(fresh_weir, "both", {"a": rows[:half], "b": rows[half:]}, wait=False, table=table)
    packed = imported(fresh_weir, "both", {"a": gzip.compress(rows)}, wait=False, InputCompressionType="GZIP")
    export = ddb.export_table_to_point_in_time(TableArn=ddb.describe_table(TableName=name)["Table"]["TableArn"], S3Bucket="both")["ExportDescription"]["ExportArn"]
    fresh_weir.kill9()
    fresh_weir.start()
    ddb, s3 = fresh_weir.client("dynamodb"), fresh_weir.client("s3")
    for told in (plain, packed):
        over = import_over(ddb, told["ImportArn"])
        assert counts(over) == ("COMPLETED", n, 0, n) and over["ProcessedSizeBytes"] == len(rows), over
        assert [i["id"]["S"] for i in items(ddb, told["name"])] == [f"{i:05}" for i in range(n)]
    assert sum(p["Count"] for p in ddb.get_paginator("scan").paginate(TableName=plain["name"], IndexName="by-group", Select="COUNT")) == n
    told = exported(ddb, export)
    assert told["ExportStatus"] == "COMPLETED", told
    assert [i["id"]["S"] for i in read_export(s3, told)] == [f"{i:02}" for i in range(40)]
