"""Policies through the wire: questions from tests/data/policy, condition keys of every operation, and
what a stored policy means by a principal."""
import json
import os
import re
import uuid

import pytest
from botocore.exceptions import ClientError

from test_fail_closed import ACCOUNT
from weirtest import ROOT

DENIED = {"AuthorizationError", "AccessDenied", "AccessDeniedException", "403", "Forbidden"}


def name(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def document(*statements, version="2012-10-17"):
    return json.dumps({"Version": version, "Statement": list(statements)})


def statement(effect="Allow", action="*", resource="*", **more):
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def error(call, **kw):
    """(code, message), or None where the call worked."""
    try:
        reply = call(**kw)
    except ClientError as e:
        return e.response["Error"]["Code"], e.response["Error"]["Message"]
    first = (reply.get("Errors") or [{}])[0] if isinstance(reply, dict) else {}
    return (first["Code"], first.get("Message")) if "Code" in first else None


def denied(call, **kw):
    return (error(call, **kw) or ("",))[0] in DENIED


class Person:
    """A user whose only inline policy is what `may` last said."""

    def __init__(self, weir, user=None, **made):
        self.weir, self.iam, self.name = weir, weir.client("iam"), user or name("person")
        self.arn = self.iam.create_user(UserName=self.name, **made)["User"]["Arn"]
        key = self.iam.create_access_key(UserName=self.name)["AccessKey"]
        self.key = {"key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}

    def may(self, *statements, **more):
        self.iam.put_user_policy(UserName=self.name, PolicyName="p", PolicyDocument=document(*statements, **more))
        return self

    def client(self, service, **more):
        return self.weir.client(service, **self.key, **more)

    def remove(self):
        for policy in self.iam.list_user_policies(UserName=self.name)["PolicyNames"]:
            self.iam.delete_user_policy(UserName=self.name, PolicyName=policy)
        self.iam.delete_access_key(UserName=self.name, AccessKeyId=self.key["key"])
        self.iam.delete_user(UserName=self.name)


# --- questions -----------------------------------------------------------------------------------

with open(os.path.join(ROOT, "tests", "data", "policy", "questions.json"), encoding="utf-8") as _f:
    _DATA = json.load(_f)
QUEUE_ARN = f"arn:aws:sqs:us-east-1:{_DATA['ids']['account']}:q"


def asked_of_a_queue(q):
    """What can be asked here as it is: may user bob send to the queue q? Made-up names and keys cannot be
    stored."""
    return (q["who"] == "user" and q["action"] == "sqs:SendMessage" and q["at"] == QUEUE_ARN and not q.get("keys") and
            "session" not in q and "trust" not in q and not re.search("AIDA|AROA|user/Bob|aws:[xy]\"", json.dumps(q)))


WIRE = [q for q in _DATA["questions"] if asked_of_a_queue(q)]


@pytest.fixture(scope="module")
def bob(weir):
    person = Person(weir, "bob")
    weir.client("iam").create_user(UserName="bob2")
    weir.client("sqs").create_queue(QueueName="q")
    return person


def test_enough_questions():
    assert len(_DATA["questions"]) >= 300 and len(WIRE) >= 80
    assert all(q["rule"] and q["want"] in ("allow", "deny", "none", "refused") for q in _DATA["questions"])


@pytest.mark.parametrize("q", WIRE, ids=lambda q: q["name"])
def test_question(weir, bob, q):
    q = json.loads(json.dumps(q).replace(_DATA["ids"]["account"], ACCOUNT))
    version, iam, sqs = q.get("version", "2012-10-17"), weir.client("iam"), weir.client("sqs")
    for one in q.get("resource", []):  # or nobody could ask for the next question
        if one.get("Action") == "sqs:*":
            one["Action"] = "sqs:SendMessage"
    url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/bound"
    attached, refused = False, False
    try:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(*q["resource"], version=version) if "resource" in q else ""})
        if "identity" in q:
            bob.may(*q["identity"], version=version)
        if "boundary" in q:
            iam.create_policy(PolicyName="bound", PolicyDocument=document(*q["boundary"], version=version))
            iam.put_user_permissions_boundary(UserName="bob", PermissionsBoundary=boundary)
            attached = True
        got = error(bob.client("sqs").send_message, QueueUrl=url, MessageBody="x")
    except ClientError as e:
        assert e.response["Error"]["Code"] in ("MalformedPolicyDocument", "InvalidAttributeValue"), e.response
        refused = True
    finally:
        if attached:
            iam.delete_user_permissions_boundary(UserName="bob")
            iam.delete_policy(PolicyArn=boundary)
        if "identity" in q and not refused:
            iam.delete_user_policy(UserName="bob", PolicyName="p")
    if refused:
        assert q["want"] == "refused"
        return
    assert q["want"] == ("allow" if got is None else "deny" if "explicit deny" in got[1] else "none"), got


