"""IAM through boto3: groups and what they allow their users, and instance profiles."""
import json
import uuid

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "000000000000"
SQS_READ = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]})


def name(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def policy(action, effect="Allow"):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": "*"}]})


def fails(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


@pytest.fixture
def iam(weir):
    return weir.client("iam")


@pytest.fixture
def group(iam):
    made = name("group")
    iam.create_group(GroupName=made)
    return made


@pytest.fixture
def user(iam):
    made = name("user")
    iam.create_user(UserName=made)
    return made


def test_group_life(iam):
    n = name("group")
    made = iam.create_group(GroupName=n, Path="/team/")["Group"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/team/{n}" and made["GroupId"].startswith("AGPA")
    assert fails(iam.create_group, GroupName=n.upper()) == (
        "EntityAlreadyExists", f"Group with name {n.upper()} already exists.")
    got = iam.get_group(GroupName=n)
    assert got["Group"] == made and got["Users"] == [] and not got["IsTruncated"]
    assert [g["GroupName"] for g in iam.list_groups(PathPrefix="/team/")["Groups"]].count(n) == 1
    assert n not in [g["GroupName"] for g in iam.list_groups(PathPrefix="/other/")["Groups"]]
    other = name("group")
    iam.update_group(GroupName=n, NewGroupName=other, NewPath="/")
    assert iam.get_group(GroupName=other)["Group"]["GroupId"] == made["GroupId"]
    assert fails(iam.get_group, GroupName=n) == ("NoSuchEntity", f"The group with name {n} cannot be found.")
    iam.delete_group(GroupName=other)
    assert fails(iam.delete_group, GroupName=other)[0] == "NoSuchEntity"


def test_members(iam, group):
    users = sorted(name("m") for _ in range(3))
    for u in users:
        iam.create_user(UserName=u)
        iam.add_user_to_group(GroupName=group, UserName=u)
        iam.add_user_to_group(GroupName=group, UserName=u)  # again is nothing
    page = iam.get_group(GroupName=group, MaxItems=2)
    assert [u["UserName"] for u in page["Users"]] == users[:2] and page["IsTruncated"]
    assert [u["UserName"] for u in iam.get_group(GroupName=group, Marker=page["Marker"])["Users"]] == users[2:]
    assert [g["GroupName"] for g in iam.list_groups_for_user(UserName=users[0])["Groups"]] == [group]
    assert fails(iam.delete_group, GroupName=group) == (
        "DeleteConflict", "Cannot delete entity, must remove users from group first.")
    assert fails(iam.delete_user, UserName=users[0])[1].endswith("must remove users from group first.")
    renamed, moved = name("group"), name("z")
    iam.update_group(GroupName=group, NewGroupName=renamed)
    iam.update_user(UserName=users[0], NewUserName=moved)
    assert [u["UserName"] for u in iam.get_group(GroupName=renamed)["Users"]] == users[1:] + [moved]
    assert [g["GroupName"] for g in iam.list_groups_for_user(UserName=moved)["Groups"]] == [renamed]
    for u in users[1:] + [moved]:
        iam.remove_user_from_group(GroupName=renamed, UserName=u)
        iam.delete_user(UserName=u)
    assert fails(iam.add_user_to_group, GroupName=renamed, UserName="absent") == (
        "NoSuchEntity", "The user with name absent cannot be found.")
    iam.delete_group(GroupName=renamed)


def test_ten_groups(iam, user):
    groups = [name("g") for _ in range(11)]
    for g in groups:
        iam.create_group(GroupName=g)
    for g in groups[:10]:
        iam.add_user_to_group(GroupName=g, UserName=user)
    assert fails(iam.add_user_to_group, GroupName=groups[10], UserName=user) == (
        "LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10")
    first = iam.list_groups_for_user(UserName=user, MaxItems=4)
    rest = iam.list_groups_for_user(UserName=user, Marker=first["Marker"])
    assert [g["GroupName"] for g in first["Groups"] + rest["Groups"]] == sorted(groups[:10])


def test_group_policies(iam, group):
    iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=policy("sqs:*"))
    assert iam.list_group_policies(GroupName=group)["PolicyNames"] == ["p"]
    assert iam.get_group_policy(GroupName=group, PolicyName="p")["PolicyDocument"] == json.loads(policy("sqs:*"))
    assert fails(iam.get_group_policy, GroupName=group, PolicyName="q") == (
        "NoSuchEntity", "The group policy with name q cannot be found.")
    big = json.dumps({"Statement": {"Effect": "Allow", "Resource": "*", "Action": ["sqs:" + "a" * 1000] * 6}})
    assert fails(iam.put_group_policy, GroupName=group, PolicyName="q", PolicyDocument=big) == (
        "LimitExceeded", f"Maximum policy size of 5120 bytes exceeded for group {group}")
    iam.attach_group_policy(GroupName=group, PolicyArn=SQS_READ)
    assert iam.list_attached_group_policies(GroupName=group)["AttachedPolicies"] == [
        {"PolicyName": "AmazonSQSReadOnlyAccess", "PolicyArn": SQS_READ}]
    assert group in [g["GroupName"] for g in iam.list_entities_for_policy(
        PolicyArn=SQS_READ, EntityFilter="Group")["PolicyGroups"]]
    assert iam.list_entities_for_policy(PolicyArn=SQS_READ, EntityFilter="LocalManagedPolicy")["PolicyGroups"] == []
    assert fails(iam.delete_group, GroupName=group)[1].endswith("must detach all policies first.")
    iam.detach_group_policy(GroupName=group, PolicyArn=SQS_READ)
    assert fails(iam.delete_group, GroupName=group)[1].endswith("must delete policies first.")
    iam.delete_group_policy(GroupName=group, PolicyName="p")
    iam.delete_group(GroupName=group)


def test_groups_decide(weir, iam, group, user):
    """A change of the group, of who is in it, or of what is attached to it binds the next request."""
    key = iam.create_access_key(UserName=user)["AccessKey"]
    sqs = weir.client("sqs", key["AccessKeyId"], key["SecretAccessKey"])
    assert fails(sqs.list_queues)[0] == "AccessDenied"
    iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=policy("sqs:ListQueues"))
    assert fails(sqs.list_queues)[0] == "AccessDenied"
    iam.add_user_to_group(GroupName=group, UserName=user)
    sqs.list_queues()
    iam.update_group(GroupName=group, NewGroupName=group + "x")
    sqs.list_queues()
    iam.put_user_policy(UserName=user, PolicyName="no", PolicyDocument=policy("sqs:ListQueues", "Deny"))
    assert "explicit deny" in fails(sqs.list_queues)[1]
    iam.delete_user_policy(UserName=user, PolicyName="no")
    iam.delete_group_policy(GroupName=group + "x", PolicyName="p")
    assert fails(sqs.list_queues)[0] == "AccessDenied"
    iam.attach_group_policy(GroupName=group + "x", PolicyArn=SQS_READ)
    sqs.list_queues()
    iam.remove_user_from_group(GroupName=group + "x", UserName=user)
    assert fails(sqs.list_queues)[0] == "AccessDenied"


def test_instance_profile_life(iam):
    n, role = name("profile"), name("role")
    made = iam.create_instance_profile(InstanceProfileName=n, Path="/p/", Tags=[{"Key": "a", "Value": "b"}])["InstanceProfile"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:instance-profile/p/{n}" and made["InstanceProfileId"].startswith("AIPA")
    assert made["Roles"] == [] and made["Tags"] == [{"Key": "a", "Value": "b"}]
    assert fails(iam.create_instance_profile, InstanceProfileName=n) == (
        "EntityAlreadyExists", f"Instance Profile {n} already exists.")
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST)
    iam.add_role_to_instance_profile(InstanceProfileName=n, RoleName=role)
    assert fails(iam.add_role_to_instance_profile, InstanceProfileName=n, RoleName=role) == (
        "LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
    got = iam.get_instance_profile(InstanceProfileName=n)["InstanceProfile"]
    assert [r["RoleName"] for r in got["Roles"]] == [role]
    assert got["Roles"][0]["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert [p["InstanceProfileName"] for p in iam.list_instance_profiles_for_role(RoleName=role)["InstanceProfiles"]] == [n]
    assert [p["InstanceProfileName"] for p in iam.list_instance_profiles(PathPrefix="/p/")["InstanceProfiles"]].count(n) == 1
    for call, kw in ((iam.delete_role, {"RoleName": role}), (iam.delete_instance_profile, {"InstanceProfileName": n})):
        assert fails(call, **kw) == (
            "DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
    iam.tag_instance_profile(InstanceProfileName=n, Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_instance_profile(InstanceProfileName=n, TagKeys=["a"])
    assert iam.list_instance_profile_tags(InstanceProfileName=n)["Tags"] == [{"Key": "c", "Value": "d"}]
    iam.remove_role_from_instance_profile(InstanceProfileName=n, RoleName=role)
    assert fails(iam.remove_role_from_instance_profile, InstanceProfileName=n, RoleName=role)[0] == "NoSuchEntity"
    assert iam.list_instance_profiles_for_role(RoleName=role)["InstanceProfiles"] == []
    iam.delete_instance_profile(InstanceProfileName=n)
    assert fails(iam.get_instance_profile, InstanceProfileName=n) == (
        "NoSuchEntity", f"Instance Profile {n} cannot be found.")
    iam.delete_role(RoleName=role)
