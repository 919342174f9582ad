"""IAM through boto3: the life of users, keys, roles and policies, and AWS's errors."""
import json
import uuid

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "000000000000"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
S3_READ = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


def name(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def policy(action="s3:GetObject", effect="Allow", resource="*", **more):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": effect, "Action": action, "Resource": resource, **more}]})


def fails(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


@pytest.fixture
def iam(weir):
    return weir.client("iam")


@pytest.fixture
def role(iam):
    made = name("role")
    iam.create_role(RoleName=made, AssumeRolePolicyDocument=TRUST)
    return made


@pytest.fixture
def user(iam):
    made = name("user")
    iam.create_user(UserName=made)
    return made


def test_user_life(iam):
    n = name("user")
    made = iam.create_user(UserName=n, Path="/team/a/", Tags=[{"Key": "k", "Value": "v"}])["User"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/a/{n}"
    assert made["UserId"].startswith("AIDA") and len(made["UserId"]) == 21
    got = iam.get_user(UserName=n)["User"]
    assert got["Tags"] == [{"Key": "k", "Value": "v"}] and got["Path"] == "/team/a/"
    assert fails(iam.create_user, UserName=n.upper()) == (
        "EntityAlreadyExists", f"User with name {n.upper()} already exists.")
    assert [u["UserName"] for u in iam.list_users(PathPrefix="/team/a/")["Users"]].count(n) == 1
    assert iam.list_groups_for_user(UserName=n)["Groups"] == []
    renamed = name("user")
    iam.update_user(UserName=n, NewUserName=renamed, NewPath="/")
    assert iam.get_user(UserName=renamed)["User"]["UserId"] == made["UserId"]
    assert fails(iam.get_user, UserName=n) == (
        "NoSuchEntity", f"The user with name {n} cannot be found.")
    iam.delete_user(UserName=renamed)
    assert fails(iam.delete_user, UserName=renamed)[0] == "NoSuchEntity"


def test_delete_conflicts(iam, user, role):
    iam.attach_user_policy(UserName=user, PolicyArn=S3_READ)
    assert fails(iam.delete_user, UserName=user) == (
        "DeleteConflict", "Cannot delete entity, must detach all policies first.")
    iam.detach_user_policy(UserName=user, PolicyArn=S3_READ)
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=policy())
    assert fails(iam.delete_user, UserName=user)[1].endswith("must delete policies first.")
    iam.delete_user_policy(UserName=user, PolicyName="p")
    key = iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
    assert fails(iam.delete_user, UserName=user)[1].endswith("must delete access keys first.")
    iam.delete_access_key(UserName=user, AccessKeyId=key)
    iam.delete_user(UserName=user)
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=policy())
    assert fails(iam.delete_role, RoleName=role)[0] == "DeleteConflict"
    iam.delete_role_policy(RoleName=role, PolicyName="p")
    iam.delete_role(RoleName=role)


def test_access_keys(weir, iam, user):
    first = iam.create_access_key(UserName=user)["AccessKey"]
    assert first["AccessKeyId"].startswith("AKIA") and len(first["AccessKeyId"]) == 20
    assert len(first["SecretAccessKey"]) == 40 and first["Status"] == "Active"
    second = iam.create_access_key(UserName=user)["AccessKey"]
    assert fails(iam.create_access_key, UserName=user) == (
        "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
    sts = weir.client("sts", first["AccessKeyId"], first["SecretAccessKey"])
    assert sts.get_caller_identity()["Arn"].endswith(f":user/{user}")
    iam.update_access_key(UserName=user, AccessKeyId=first["AccessKeyId"], Status="Inactive")
    assert fails(sts.get_caller_identity)[0] == "InvalidClientTokenId"
    iam.update_access_key(UserName=user, AccessKeyId=first["AccessKeyId"], Status="Active")
    sts.get_caller_identity()
    listed = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
    assert {k["AccessKeyId"] for k in listed} == {first["AccessKeyId"], second["AccessKeyId"]}
    page = iam.list_access_keys(UserName=user, MaxItems=1)
    assert page["IsTruncated"]
    rest = iam.list_access_keys(UserName=user, Marker=page["Marker"])
    assert len(rest["AccessKeyMetadata"]) == 1 and not rest["IsTruncated"]
    iam.delete_access_key(UserName=user, AccessKeyId=first["AccessKeyId"])
    assert fails(sts.get_caller_identity)[0] == "InvalidClientTokenId"
    assert fails(iam.delete_access_key, UserName=user, AccessKeyId=first["AccessKeyId"]) == (
        "NoSuchEntity", f"The Access Key with id {first['AccessKeyId']} cannot be found.")


def test_role_life(iam):
    n = name("role")
    made = iam.create_role(RoleName=n, Path="/service/", AssumeRolePolicyDocument=TRUST,
                           Description="first", MaxSessionDuration=7200,
                           Tags=[{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}])["Role"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/service/{n}"
    assert made["RoleId"].startswith("AROA")
    got = iam.get_role(RoleName=n)["Role"]
    assert got["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert got["MaxSessionDuration"] == 7200 and got["Description"] == "first"
    assert [t["Key"] for t in got["Tags"]] == ["a", "b"]
    iam.update_role(RoleName=n, Description="second", MaxSessionDuration=3600)
    got = iam.get_role(RoleName=n)["Role"]
    assert got["MaxSessionDuration"] == 3600 and got["Description"] == "second"
    assert iam.update_role_description(RoleName=n, Description="third")["Role"]["Description"] == "third"
    other = json.loads(TRUST)
    other["Statement"][0]["Principal"] = {"AWS": ACCOUNT}
    iam.update_assume_role_policy(RoleName=n, PolicyDocument=json.dumps(other))
    assert iam.get_role(RoleName=n)["Role"]["AssumeRolePolicyDocument"] == other
    assert n in [r["RoleName"] for r in iam.list_roles(PathPrefix="/service/")["Roles"]]
    assert iam.list_instance_profiles_for_role(RoleName=n)["InstanceProfiles"] == []
    assert fails(iam.create_role, RoleName=n, AssumeRolePolicyDocument=TRUST) == (
        "EntityAlreadyExists", f"Role with name {n} already exists.")
    iam.delete_role(RoleName=n)
    assert fails(iam.get_role, RoleName=n) == (
        "NoSuchEntity", f"The role with name {n} cannot be found.")


JOBS = "arn:aws:iam::aws:policy/job-function/"


@pytest.mark.parametrize("arn, allowed, denied", [
    ("arn:aws:iam::aws:policy/SecurityAudit", ["iam:GenerateCredentialReport", "sqs:GetQueueAttributes", "s3:GetBucketPolicy"],
     ["s3:GetObject", "sqs:ReceiveMessage", "dynamodb:GetItem"]),
    (JOBS + "ViewOnlyAccess", ["dynamodb:ListTables", "sns:ListTopics", "s3:ListBucket"], ["dynamodb:GetItem", "s3:GetObject", "lambda:InvokeFunction"]),
    (JOBS + "DatabaseAdministrator", ["dynamodb:PutItem", "cloudwatch:PutMetricAlarm"], ["sqs:SendMessage"]),
    (JOBS + "SystemAdministrator", ["cloudwatch:PutMetricData", "events:PutRule"], ["dynamodb:PutItem"]),
    (JOBS + "NetworkAdministrator", ["sns:CreateTopic"], ["sns:DeleteTopic"]),
    (JOBS + "DataScientist", ["dynamodb:PutItem", "lambda:InvokeFunction"], ["iam:CreateUser"]),
    (JOBS + "SupportUser", ["sqs:ListQueues"], ["sqs:SendMessage"]),
    ("arn:aws:iam::aws:policy/CloudWatchFullAccessV2", ["cloudwatch:PutMetricAlarm", "logs:CreateLogGroup"], ["dynamodb:PutItem"])])
def test_policies_of_jobs(iam, role, arn, allowed, denied):
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    asked = iam.simulate_principal_policy(PolicySourceArn=iam.get_role(RoleName=role)["Role"]["Arn"], ActionNames=allowed + denied)
    assert [r["EvalDecision"] for r in asked["EvaluationResults"]] == ["allowed"] * len(allowed) + ["implicitDeny"] * len(denied)


def test_refused_to_attach_and_store(iam, role, user):
    linked = "arn:aws:iam::aws:policy/aws-service-role/APIGatewayServiceRolePolicy"
    assert fails(iam.attach_role_policy, RoleName=role, PolicyArn=linked) == (
        "PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer Role.")
    assert fails(iam.attach_user_policy, UserName=user, PolicyArn=linked)[0] == "PolicyNotAttachable"
    long = policy("s3:" + "a" * 6200)  # one action longer than any is read
    assert fails(iam.create_policy, PolicyName=name("p"), PolicyDocument=long) == ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144")


def test_inline_policies(iam, role):
    for p in ("b", "a", "c"):
        iam.put_role_policy(RoleName=role, PolicyName=p, PolicyDocument=policy())
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["a", "b", "c"]
    page = iam.list_role_policies(RoleName=role, MaxItems=2)
    assert page["IsTruncated"] and page["PolicyNames"] == ["a", "b"]
    assert iam.list_role_policies(RoleName=role, Marker=page["Marker"])["PolicyNames"] == ["c"]
    iam.put_role_policy(RoleName=role, PolicyName="a", PolicyDocument=policy("sqs:*"))
    got = iam.get_role_policy(RoleName=role, PolicyName="a")
    assert got["PolicyDocument"] == json.loads(policy("sqs:*"))
    assert fails(iam.get_role_policy, RoleName=role, PolicyName="none") == (
        "NoSuchEntity", "The role policy with name none cannot be found.")
    iam.delete_role_policy(RoleName=role, PolicyName="a")
    assert fails(iam.delete_role_policy, RoleName=role, PolicyName="a")[0] == "NoSuchEntity"
    big = policy(["s3:" + "G" * 100 + str(i) for i in range(100)])
    assert fails(iam.put_role_policy, RoleName=role, PolicyName="big", PolicyDocument=big) == (
        "LimitExceeded", f"Maximum policy size of 10240 bytes exceeded for role {role}")


@pytest.mark.parametrize("document,message", [
    ("{", "Syntax errors in policy."),
    ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*"}]}',
     "Policy statement must contain resources."),
    (policy("GetObject"), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
    (policy(resource="bucket"), 'Resource bucket must be in ARN format or "*".'),
    (policy(Principal="*"), "Policy document should not specify a principal."),
    (policy(effect="allow"), "The policy failed legacy parsing"),
    (policy(resource="arn:aws:s3::bucket"), "The policy failed legacy parsing"),
    (policy(Condition={"DateLessThan": {"aws:CurrentTime": "soon"}}), "The policy failed legacy parsing"),
    (policy(Condition={"StringIs": {"aws:username": "x"}}), "Syntax errors in policy."),
    (policy("s3:Get:Object"), "Actions/Condition can contain only one colon."),
    (policy("a a:b"), "Vendor a a is not valid"),
    (policy(resource="arn:other:s3:::b"), 'Partition "other" is not valid for resource "arn:other:s3:::b".'),
])
def test_malformed_policies(iam, role, document, message):
    assert fails(iam.put_role_policy, RoleName=role, PolicyName="p", PolicyDocument=document) == (
        "MalformedPolicyDocument", message)
    assert fails(iam.create_policy, PolicyName=name("p"), PolicyDocument=document)[0] == (
        "MalformedPolicyDocument")


def test_managed_policies_are_of_the_current_language(iam, role):
    for document in (policy().replace('"Version": "2012-10-17", ', ""), policy().replace("2012", "2008")):
        iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document)
        assert fails(iam.create_policy, PolicyName=name("p"), PolicyDocument=document) == (
            "MalformedPolicyDocument", "Policy document must be version 2012-10-17 or greater.")


def test_malformed_trust(iam):
    assert fails(iam.create_role, RoleName=name("r"), AssumeRolePolicyDocument="{") == (
        "MalformedPolicyDocument", "This policy contains invalid Json")
    assert fails(iam.create_role, RoleName=name("r"), AssumeRolePolicyDocument=policy()) == (
        "MalformedPolicyDocument", "Missing required field Principal")


def test_managed_policy_life(iam, role):
    n = name("policy")
    made = iam.create_policy(PolicyName=n, PolicyDocument=policy(), Description="d",
                             Tags=[{"Key": "k", "Value": "v"}])["Policy"]
    arn = made["Arn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:policy/{n}" and made["PolicyId"].startswith("ANPA")
    assert made["DefaultVersionId"] == "v1" and made["AttachmentCount"] == 0
    assert fails(iam.create_policy, PolicyName=n, PolicyDocument=policy()) == (
        "EntityAlreadyExists", f"A policy called {n} already exists. Duplicate names are not allowed.")
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == [
        {"PolicyName": n, "PolicyArn": arn}]
    assert [r["RoleName"] for r in iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]] == [role]
    assert fails(iam.delete_policy, PolicyArn=arn) == (
        "DeleteConflict", "Cannot delete a policy attached to entities.")
    second = iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy("s3:Put*"),
                                       SetAsDefault=True)["PolicyVersion"]
    assert second["VersionId"] == "v2" and second["IsDefaultVersion"]
    assert iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"] == (
        json.loads(policy()))
    assert fails(iam.delete_policy_version, PolicyArn=arn, VersionId="v2")[0] == "DeleteConflict"
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    for _ in range(3):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy())
    assert fails(iam.create_policy_version, PolicyArn=arn, PolicyDocument=policy())[0] == "LimitExceeded"
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [v["VersionId"] for v in versions] == ["v5", "v4", "v3", "v2", "v1"]
    iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    assert fails(iam.detach_role_policy, RoleName=role, PolicyArn=arn) == (
        "NoSuchEntity", f"Policy {arn} was not found.")
    assert fails(iam.delete_policy, PolicyArn=arn)[1].startswith("This policy has more than one version.")
    for v in ("v2", "v3", "v4", "v5"):
        iam.delete_policy_version(PolicyArn=arn, VersionId=v)
    iam.delete_policy(PolicyArn=arn)
    assert fails(iam.get_policy, PolicyArn=arn) == ("NoSuchEntity", f"Policy {arn} was not found.")
    assert fails(iam.attach_role_policy, RoleName=role, PolicyArn=arn) == (
        "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")


