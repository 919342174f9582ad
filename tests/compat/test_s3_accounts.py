"""Buckets of more than one account: whose names, objects and lists are, and who reaches them."""
import uuid

import pytest
from botocore import UNSIGNED
from botocore.config import Config

from test_accounts import A, B, code_of, document, two  # noqa: F401: a fixture
from test_s3_errors import log_to, logs_of
from test_s3_forms import encode, post
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


def lists(two, acl):
    """The (account or group, permission)s of a list, as the server shows it."""
    names = {canonical(two, A): A, canonical(two, B): B}
    return sorted((names.get(g["Grantee"].get("ID"), g["Grantee"].get("URI")), g["Permission"]) for g in acl["Grants"])


RIGHTS = ("READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL")


@pytest.mark.parametrize("right", RIGHTS)
def test_grants_on_a_bucket(two, right):
    a, allowed, silent = two.of(A, "s3"), two.user(B, ("s3:*", "*"))("s3"), two.user(B)("s3")
    name, by_id = bucket_of(two, A, "ObjectWriter"), f'id="{canonical(two, B)}"'
    a.put_object(Bucket=name, Key="k", Body=b"x")
    a.put_bucket_acl(Bucket=name, **{"Grant" + {"FULL_CONTROL": "FullControl", "READ_ACP": "ReadACP", "WRITE_ACP": "WriteACP"}.get(
        right, right.capitalize()): by_id})
    assert lists(two, a.get_bucket_acl(Bucket=name)) == [(B, right)]
    for needs, call, more in (
            ("READ", "list_objects_v2", {}), ("READ", "list_object_versions", {}), ("READ", "head_bucket", {}),
            ("WRITE", "put_object", {"Key": "n", "Body": b"y"}), ("WRITE", "put_object", {"Key": "m", "ACL": "bucket-owner-full-control"}),
            ("WRITE", "delete_object", {"Key": "n"}),
            ("READ_ACP", "get_bucket_acl", {}),
            ("none", "get_object", {"Key": "k"}), ("none", "get_bucket_policy", {}),
            ("WRITE_ACP", "put_bucket_acl", {"GrantFullControl": by_id})):
        want = right in (needs, "FULL_CONTROL") and needs != "none"
        for s3, may in ((silent, False), (allowed, want), (two.of(B, "s3"), want)):
            assert (code_of(getattr(s3, call), Bucket=name, **more) == "OK") == may, (call, more, s3 is silent)
    # What its list grants to accounts is not public.
    a.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration={"BlockPublicAcls": True, "IgnorePublicAcls": True})
    a.put_bucket_acl(Bucket=name, GrantRead=by_id, GrantReadACP=by_id, GrantFullControl=f"id={canonical(two, A)}")
    assert lists(two, allowed.get_bucket_acl(Bucket=name)) == [(A, "FULL_CONTROL"), (B, "READ"), (B, "READ_ACP")]
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert code_of(a.put_bucket_ownership_controls, Bucket=name, OwnershipControls=controls) == "InvalidBucketAclWithObjectOwnership"
    a.put_bucket_acl(Bucket=name, ACL="private")
    a.put_bucket_ownership_controls(Bucket=name, OwnershipControls=controls)
    assert code_of(a.put_bucket_acl, Bucket=name, GrantRead=by_id) == "AccessControlListNotSupported"


