"""CloudFormation through boto3: stacks of queues and topics, whose services say what is there."""
import http.client
import json
import urllib.error
import urllib.request

import pytest
from test_constraints import Service
from test_events import ACCOUNT, Queue, code, message

from weirtest import Weir, wait_for

METADATA = {"Type": "AWS::CDK::Metadata"}


def queue(after=None, policy=None, replace=None, **properties):
    r = {"Type": "AWS::SQS::Queue", "Properties": properties}
    if after:
        r["DependsOn"] = after
    if policy:
        r["DeletionPolicy"] = policy
    if replace:
        r["UpdateReplacePolicy"] = replace
    return r


def template(outputs=None, parameters=None, more=None, **resources):
    t = {"Resources": resources, **(more or {})}
    if outputs:
        t["Outputs"] = outputs
    if parameters:
        t["Parameters"] = parameters
    return json.dumps(t)


class Stacks:
    def __init__(self, weir):
        self.weir = weir
        self.cf, self.sqs, self.iam = weir.client("cloudformation"), weir.client("sqs"), weir.client("iam")

    def look(self, name):
        return self.cf.describe_stacks(StackName=name)["Stacks"][0]

    def settled(self, name):
        """The stack once nothing is in progress."""
        return wait_for(lambda: (lambda s: s if not s["StackStatus"].endswith("_IN_PROGRESS") else None)(self.look(name)),
                        what=f"end of {name}")

    def create(self, name, body, expected="CREATE_COMPLETE", **kw):
        self.cf.create_stack(StackName=name, TemplateBody=body, **kw)
        return self.check(name, expected)

    def update(self, name, body, expected="UPDATE_COMPLETE", **kw):
        self.cf.update_stack(StackName=name, **({"TemplateBody": body} if body else {"UsePreviousTemplate": True}), **kw)
        return self.check(name, expected)

    def check(self, name, expected):
        s = self.settled(name)
        assert s["StackStatus"] == expected, (s, self.events(name))
        return s

    def delete(self, name, expected="DELETE_COMPLETE", **kw):
        stack_id = self.look(name)["StackId"]
        self.cf.delete_stack(StackName=name, **kw)
        return self.check(stack_id, expected)

    def events(self, name):
        """(id, status, reason) from the first on."""
        pages = self.cf.get_paginator("describe_stack_events").paginate(StackName=name)
        found = [e for page in pages for e in page["StackEvents"]]
        return [(e["LogicalResourceId"], e["ResourceStatus"], e.get("ResourceStatusReason")) for e in reversed(found)]

    def resources(self, name):
        found = self.cf.describe_stack_resources(StackName=name)["StackResources"]
        return {r["LogicalResourceId"]: r for r in found if r["ResourceStatus"] != "DELETE_COMPLETE"}

    def physical(self, name, logical):
        return self.resources(name)[logical]["PhysicalResourceId"]

    def queues(self):
        """Everything about all queues."""
        return {u: self.attributes(u) for u in self.sqs.list_queues().get("QueueUrls", [])}

    def attributes(self, url):
        a = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return {k: v for k, v in a.items() if not k.endswith("Timestamp")}

    def role(self, name, *denied):
        """Allowed all but what is given as (action, resource)."""
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))
        return self.deny(name, *denied)

    def deny(self, name, *denied):
        self.iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            *({"Effect": "Deny", "Action": a, "Resource": r} for a, r in denied)]}))
        return f"arn:aws:iam::{ACCOUNT}:role/{name}"


@pytest.fixture(scope="module")
def weir():
    """Stacks have queues of the same names one after another."""
    with Weir(args=["--queue-reuse-wait", "0"]) as server:
        yield server


@pytest.fixture(scope="module")
def stacks(weir):
    return Stacks(weir)


@pytest.fixture
def cf(stacks):
    return stacks.cf


def arn(name):
    return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"


# --- creation and deletion ----------------------------------------------------------------------------


