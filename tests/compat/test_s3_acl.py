"""Ownership controls, canned and granted access control lists, who they let in; storage classes."""
import os
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

EVERYONE = "http://acs.amazonaws.com/groups/global/AllUsers"
SIGNED_IN = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOGS = "http://acs.amazonaws.com/groups/s3/LogDelivery"


@pytest.fixture(scope="module")
def s3(weir):
    return weir.client("s3")


def make(s3, public=True, **more):
    name = "acl-" + os.urandom(6).hex()
    s3.create_bucket(Bucket=name, **more)
    if public:
        s3.delete_public_access_block(Bucket=name)
    return name


@pytest.fixture(scope="module")
def bucket(s3):
    return make(s3, ObjectOwnership="ObjectWriter")


def refused(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]


def code_of(call, **kw):
    return refused(call, **kw)["Code"]


def grants(answer):
    return [(g["Grantee"].get("URI", "owner"), g["Permission"]) for g in answer["Grants"]]


def anonymous(weir, path, method="GET", data=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(weir.endpoint + path, data=data, method=method)) as r:
            return r.status
    except urllib.error.HTTPError as e:
        return e.code


# --- ownership -----------------------------------------------------------------------------------

@pytest.mark.parametrize("ownership", ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"])
def test_ownership_is_kept(s3, ownership):
    name = make(s3, False)
    rules = {"Rules": [{"ObjectOwnership": ownership}]}
    s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=rules)
    assert s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"] == rules
    again = make(s3, False, ObjectOwnership=ownership)
    assert s3.get_bucket_ownership_controls(Bucket=again)["OwnershipControls"] == rules
    s3.delete_bucket_ownership_controls(Bucket=name)
    assert code_of(s3.get_bucket_ownership_controls, Bucket=name) == "OwnershipControlsNotFoundError"
    s3.put_bucket_acl(Bucket=name, ACL="log-delivery-write")  # as without controls before 2023
    s3.delete_bucket(Bucket=name)
    s3.delete_bucket(Bucket=again)


def test_a_bucket_that_enforces_its_owner(s3):
    name = make(s3)
    s3.put_object(Bucket=name, Key="k", Body=b"", ACL="bucket-owner-full-control")
    for call, more in ((s3.put_object, {"Key": "k", "Body": b""}), (s3.put_object_acl, {"Key": "k"}), (s3.put_bucket_acl, {})):
        assert code_of(call, Bucket=name, ACL="public-read", **more) == "AccessControlListNotSupported"
        assert code_of(call, Bucket=name, GrantRead=f'uri="{EVERYONE}"', **more) == "AccessControlListNotSupported"
    assert grants(s3.get_object_acl(Bucket=name, Key="k")) == [("owner", "FULL_CONTROL")]
    assert code_of(s3.create_bucket, Bucket=name + "-2", ACL="public-read") == "InvalidBucketAclWithObjectOwnership"
    assert code_of(s3.create_bucket, Bucket=name + "-2", ACL="public-read", ObjectOwnership="ObjectWriter") == (
        "InvalidBucketAclWithBlockPublicAccessError")


def test_the_owner_is_not_enforced_over_others_grants(s3):
    name = make(s3, ObjectOwnership="BucketOwnerPreferred")
    s3.put_bucket_acl(Bucket=name, ACL="public-read")
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert code_of(s3.put_bucket_ownership_controls, Bucket=name, OwnershipControls=enforced) == "InvalidBucketAclWithObjectOwnership"
    s3.put_bucket_acl(Bucket=name, ACL="private")
    s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=enforced)