# --- keys that are stored ------------------------------------------------------------------------

def takers(weir):
    """Whatever takes a policy: name -> function of a condition."""
    iam, s3, sqs = weir.client("iam"), weir.client("s3"), weir.client("sqs")
    bucket, queue, role, user = name("keys"), name("keys"), name("keys"), name("keys")
    s3.create_bucket(Bucket=bucket)
    url = sqs.create_queue(QueueName=queue)["QueueUrl"]
    lambdas = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    account = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(account))["Role"]["Arn"]
    other = iam.create_role(RoleName=name("keys"), AssumeRolePolicyDocument=document(lambdas))["Role"]["RoleName"]
    iam.create_user(UserName=user)
    any_to = {"Effect": "Deny", "Principal": "*"}
    return {
        "user": lambda c: iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document(statement(**c))),
        "role": lambda c: iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document(statement(**c))),
        "managed": lambda c: iam.create_policy(PolicyName=name("p"), PolicyDocument=document(statement(**c))),
        "trust": lambda c: iam.update_assume_role_policy(RoleName=other, PolicyDocument=document({**lambdas, **c})),
        "session": lambda c: weir.client("sts").assume_role(RoleArn=arn, RoleSessionName="sess", Policy=document(statement(**c))),
        "bucket": lambda c: s3.put_bucket_policy(Bucket=bucket, Policy=document({**any_to, "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}/*", **c})),
        "queue": lambda c: sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document({**any_to, "Action": "sqs:*", "Resource": "*", **c})}),
    }


UNKNOWN = ["s3:NoSuchKey", "aws:NoSuchKey", "sqs:Anything", "iam:username", "lambda:SourceFunctionArn", "aws:ResourceTag", "s3:ExistingObjectTag/"]
KNOWN = ["aws:PrincipalOrgID", "aws:SourceVpce", "AWS:SOURCEVPC", "kms:ViaService", "ec2:ResourceTag/a", "accounts.google.com:aud", "s3:prefix", "iam:AWSServiceName",
         "s3:ExistingObjectTag/a", "lambda:VpcIds", "logs:DestinationArn", "sts:ExternalId"]


def test_keys_that_may_be_stored(weir):
    for what, store in takers(weir).items():
        for key in UNKNOWN:
            got = error(lambda: store({"Condition": {"StringEquals": {key: "x"}}}))
            assert got and "condition key that Weir does not support: " + key in got[1], (what, key, got)
            assert got[0] in ("MalformedPolicyDocument", "MalformedPolicy", "InvalidAttributeValue"), (what, key, got)
        if what == "session":
            continue
        for key in KNOWN:
            assert error(lambda: store({"Condition": {"StringEquals": {key: "x"}}})) is None, (what, key)


def test_variables_are_keys(weir):
    iam, user = weir.client("iam"), name("variables")
    iam.create_user(UserName=user)
    for resource, fine in (("arn:aws:s3:::b/${aws:username}", True), ("arn:aws:s3:::b/${cognito-identity.amazonaws.com:sub}", True), ("arn:aws:s3:::b/${aws:usrname}", False)):
        got = error(iam.put_user_policy, UserName=user, PolicyName="p", PolicyDocument=document(statement(resource=resource)))
        assert (got is None) == fine, got


# --- principals that are deleted and made again ---------------------------------------------------

def shown(policy):
    return json.loads(policy)["Statement"][-1]["Principal"]["AWS"]


