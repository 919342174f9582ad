"""Buckets of more than one account: whose names, objects and lists are, and who reaches them."""
import uuid

import pytest

from test_accounts import A, B, code_of, document, two  # noqa: F401: a fixture
from weirtest import wait_for


# --- buckets ----------------------------------------------------------------------------------------

def bucket_of(two, who, ownership=None, policy=None):
    """A bucket of the account; `policy`: statements, of which the resources are filled in."""
    s3, name = two.of(who, "s3"), "acc-" + uuid.uuid4().hex[:8]
    s3.create_bucket(Bucket=name)
    if ownership:
        s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": ownership}]})
    if policy:
        let(s3, name, policy)
    return name


def let(s3, bucket, principal, actions=("s3:*",)):
    s3.put_bucket_policy(Bucket=bucket, Policy=document({
        "Principal": principal, "Action": list(actions), "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}))


def canonical(two, who):
    return two.of(who, "s3").list_buckets()["Owner"]["ID"]


def test_names_of_buckets_are_global(two):
    a, b = two.of(A, "s3"), two.of(B, "s3")
    name = bucket_of(two, A)
    assert canonical(two, A) != canonical(two, B)
    assert code_of(b.create_bucket, Bucket=name) == "BucketAlreadyExists"
    assert name in [x["Name"] for x in a.list_buckets()["Buckets"]] and name not in [x["Name"] for x in b.list_buckets()["Buckets"]]
    west = {"CreateBucketConfiguration": {"LocationConstraint": "us-west-2"}}
    own = bucket_of(two, B) + "-w"
    b.create_bucket(Bucket=own, **west)
    assert code_of(b.create_bucket, Bucket=own, **west) == "BucketAlreadyOwnedByYou"
    assert code_of(a.create_bucket, Bucket=own, **west) == "BucketAlreadyExists"
    assert b.get_bucket_acl(Bucket=own)["Owner"]["ID"] == canonical(two, B)
    for call in (b.list_objects_v2, b.head_bucket, b.get_bucket_acl, b.delete_bucket):
        assert code_of(call, Bucket=name) in ("AccessDenied", "403")
    assert code_of(b.list_objects_v2, Bucket=name + "-none") == "NoSuchBucket"


@pytest.mark.parametrize("principal", ["account", "canonical", "*"])
def test_both_sides_of_a_bucket(two, principal):
    a = two.of(A, "s3")
    name = bucket_of(two, A)
    a.put_object(Bucket=name, Key="k", Body=b"x")
    if principal == "*":
        a.delete_public_access_block(Bucket=name)
    let(a, name, {"account": {"AWS": B}, "canonical": {"CanonicalUser": canonical(two, B)}, "*": "*"}[principal], ["s3:GetObject"])
    assert (B in a.get_bucket_policy(Bucket=name)["Policy"]) == (principal != "*")
    allowed, silent = two.user(B, ("s3:*", "*"))("s3"), two.user(B)("s3")
    assert allowed.get_object(Bucket=name, Key="k")["Body"].read() == b"x"
    assert code_of(allowed.put_object, Bucket=name, Key="k", Body=b"") == "AccessDenied"
    assert code_of(silent.get_object, Bucket=name, Key="k") == "AccessDenied"
    # The block of public access keeps other accounts out, but not those that are named.
    a.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    assert code_of(allowed.get_object, Bucket=name, Key="k") == ("AccessDenied" if principal == "*" else "OK")
    assert code_of(a.get_object, Bucket=name, Key="k") == "OK"


def test_who_a_bucket_is_expected_to_be_of(two):
    a, b = two.of(A, "s3"), two.of(B, "s3")
    name = bucket_of(two, A, policy={"AWS": B})
    own = bucket_of(two, B)
    b.put_object(Bucket=name, Key="k", Body=b"x", ExpectedBucketOwner=A)
    assert code_of(b.get_object, Bucket=name, Key="k", ExpectedBucketOwner=B) == "AccessDenied"
    source = {"Bucket": name, "Key": "k"}
    b.copy_object(Bucket=own, Key="c", CopySource=source, ExpectedBucketOwner=B, ExpectedSourceBucketOwner=A)
    assert code_of(b.copy_object, Bucket=own, Key="c", CopySource=source, ExpectedSourceBucketOwner=B) == "AccessDenied"
    assert code_of(b.copy_object, Bucket=own, Key="c", CopySource=source, ExpectedBucketOwner=A) == "AccessDenied"
    # A copy needs both: what it reads, and where it writes.
    assert code_of(a.copy_object, Bucket=own, Key="d", CopySource=source) == "AccessDenied"
    assert code_of(a.copy_object, Bucket=name, Key="d", CopySource={"Bucket": own, "Key": "c"}) == "AccessDenied"


@pytest.mark.parametrize("ownership, acl, owner, reads", [
    ("BucketOwnerEnforced", None, A, True),
    ("BucketOwnerEnforced", "bucket-owner-full-control", A, True),
    ("BucketOwnerPreferred", "bucket-owner-full-control", A, True),
    ("BucketOwnerPreferred", None, B, False),
    ("ObjectWriter", "bucket-owner-full-control", B, True),
    ("ObjectWriter", "bucket-owner-read", B, True),
    ("ObjectWriter", None, B, False),
])
def test_whose_an_object_is(two, ownership, acl, owner, reads):
    a, b = two.of(A, "s3"), two.of(B, "s3")
    name = bucket_of(two, A, ownership, {"AWS": B})
    given = {"ACL": acl} if acl else {}
    b.put_object(Bucket=name, Key="k", Body=b"x", **given)
    upload = b.create_multipart_upload(Bucket=name, Key="m", **given)["UploadId"]
    part = b.upload_part(Bucket=name, Key="m", UploadId=upload, PartNumber=1, Body=b"y")["ETag"]
    b.complete_multipart_upload(Bucket=name, Key="m", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})
    b.copy_object(Bucket=name, Key="c", CopySource={"Bucket": name, "Key": "k"}, **given)
    shown = {o["Key"]: o["Owner"]["ID"] for o in a.list_objects(Bucket=name)["Contents"]}
    assert shown == dict.fromkeys(["c", "k", "m"], canonical(two, owner))
    for key in shown:
        assert code_of(a.get_object, Bucket=name, Key=key) == ("OK" if reads else "AccessDenied")
        assert code_of(b.get_object, Bucket=name, Key=key) == "OK"
    grants = b.get_object_acl(Bucket=name, Key="k")
    assert grants["Owner"]["ID"] == canonical(two, owner)
    assert [(g["Grantee"]["ID"], g["Permission"]) for g in grants["Grants"]][0] == (canonical(two, owner), "FULL_CONTROL")
    if owner == B and acl:
        assert (canonical(two, A), "READ" if acl.endswith("read") else "FULL_CONTROL") in [
            (g["Grantee"]["ID"], g["Permission"]) for g in grants["Grants"]]
    a.delete_object(Bucket=name, Key="k")  # whatever its writer says
    a.put_bucket_ownership_controls(Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    assert code_of(a.get_object, Bucket=name, Key="m") == "OK"


def test_grants_to_another_account(two):
    a = two.of(A, "s3")
    name = bucket_of(two, A, "ObjectWriter")
    assert code_of(a.put_bucket_acl, Bucket=name, GrantRead=f'id="{canonical(two, B)}"') == "InvalidArgument"
    assert code_of(a.put_bucket_acl, Bucket=name, GrantRead='emailAddress="b@x.org"') == "UnresolvableGrantByEmailAddress"


def test_events_for_another_account(two):
    a = two.of(A, "s3")
    name = bucket_of(two, A)
    url, arn = two.queue(B, {"Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage",
                             "Condition": {"StringEquals": {"aws:SourceAccount": A}}})
    a.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={
        "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]})
    a.put_object(Bucket=name, Key="k", Body=b"x")
    messages = []

    def told():
        messages.extend(m["Body"] for m in two.of(B, "sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []))
        return any('"key":"k"' in m for m in messages)
    wait_for(told)
    _, closed = two.queue(B)
    assert code_of(a.put_bucket_notification_configuration, Bucket=name, NotificationConfiguration={
        "QueueConfigurations": [{"QueueArn": closed, "Events": ["s3:ObjectCreated:*"]}]}) == "InvalidArgument"


def test_logs_stay_in_the_account(two):
    a = two.of(A, "s3")
    name, foreign = bucket_of(two, A), bucket_of(two, B)
    assert code_of(a.put_bucket_logging, Bucket=name, BucketLoggingStatus={
        "LoggingEnabled": {"TargetBucket": foreign, "TargetPrefix": ""}}) == "InvalidTargetBucketForLogging"
