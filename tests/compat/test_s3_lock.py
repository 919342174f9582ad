"""Object Lock: retention in both modes, legal hold, bypass of governance, defaults, what lifecycle may do."""
import datetime
import os

import pytest
from botocore.exceptions import ClientError

UTC = datetime.timezone.utc


@pytest.fixture(scope="module")
def s3(weir):
    return weir.client("s3")


@pytest.fixture(scope="module")
def bucket(s3):
    name = "lock-" + os.urandom(6).hex()
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


def code_of(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"]


def later(days):
    return datetime.datetime.now(UTC).replace(microsecond=0) + datetime.timedelta(days=days)


def put(s3, bucket, key, **more):
    return dict(Bucket=bucket, Key=key, VersionId=s3.put_object(Bucket=bucket, Key=key, Body=b"x", **more)["VersionId"])


def retain(s3, version, mode, days, **more):
    s3.put_object_retention(**version, Retention={"Mode": mode, "RetainUntilDate": later(days)}, **more)


def test_buckets_with_lock(s3, bucket):
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"] == {"ObjectLockEnabled": "Enabled"}
    assert code_of(s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration={"Status": "Suspended"}) == "InvalidBucketState"


def test_lock_of_an_existing_bucket(s3):
    name = "lock-" + os.urandom(6).hex()
    s3.create_bucket(Bucket=name)
    enabled = {"ObjectLockEnabled": "Enabled"}
    assert code_of(s3.put_object_lock_configuration, Bucket=name, ObjectLockConfiguration=enabled) == "InvalidBucketState"
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    assert code_of(s3.get_object_lock_configuration, Bucket=name) == "ObjectLockConfigurationNotFoundError"
    for call, more in ((s3.put_object_retention, {"Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": later(1)}}),
                       (s3.put_object_legal_hold, {"LegalHold": {"Status": "ON"}}), (s3.get_object_retention, {}), (s3.get_object_legal_hold, {})):
        s3.put_object(Bucket=name, Key="k", Body=b"")
        assert code_of(call, Bucket=name, Key="k", **more) == "InvalidRequest"
    assert code_of(s3.delete_object, Bucket=name, Key="k", BypassGovernanceRetention=True) == "InvalidArgument"
    s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=enabled)
    retain(s3, put(s3, name, "k"), "GOVERNANCE", 1)


def test_defaults(s3):
    name = "lock-" + os.urandom(6).hex()
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    for retention in ({"Mode": "GOVERNANCE", "Days": 3}, {"Mode": "COMPLIANCE", "Years": 1}):
        c = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}
        s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=c)
        assert s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"] == c
        head = s3.head_object(**put(s3, name, "k"))
        days = retention.get("Days", 365)
        assert head["ObjectLockMode"] == retention["Mode"]
        assert abs(head["ObjectLockRetainUntilDate"] - later(days)) < datetime.timedelta(minutes=1)
    assert s3.head_object(**put(s3, name, "own", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=later(1)))["ObjectLockMode"] == "GOVERNANCE"


@pytest.mark.parametrize("retention, code", [
    ({"Mode": "GOVERNANCE", "Days": 1, "Years": 1}, "MalformedXML"),
    ({"Mode": "GOVERNANCE"}, "MalformedXML"),
    ({"Mode": "GOVERNANCE", "Days": 0}, "InvalidArgument"),
    ({"Mode": "GOVERNANCE", "Days": 36501}, "InvalidArgument"),
])
def test_bad_defaults(s3, bucket, retention, code):
    c = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}
    assert code_of(s3.put_object_lock_configuration, Bucket=bucket, ObjectLockConfiguration=c) == code