def test_grants_on_objects(two):
    a, allowed, silent = two.of(A, "s3"), two.user(B, ("s3:*", "*"))("s3"), two.user(B)("s3")
    name, by_id = bucket_of(two, A, "ObjectWriter"), f'id="{canonical(two, B)}"'
    document = {"Owner": {"ID": canonical(two, A)}, "Grants": [
        {"Grantee": {"Type": "CanonicalUser", "ID": canonical(two, x)}, "Permission": p} for x, p in ((A, "FULL_CONTROL"), (B, "READ"))]}
    a.put_object(Bucket=name, Key="put", Body=b"x", GrantRead=by_id)
    a.put_object(Bucket=name, Key="acl", Body=b"x")
    a.put_object_acl(Bucket=name, Key="acl", AccessControlPolicy=document)
    upload = a.create_multipart_upload(Bucket=name, Key="parts", GrantRead=by_id)["UploadId"]
    part = a.upload_part(Bucket=name, Key="parts", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    a.complete_multipart_upload(Bucket=name, Key="parts", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})
    a.copy_object(Bucket=name, Key="copy", CopySource={"Bucket": name, "Key": "put"}, GrantRead=by_id)
    signed = a.generate_presigned_post(name, "form", Fields={"x-amz-grant-read": by_id}, Conditions=[{"x-amz-grant-read": by_id}])
    assert post(two.weir, encode(signed["fields"].items()), name)[0] == 204
    for key in ("put", "acl", "parts", "copy", "form"):
        assert (B, "READ") in lists(two, a.get_object_acl(Bucket=name, Key=key)), key
        for s3, want in ((allowed, "OK"), (silent, "AccessDenied")):
            assert code_of(s3.get_object, Bucket=name, Key=key) == want, key
        assert code_of(allowed.get_object_acl, Bucket=name, Key=key) == "AccessDenied"
    a.copy_object(Bucket=name, Key="bare", CopySource={"Bucket": name, "Key": "put"})  # a list is never copied
    assert code_of(allowed.get_object, Bucket=name, Key="bare") == "AccessDenied"
    a.put_object_acl(Bucket=name, Key="put", GrantReadACP=by_id, GrantWriteACP=by_id)
    assert lists(two, allowed.get_object_acl(Bucket=name, Key="put")) == [(B, "READ_ACP"), (B, "WRITE_ACP")]
    assert code_of(allowed.get_object, Bucket=name, Key="put") == "AccessDenied"
    allowed.put_object_acl(Bucket=name, Key="put", GrantFullControl=by_id)
    assert code_of(allowed.get_object, Bucket=name, Key="put") == "OK" and code_of(silent.put_object_acl, Bucket=name, Key="put", ACL="private") == "AccessDenied"
    a.put_bucket_ownership_controls(Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    assert code_of(allowed.get_object, Bucket=name, Key="acl") == "AccessDenied"
    assert lists(two, a.get_object_acl(Bucket=name, Key="acl")) == [(A, "FULL_CONTROL")]
    assert code_of(a.put_object, Bucket=name, Key="new", GrantRead=by_id) == "AccessControlListNotSupported"


@pytest.mark.parametrize("right, reads, shows", [("GrantRead", True, False), ("GrantReadACP", False, True), ("GrantFullControl", True, True)])
def test_grants_of_a_writer(two, right, reads, shows):
    """Of an object that another account keeps, to the bucket's owner by his id, like to anybody."""
    a, name = two.of(A, "s3"), bucket_of(two, A, "ObjectWriter")
    a.put_bucket_acl(Bucket=name, GrantWrite=f"id={canonical(two, B)}")
    b, user = two.user(B, ("s3:*", "*"))("s3"), two.user(A, ("s3:*", "*"))("s3")
    b.put_object(Bucket=name, Key="k", Body=b"x", **{right: f"id={canonical(two, A)}"})
    for s3 in (a, user):
        assert code_of(s3.get_object, Bucket=name, Key="k") == ("OK" if reads else "AccessDenied")
        assert code_of(s3.get_object_acl, Bucket=name, Key="k") == ("OK" if shows else "AccessDenied")
    assert code_of(two.user(A)("s3").get_object, Bucket=name, Key="k") == "AccessDenied"
    # The writer's users have what policies of their account allow.
    assert code_of(b.get_object, Bucket=name, Key="k") == "OK"
    assert code_of(two.user(B)("s3").get_object, Bucket=name, Key="k") == "AccessDenied"


def test_grants_to_nobody(two):
    a = two.of(A, "s3")
    name = bucket_of(two, A, "ObjectWriter")
    grant = {"Grantee": {"Type": "CanonicalUser", "ID": canonical(two, B)}, "Permission": "READ"}
    put = lambda n: code_of(a.put_bucket_acl, Bucket=name, AccessControlPolicy={  # noqa: E731
        "Owner": {"ID": canonical(two, A)}, "Grants": n * [grant]})
    assert (put(100), put(101)) == ("OK", "MalformedACLError")
    assert lists(two, a.get_bucket_acl(Bucket=name)) == [(B, "READ")]
    assert code_of(a.put_bucket_acl, Bucket=name, GrantRead=f'id="{canonical(two, B)[::-1]}"') == "InvalidArgument"
    assert code_of(a.put_bucket_acl, Bucket=name, GrantRead='emailAddress="b@x.org"') == "UnresolvableGrantByEmailAddress"
    made = name + "-made"
    a.create_bucket(Bucket=made, ObjectOwnership="ObjectWriter", GrantReadACP=f"id={canonical(two, B)}")
    assert lists(two, two.of(B, "s3").get_bucket_acl(Bucket=made)) == [(B, "READ_ACP")]
    assert code_of(a.create_bucket, Bucket=made + "2", GrantRead=f"id={canonical(two, B)}") == "InvalidBucketAclWithObjectOwnership"


@pytest.mark.parametrize("group", ["AllUsers", "AuthenticatedUsers"])
def test_grants_to_groups(two, group):
    """Somebody of another account is let in by his own account, too; who does not sign has none, and in the owner's
    own account the list is enough."""
    a, name = two.of(A, "s3"), bucket_of(two, A, "ObjectWriter")
    a.delete_public_access_block(Bucket=name)
    uri = f'uri="http://acs.amazonaws.com/groups/global/{group}"'
    a.put_bucket_acl(Bucket=name, GrantRead=uri, GrantWrite=f"id={canonical(two, B)}")
    a.put_object(Bucket=name, Key="k", Body=b"x", GrantRead=uri)
    two.of(B, "s3").put_object(Bucket=name, Key="kept", Body=b"x", GrantRead=uri)
    silent, allowed = {x: two.user(x)("s3") for x in (A, B)}, two.user(B, ("s3:*", "*"))("s3")
    for s3, own, others in ((silent[A], "OK", "AccessDenied"), (silent[B], "AccessDenied", "OK"),
                            (allowed, "OK", "OK"), (two.of(B, "s3"), "OK", "OK")):
        assert code_of(s3.list_objects_v2, Bucket=name) == own
        assert code_of(s3.get_object, Bucket=name, Key="k") == own
        # What B keeps is B's to give: there the users of A are the strangers.
        assert code_of(s3.get_object, Bucket=name, Key="kept") == others
    assert code_of(two.user(A, ("s3:GetObject", "*"))("s3").get_object, Bucket=name, Key="kept") == "OK"
    anybody = two.weir.client("s3", config=Config(signature_version=UNSIGNED))
    assert code_of(anybody.get_object, Bucket=name, Key="k") == ("OK" if group == "AllUsers" else "AccessDenied")


def test_who_began_an_upload_may_end_it(two):
    a, name = two.of(A, "s3"), bucket_of(two, A, "ObjectWriter")
    a.put_bucket_acl(Bucket=name, GrantWrite=f"id={canonical(two, B)}")
    writes, may, silent = two.user(B, ("s3:PutObject", "*"))("s3"), two.user(B, ("s3:*", "*"))("s3"), two.user(B)("s3")
    uploads = []
    for key in "kk":
        uploads.append(writes.create_multipart_upload(Bucket=name, Key=key)["UploadId"])
        writes.upload_part(Bucket=name, Key=key, UploadId=uploads[-1], PartNumber=1, Body=b"x")
    more = {"Bucket": name, "Key": "k", "UploadId": uploads[0]}
    # Himself whatever his policies do not say, others of his account by their policies, the bucket's owner anyway.
    for s3, want in ((writes, "OK"), (two.of(B, "s3"), "OK"), (may, "OK"), (silent, "AccessDenied"), (two.user(A)("s3"), "AccessDenied"), (a, "OK")):
        assert code_of(s3.list_parts, **more) == want
    shown = a.list_parts(**more)
    assert ":user/" in shown["Initiator"]["ID"] and shown["Initiator"]["ID"].split("/")[1] == shown["Initiator"]["DisplayName"]
    assert shown["Owner"]["ID"] == canonical(two, B) and len(shown["Parts"]) == 1
    listed = a.list_multipart_uploads(Bucket=name)["Uploads"]
    assert [(u["Owner"], u["Initiator"]) for u in listed] == 2 * [(shown["Owner"], shown["Initiator"])]
    assert code_of(silent.abort_multipart_upload, **more) == "AccessDenied"
    writes.abort_multipart_upload(**more)
    assert code_of(writes.list_parts, **more) == "AccessDenied"  # of what is not there nobody is the initiator
    assert code_of(may.abort_multipart_upload, **{**more, "UploadId": uploads[1]}) == "OK"
    # One policy that denies is enough; and nobody is let into the uploads of others.
    root = two.of(B, "s3").create_multipart_upload(Bucket=name, Key="k")["UploadId"]
    assert a.list_multipart_uploads(Bucket=name)["Uploads"][0]["Initiator"]["ID"] == canonical(two, B)
    assert code_of(writes.abort_multipart_upload, **{**more, "UploadId": root}) == "AccessDenied"
    let_not = document({"Effect": "Deny", "Principal": "*", "Action": "s3:AbortMultipartUpload", "Resource": f"arn:aws:s3:::{name}/*"})
    a.put_bucket_policy(Bucket=name, Policy=let_not)
    assert code_of(two.of(B, "s3").abort_multipart_upload, **{**more, "UploadId": root}) == "AccessDenied"


CHARGED = ("put_object", "get_object", "head_object", "list_objects", "list_objects_v2", "list_object_versions", "list_multipart_uploads",
           "get_object_acl", "get_object_attributes", "copy_object", "create_multipart_upload", "upload_part", "upload_part_copy", "list_parts",
           "complete_multipart_upload", "abort_multipart_upload", "delete_object", "delete_objects", "put_object_acl")


def test_who_is_charged(two):
    b, name = two.user(B, ("s3:*", "*"))("s3"), bucket_of(two, A, "BucketOwnerPreferred", {"AWS": B})
    two.of(A, "s3").put_bucket_request_payment(Bucket=name, RequestPaymentConfiguration={"Payer": "Requester"})
    b.meta.events.register("before-call.s3", lambda params, **_: params["headers"].update({"x-amz-request-payer": "requester"}))
    charged = lambda answer: answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-request-charged")  # noqa: E731
    got, parts = {}, {}
    more = {"put_object": {"Body": b"x"}, "get_object_attributes": {"ObjectAttributes": ["ETag"]}, "delete_object": {"Key": "n"},
            "delete_objects": {"Delete": {"Objects": [{"Key": "n"}]}}, "put_object_acl": {"ACL": "private"},
            "upload_part": {"PartNumber": 1, "Body": b"x"}, "upload_part_copy": {"PartNumber": 2, "CopySource": f"{name}/k"},
            "copy_object": {"Key": "c", "CopySource": f"{name}/k"}}
    for call in CHARGED:
        args = {"Bucket": name, **({} if "list_o" in call or call in ("list_multipart_uploads", "delete_objects") else {"Key": "k"})}
        if call in ("upload_part", "upload_part_copy", "list_parts", "complete_multipart_upload", "abort_multipart_upload"):
            args["UploadId"] = parts["UploadId"]
        if call == "complete_multipart_upload":
            args["MultipartUpload"] = {"Parts": [{"PartNumber": 1, "ETag": got["upload_part"]["ETag"]}]}
        if call == "abort_multipart_upload":
            args["UploadId"] = b.create_multipart_upload(Bucket=name, Key="k")["UploadId"]
        got[call] = getattr(b, call)(**{**args, **more.get(call, {})})
        parts = got[call] if call == "create_multipart_upload" else parts
    assert {call: charged(answer) for call, answer in got.items()} == dict.fromkeys(CHARGED, "requester")
    own = bucket_of(two, B)  # charged for what is read
    assert charged(b.copy_object(Bucket=own, Key="c", CopySource=f"{name}/k")) == "requester"
    assert charged(b.get_object(Bucket=own, Key="c")) is None
    assert charged(two.of(A, "s3").list_objects(Bucket=name)) is None


def test_who_pays(two):
    a, b = two.of(A, "s3"), two.of(B, "s3")
    name = bucket_of(two, A, policy={"AWS": B})
    a.put_object(Bucket=name, Key="k", Body=b"x")
    own = bucket_of(two, B)
    source = {"Bucket": name, "Key": "k"}
    for payer in ("Requester", "BucketOwner"):
        a.put_bucket_request_payment(Bucket=name, RequestPaymentConfiguration={"Payer": payer})
        for s3, more, want in ((b, {}, payer == "BucketOwner"), (b, {"RequestPayer": "requester"}, True), (a, {}, True)):
            want = "OK" if want else "AccessDenied"
            assert code_of(s3.get_object, Bucket=name, Key="k", **more) == want
            assert code_of(s3.list_objects_v2, Bucket=name, **more) == want
            assert code_of(s3.put_object, Bucket=name, Key="n", Body=b"", **more) == want
            if s3 is b:
                assert code_of(s3.copy_object, Bucket=own, Key="c", CopySource=source, **more) == want


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
    # But what is granted on them may be another's.
    a, target = two.of(A, "s3"), bucket_of(two, A, "ObjectWriter")
    a.put_bucket_acl(Bucket=target, ACL="log-delivery-write")
    grant = {"Grantee": {"Type": "CanonicalUser", "ID": canonical(two, B)}, "Permission": "READ"}
    assert code_of(log_to, a, name, target, TargetGrants=101 * [grant]) == "MalformedXML"
    log_to(a, name, target, TargetGrants=100 * [grant])
    shown = a.get_bucket_logging(Bucket=name)["LoggingEnabled"]["TargetGrants"]
    assert [(g["Grantee"]["ID"], g["Permission"]) for g in shown] == [(canonical(two, B), "READ")]
    a.head_bucket(Bucket=name)
    keys, _ = logs_of(a, name, target, 1)
    assert lists(two, a.get_object_acl(Bucket=target, Key=keys[0])) == [(A, "FULL_CONTROL"), (B, "READ")]
    assert code_of(two.of(B, "s3").get_object, Bucket=target, Key=keys[0]) == "OK"