def test_user_made_anew_is_another_one(weir):
    s3, sqs, bucket, queue = weir.client("s3"), weir.client("sqs"), name("again"), name("again")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    url = sqs.create_queue(QueueName=queue)["QueueUrl"]
    person = Person(weir)
    user_id = weir.client("iam").get_user(UserName=person.name)["User"]["UserId"]
    arn = f"arn:aws:s3:::{bucket}/*"
    text = '{ "Version":"2012-10-17",  "Statement":[{"Sid":"a", "Effect":"Allow","Principal":{"AWS":"%s"},"Action":"s3:GetObject","Resource":"%s"}]}' % (person.arn, arn)
    s3.put_bucket_policy(Bucket=bucket, Policy=text)
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == text
    policy = document({"Effect": "Allow", "Principal": {"AWS": person.arn}, "Action": "sqs:SendMessage", "Resource": "*"})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"] == policy
    assert person.client("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    person.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    person.remove()
    assert shown(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == user_id
    again = Person(weir, person.name)
    assert again.arn == person.arn
    assert shown(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == user_id
    assert shown(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["Policy"]) == user_id
    assert denied(again.client("s3").get_object, Bucket=bucket, Key="k")
    assert denied(again.client("sqs").send_message, QueueUrl=url, MessageBody="x")
    # The id of who is gone cannot be stored again; the name means who has it now.
    gone = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    assert error(s3.put_bucket_policy, Bucket=bucket, Policy=gone)[0] == "MalformedPolicy"
    s3.put_bucket_policy(Bucket=bucket, Policy=text)
    assert again.client("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_a_renamed_user_stays_who_he_was(weir):
    sqs, iam, person = weir.client("sqs"), weir.client("iam"), Person(weir)
    url = sqs.create_queue(QueueName=name("renamed"))["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document({"Effect": "Allow", "Principal": {"AWS": person.arn}, "Action": "sqs:*", "Resource": "*"})})
    to = name("renamed")
    iam.update_user(UserName=person.name, NewUserName=to)
    person.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    assert shown(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]) == f"arn:aws:iam::{ACCOUNT}:user/{to}"


def test_trust_in_who_is_made_anew(weir):
    iam, role, person = weir.client("iam"), name("trusting"), Person(weir)
    trust = document({"Effect": "Allow", "Principal": {"AWS": person.arn}, "Action": "sts:AssumeRole"})
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    assert iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"] == json.loads(trust)
    assert error(person.client("sts").assume_role, RoleArn=arn, RoleSessionName="sess") is None
    user_id = iam.get_user(UserName=person.name)["User"]["UserId"]
    person.remove()
    again = Person(weir, person.name)
    assert denied(again.client("sts").assume_role, RoleArn=arn, RoleSessionName="sess")
    assert iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"] == user_id


def test_role_and_session_made_anew(weir):
    iam, sqs, role = weir.client("iam"), weir.client("sqs"), name("role")
    trust = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    url = sqs.create_queue(QueueName=name("role"))["QueueUrl"]

    def session():
        arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        c = weir.client("sts").assume_role(RoleArn=arn, RoleSessionName="sess")
        k = c["Credentials"]
        return arn, c["AssumedRoleUser"]["Arn"], weir.client("sqs", k["AccessKeyId"], k["SecretAccessKey"], k["SessionToken"])

    def let(principal, **more):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(dict({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sqs:*", "Resource": "*"}, **more))})

    arn, session_arn, client = session()
    for principal in (arn, session_arn):
        let(principal)
        assert error(client.send_message, QueueUrl=url, MessageBody="x") is None
        assert shown(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]) == principal
        iam.delete_role(RoleName=role)
        _, _, client = session()
        assert denied(client.send_message, QueueUrl=url, MessageBody="x")
    # NotPrincipal spares a session only where role and session are listed.
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document(statement(action="sqs:*")))
    for spared, fine in (([arn], False), ([session_arn], False), ([arn, session_arn], True)):
        deny = {"Effect": "Deny", "NotPrincipal": {"AWS": spared}, "Action": "sqs:SendMessage", "Resource": "*"}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(deny)})
        assert denied(client.send_message, QueueUrl=url, MessageBody="x") != fine, spared


def test_principals_must_exist(weir):
    iam, s3, sqs, bucket, role = weir.client("iam"), weir.client("s3"), weir.client("sqs"), name("exist"), name("exist")
    s3.create_bucket(Bucket=bucket)
    url = sqs.create_queue(QueueName=bucket)["QueueUrl"]
    nobody = f"arn:aws:iam::{ACCOUNT}:user/nobody-of-that-name"
    for principal in (nobody, f"arn:aws:iam::{ACCOUNT}:role/nobody", f"arn:aws:sts::{ACCOUNT}:assumed-role/nobody/sess", "AIDAXXXXXXXXXXXXXXX2"):
        one = {"Effect": "Allow", "Principal": {"AWS": [principal]}}
        got = error(s3.put_bucket_policy, Bucket=bucket, Policy=document({**one, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}))
        assert got[0] == "MalformedPolicy" and "Invalid principal in policy" in got[1]
        got = error(sqs.set_queue_attributes, QueueUrl=url, Attributes={"Policy": document({**one, "Action": "sqs:*", "Resource": "*"})})
        assert got[0] == "InvalidAttributeValue" and "Invalid principal in policy" in got[1]
        got = error(iam.create_role, RoleName=role, AssumeRolePolicyDocument=document({**one, "Action": "sts:AssumeRole"}))
        assert got[0] == "MalformedPolicyDocument" and "Invalid principal in policy" in got[1]
    other = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:role/of-another-account"}, "Action": "sqs:*", "Resource": "*"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(other)})


def test_sessions_have_names_of_sts(weir):
    """What could be stored but never shown would break the lists of all."""
    iam, role, other = weir.client("iam"), name("named"), name("named")
    trust = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    made = iam.create_role(RoleName=role, Path='/a"b\\c/', AssumeRolePolicyDocument=trust)["Role"]
    for session in ('a"b', "a\\b", "s", "a" * 65, "se/ss", ""):
        for principal in (f"{made['RoleId']}:{session}", f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}"):
            got = error(iam.create_role, RoleName=other, AssumeRolePolicyDocument=document(
                {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}))
            assert got and got[0] == "MalformedPolicyDocument" and "Invalid principal in policy" in got[1], principal
    # An ARN that needs escapes cannot be replaced; the id stands for it, and is shown as the ARN.
    got = error(iam.create_role, RoleName=other, AssumeRolePolicyDocument=document(
        {"Effect": "Allow", "Principal": {"AWS": made["Arn"]}, "Action": "sts:AssumeRole"}))
    assert got == ("MalformedPolicyDocument", "Invalid principal in policy.")
    for given, seen in ((made["RoleId"], made["Arn"]), (made["RoleId"] + ":se", f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/se")):
        trust = document({"Effect": "Allow", "Principal": {"AWS": given}, "Action": "sts:AssumeRole"})
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust)
        assert iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"] == seen
        assert role in [r["RoleName"] for r in iam.list_roles(MaxItems=1000)["Roles"]]


def test_what_is_stored_is_shown(weir):
    """Ids are short, and the ARNs they are shown as are long."""
    iam, s3, bucket, role = weir.client("iam"), weir.client("s3"), name("shown"), name("shown")
    path = "/" + "p" * 510 + "/"
    made = iam.create_role(RoleName=role, Path=path, AssumeRolePolicyDocument=document(
        {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}))["Role"]
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=document(
        {"Effect": "Deny", "Principal": {"AWS": [made["RoleId"]] * 600}, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}))
    assert shown(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == [made["Arn"]] * 600


# --- resources ------------------------------------------------------------------------------------

def test_listing_has_a_resource(weir):
    person = Person(weir)
    for action, service, call, resources in (
            ("s3:ListAllMyBuckets", "s3", "list_buckets", ["arn:aws:s3:::*", "arn:aws:s3", "*"]),
            ("dynamodb:ListTables", "dynamodb", "list_tables", ["arn:aws:dynamodb:*:*:table/*", "*"]),
            ("iam:ListUsers", "iam", "list_users", [f"arn:aws:iam::{ACCOUNT}:user/*", "*"]),
            ("iam:ListRoles", "iam", "list_roles", ["arn:aws:iam::*:role/*", "*"])):
        for resource in resources:
            person.may(statement(action=action, resource=resource))
            assert error(getattr(person.client(service), call)) is None, (action, resource)
        for resource in ("arn:aws:s3:::bucket", "arn:aws:sqs:*:*:*", person.arn, "arn:aws:dynamodb:*:*:table/t"):
            person.may(statement(action=action, resource=resource))
            assert denied(getattr(person.client(service), call)), (action, resource)
    person.may(statement(action="iam:ListUsers", resource=f"arn:aws:iam::{ACCOUNT}:user/team/*"))
    assert error(person.client("iam").list_users, PathPrefix="/team/") is None
    assert denied(person.client("iam").list_users, PathPrefix="/")