def test_governance(s3, bucket):
    v = put(s3, bucket, "g", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=later(2))
    assert s3.get_object_retention(**v)["Retention"]["Mode"] == "GOVERNANCE"
    assert code_of(s3.delete_object, **v) == "AccessDenied"
    errors = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "g", "VersionId": v["VersionId"]}]})["Errors"]
    assert [e["Code"] for e in errors] == ["AccessDenied"]
    assert s3.delete_object(Bucket=bucket, Key="g")["DeleteMarker"] is True  # hides it, and no more
    retain(s3, v, "GOVERNANCE", 3)  # longer
    assert code_of(s3.put_object_retention, **v, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": later(1)}) == "AccessDenied"
    assert code_of(s3.put_object_retention, **v, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": later(9)}) == "AccessDenied"
    assert code_of(s3.put_object_retention, **v, Retention={}) == "AccessDenied"
    retain(s3, v, "GOVERNANCE", 1, BypassGovernanceRetention=True)
    s3.delete_object(**v, BypassGovernanceRetention=True)
    assert code_of(s3.head_object, **v) == "404"


def test_compliance(s3, bucket):
    v = put(s3, bucket, "c", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=later(2))
    assert code_of(s3.delete_object, **v, BypassGovernanceRetention=True) == "AccessDenied"
    assert code_of(s3.put_object_retention, **v, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": later(1)},
                   BypassGovernanceRetention=True) == "AccessDenied"
    assert code_of(s3.put_object_retention, **v, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": later(9)},
                   BypassGovernanceRetention=True) == "AccessDenied"
    retain(s3, v, "COMPLIANCE", 3)


def test_legal_hold(s3, bucket):
    v = put(s3, bucket, "h", ObjectLockLegalHoldStatus="ON")
    assert s3.head_object(**v)["ObjectLockLegalHoldStatus"] == "ON"
    assert s3.get_object_legal_hold(**v)["LegalHold"] == {"Status": "ON"}
    assert code_of(s3.get_object_retention, **v) == "NoSuchObjectLockConfiguration"
    assert code_of(s3.delete_object, **v, BypassGovernanceRetention=True) == "AccessDenied"
    s3.put_object_legal_hold(**v, LegalHold={"Status": "OFF"})
    assert s3.get_object_legal_hold(**v)["LegalHold"] == {"Status": "OFF"}
    s3.delete_object(**v)


def test_copies_and_parts(s3, bucket):
    put(s3, bucket, "from", ObjectLockLegalHoldStatus="ON")
    copy = s3.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/from", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=later(1))
    head = s3.head_object(Bucket=bucket, Key="to", VersionId=copy["VersionId"])
    assert head["ObjectLockMode"] == "GOVERNANCE" and "ObjectLockLegalHoldStatus" not in head
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m", ObjectLockLegalHoldStatus="ON")["UploadId"]
    etag = s3.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    s3.complete_multipart_upload(Bucket=bucket, Key="m", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    assert s3.get_object_legal_hold(Bucket=bucket, Key="m")["LegalHold"]["Status"] == "ON"


@pytest.mark.parametrize("more", [
    {"ObjectLockMode": "GOVERNANCE"},
    {"ObjectLockRetainUntilDate": datetime.datetime(2090, 1, 1, tzinfo=UTC)},
    {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": datetime.datetime(2020, 1, 1, tzinfo=UTC)},
])
def test_bad_requests(s3, bucket, more):
    assert code_of(s3.put_object, Bucket=bucket, Key="k", Body=b"", **more) == "InvalidArgument"


def test_permissions(weir, s3, bucket):
    iam = weir.client("iam")
    iam.create_user(UserName="locker")
    policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject", "s3:GetObjectVersion", "s3:DeleteObjectVersion"], "Resource": "*"}]}'
    iam.put_user_policy(UserName="locker", PolicyName="p", PolicyDocument=policy)
    k = iam.create_access_key(UserName="locker")["AccessKey"]
    mine = weir.client("s3", k["AccessKeyId"], k["SecretAccessKey"])
    v = put(s3, bucket, "p", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=later(1))
    assert "ObjectLockMode" not in mine.head_object(**v)
    assert code_of(mine.delete_object, **v, BypassGovernanceRetention=True) == "AccessDenied"
    for more in ({"ObjectLockLegalHoldStatus": "ON"}, {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": later(1)}):
        assert code_of(mine.put_object, Bucket=bucket, Key="p", Body=b"", **more) == "AccessDenied"
    mine.put_object(Bucket=bucket, Key="p", Body=b"")
    short = ('{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObjectRetention", "Resource": "*", '
             '"Condition": {"NumericLessThanEquals": {"s3:object-lock-remaining-retention-days": "10"}}}]}')
    iam.put_user_policy(UserName="locker", PolicyName="short", PolicyDocument=short)
    mine.put_object(Bucket=bucket, Key="p", Body=b"", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=later(10))
    retain(mine, v, "GOVERNANCE", 10)
    assert code_of(mine.put_object, Bucket=bucket, Key="p", Body=b"", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=later(11)) == "AccessDenied"
    assert code_of(mine.put_object_retention, **v, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": later(11)}) == "AccessDenied"