# --- lists ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("acl, of_bucket, want", [
    ("private", True, []),
    ("public-read", True, [(EVERYONE, "READ")]),
    ("public-read-write", True, [(EVERYONE, "READ"), (EVERYONE, "WRITE")]),
    ("authenticated-read", True, [(SIGNED_IN, "READ")]),
    ("log-delivery-write", True, [(LOGS, "WRITE"), (LOGS, "READ_ACP")]),
    ("private", False, []),
    ("public-read", False, [(EVERYONE, "READ")]),
    ("bucket-owner-read", False, []),
])
def test_canned(s3, bucket, acl, of_bucket, want):
    want = [("owner", "FULL_CONTROL")] + want
    if of_bucket:
        s3.put_bucket_acl(Bucket=bucket, ACL=acl)
        assert grants(s3.get_bucket_acl(Bucket=bucket)) == want
        s3.put_bucket_acl(Bucket=bucket, ACL="private")
        return
    s3.put_object(Bucket=bucket, Key="put", Body=b"", ACL=acl)
    s3.put_object_acl(Bucket=bucket, Key="put", ACL=acl)
    s3.copy_object(Bucket=bucket, Key="copied", CopySource=f"{bucket}/put", ACL=acl)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts", ACL=acl)["UploadId"]
    etag = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    for key in ("put", "copied", "parts"):
        assert grants(s3.get_object_acl(Bucket=bucket, Key=key)) == want, key
    s3.copy_object(Bucket=bucket, Key="copied", CopySource=f"{bucket}/put")
    assert grants(s3.get_object_acl(Bucket=bucket, Key="copied")) == [("owner", "FULL_CONTROL")]  # lists are not copied


def test_grants(s3, bucket):
    me = s3.get_bucket_acl(Bucket=bucket)["Owner"]
    s3.put_object(Bucket=bucket, Key="g", Body=b"", GrantRead=f'uri="{EVERYONE}", id="{me["ID"]}"', GrantWriteACP=f"id={me['ID']}")
    assert grants(s3.get_object_acl(Bucket=bucket, Key="g")) == [("owner", "READ"), ("owner", "WRITE_ACP"), (EVERYONE, "READ")]
    policy = {"Owner": me, "Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": me["ID"]}, "Permission": "FULL_CONTROL"},
                                      {"Grantee": {"Type": "Group", "URI": SIGNED_IN}, "Permission": "READ_ACP"}]}
    s3.put_object_acl(Bucket=bucket, Key="g", AccessControlPolicy=policy)
    assert grants(s3.get_object_acl(Bucket=bucket, Key="g")) == [("owner", "FULL_CONTROL"), (SIGNED_IN, "READ_ACP")]


@pytest.mark.parametrize("args, code, detail", [
    ({"GrantRead": "id=none"}, "InvalidArgument", ("id", "none")),
    ({"GrantRead": "uri=http://none"}, "InvalidArgument", ("uri", "http://none")),
    ({"GrantRead": "who=me"}, "InvalidArgument", ("x-amz-grant-read", "who")),
    ({"GrantRead": "emailAddress=a@b"}, "UnresolvableGrantByEmailAddress", None),
    ({"ACL": "private", "GrantRead": "id=none"}, "InvalidRequest", None),
    ({"ACL": "nonsense"}, "InvalidArgument", None),
    ({}, "MissingSecurityHeader", None),
])
def test_bad_lists(s3, bucket, args, code, detail):
    error = refused(s3.put_bucket_acl, Bucket=bucket, **args)
    assert error["Code"] == code
    if detail:
        assert (error["ArgumentName"], error["ArgumentValue"]) == detail


def test_bad_documents(s3, bucket):
    me = s3.get_bucket_acl(Bucket=bucket)["Owner"]
    put = lambda owner, grant: code_of(s3.put_bucket_acl, Bucket=bucket, AccessControlPolicy={"Owner": owner, "Grants": [grant]})  # noqa: E731
    grant = {"Grantee": {"Type": "Group", "URI": EVERYONE}, "Permission": "READ"}
    assert put({"ID": "0" * 64}, grant) == "AccessDenied"
    assert put({}, grant) == "MalformedACLError"
    assert put(me, {"Grantee": {"Type": "CanonicalUser", "ID": "0" * 64}, "Permission": "READ"}) == "InvalidArgument"
    assert put(me, {"Permission": "READ"}) == "MalformedACLError"