@pytest.mark.parametrize("arn", [
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole",
    "arn:aws:iam::aws:policy/AmazonS3FullAccess",
    "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess",
    "arn:aws:iam::aws:policy/AdministratorAccess",
])
def test_policies_of_aws(iam, role, arn):
    got = iam.get_policy(PolicyArn=arn)["Policy"]
    assert got["Arn"] == arn
    document = iam.get_policy_version(PolicyArn=arn, VersionId=got["DefaultVersionId"])
    assert document["PolicyVersion"]["Document"]["Statement"]
    before = got["AttachmentCount"]
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == before + 1
    listed = {p["Arn"]: p["AttachmentCount"] for page in iam.get_paginator("list_policies").paginate(Scope="AWS")
              for p in page["Policies"]}
    assert listed[arn] == before + 1
    for other in listed:
        assert listed[other] == iam.get_policy(PolicyArn=other)["Policy"]["AttachmentCount"]
    iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    assert fails(iam.delete_policy, PolicyArn=arn)[0] == "AccessDenied"


def test_attachment_quota(iam, role):
    arns = [iam.create_policy(PolicyName=name("p"), PolicyDocument=policy())["Policy"]["Arn"]
            for _ in range(11)]
    for arn in arns[:10]:
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    assert fails(iam.attach_role_policy, RoleName=role, PolicyArn=arns[10]) == (
        "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10")