def test_a_stack(stacks, cf):
    body = template(
        parameters={"Seconds": {"Type": "Number", "Default": 5}, "Secret": {"Type": "String", "NoEcho": True}},
        outputs={"Url": {"Value": {"Ref": "A"}, "Description": "d"}, "Name": {"Value": {"Fn::Sub": "${A.QueueName}-x"}}},
        more={"Description": "two queues"},
        A=queue(VisibilityTimeout={"Ref": "Seconds"}), B=queue(QueueName={"Fn::Join": ["-", ["b", {"Fn::GetAtt": ["A", "QueueName"]}]]}),
        M=METADATA)
    s = stacks.create("whole", body, Parameters=[{"ParameterKey": "Secret", "ParameterValue": "pssst"}], Tags=[{"Key": "team", "Value": "red"}],
                      TimeoutInMinutes=5, Capabilities=["CAPABILITY_IAM"])
    a, b = stacks.physical("whole", "A"), stacks.physical("whole", "B")
    assert s["Description"] == "two queues" and s["TimeoutInMinutes"] == 5 and s["Capabilities"] == ["CAPABILITY_IAM"]
    assert {p["ParameterKey"]: p["ParameterValue"] for p in s["Parameters"]} == {"Seconds": "5", "Secret": "****"}
    assert {o["OutputKey"]: o["OutputValue"] for o in s["Outputs"]} == {"Url": a, "Name": a.rsplit("/", 1)[1] + "-x"}
    assert b.rsplit("/", 1)[1] == "b-" + a.rsplit("/", 1)[1] and "whole-A-" in a
    assert stacks.sqs.list_queue_tags(QueueUrl=a)["Tags"] == {
        "team": "red", "aws:cloudformation:stack-name": "whole", "aws:cloudformation:stack-id": s["StackId"], "aws:cloudformation:logical-id": "A"}
    assert message(stacks.sqs.tag_queue, QueueUrl=a, Tags={"aws:cloudformation:stack-name": "x"})
    events = stacks.events("whole")
    assert events[0] == ("whole", "CREATE_IN_PROGRESS", "User Initiated") and events[-1] == ("whole", "CREATE_COMPLETE", None)
    at = [e[:2] for e in events]
    assert at.index(("A", "CREATE_COMPLETE")) < at.index(("B", "CREATE_IN_PROGRESS"))
    d = cf.describe_stack_resource(StackName="whole", LogicalResourceId="A")["StackResourceDetail"]
    assert (d["PhysicalResourceId"], d["ResourceStatus"], d["ResourceType"]) == (a, "CREATE_COMPLETE", "AWS::SQS::Queue")
    assert {r["LogicalResourceId"] for r in cf.list_stack_resources(StackName="whole")["StackResourceSummaries"]} == {"A", "B", "M"}
    assert cf.describe_stack_resources(PhysicalResourceId=a)["StackResources"][0]["StackName"] == "whole"
    assert [x["LogicalResourceId"] for x in cf.describe_stack_resources(StackName="whole", LogicalResourceId="B")["StackResources"]] == ["B"]
    assert any(x["StackName"] == "whole" for x in cf.list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"])
    assert any(x["StackName"] == "whole" for x in cf.describe_stacks()["Stacks"])
    stacks.delete("whole")
    assert message(cf.describe_stacks, StackName="whole") == "Stack with id whole does not exist"
    assert stacks.look(s["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    at = [e[:2] for e in stacks.events(s["StackId"])]
    assert at.index(("B", "DELETE_COMPLETE")) < at.index(("A", "DELETE_IN_PROGRESS"))
    assert not [u for u in stacks.queues() if "whole" in u]
    assert any(x["StackId"] == s["StackId"] for x in cf.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"])
    cf.delete_stack(StackName="whole")  # is fine


def test_refused_before_anything_is_made(stacks, cf):
    before = stacks.queues()
    for body, words in [
            ("{", "Template format error"),
            (template(), "Template format error: At least one Resources member must be defined."),
            (template(A=queue(Foo=1)), "Foo"),
            (template(A={"Type": "AWS::No::Such"}), "Template format error: Unrecognized resource types: [AWS::No::Such]"),
            (template(A={"Type": "AWS::Lambda::CodeSigningConfig"}), "Unrecognized resource types: [AWS::Lambda::CodeSigningConfig]"),
            (template(A=queue(after="B")), "Template format error: Unresolved resource dependencies [B] in the Resources block of the template"),
            (template(A=queue(after="B"), B=queue(after="A")), "Circular dependency between resources: [A, B]"),
            (template(A=queue(QueueName={"Fn::GetAtt": ["B", "Nope"]}), B=queue()), "Nope"),
            (template(A={**queue(), "CreationPolicy": {"ResourceSignal": {"Count": 1}}}), "CreationPolicy of resource A is not supported by Weir."),
            (template(A={**queue(), "UpdatePolicy": {"UseOnlineResharding": True}}), "UpdatePolicy of resource A is not supported by Weir."),
            (template(A=queue(policy="Snapshot")), "does not support deletion policy Snapshot"),
            (template(parameters={"P": {"Type": "String"}}, A=queue()), "Parameters: [P] must have values")]:
        assert words in message(cf.create_stack, StackName="refused", TemplateBody=body), body
    good = template(A=queue())
    assert message(cf.create_stack, StackName="refused") == "Either Template URL or Template Body must be specified."
    assert "Only one of" in message(cf.create_stack, StackName="refused", TemplateBody=good, TemplateURL="https://s3.amazonaws.com/b/k")
    assert "51200" in message(cf.create_stack, StackName="refused", TemplateBody=good + " " * 51200)
    assert "not both" in message(cf.create_stack, StackName="refused", TemplateBody=good, OnFailure="DELETE", DisableRollback=True)
    assert "RollbackConfiguration" in message(cf.create_stack, StackName="refused", TemplateBody=good, RollbackConfiguration={
        "MonitoringTimeInMinutes": 5})
    assert "is not among" in message(cf.create_stack, StackName="refused", TemplateBody=good, ResourceTypes=["AWS::SNS::*"])
    assert "usePreviousValue" in message(cf.create_stack, StackName="refused", TemplateBody=good, Parameters=[
        {"ParameterKey": "P", "UsePreviousValue": True}])
    assert "aws:" in message(cf.create_stack, StackName="refused", TemplateBody=good, Tags=[{"Key": "aws:x", "Value": "y"}])
    assert stacks.queues() == before and message(cf.describe_stacks, StackName="refused")


def test_tags_of_the_system_are_not_the_templates(stacks):
    """A template may say aws:cloudformation:stack-id, and is overruled; others of AWS's are refused."""
    spoofed = queue(Tags=[{"Key": "aws:cloudformation:stack-id", "Value": "another"}])
    stack_id = stacks.create("spoofs", template(A=spoofed))["StackId"]
    url = stacks.physical("spoofs", "A")
    assert stacks.sqs.list_queue_tags(QueueUrl=url)["Tags"]["aws:cloudformation:stack-id"] == stack_id
    stacks.delete("spoofs")
    before = stacks.queues()
    stacks.create("spoofs", template(A=queue(Tags=[{"Key": "aws:cloudformation:other", "Value": "x"}])), "ROLLBACK_COMPLETE")
    assert stacks.queues() == before
    stacks.delete("spoofs")


def test_names_and_tokens(stacks, cf):
    body = template(A=queue())
    first = cf.create_stack(StackName="tokens", TemplateBody=body, ClientRequestToken="t1")["StackId"]
    assert cf.create_stack(StackName="tokens", TemplateBody=body, ClientRequestToken="t1")["StackId"] == first
    stacks.check("tokens", "CREATE_COMPLETE")
    assert code(cf.create_stack, StackName="tokens", TemplateBody=body) == "AlreadyExistsException"
    assert code(cf.update_stack, StackName="tokens", TemplateBody=body, ClientRequestToken="t1") == "TokenAlreadyExistsException"
    cf.update_stack(StackName="tokens", TemplateBody=template(A=queue(DelaySeconds=1)), ClientRequestToken="t2")
    cf.update_stack(StackName="tokens", TemplateBody=template(A=queue(DelaySeconds=1)), ClientRequestToken="t2")
    stacks.check("tokens", "UPDATE_COMPLETE")
    assert cf.describe_stack_events(StackName="tokens")["StackEvents"][0]["ClientRequestToken"] == "t2"
    assert message(cf.update_stack, StackName="nobody", TemplateBody=body) == "Stack [nobody] does not exist"
    assert message(cf.describe_stack_events, StackName="nobody") == "Stack [nobody] does not exist"
    assert "does not exist for stack tokens" in message(cf.describe_stack_resource, StackName="tokens", LogicalResourceId="Z")
    assert message(cf.describe_stacks, StackName=f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/tokens/0")
    assert code(cf.describe_stack_events, StackName="tokens", NextToken="x") == "ValidationError"
    stacks.delete("tokens")


def test_termination_protection(stacks, cf):
    stacks.create("kept", template(A=queue()), EnableTerminationProtection=True)
    assert message(cf.delete_stack, StackName="kept") == "Stack [kept] cannot be deleted while TerminationProtection is enabled"
    cf.update_termination_protection(StackName="kept", EnableTerminationProtection=False)
    stacks.delete("kept")


def test_deletion_policies(stacks, cf):
    stacks.create("retain", template(A=queue(QueueName="retained", policy="Retain"), B=queue()))
    s = stacks.delete("retain")
    assert ("A", "DELETE_SKIPPED", None) in stacks.events(s["StackId"])
    assert [u for u in stacks.queues() if u.endswith("/retained")]
    stacks.sqs.delete_queue(QueueUrl=[u for u in stacks.queues() if u.endswith("/retained")][0])


def test_deletion_fails_and_retains(stacks, cf):
    role = stacks.role("cannot-delete", ("sqs:DeleteQueue", arn("stuck")))
    stacks.create("undeletable", template(A=queue(QueueName="stuck"), B=queue(after="A"), C=queue()), RoleARN=role)
    assert "RetainResources" in message(cf.delete_stack, StackName="undeletable", RetainResources=["A"])
    s = stacks.delete("undeletable", "DELETE_FAILED")
    assert s["StackStatusReason"] == "The following resource(s) failed to delete: [A]. "
    a = stacks.resources("undeletable")
    assert set(a) == {"A"} and a["A"]["ResourceStatus"] == "DELETE_FAILED" and "sqs:deletequeue" in a["A"]["ResourceStatusReason"].lower()
    stacks.delete("undeletable", RetainResources=["A"])
    stacks.sqs.delete_queue(QueueUrl=[u for u in stacks.queues() if u.endswith("/stuck")][0])


# --- failure and the way back -------------------------------------------------------------------------


@pytest.mark.parametrize("failing", ["chain-a", "chain-b", "chain-c"])
def test_creation_fails_at_each_resource(stacks, failing):
    before = stacks.queues()
    role = stacks.role("no-" + failing, ("sqs:CreateQueue", arn(failing)))
    body = template(A=queue(QueueName="chain-a"), B=queue("A", QueueName="chain-b"), C=queue("B", QueueName="chain-c"), D=queue())
    name = "failing-" + failing
    s = stacks.create(name, body, "ROLLBACK_COMPLETE", RoleARN=role)
    logical = failing[-1].upper()
    reason = [e for e in stacks.events(name) if e[:2] == ("ROLLBACK_IN_PROGRESS", None) or e[1] == "ROLLBACK_IN_PROGRESS"][0][2]
    assert reason == f"The following resource(s) failed to create: [{logical}]. Rollback requested by user."
    assert [e for e in stacks.events(name) if e[:2] == (logical, "CREATE_FAILED") and "CreateQueue" in e[2]]
    assert stacks.queues() == before
    assert "ROLLBACK_COMPLETE state and can not be updated." in message(stacks.cf.update_stack, StackName=name, TemplateBody=body)
    stacks.delete(name)
    assert s


def test_creation_fails_and_stays(stacks, cf):
    role = stacks.role("no-stay", ("sqs:CreateQueue", arn("stay-b")))
    body = template(A=queue(QueueName="stay-a"), B=queue("A", QueueName="stay-b"))
    s = stacks.create("stay", body, "CREATE_FAILED", RoleARN=role, OnFailure="DO_NOTHING")
    assert s["DisableRollback"] and [u for u in stacks.queues() if u.endswith("/stay-a")]
    assert "can not be" in message(cf.continue_update_rollback, StackName="stay")
    cf.rollback_stack(StackName="stay")
    stacks.check("stay", "ROLLBACK_COMPLETE")
    assert not [u for u in stacks.queues() if "/stay-" in u]
    stacks.delete("stay")
    s = cf.create_stack(StackName="stay", TemplateBody=body, RoleARN=role, OnFailure="DELETE")
    stacks.check(s["StackId"], "DELETE_COMPLETE")


FOUR = {"A": queue(QueueName="up-a", DelaySeconds=1), "B": queue("A", QueueName="up-b", DelaySeconds=1), "C": queue("B", QueueName="up-c"),
        "D": queue("C", QueueName="up-d")}
# A in place, B replaced, C stays, D goes, E comes.
CHANGED = {"A": queue(QueueName="up-a", DelaySeconds=2), "B": queue("A", QueueName="up-b2", DelaySeconds=1), "C": queue("B", QueueName="up-c"),
           "E": queue("C", QueueName="up-e")}


def test_update(stacks, cf):
    stacks.create("up", template(**FOUR))
    body = template(**CHANGED)
    stacks.update("up", body)
    assert sorted(u.rsplit("/", 1)[1] for u in stacks.queues() if "/up-" in u) == ["up-a", "up-b2", "up-c", "up-e"]
    assert stacks.attributes(stacks.physical("up", "A"))["DelaySeconds"] == "2"
    events = stacks.events("up")
    at = [e[:2] for e in events]
    cleanup = at.index(("up", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"))
    assert at.index(("B", "UPDATE_COMPLETE")) < cleanup < at.index(("B", "DELETE_COMPLETE"))
    assert at.index(("D", "DELETE_COMPLETE")) > cleanup and ("C", "UPDATE_IN_PROGRESS") not in at
    assert any(e[0] == "B" and "requires the creation of a new physical resource" in (e[2] or "") for e in events)
    assert message(cf.update_stack, StackName="up", TemplateBody=body) == "No updates are to be performed."
    assert message(cf.update_stack, StackName="up", UsePreviousTemplate=True) == "No updates are to be performed."
    assert "type is not permitted" in message(cf.update_stack, StackName="up", TemplateBody=template(**{**CHANGED, "A": METADATA}))
    stacks.update("up", body, Tags=[{"Key": "t", "Value": "1"}])
    assert stacks.sqs.list_queue_tags(QueueUrl=stacks.physical("up", "A"))["Tags"]["t"] == "1"
    stacks.delete("up")
    assert not [u for u in stacks.queues() if "/up-" in u]


@pytest.mark.parametrize("denied, failing", [("SetQueueAttributes", "up-a"), ("CreateQueue", "up-b2"), ("CreateQueue", "up-e")])
def test_update_fails_at_each_resource(stacks, denied, failing):
    """And everything is as it was, what was replaced too."""
    name = "back-" + failing
    role = stacks.role(name)
    stacks.create(name, template(**FOUR), RoleARN=role)
    before, ids = stacks.queues(), {k: r["PhysicalResourceId"] for k, r in stacks.resources(name).items()}
    stacks.deny(name, ("sqs:" + denied, arn(failing)))
    s = stacks.update(name, template(**CHANGED), "UPDATE_ROLLBACK_COMPLETE")
    assert stacks.queues() == before
    assert {k: r["PhysicalResourceId"] for k, r in stacks.resources(name).items()} == ids
    at = [e[1] for e in stacks.events(name) if e[0] == name]
    assert at[-4:] == ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]
    assert json.loads(json.dumps(stacks.cf.get_template(StackName=name)["TemplateBody"]))["Resources"].keys() == FOUR.keys()
    stacks.deny(name)
    stacks.update(name, template(**CHANGED))
    stacks.delete(name)
    assert s and not [u for u in stacks.queues() if "/up-" in u]


def test_update_fails_and_stays_then_goes_back(stacks, cf):
    role = stacks.role("stays")
    stacks.create("stays", template(**FOUR), RoleARN=role)
    before = stacks.queues()
    stacks.deny("stays", ("sqs:CreateQueue", arn("up-e")))
    stacks.update("stays", template(**CHANGED), "UPDATE_FAILED", DisableRollback=True)
    assert stacks.queues() != before
    stacks.deny("stays", ("sqs:SetQueueAttributes", arn("up-a")))
    cf.rollback_stack(StackName="stays")
    s = stacks.check("stays", "UPDATE_ROLLBACK_FAILED")
    assert s["StackStatusReason"] == "The following resource(s) failed to update: [A]. "
    assert "can not be updated" in message(cf.update_stack, StackName="stays", TemplateBody=template(**FOUR))
    stacks.deny("stays")
    cf.continue_update_rollback(StackName="stays")
    stacks.check("stays", "UPDATE_ROLLBACK_COMPLETE")
    assert stacks.queues() == before
    stacks.delete("stays")


def test_continue_skips(stacks, cf):
    role = stacks.role("skips")
    stacks.create("skips", template(**FOUR), RoleARN=role)
    stacks.deny("skips", ("sqs:CreateQueue", arn("up-e")))
    stacks.update("skips", template(**CHANGED), "UPDATE_FAILED", DisableRollback=True)
    stacks.deny("skips", ("sqs:SetQueueAttributes", arn("up-a")))
    cf.rollback_stack(StackName="skips")
    stacks.check("skips", "UPDATE_ROLLBACK_FAILED")
    assert "not in the stack" in message(cf.continue_update_rollback, StackName="skips", ResourcesToSkip=["Z"])
    cf.continue_update_rollback(StackName="skips", ResourcesToSkip=["A"])
    stacks.check("skips", "UPDATE_ROLLBACK_COMPLETE")
    stacks.delete("skips")


def test_cancel_an_update(stacks, cf, answers):
    stacks.create("cancelled", template(A=queue(DelaySeconds=1)))
    assert "cannot be called" in message(cf.cancel_update_stack, StackName="cancelled")
    before = stacks.queues()
    cf.update_stack(StackName="cancelled", TemplateBody=template(A=queue(DelaySeconds=2), X=answers.resource(after="A")))
    asked = answers.next()
    cf.cancel_update_stack(StackName="cancelled")
    answers.say(answers.next("Delete"), "SUCCESS")
    stacks.check("cancelled", "UPDATE_ROLLBACK_COMPLETE")
    assert stacks.queues() == before and asked["RequestType"] == "Create"
    assert ("X", "CREATE_FAILED", "Resource creation cancelled") in stacks.events("cancelled")
    stacks.delete("cancelled")


# --- rights -------------------------------------------------------------------------------------------


def test_the_callers_own_rights(weir, stacks):
    iam = stacks.iam
    iam.create_user(UserName="deployer")
    iam.put_user_policy(UserName="deployer", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["cloudformation:*", "sqs:*"], "Resource": "*"},
        {"Effect": "Deny", "Action": "sqs:CreateQueue", "Resource": arn("his-b")},
        {"Effect": "Deny", "Action": "sqs:CreateQueue", "Resource": arn("his-c"), "Condition": {
            "ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}}}]}))
    key = iam.create_access_key(UserName="deployer")["AccessKey"]
    his = weir.client("cloudformation", key["AccessKeyId"], key["SecretAccessKey"])
    for name, expected in [("his-a", "CREATE_COMPLETE"), ("his-b", "ROLLBACK_COMPLETE"), ("his-c", "ROLLBACK_COMPLETE")]:
        his.create_stack(StackName=name, TemplateBody=template(A=queue(QueueName=name)))
        stacks.check(name, expected)
        stacks.delete(name)
    assert code(his.create_stack, StackName="his", TemplateBody=template(A=queue()), RoleARN=stacks.role("not-his")) == "AccessDenied"


# --- change sets --------------------------------------------------------------------------------------


def change_set(cf, stack, body, name="cs", kind="UPDATE", **kw):
    cf.create_change_set(StackName=stack, ChangeSetName=name, ChangeSetType=kind, TemplateBody=body, **kw)
    return cf.describe_change_set(StackName=stack, ChangeSetName=name)


def test_change_sets(stacks, cf):
    made = change_set(cf, "sets", template(**FOUR), kind="CREATE", Description="first", ClientToken="c")
    assert stacks.look("sets")["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert (made["Status"], made["ExecutionStatus"], made["Description"]) == ("CREATE_COMPLETE", "AVAILABLE", "first")
    assert {c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"]["Action"] for c in made["Changes"]} == dict.fromkeys("ABCD", "Add")
    assert not [u for u in stacks.queues() if "/up-" in u]
    assert code(cf.create_change_set, StackName="sets", ChangeSetName="cs", ChangeSetType="CREATE", TemplateBody=template(**FOUR)) == "AlreadyExistsException"
    cf.execute_change_set(StackName="sets", ChangeSetName="cs", ClientRequestToken="e")
    s = stacks.check("sets", "CREATE_COMPLETE")
    assert s["ChangeSetId"] == made["ChangeSetId"]
    assert code(cf.execute_change_set, StackName="sets", ChangeSetName="cs") == "InvalidChangeSetStatus"
    assert "already exists and cannot be created again" in message(
        cf.create_change_set, StackName="sets", ChangeSetName="cs2", ChangeSetType="CREATE", TemplateBody=template(**FOUR))
    none = change_set(cf, "sets", template(**FOUR), "none")
    assert (none["Status"], none["ExecutionStatus"], none["Changes"]) == ("FAILED", "UNAVAILABLE", [])
    assert none["StatusReason"].startswith("The submitted information didn't contain changes.")
    assert code(cf.execute_change_set, StackName="sets", ChangeSetName="none") == "InvalidChangeSetStatus"
    change_set(cf, "sets", template(**CHANGED), "some")
    some = cf.describe_change_set(StackName="sets", ChangeSetName="some")
    changes = {c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"] for c in some["Changes"]}
    assert {k: (c["Action"], c.get("Replacement")) for k, c in changes.items()} == {
        "A": ("Modify", "False"), "B": ("Modify", "True"), "D": ("Remove", None), "E": ("Add", None)}
    detail = changes["B"]["Details"][0]
    assert detail["Target"]["Attribute"] == "Properties" and detail["Target"]["Name"] == "QueueName"
    assert detail["Target"]["RequiresRecreation"] == "Always" and detail["Evaluation"] == "Static"
    status, body, _ = Service("cloudformation").send(stacks.weir, "DescribeChangeSet", {  # older clients do not know the member
        "StackName": "sets", "ChangeSetName": "some", "IncludePropertyValues": True})
    values = body.decode() if isinstance(body, bytes) else body
    assert status == 200 and "<BeforeValue>up-b</BeforeValue><AfterValue>up-b2</AfterValue>" in values and "<AfterContext>" in values
    assert "Value" not in str(changes["B"]["Details"])
    assert {x["ChangeSetName"] for x in cf.list_change_sets(StackName="sets")["Summaries"]} == {"cs", "none", "some"}
    assert cf.get_template(ChangeSetName=some["ChangeSetId"])["TemplateBody"]["Resources"].keys() == CHANGED.keys()
    cf.execute_change_set(ChangeSetName=some["ChangeSetId"])
    stacks.check("sets", "UPDATE_COMPLETE")
    cf.delete_change_set(StackName="sets", ChangeSetName="some")
    cf.delete_change_set(StackName="sets", ChangeSetName="some")  # as AWS, and CDK asks for it
    assert code(cf.describe_change_set, StackName="sets", ChangeSetName="some") == "ChangeSetNotFound"
    assert "StackName must be specified" in message(cf.describe_change_set, ChangeSetName="some")
    for kw, words in [({"ChangeSetType": "IMPORT"}, "IMPORT"), ({"StackName": "nobody"}, "Stack [nobody] does not exist")]:
        assert words in message(cf.create_change_set, **{"StackName": "sets", "ChangeSetName": "x", "TemplateBody": template(**FOUR), **kw})
    stacks.delete("sets")


def test_change_set_of_references(stacks, cf):
    """What is replaced makes what refers to it dynamic."""
    refers = {"A": queue(QueueName="ref-a"), "B": queue(QueueName={"Fn::Sub": "${A.QueueName}-b"})}
    stacks.create("refs", template(**refers))
    made = change_set(cf, "refs", template(**{**refers, "A": queue(QueueName="ref-a2")}))
    b = {c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"] for c in made["Changes"]}["B"]
    assert b["Action"] == "Modify" and b["Details"]
    cf.execute_change_set(StackName="refs", ChangeSetName="cs")
    stacks.check("refs", "UPDATE_COMPLETE")
    assert stacks.physical("refs", "B").endswith("/ref-a2-b")
    stacks.delete("refs")


def test_capabilities(stacks, cf):
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}}
    for more, wanted in [({}, "CAPABILITY_IAM"), ({"RoleName": "named"}, "CAPABILITY_NAMED_IAM")]:
        body = template(R={**role, "Properties": {**role["Properties"], **more}})
        assert code(cf.create_stack, StackName="caps", TemplateBody=body) == "InsufficientCapabilitiesException"
        assert message(cf.create_stack, StackName="caps", TemplateBody=body) == f"Requires capabilities : [{wanted}]"
        assert cf.validate_template(TemplateBody=body)["Capabilities"] == [wanted]
        summary = cf.get_template_summary(TemplateBody=body)
        assert summary["Capabilities"] == [wanted] and "AWS::IAM::Role" in summary["CapabilitiesReason"]


# --- templates, exports, policies ---------------------------------------------------------------------


def test_templates(weir, stacks, cf):
    body = template(parameters={"P": {"Type": "String", "Default": "d", "NoEcho": True, "Description": "what"}}, more={"Description": "t"}, A=queue())
    v = cf.validate_template(TemplateBody=body)
    assert v["Parameters"] == [{"ParameterKey": "P", "DefaultValue": "d", "NoEcho": True, "Description": "what"}] and v["Description"] == "t"
    assert "Unresolved" in message(cf.validate_template, TemplateBody=template(A=queue("B")))
    s = cf.get_template_summary(TemplateBody=body)
    assert s["ResourceTypes"] == ["AWS::SQS::Queue"] and s["Parameters"][0]["ParameterType"] == "String"
    weir.client("s3").create_bucket(Bucket="templates")
    weir.client("s3").put_object(Bucket="templates", Key="a b.json", Body=body)
    url = f"{weir.endpoint}/templates/a%20b.json"
    cf.create_stack(StackName="by-url", TemplateURL=url)
    stacks.check("by-url", "CREATE_COMPLETE")
    for other in ["https://s3.amazonaws.com/templates/a%20b.json", "https://templates.s3.us-east-1.amazonaws.com/a%20b.json"]:
        assert cf.validate_template(TemplateURL=other)["Description"] == "t"
    assert cf.get_template_summary(StackName="by-url")["ResourceTypes"] == ["AWS::SQS::Queue"]
    got = cf.get_template(StackName="by-url", TemplateStage="Original")
    assert got["TemplateBody"] == json.loads(body) and got["StagesAvailable"] == ["Original", "Processed"]
    assert "S3 error" in message(cf.validate_template, TemplateURL=url + "x")
    assert "is not a valid S3 domain" in message(cf.validate_template, TemplateURL="s3://templates/a")
    assert "S3 error" in message(cf.validate_template, TemplateURL=url + "?versionId=none")
    assert message(cf.validate_template, TemplateURL="https://example.com/a/b") == "TemplateURL must be a supported URL."
    assert "StackSets" in message(cf.get_template_summary, StackSetName="s")
    assert cf.describe_account_limits()["AccountLimits"]
    stacks.delete("by-url")


def test_exports(stacks, cf):
    out = {"N": {"Value": {"Fn::GetAtt": ["A", "QueueName"]}, "Export": {"Name": "the-name"}}}
    stacks.create("exporter", template(out, A=queue()))
    assert [e["Name"] for e in cf.list_exports()["Exports"] if e["Name"] == "the-name"]
    assert "is not imported" in message(cf.list_imports, ExportName="the-name")
    stacks.create("importer", template(A=queue(QueueName={"Fn::Join": ["", [{"Fn::ImportValue": "the-name"}, "-i"]]})))
    assert stacks.physical("importer", "A").endswith("-i")
    assert cf.list_imports(ExportName="the-name")["Imports"] == ["importer"]
    assert message(cf.delete_stack, StackName="exporter") == "Export the-name cannot be deleted as it is in use by importer"
    stacks.update("exporter", template(A=queue()), "UPDATE_ROLLBACK_COMPLETE")
    assert [e["Name"] for e in cf.list_exports()["Exports"] if e["Name"] == "the-name"]
    stacks.create("rival", template(out, A=queue()), "ROLLBACK_COMPLETE")
    assert any("is already exported by stack exporter" in (e[2] or "") for e in stacks.events("rival"))
    assert "never-made" in str(stacks.create("orphan", template(A=queue(QueueName={"Fn::ImportValue": "never-made"})), "ROLLBACK_COMPLETE") and
                               stacks.events("orphan"))
    for name in ("importer", "rival", "orphan", "exporter"):
        stacks.delete(name)
    assert not [e for e in cf.list_exports()["Exports"] if e["Name"] == "the-name"]


def test_stack_policy(stacks, cf):
    deny = json.dumps({"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
                                     {"Effect": "Deny", "Action": "Update:Replace", "Principal": "*", "Resource": "LogicalResourceId/B"}]})
    stacks.create("guarded", template(**FOUR), StackPolicyBody=deny)
    assert cf.get_stack_policy(StackName="guarded")["StackPolicyBody"] == deny
    before = stacks.queues()
    stacks.update("guarded", template(**CHANGED), "UPDATE_ROLLBACK_COMPLETE")
    assert any(e[0] == "B" and (e[2] or "").startswith("Action denied by stack policy: Statement [#2]") for e in stacks.events("guarded"))
    assert stacks.queues() == before
    allow = json.dumps({"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]})
    stacks.update("guarded", template(**CHANGED), StackPolicyDuringUpdateBody=allow)
    cf.set_stack_policy(StackName="guarded", StackPolicyBody=json.dumps({"Statement": [
        {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "NotResource": "LogicalResourceId/A"}]}))
    stacks.update("guarded", template(**{**CHANGED, "A": queue(QueueName="up-a", DelaySeconds=3)}), "UPDATE_ROLLBACK_COMPLETE")
    assert "Invalid stack policy" in message(cf.set_stack_policy, StackName="guarded", StackPolicyBody="{}")
    assert "exactly one" in message(cf.set_stack_policy, StackName="guarded")
    stacks.delete("guarded")


def test_drift(stacks, cf):
    stacks.create("drifts", template(A=queue(DelaySeconds=1), B=queue(DelaySeconds=1), C=queue(), M=METADATA))

    def detect(**kw):
        d = cf.detect_stack_drift(StackName="drifts", **kw)["StackDriftDetectionId"]
        return cf.describe_stack_drift_detection_status(StackDriftDetectionId=d)

    assert detect()["StackDriftStatus"] == "IN_SYNC"
    stacks.sqs.set_queue_attributes(QueueUrl=stacks.physical("drifts", "A"), Attributes={"DelaySeconds": "9"})
    stacks.sqs.delete_queue(QueueUrl=stacks.physical("drifts", "C"))
    found = detect()
    assert found["StackDriftStatus"] == "DRIFTED" and found["DriftedStackResourceCount"] == 2 and found["DetectionStatus"] == "DETECTION_COMPLETE"
    d = {x["LogicalResourceId"]: x for x in cf.describe_stack_resource_drifts(StackName="drifts")["StackResourceDrifts"]}
    assert {k: x["StackResourceDriftStatus"] for k, x in d.items()} == {"A": "MODIFIED", "B": "IN_SYNC", "C": "DELETED", "M": "NOT_CHECKED"}
    assert d["A"]["PropertyDifferences"] == [{"PropertyPath": "/DelaySeconds", "ExpectedValue": "1", "ActualValue": "9", "DifferenceType": "NOT_EQUAL"}]
    only = cf.describe_stack_resource_drifts(StackName="drifts", StackResourceDriftStatusFilters=["MODIFIED"])["StackResourceDrifts"]
    assert [x["LogicalResourceId"] for x in only] == ["A"]
    one = cf.detect_stack_resource_drift(StackName="drifts", LogicalResourceId="B")["StackResourceDrift"]
    assert one["StackResourceDriftStatus"] == "IN_SYNC" and stacks.look("drifts")["DriftInformation"]["StackDriftStatus"] == "DRIFTED"
    assert "does not exist" in message(cf.detect_stack_resource_drift, StackName="drifts", LogicalResourceId="Z")
    assert "does not exist" in message(cf.describe_stack_drift_detection_status, StackDriftDetectionId="0" * 36)
    stacks.delete("drifts")


# --- custom resources, wait conditions, stacks in stacks ----------------------------------------------


def put(weir, url, body):
    """An answer, at the address's path on the listener; its status."""
    token = url.split("/", 3)[3].split("?")[0]
    request = urllib.request.Request(f"{weir.endpoint}/_cloudformation/answer/{token}", data=body.encode(), method="PUT")
    try:
        return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as e:
        return e.code


def put_by_host(weir, url, body):
    """The same as functions send it: to the address's own host, whose listener theirs is."""
    host, path = url.split("/", 3)[2:]
    connection = http.client.HTTPConnection("127.0.0.1", weir.port)
    connection.request("PUT", "/" + path, body, {"Host": host, "Content-Type": ""})
    return connection.getresponse().status


class Answers:
    """Custom resources that are asked for by a topic, and answered here."""

    def __init__(self, weir, sqs):
        self.weir = weir
        self.topic = weir.client("sns").create_topic(Name="custom")["TopicArn"]
        self.queue = Queue(sqs, "custom-asked", open_to="sns.amazonaws.com")
        weir.client("sns").subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=self.queue.arn, Attributes={"RawMessageDelivery": "true"})

    def resource(self, after=None, kind="Custom::Thing", **properties):
        r = {"Type": kind, "Properties": {"ServiceToken": self.topic, **properties}}
        if after:
            r["DependsOn"] = after
        return r

    def next(self, kind=None):
        asked = self.queue.bodies()[0]
        assert kind in (None, asked["RequestType"]), asked
        return asked

    def say(self, asked, status, **more):
        body = {"Status": status, "PhysicalResourceId": "thing", "StackId": asked["StackId"], "RequestId": asked["RequestId"],
                "LogicalResourceId": asked["LogicalResourceId"], **more}
        return put(self.weir, asked["ResponseURL"], json.dumps(body))


@pytest.fixture(scope="module")
def answers(weir):
    return Answers(weir, weir.client("sqs"))


def test_custom_resource_is_asked(weir, stacks, cf, answers):
    cf.create_stack(StackName="asked", TemplateBody=template(X=answers.resource(Number=5, Flag=True, List=[1, {"a": False}])))
    asked = answers.next("Create")
    assert asked["ResourceType"] == "Custom::Thing" and asked["LogicalResourceId"] == "X" and "PhysicalResourceId" not in asked
    assert asked["ResourceProperties"] == {"ServiceToken": answers.topic, "Number": "5", "Flag": "true", "List": ["1", {"a": "false"}]}
    assert asked["ResponseURL"].startswith("https://cloudformation-custom-resource-response-")
    assert put(weir, "https://h/" + "0" * 40, "{}") == 403
    assert put_by_host(weir, asked["ResponseURL"], "x" * 5000) == 200
    asked = answers.next("Delete")
    answers.say(asked, "SUCCESS")
    stacks.check("asked", "ROLLBACK_COMPLETE")
    assert any("Response object is too long." in (e[2] or "") for e in stacks.events("asked"))
    stacks.delete("asked")


def test_custom_resource_life(stacks, cf, answers):
    outputs = {"V": {"Value": {"Fn::GetAtt": ["X", "Value"]}}, "Id": {"Value": {"Ref": "X"}}}
    cf.create_stack(StackName="life", TemplateBody=template(outputs, X=answers.resource(P="1")))
    assert answers.say(answers.next("Create"), "SUCCESS", Data={"Value": "v1"}) == 200
    s = stacks.check("life", "CREATE_COMPLETE")
    assert {o["OutputKey"]: o["OutputValue"] for o in s["Outputs"]} == {"V": "v1", "Id": "thing"}
    cf.update_stack(StackName="life", TemplateBody=template(outputs, X=answers.resource(P="2")))
    asked = answers.next("Update")
    assert asked["PhysicalResourceId"] == "thing" and asked["OldResourceProperties"]["P"] == "1" and asked["ResourceProperties"]["P"] == "2"
    answers.say(asked, "SUCCESS", PhysicalResourceId="other", Data={"Value": "v2"})  # a replacement
    asked = answers.next("Delete")
    assert asked["PhysicalResourceId"] == "thing" and asked["ResourceProperties"]["P"] == "1"
    answers.say(asked, "SUCCESS")
    stacks.check("life", "UPDATE_COMPLETE")
    assert stacks.physical("life", "X") == "other"
    cf.update_stack(StackName="life", TemplateBody=template(outputs, X=answers.resource(P="3")))
    answers.say(answers.next("Update"), "FAILED", PhysicalResourceId="other", Reason="no luck")
    back = answers.next("Update")
    assert back["ResourceProperties"]["P"] == "2"
    answers.say(back, "SUCCESS", PhysicalResourceId="other", Data={"Value": "v2"})
    stacks.check("life", "UPDATE_ROLLBACK_COMPLETE")
    assert any("no luck" in (e[2] or "") for e in stacks.events("life"))
    bad = {**queue(QueueName="x" * 200), "DependsOn": "X"}
    cf.update_stack(StackName="life", TemplateBody=template(outputs, X=answers.resource(P="4"), Y=bad))
    answers.say(answers.next("Update"), "SUCCESS", PhysicalResourceId="new", Data={"Value": "v4"})
    gone = answers.next("Delete")  # of what the update made: what was is kept
    assert gone["PhysicalResourceId"] == "new" and gone["ResourceProperties"]["P"] == "4"
    answers.say(gone, "SUCCESS")
    stacks.check("life", "UPDATE_ROLLBACK_COMPLETE")
    assert stacks.physical("life", "X") == "other"
    cf.update_stack(StackName="life", TemplateBody=template(outputs, X=answers.resource(P="5"), Y=bad))
    answers.say(answers.next("Update"), "SUCCESS", PhysicalResourceId="other", Data={"Value": "v5"})
    back = answers.next("Update")
    assert back["PhysicalResourceId"] == "other" and back["ResourceProperties"]["P"] == "2"
    answers.say(back, "SUCCESS", PhysicalResourceId="third", Data={"Value": "v2"})  # the way back made another
    gone = answers.next("Delete")
    assert gone["PhysicalResourceId"] == "other"
    answers.say(gone, "SUCCESS")
    stacks.check("life", "UPDATE_ROLLBACK_COMPLETE")
    assert stacks.physical("life", "X") == "third"
    stack_id = stacks.look("life")["StackId"]
    cf.delete_stack(StackName="life")
    assert answers.say(answers.next("Delete"), "FAILED", Reason="not now") == 200
    stacks.check("life", "DELETE_FAILED")
    cf.delete_stack(StackName="life")
    answers.say(answers.next("Delete"), "SUCCESS")
    stacks.check(stack_id, "DELETE_COMPLETE")


def test_no_secrets(stacks, cf):
    p = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "SecureString", "Value": "v"}}
    why = "#/Type: SecureString is not a valid enum value"
    assert why in message(cf.create_stack, StackName="secret", TemplateBody=template(P=p))
    p["Properties"]["Type"] = {"Ref": "T"}
    stacks.create("secret", template(parameters={"T": {"Type": "String", "Default": "SecureString"}}, P=p), "ROLLBACK_COMPLETE")
    (said,) = [e[2] for e in stacks.events("secret") if e[0] == "P" and e[1] == "CREATE_FAILED"]
    assert why in said
    stacks.delete("secret")


def test_custom_resource_that_never_answers(stacks, cf, answers):
    cf.create_stack(StackName="silent", TemplateBody=template(X=answers.resource(ServiceTimeout="1")))
    answers.next("Create")
    answers.say(answers.next("Delete"), "SUCCESS")
    stacks.check("silent", "ROLLBACK_COMPLETE")
    assert any("did not receive a response" in (e[2] or "") for e in stacks.events("silent"))
    assert "ServiceToken" in message(cf.create_stack, StackName="silent-2", TemplateBody=template(X={"Type": "Custom::X"}))
    stacks.delete("silent")


def test_wait_conditions(weir, stacks, cf):
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle"}

    def condition(**kw):
        return {"Type": "AWS::CloudFormation::WaitCondition", "Properties": {"Handle": {"Ref": "H"}, "Timeout": "60", **kw}}

    out = {"D": {"Value": {"Fn::GetAtt": ["W", "Data"]}}}
    cf.create_stack(StackName="waits", TemplateBody=template(out, H=handle, W=condition(Count=2)))
    url = wait_for(lambda: stacks.resources("waits").get("W") and stacks.resources("waits").get("H", {}).get("PhysicalResourceId"))
    assert put(weir, url, json.dumps({"Status": "SUCCESS", "UniqueId": "1", "Data": "one"})) == 200
    wait_for(lambda: stacks.resources("waits").get("W", {}).get("ResourceStatus") == "CREATE_IN_PROGRESS")
    cf.signal_resource(StackName="waits", LogicalResourceId="W", UniqueId="2", Status="SUCCESS")
    s = stacks.check("waits", "CREATE_COMPLETE")
    assert json.loads(s["Outputs"][0]["OutputValue"]) == {"1": "one", "2": ""}
    assert "does not wait for signals" in message(cf.signal_resource, StackName="waits", LogicalResourceId="W", UniqueId="3", Status="SUCCESS")
    cf.create_stack(StackName="waits-2", TemplateBody=template(H=handle, W=condition()))
    wait_for(lambda: stacks.resources("waits-2").get("W", {}).get("ResourceStatus") == "CREATE_IN_PROGRESS")
    cf.signal_resource(StackName="waits-2", LogicalResourceId="W", UniqueId="2", Status="FAILURE")
    stacks.check("waits-2", "ROLLBACK_COMPLETE")
    stacks.create("waits-3", template(H=handle, W=condition(Timeout="0")), "ROLLBACK_COMPLETE")
    assert any("timed out. Received 0 conditions when expecting 1" in (e[2] or "") for e in stacks.events("waits-3"))
    for name in ("waits", "waits-2", "waits-3"):
        stacks.delete(name)


def test_stacks_in_stacks(weir, stacks, cf):
    s3 = weir.client("s3")
    s3.create_bucket(Bucket="nested")

    def child(seconds, key="c.json", **more):
        s3.put_object(Bucket="nested", Key=key, Body=template(
            {"Name": {"Value": {"Fn::GetAtt": ["Q", "QueueName"]}}}, {"P": {"Type": "String"}},
            Q=queue(QueueName={"Ref": "P"}, DelaySeconds=seconds), **more))
        return {"Type": "AWS::CloudFormation::Stack", "Properties": {
            "TemplateURL": f"{weir.endpoint}/nested/{key}", "Parameters": {"P": "in-nested"}, "Tags": [{"Key": "n", "Value": "1"}]}}

    out = {"N": {"Value": {"Fn::GetAtt": ["S", "Outputs.Name"]}}}
    stacks.create("parent", template(out, S=child(1), Q=queue(QueueName={"Fn::Sub": "${S.Outputs.Name}-2"})))
    s = stacks.look("parent")
    inner = stacks.look(stacks.physical("parent", "S"))
    assert s["Outputs"][0]["OutputValue"] == "in-nested" and inner["ParentId"] == inner["RootId"] == s["StackId"]
    assert inner["StackName"].startswith("parent-S-") and inner["StackStatus"] == "CREATE_COMPLETE" and {"Key": "n", "Value": "1"} in inner["Tags"]
    assert stacks.physical("parent", "Q").endswith("/in-nested-2")
    stacks.update("parent", template(out, S=child(2, "c2.json"), Q=queue(QueueName={"Fn::Sub": "${S.Outputs.Name}-2"})))
    assert stacks.attributes(stacks.physical(inner["StackId"], "Q"))["DelaySeconds"] == "2"
    assert "nested stacks" in message(cf.update_termination_protection, StackName=inner["StackId"], EnableTerminationProtection=True)
    stacks.delete("parent")
    assert stacks.look(inner["StackId"])["StackStatus"] == "DELETE_COMPLETE" and not [u for u in stacks.queues() if "in-nested" in u]
    bad = child(1, "bad.json", Z=queue(QueueName="x" * 200))
    stacks.create("parent", template(S=bad), "ROLLBACK_COMPLETE")
    assert any("was not successfully created" in (e[2] or "") for e in stacks.events("parent"))
    bad["Properties"]["TemplateURL"] += "x"
    stacks.create("parent-2", template(S=bad), "ROLLBACK_COMPLETE")
    for name in ("parent", "parent-2"):
        stacks.delete(name)


class Nest:
    """Templates in a bucket, and what a change set of a whole hierarchy says."""

    def __init__(self, weir, stacks):
        self.weir, self.stacks, self.cf, self.s3 = weir, stacks, stacks.cf, weir.client("s3")
        self.s3.create_bucket(Bucket="hierarchy")

    def put(self, key, *args, **resources):
        self.s3.put_object(Bucket="hierarchy", Key=key, Body=template(*args, **resources))

    def stack(self, key, **parameters):
        return {"Type": "AWS::CloudFormation::Stack", "Properties": {
            "TemplateURL": f"{self.weir.endpoint}/hierarchy/{key}", "Parameters": parameters}}

    def set(self, name, body, kind="UPDATE", **kw):
        self.cf.create_change_set(StackName=name, ChangeSetName="all", ChangeSetType=kind, IncludeNestedStacks=True, TemplateBody=body, **kw)
        return self.describe(StackName=name, ChangeSetName="all")

    def describe(self, **kw):
        d = self.cf.describe_change_set(**kw)
        return d, {c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"] for c in d["Changes"]}

    def run(self, name, expected):
        self.cf.execute_change_set(StackName=name, ChangeSetName="all")
        return self.stacks.check(name, expected)


@pytest.fixture(scope="module")
def nest(weir, stacks):
    return Nest(weir, stacks)


INNER_OUT, INNER_IN = {"Name": {"Value": {"Fn::GetAtt": ["Q", "QueueName"]}}, "Same": {"Value": "same"}}, {"P": {"Type": "String"}}


def a_hierarchy(nest, leaf_delay=1, middle_delay=1, name="h-leaf"):
    """root -> Middle -> Leaf, and a queue of the root named by what the middle says of the leaf."""
    nest.put("leaf.json", INNER_OUT, INNER_IN, Q=queue(QueueName={"Ref": "P"}, DelaySeconds=leaf_delay))
    nest.put("middle.json", {"Of": {"Value": {"Fn::GetAtt": ["Leaf", "Outputs.Name"]}}}, INNER_IN,
             Leaf=nest.stack("leaf.json", P={"Ref": "P"}), Q=queue(QueueName={"Fn::Sub": "${P}-m"}, DelaySeconds=middle_delay))
    return template(Middle=nest.stack("middle.json", P=name), Q=queue(QueueName={"Fn::Sub": "${Middle.Outputs.Of}-r"}))


def test_change_set_of_a_hierarchy(nest, stacks, cf):
    root, changes = nest.set("h", a_hierarchy(nest), "CREATE")
    assert root["IncludeNestedStacks"] and not root.get("ParentChangeSetId") and not root.get("RootChangeSetId")
    assert {k: c["Action"] for k, c in changes.items()} == {"Middle": "Add", "Q": "Add"} and not changes["Q"].get("ChangeSetId")
    middle, inner = nest.describe(ChangeSetName=changes["Middle"]["ChangeSetId"])
    assert middle["ParentChangeSetId"] == middle["RootChangeSetId"] == root["ChangeSetId"] and middle["IncludeNestedStacks"]
    assert middle["ChangeSetName"].startswith("all-Middle-") and middle["StackName"].startswith("h-Middle-")
    leaf, of_leaf = nest.describe(ChangeSetName=inner["Leaf"]["ChangeSetId"])
    assert leaf["ParentChangeSetId"] == middle["ChangeSetId"] and leaf["RootChangeSetId"] == root["ChangeSetId"]
    assert of_leaf.keys() == {"Q"} and leaf["Parameters"][0]["ParameterValue"] == "h-leaf"
    assert stacks.look(leaf["StackId"])["StackStatus"] == "REVIEW_IN_PROGRESS"
    (summary,) = cf.list_change_sets(StackName=middle["StackName"])["Summaries"]
    assert (summary["ParentChangeSetId"], summary["RootChangeSetId"]) == (root["ChangeSetId"],) * 2
    for call in (cf.execute_change_set, cf.delete_change_set):
        assert "root change set" in message(call, ChangeSetName=leaf["ChangeSetId"])
    nest.put("leaf.json", Q=queue(QueueName="another"))  # what was looked at is what is made
    nest.run("h", "CREATE_COMPLETE")
    assert stacks.physical("h", "Middle") == middle["StackId"] and stacks.physical(middle["StackId"], "Leaf") == leaf["StackId"]
    assert stacks.physical("h", "Q").endswith("/h-leaf-r") and stacks.physical(leaf["StackId"], "Q").endswith("/h-leaf")
    assert nest.describe(ChangeSetName=leaf["ChangeSetId"])[0]["ExecutionStatus"] == "EXECUTE_COMPLETE"
    assert code(cf.execute_change_set, StackName="h", ChangeSetName="all") == "InvalidChangeSetStatus"
    cf.delete_change_set(StackName="h", ChangeSetName="all")

    none, changes = nest.set("h", a_hierarchy(nest))
    assert none["Status"] == "FAILED" and none["StatusReason"].startswith("The submitted information didn't contain changes.") and not changes
    cf.delete_change_set(StackName="h", ChangeSetName="all")
    plain = change_set(cf, "h", a_hierarchy(nest), "plain")  # without a look inside nobody knows
    details = {c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"]["Details"][0] for c in plain["Changes"]}
    assert {k: (d["ChangeSource"], d["Evaluation"], d.get("CausingEntity")) for k, d in details.items()} == {
        "Middle": ("Automatic", "Dynamic", None), "Q": ("ResourceReference", "Dynamic", "Middle")}
    cf.delete_change_set(StackName="h", ChangeSetName="plain")

    root, changes = nest.set("h", a_hierarchy(nest, leaf_delay=2))
    assert {k: (c["Action"], c["Replacement"]) for k, c in changes.items()} == {"Middle": ("Modify", "False")}
    assert [d["ChangeSource"] for d in changes["Middle"]["Details"]] == ["Automatic"]
    middle, inner = nest.describe(ChangeSetName=changes["Middle"]["ChangeSetId"])
    assert inner.keys() == {"Leaf"}
    assert nest.describe(ChangeSetName=inner["Leaf"]["ChangeSetId"])[1]["Q"]["Details"][0]["Target"]["Name"] == "DelaySeconds"
    nest.run("h", "UPDATE_COMPLETE")
    assert stacks.attributes(stacks.physical(leaf["StackId"], "Q"))["DelaySeconds"] == "2"
    cf.delete_change_set(StackName="h", ChangeSetName="all")

    root, changes = nest.set("h", a_hierarchy(nest, leaf_delay=2, name="h-other"))  # a reference through two stacks is followed
    assert {k: (c["Action"], c["Replacement"]) for k, c in changes.items()} == {"Middle": ("Modify", "False"), "Q": ("Modify", "Conditional")}
    cf.delete_change_set(StackName="h", ChangeSetName="all")
    assert code(cf.describe_change_set, ChangeSetName=changes["Middle"]["ChangeSetId"]) == "ChangeSetNotFound"
    stacks.delete("h")


def test_change_set_of_a_hierarchy_goes(nest, stacks, cf):
    """Deleted, or executed and failed before its time came: no stack stays in review."""
    body = a_hierarchy(nest, name="h-gone")
    root, changes = nest.set("gone", body, "CREATE")
    middle, inner = nest.describe(ChangeSetName=changes["Middle"]["ChangeSetId"])
    leaf, _ = nest.describe(ChangeSetName=inner["Leaf"]["ChangeSetId"])
    cf.delete_change_set(ChangeSetName=root["ChangeSetId"])
    for each in (middle, leaf):
        assert stacks.settled(each["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    assert stacks.look("gone")["StackStatus"] == "REVIEW_IN_PROGRESS"
    failing = json.loads(body)
    failing["Resources"]["First"] = queue(QueueName="x" * 200)
    failing["Resources"]["Middle"]["DependsOn"] = "First"
    root, changes = nest.set("gone", json.dumps(failing), "CREATE")
    middle, inner = nest.describe(ChangeSetName=changes["Middle"]["ChangeSetId"])
    nest.run("gone", "ROLLBACK_COMPLETE")
    assert stacks.settled(middle["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    stacks.delete("gone")
    nest.set("review", body, "CREATE")
    stacks.delete("review")  # and what was in review for it
    wait_for(lambda: not [s for s in cf.describe_stacks()["Stacks"] if s["StackName"].startswith(("review", "gone"))])
    assert "Nested stack Middle: S3 error" in message(
        cf.create_change_set, StackName="bad", ChangeSetName="all", ChangeSetType="CREATE", IncludeNestedStacks=True,
        TemplateBody=template(Middle=nest.stack("nothing.json")))
    assert message(cf.describe_stacks, StackName="bad")


def test_a_nested_stack_goes_back_with_its_parent(nest, stacks, cf):
    """To the template that it had, though another stands at its address now."""
    body = a_hierarchy(nest, name="h-back")
    stacks.create("back", body)
    middle = stacks.physical("back", "Middle")
    was = {name: cf.get_template(StackName=name)["TemplateBody"] for name in (middle, stacks.physical(middle, "Leaf"))}
    before = stacks.queues()
    changed = json.loads(a_hierarchy(nest, 3, 3, name="h-back"))
    changed["Resources"]["Last"] = queue("Middle", QueueName="x" * 200)
    stacks.update("back", json.dumps(changed), "UPDATE_ROLLBACK_COMPLETE")
    assert stacks.queues() == before
    assert was == {name: cf.get_template(StackName=name)["TemplateBody"] for name in was}
    inner = json.loads(a_hierarchy(nest, 4, 4, name="h-back"))
    nest.put("leaf.json", INNER_OUT, INNER_IN, Q=queue(QueueName={"Ref": "P"}, DelaySeconds=4), Z=queue("Q", QueueName="x" * 200))
    stacks.update("back", json.dumps(inner), "UPDATE_ROLLBACK_COMPLETE")  # it failed itself, and went back itself
    assert stacks.queues() == before
    stacks.update("back", a_hierarchy(nest, 5, 5, name="h-back"))
    assert stacks.attributes(stacks.physical(stacks.physical(middle, "Leaf"), "Q"))["DelaySeconds"] == "5"
    stacks.delete("back")


def test_topics_hear_of_events(weir, stacks, cf):
    sns = weir.client("sns")
    topic, heard = sns.create_topic(Name="of-stacks")["TopicArn"], Queue(stacks.sqs, "of-stacks-heard", open_to="sns.amazonaws.com")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=heard.arn)
    assert "must be ARNs of SNS topics" in message(cf.create_stack, StackName="told", TemplateBody=template(M=METADATA), NotificationARNs=[heard.arn])
    assert "cannot be assumed" in message(cf.create_stack, StackName="told", TemplateBody=template(M=METADATA), RoleARN=f"arn:aws:iam::{ACCOUNT}:role/no")
    s = stacks.create("told", template(M=METADATA), NotificationARNs=[topic])
    letters = heard.bodies(4)
    assert {x["Subject"] for x in letters} == {"AWS CloudFormation Notification"}
    assert any(f"StackId='{s['StackId']}'" in x["Message"] and "ResourceStatus='CREATE_COMPLETE'" in x["Message"] for x in letters)
    other = sns.create_topic(Name="of-stacks-2")["TopicArn"]
    assert stacks.update("told", None, NotificationARNs=[other])["NotificationARNs"] == [other]
    assert "No updates" in message(cf.update_stack, StackName="told", UsePreviousTemplate=True, NotificationARNs=[other])
    stacks.delete("told")


def test_waiters_are_quick(stacks, cf):
    cf.create_stack(StackName="waiter", TemplateBody=template(A=queue()))
    cf.get_waiter("stack_create_complete").wait(StackName="waiter", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
    cf.delete_stack(StackName="waiter")
    cf.get_waiter("stack_delete_complete").wait(StackName="waiter", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})


def test_what_is_not_echoed_is_nowhere_shown(stacks):
    """In change sets, events and drift, a parameter with NoEcho stays what nobody may see; the queue's tag has it all the same."""
    cf, secret = stacks.cf, "hunter2-of-nobody"

    def body(seconds):
        tags = [{"Key": "k", "Value": {"Ref": "S"}}]
        return template(parameters={"S": {"Type": "String", "NoEcho": True}}, Q=queue(VisibilityTimeout=seconds, Tags=tags))

    def shown(name):  # older clients do not know the member
        asked = {"StackName": "quiet", "ChangeSetName": name, "IncludePropertyValues": True}
        return str(Service("cloudformation").send(stacks.weir, "DescribeChangeSet", asked)[1])

    given = [{"ParameterKey": "S", "ParameterValue": secret}]
    cf.create_change_set(StackName="quiet", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=body(40), Parameters=given)
    cf.get_waiter("change_set_create_complete").wait(StackName="quiet", ChangeSetName="c", WaiterConfig={"Delay": 1})
    assert "****" in shown("c") and secret not in shown("c")
    cf.execute_change_set(StackName="quiet", ChangeSetName="c")
    stacks.check("quiet", "CREATE_COMPLETE")
    given[0]["ParameterValue"] = secret + "2"
    cf.create_change_set(StackName="quiet", ChangeSetName="d", TemplateBody=body(50), Parameters=given)
    cf.get_waiter("change_set_create_complete").wait(StackName="quiet", ChangeSetName="d", WaiterConfig={"Delay": 1})
    assert "VisibilityTimeout" in shown("d") and "Tags" in shown("d") and secret not in shown("d")
    cf.execute_change_set(StackName="quiet", ChangeSetName="d")
    stacks.check("quiet", "UPDATE_COMPLETE")
    url = stacks.physical("quiet", "Q")
    assert stacks.sqs.list_queue_tags(QueueUrl=url)["Tags"]["k"] == secret + "2"
    stacks.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "9"})
    cf.detect_stack_drift(StackName="quiet")
    drifts = wait_for(lambda: cf.describe_stack_resource_drifts(StackName="quiet")["StackResourceDrifts"], what="drift")
    assert drifts[0]["StackResourceDriftStatus"] == "MODIFIED" and secret not in str(drifts)
    assert secret not in str(cf.describe_stack_events(StackName="quiet")["StackEvents"])
    stacks.delete("quiet")


# --- what a template asks of others, through a whole stack ---------------------------------------------


def test_the_parameter_store_in_a_stack(weir, stacks, cf):
    """Values by parameters and by dynamic references: as they are when the stack is made, taken anew by an update, and back as they
    were when that fails."""
    ssm = weir.client("ssm")

    def put(value, names):
        ssm.put_parameter(Name="/cfn/value", Value=value, Type="String", Overwrite=True)
        ssm.put_parameter(Name="/cfn/names", Value=names, Type="StringList", Overwrite=True)

    put("one", "a,b")
    parameters = {"Value": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cfn/value"},
                  "Names": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/cfn/names"},
                  "Comma": {"Type": "AWS::SSM::Parameter::Value<CommaDelimitedList>", "Default": "/cfn/names"},
                  "Name": {"Type": "AWS::SSM::Parameter::Name", "Default": "/cfn/value"}}

    def kept(value):
        return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}}

    resources = {
        "V": kept({"Ref": "Value"}), "L": kept({"Fn::Join": ["+", {"Ref": "Names"}]}), "C": kept({"Fn::Select": [1, {"Ref": "Comma"}]}),
        "N": kept({"Ref": "Name"}), "D": kept("<{{resolve:ssm:/cfn/value}}>"), "P": kept({"Fn::Sub": "{{resolve:ssm:/cfn/value:1}} of ${Value}"})}

    def found():
        made = stacks.resources("store")
        return {k: ssm.get_parameter(Name=made[k]["PhysicalResourceId"])["Parameter"]["Value"] for k in "VLCNDP"}

    s = stacks.create("store", template(parameters=parameters, **resources))
    first = {"V": "one", "L": "a+b", "C": "b", "N": "/cfn/value", "D": "<one>", "P": "one of one"}
    assert found() == first
    assert {p["ParameterKey"]: (p["ParameterValue"], p.get("ResolvedValue")) for p in s["Parameters"]} == {
        "Value": ("/cfn/value", "one"), "Names": ("/cfn/names", "a,b"), "Comma": ("/cfn/names", "a,b"), "Name": ("/cfn/value", None)}
    assert message(cf.update_stack, StackName="store", UsePreviousTemplate=True) == "No updates are to be performed."
    put("two", "c,d,e")
    cf.create_change_set(StackName="store", ChangeSetName="look", UsePreviousTemplate=True)
    look = cf.describe_change_set(StackName="store", ChangeSetName="look")
    assert {c["ResourceChange"]["LogicalResourceId"] for c in look["Changes"]} == set("VLCDP")
    assert {p["ParameterKey"]: p.get("ResolvedValue") for p in look["Parameters"]}["Names"] == "c,d,e"
    stacks.update("store", template(parameters=parameters, Z=queue(["V", "L", "D", "P"], QueueName="x" * 200), **resources), "UPDATE_ROLLBACK_COMPLETE")
    assert found() == first and stacks.look("store")["Parameters"] == s["Parameters"]
    stacks.update("store", None)
    assert found() == {"V": "two", "L": "c+d+e", "C": "d", "N": "/cfn/value", "D": "<two>", "P": "one of two"}
    assert "Unable to fetch parameters [/cfn/none] from parameter store" in message(
        cf.update_stack, StackName="store", UsePreviousTemplate=True, Parameters=[{"ParameterKey": "Value", "ParameterValue": "/cfn/none"}])
    assert "Unable to fetch parameters [/cfn/value" in message(
        cf.update_stack, StackName="store", TemplateBody=template(parameters=parameters, **{**resources, "D": kept("{{resolve:ssm:/cfn/value:9}}")}))
    ssm.put_parameter(Name="/cfn/secret", Value="s", Type="SecureString")
    assert "types not supported" in message(cf.update_stack, StackName="store", UsePreviousTemplate=True,
                                            Parameters=[{"ParameterKey": "Value", "ParameterValue": "/cfn/secret"}])
    stacks.delete("store")


def test_transforms_in_a_stack(weir, stacks, cf):
    """AWS::Include at the top and within, loops, and the functions that AWS::LanguageExtensions brings: made, changed by a parameter and by
    a template, and back."""
    s3 = weir.client("s3")
    s3.create_bucket(Bucket="included")

    def include(key, body):
        s3.put_object(Bucket="included", Key=key, Body=body)
        return {"Name": "AWS::Include", "Parameters": {"Location": f"s3://included/{key}"}}

    whole = include("maps.yaml", "Mappings: {M: {prod: {x: real}}}\n")
    extra = include("queues.yaml", "Extra: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub 'inc-${Stage}-extra'}}\n")
    part = include("part.json", '{"DelaySeconds": 3}')
    body = template(
        parameters={"Stage": {"Type": "String", "Default": "dev"}, "Names": {"Type": "CommaDelimitedList", "Default": "a,b"}},
        outputs={"Fn::ForEach::Out": ["N", {"Ref": "Names"}, {"Url${N}": {"Value": {"Ref": {"Fn::Sub": "Queue${N}"}}}}],
                 "Count": {"Value": {"Fn::Length": {"Ref": "Names"}}}, "Json": {"Value": {"Fn::ToJsonString": {"a": [1, {"Ref": "Stage"}]}}},
                 "Map": {"Value": {"Fn::FindInMap": ["M", {"Ref": "Stage"}, "x", {"DefaultValue": "none"}]}}},
        more={"Transform": ["AWS::LanguageExtensions", whole]},
        **{"Fn::Transform": extra, "Fn::ForEach::Loop": ["N", {"Ref": "Names"}, {"Queue${N}": {
            "Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "inc-${Stage}-${N}"}, "Fn::Transform": part}}}]})
    ours = lambda: {u.rsplit("/", 1)[1]: a["DelaySeconds"] for u, a in stacks.queues().items() if "/inc-" in u}  # noqa: E731
    cf.create_stack(StackName="inc", TemplateBody=body, Capabilities=["CAPABILITY_AUTO_EXPAND"])
    s = stacks.check("inc", "CREATE_COMPLETE")
    outputs = {o["OutputKey"]: o["OutputValue"] for o in s["Outputs"]}
    assert ours() == {"inc-dev-extra": "0", "inc-dev-a": "3", "inc-dev-b": "3"}
    assert outputs["Urla"].endswith("/inc-dev-a") and (outputs["Count"], outputs["Json"], outputs["Map"]) == ("2", '{"a":[1,"dev"]}', "none")
    processed = cf.get_template(StackName="inc", TemplateStage="Processed")["TemplateBody"]
    assert set(processed["Resources"]) == {"Extra", "Queuea", "Queueb"}
    changed = [{"ParameterKey": "Names", "ParameterValue": "b,c"}]
    stacks.update("inc", body, Parameters=changed, Capabilities=["CAPABILITY_AUTO_EXPAND"])
    assert ours() == {"inc-dev-extra": "0", "inc-dev-b": "3", "inc-dev-c": "3"}
    include("part.json", '{"DelaySeconds": 7}')
    bad = json.loads(body)
    bad["Resources"]["Z"] = queue(["Queueb", "Extra"], QueueName="x" * 200)
    stacks.update("inc", json.dumps(bad), "UPDATE_ROLLBACK_COMPLETE", Parameters=changed, Capabilities=["CAPABILITY_AUTO_EXPAND"])
    assert ours() == {"inc-dev-extra": "0", "inc-dev-b": "3", "inc-dev-c": "3"}
    stacks.update("inc", body, Parameters=[{"ParameterKey": "Stage", "ParameterValue": "prod"}], Capabilities=["CAPABILITY_AUTO_EXPAND"])
    assert ours() == {"inc-prod-extra": "0", "inc-prod-a": "7", "inc-prod-b": "7"}
    assert {o["OutputKey"]: o["OutputValue"] for o in stacks.look("inc")["Outputs"]}["Map"] == "real"
    include("part.json", "{")
    assert message(cf.update_stack, StackName="inc", TemplateBody=body, Capabilities=["CAPABILITY_AUTO_EXPAND"])
    stacks.delete("inc")
    assert ours() == {}
