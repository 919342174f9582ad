"""Types of SSM, ECR, EventBridge, Scheduler, KMS, CloudWatch and Cognito in one stack: made, changed in place, replaced and
removed. What each does by itself is told by tests/unit/fault/types."""
import json

import pytest
from botocore.exceptions import ClientError

from weirtest import wait_for

NAME = "types"


def template(value, parameter):
    types = {"Repository": ("ECR::Repository", {}), "Key": ("KMS::Key", {"EnableKeyRotation": True}),
             "Parameter": ("SSM::Parameter", {"Name": parameter, "Type": "String", "Value": value}),
             "Rule": ("Events::Rule", {"ScheduleExpression": "rate(1 day)", "Description": {"Ref": "Parameter"}}),
             "Alias": ("KMS::Alias", {"AliasName": "alias/types", "TargetKeyId": {"Ref": "Key"}}),
             "Dashboard": ("CloudWatch::Dashboard", {"DashboardBody": '{"widgets":[]}'}), "Group": ("Scheduler::ScheduleGroup", {}),
             "Pool": ("Cognito::UserPool", {}), "Client": ("Cognito::UserPoolClient", {"UserPoolId": {"Ref": "Pool"}})}
    return json.dumps({"Resources": {k: {"Type": "AWS::" + t, "Properties": p} for k, (t, p) in types.items()},
                       "Outputs": {"Uri": {"Value": {"Fn::GetAtt": ["Repository", "RepositoryUri"]}}}})


def test_types(weir):
    stacks, ssm = weir.client("cloudformation"), weir.client("ssm")

    def ended():
        stack = stacks.describe_stacks(StackName=NAME)["Stacks"][0]
        return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

    def names():
        return [p["Name"] for p in ssm.describe_parameters()["Parameters"]]

    stacks.create_stack(StackName=NAME, TemplateBody=template("1", "/types/a"))
    stack = wait_for(ended)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert ".dkr.ecr.us-east-1.amazonaws.com/" in stack["Outputs"][0]["OutputValue"]
    stacks.update_stack(StackName=NAME, TemplateBody=template("2", "/types/a"))
    assert wait_for(ended)["StackStatus"] == "UPDATE_COMPLETE"
    p = ssm.get_parameter(Name="/types/a")["Parameter"]
    assert (p["Value"], p["Version"]) == ("2", 2)
    stacks.update_stack(StackName=NAME, TemplateBody=template("2", "/types/b"))
    assert wait_for(ended)["StackStatus"] == "UPDATE_COMPLETE"
    assert names() == ["/types/b"]
    assert weir.client("events").list_rules()["Rules"][0]["Description"] == "/types/b"
    stacks.delete_stack(StackName=NAME)

    def gone():
        try:
            return ended() and False
        except ClientError as e:
            return e.response["Error"]["Code"] == "ValidationError"

    wait_for(gone)
    with pytest.raises(ClientError):
        weir.client("kms").describe_key(KeyId="alias/types")
    assert names() == [] == weir.client("ecr").describe_repositories()["repositories"] == weir.client("events").list_rules()["Rules"]
    assert weir.client("cloudwatch").list_dashboards()["DashboardEntries"] == weir.client("cognito-idp").list_user_pools(MaxResults=5)["UserPools"] == []