def test_list_policies(iam):
    made = {iam.create_policy(PolicyName=name("p"), Path="/list/", PolicyDocument=policy())["Policy"]["Arn"]
            for _ in range(5)}
    listed = set()
    for page in iam.get_paginator("list_policies").paginate(
            Scope="Local", PathPrefix="/list/", PaginationConfig={"PageSize": 2}):
        assert len(page["Policies"]) <= 2
        listed |= {p["Arn"] for p in page["Policies"]}
    assert made <= listed
    everything = [p["Arn"] for page in iam.get_paginator("list_policies").paginate(
        PaginationConfig={"PageSize": 3}) for p in page["Policies"]]
    assert len(everything) == len(set(everything)) and made <= set(everything)
    assert S3_READ in everything


def test_list_paging_of_roles(iam):
    made = []
    for i in range(5):
        made.append(name(f"Page{i}"))
        iam.create_role(RoleName=made[-1], Path="/paging/", AssumeRolePolicyDocument=TRUST)
    listed = [r["RoleName"] for page in iam.get_paginator("list_roles").paginate(
        PathPrefix="/paging/", PaginationConfig={"PageSize": 2}) for r in page["Roles"]]
    assert set(made) <= set(listed) and len(listed) == len(set(listed))


def test_tags(iam, role):
    iam.tag_role(RoleName=role, Tags=[{"Key": "b", "Value": "1"}, {"Key": "a", "Value": "1"}])
    iam.tag_role(RoleName=role, Tags=[{"Key": "B", "Value": "2"}])
    assert {t["Key"]: t["Value"] for t in iam.list_role_tags(RoleName=role)["Tags"]} == {
        "a": "1", "B": "2"}
    iam.untag_role(RoleName=role, TagKeys=["a", "none"])
    assert len(iam.list_role_tags(RoleName=role)["Tags"]) == 1
    assert fails(iam.tag_role, RoleName=role, Tags=[{"Key": "x", "Value": "1"},
                                                    {"Key": "X", "Value": "1"}])[0] == "InvalidInput"