# --- what they let happen -------------------------------------------------------------------------

def test_lists_let_everyone_in(weir, s3):
    name = make(s3, ObjectOwnership="ObjectWriter")
    s3.put_object(Bucket=name, Key="open", Body=b"x", ACL="public-read")
    s3.put_object(Bucket=name, Key="closed", Body=b"x")
    assert anonymous(weir, f"/{name}/open") == 200
    assert anonymous(weir, f"/{name}/closed") == 403
    assert anonymous(weir, f"/{name}/open?acl") == 403
    assert anonymous(weir, f"/{name}") == 403
    assert anonymous(weir, f"/{name}/new", "PUT", b"x") == 403
    s3.put_bucket_acl(Bucket=name, ACL="public-read-write")
    assert anonymous(weir, f"/{name}") == 200
    assert anonymous(weir, f"/{name}/new", "PUT", b"x") == 200
    assert anonymous(weir, f"/{name}?acl") == 403
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    assert anonymous(weir, f"/{name}/open") == 403
    s3.delete_public_access_block(Bucket=name)
    deny = f'{{"Version": "2012-10-17", "Statement": [{{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{name}/*"}}]}}'
    s3.put_bucket_policy(Bucket=name, Policy=deny)
    assert anonymous(weir, f"/{name}/open") == 403


def test_public_lists_are_blocked(s3):
    name = make(s3, False, ObjectOwnership="ObjectWriter")
    s3.put_bucket_acl(Bucket=name, ACL="log-delivery-write")
    assert code_of(s3.put_bucket_acl, Bucket=name, ACL="public-read") == "AccessDenied"
    assert code_of(s3.put_object, Bucket=name, Key="k", Body=b"", ACL="authenticated-read") == "AccessDenied"


# --- storage classes ------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"])
def test_storage_classes_are_kept(s3, bucket, name):
    s3.put_object(Bucket=bucket, Key=name, Body=b"x", StorageClass=name)
    shown = None if name == "STANDARD" else name
    assert s3.head_object(Bucket=bucket, Key=name).get("StorageClass") == shown
    assert s3.get_object(Bucket=bucket, Key=name).get("StorageClass") == shown
    assert s3.list_objects_v2(Bucket=bucket, Prefix=name)["Contents"][0]["StorageClass"] == name
    assert s3.list_object_versions(Bucket=bucket, Prefix=name)["Versions"][0]["StorageClass"] == name
    assert s3.get_object_attributes(Bucket=bucket, Key=name, ObjectAttributes=["StorageClass"])["StorageClass"] == name
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m", StorageClass=name)["UploadId"]
    assert s3.list_parts(Bucket=bucket, Key="m", UploadId=upload)["StorageClass"] == name
    assert s3.list_multipart_uploads(Bucket=bucket)["Uploads"][0]["StorageClass"] == name
    s3.abort_multipart_upload(Bucket=bucket, Key="m", UploadId=upload)


def test_storage_class_of_a_copy(s3, bucket):
    s3.put_object(Bucket=bucket, Key="c", Body=b"x", StorageClass="ONEZONE_IA")
    s3.copy_object(Bucket=bucket, Key="d", CopySource=f"{bucket}/c")
    assert "StorageClass" not in s3.head_object(Bucket=bucket, Key="d")
    s3.copy_object(Bucket=bucket, Key="d", CopySource=f"{bucket}/d", StorageClass="STANDARD_IA")  # in place
    assert s3.head_object(Bucket=bucket, Key="d")["StorageClass"] == "STANDARD_IA"


@pytest.mark.parametrize("name, code", [("NONE", "InvalidStorageClass"), ("EXPRESS_ONEZONE", "InvalidStorageClass"), ("DEEP_ARCHIVE", "NotImplemented")])
def test_storage_classes_that_are_not(s3, bucket, name, code):
    assert code_of(s3.put_object, Bucket=bucket, Key="k", Body=b"", StorageClass=name) == code