def test_policies_decide(weir, iam, user):
    key = iam.create_access_key(UserName=user)["AccessKey"]
    mine = weir.client("iam", key["AccessKeyId"], key["SecretAccessKey"])
    code, message = fails(mine.list_users)
    assert code == "AccessDenied"
    assert message.startswith(f"User: arn:aws:iam::{ACCOUNT}:user/{user} is not authorized to perform: "
                              "iam:ListUsers on resource:")
    arn = iam.create_policy(PolicyName=name("p"), PolicyDocument=policy("iam:List*"))["Policy"]["Arn"]
    iam.attach_user_policy(UserName=user, PolicyArn=arn)
    mine.list_users()
    iam.put_user_policy(UserName=user, PolicyName="deny",
                        PolicyDocument=policy("iam:ListUsers", "Deny"))
    assert "explicit deny" in fails(mine.list_users)[1]
    iam.delete_user_policy(UserName=user, PolicyName="deny")
    mine.list_users()
    # A new default version takes effect at once.
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy("iam:ListRoles"), SetAsDefault=True)
    assert fails(mine.list_users)[0] == "AccessDenied"
    mine.list_roles()
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    mine.list_users()


def test_permission_boundary(weir, iam, user):
    key = iam.create_access_key(UserName=user)["AccessKey"]
    mine = weir.client("iam", key["AccessKeyId"], key["SecretAccessKey"])
    iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=policy("iam:*"))
    arn = iam.create_policy(PolicyName=name("b"), PolicyDocument=policy("iam:ListUsers"))["Policy"]["Arn"]
    mine.list_roles()
    iam.put_user_permissions_boundary(UserName=user, PermissionsBoundary=arn)
    assert iam.get_user(UserName=user)["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    assert fails(mine.list_roles)[0] == "AccessDenied"
    mine.list_users()
    assert iam.get_policy(PolicyArn=arn)["Policy"]["PermissionsBoundaryUsageCount"] == 1
    assert fails(iam.delete_policy, PolicyArn=arn)[0] == "DeleteConflict"
    iam.delete_user_permissions_boundary(UserName=user)
    mine.list_roles()
    iam.delete_policy(PolicyArn=arn)


def test_conditions_and_variables(weir, iam, user):
    key = iam.create_access_key(UserName=user)["AccessKey"]
    mine = weir.client("iam", key["AccessKeyId"], key["SecretAccessKey"])
    iam.put_user_policy(UserName=user, PolicyName="self", PolicyDocument=policy(
        "iam:GetUser", resource=f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"))
    mine.get_user(UserName=user)
    assert fails(mine.get_user, UserName="somebody")[0] == "AccessDenied"
    for condition, allowed in (({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
                               ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
                               ({"Bool": {"aws:SecureTransport": "true"}}, True),  # loopback
                               ({"Bool": {"aws:SecureTransport": "false"}}, False),
                               ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, True)):
        iam.put_user_policy(UserName=user, PolicyName="list",
                            PolicyDocument=policy("iam:ListRoles", Condition=condition))
        if allowed:
            mine.list_roles()
        else:
            assert fails(mine.list_roles)[0] == "AccessDenied"


def test_resources_have_their_path(weir, iam, user):
    key = iam.create_access_key(UserName=user)["AccessKey"]
    mine = weir.client("iam", key["AccessKeyId"], key["SecretAccessKey"])
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "iam:*", "Resource": f"arn:aws:iam::{ACCOUNT}:role/mine/*"},
            {"Effect": "Allow", "Action": "iam:GetUser",
             "Resource": f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"}]}))
    inside, outside = name("role"), name("role")
    mine.create_role(RoleName=inside, Path="/mine/", AssumeRolePolicyDocument=TRUST)
    mine.get_role(RoleName=inside)
    iam.create_role(RoleName=outside, Path="/other/", AssumeRolePolicyDocument=TRUST)
    assert fails(mine.get_role, RoleName=outside)[0] == "AccessDenied"
    assert fails(mine.create_role, RoleName=name("role"), AssumeRolePolicyDocument=TRUST)[0] == (
        "AccessDenied")
    assert mine.get_user()["User"]["UserName"] == user


def test_delegation_under_a_boundary(weir, iam, user):
    """One who may make roles, but only bounded ones, and attach only what he is given."""
    key = iam.create_access_key(UserName=user)["AccessKey"]
    mine = weir.client("iam", key["AccessKeyId"], key["SecretAccessKey"])
    bound = iam.create_policy(PolicyName=name("b"), PolicyDocument=policy("s3:*"))["Policy"]["Arn"]
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["iam:CreateRole", "iam:PutRolePolicy"], "Resource": "*",
             "Condition": {"ArnEquals": {"iam:PermissionsBoundary": bound}}},
            {"Effect": "Allow", "Action": "iam:AttachRolePolicy", "Resource": "*",
             "Condition": {"ArnEquals": {"iam:PolicyARN": S3_READ}}},
            {"Effect": "Allow", "Action": "iam:TagRole", "Resource": "*", "Condition": {
                "StringEquals": {"aws:ResourceTag/owner": "${aws:username}"},
                "ForAllValues:StringEquals": {"aws:TagKeys": ["stage"]}}}]}))
    made = name("role")
    assert fails(mine.create_role, RoleName=made, AssumeRolePolicyDocument=TRUST)[0] == "AccessDenied"
    mine.create_role(RoleName=made, AssumeRolePolicyDocument=TRUST, PermissionsBoundary=bound)
    mine.put_role_policy(RoleName=made, PolicyName="p", PolicyDocument=policy())
    mine.attach_role_policy(RoleName=made, PolicyArn=S3_READ)
    assert fails(mine.attach_role_policy, RoleName=made,
                 PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")[0] == "AccessDenied"
    stage = [{"Key": "stage", "Value": "test"}]
    assert fails(mine.tag_role, RoleName=made, Tags=stage)[0] == "AccessDenied"
    iam.tag_role(RoleName=made, Tags=[{"Key": "owner", "Value": user}])
    mine.tag_role(RoleName=made, Tags=stage)
    assert fails(mine.tag_role, RoleName=made,
                 Tags=[{"Key": "owner", "Value": "x"}])[0] == "AccessDenied"
    iam.delete_role_permissions_boundary(RoleName=made)
    assert fails(mine.put_role_policy, RoleName=made, PolicyName="p",
                 PolicyDocument=policy())[0] == "AccessDenied"


def test_all_of_it_survives_kill(weir):
    iam = weir.client("iam")
    user, role = name("user"), name("role")
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=policy("iam:ListUsers"))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName=role, PolicyArn=S3_READ)
    weir.kill9()
    weir.start()
    iam = weir.client("iam")
    weir.client("iam", key["AccessKeyId"], key["SecretAccessKey"]).list_users()
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"][0]["PolicyArn"] == S3_READ
    iam.detach_role_policy(RoleName=role, PolicyArn=S3_READ)
    iam.delete_role(RoleName=role)


def test_not_supported_is_said(iam):
    assert fails(iam.create_virtual_mfa_device, VirtualMFADeviceName="m")[0] == "InvalidAction"
    assert fails(iam.generate_service_last_accessed_details, Arn=f"arn:aws:iam::{ACCOUNT}:user/u")[0] == "InvalidAction"
