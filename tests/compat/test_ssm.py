"""SSM Parameter Store through boto3."""
import json

import pytest
from botocore.exceptions import ClientError
from test_constraints import Service
from test_policy import Person, name, statement

ACCOUNT = "000000000000"
ARN = f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter"


@pytest.fixture
def ssm(weir):
    return weir.client("ssm")


@pytest.fixture
def root(request):
    """A path of the test's own."""
    return "/" + name(request.node.name[5:40].replace("[", "-").replace("]", "").replace("/", "-").replace(":", "-").replace(" ", "-"))


def refused(code, call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    assert e.value.response["Error"]["Code"] == code, e.value.response["Error"]
    return e.value.response["Error"].get("Message", "")


def put(ssm, path, value="v", **kw):
    return ssm.put_parameter(Name=path, Value=value, **{"Type": "String", **kw})


def allow(action, resource="*", **more):
    return statement("Allow", action, resource, **more)


def person(weir, *statements):
    return Person(weir).may(*statements)


def names(page):
    return [p["Name"] for p in page["Parameters"]]


# --- one parameter ------------------------------------------------------------------------------------


def test_life(ssm, root):
    assert put(ssm, root, "one", Description="d", AllowedPattern="^[a-z]+$")["Version"] == 1
    p = ssm.get_parameter(Name=root)["Parameter"]
    assert p.pop("LastModifiedDate").year > 2000
    assert p == {"Name": root, "Type": "String", "Value": "one", "Version": 1, "ARN": ARN + root, "DataType": "text"}
    assert "already exists" in refused("ParameterAlreadyExists", put, ssm=ssm, path=root)
    assert ssm.put_parameter(Name=root, Value="two", Overwrite=True) | {"ResponseMetadata": 0} == {
        "Version": 2, "Tier": "Standard", "ResponseMetadata": 0}
    assert ssm.get_parameter(Name=root)["Parameter"]["Value"] == "two"
    [m] = ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [root]}])["Parameters"]
    assert (m["Description"], m["AllowedPattern"], m["Tier"], m["Version"], m["DataType"]) == ("d", "^[a-z]+$", "Standard", 2, "text")
    assert m["LastModifiedUser"] == f"arn:aws:iam::{ACCOUNT}:root" and m["Type"] == "String"
    assert m.get("ARN", ARN + root) == ARN + root  # older clients do not know it
    ssm.delete_parameter(Name=root)
    refused("ParameterNotFound", ssm.get_parameter, Name=root)
    refused("ParameterNotFound", ssm.delete_parameter, Name=root)
    assert put(ssm, root)["Version"] == 1


def test_names_arns_and_selectors(ssm, root):
    put(ssm, root, "one")
    put(ssm, root, "two", Overwrite=True)
    ssm.label_parameter_version(Name=root, ParameterVersion=1, Labels=["old"])
    for ref, value in ((root, "two"), (root + ":1", "one"), (root + ":2", "two"), (root + ":old", "one"), (ARN + root, "two"), (ARN + root + ":1", "one")):
        assert ssm.get_parameter(Name=ref)["Parameter"]["Value"] == value, ref
    assert ssm.get_parameter(Name=root + ":1")["Parameter"]["Selector"] == ":1"
    assert "version 3 of" in refused("ParameterVersionNotFound", ssm.get_parameter, Name=root + ":3")
    assert "label new of" in refused("ParameterVersionNotFound", ssm.get_parameter, Name=root + ":new")
    for ref in ("arn:aws:ssm:us-east-1:111111111111:parameter" + root, "arn:aws:ssm:eu-west-1:000000000000:parameter" + root,
                "arn:aws:ssm:us-east-1:000000000000:document" + root):
        refused("ParameterNotFound", ssm.get_parameter, Name=ref)
    refused("ParameterNotFound", ssm.delete_parameter, Name=root + ":1")
    flat = root[1:]  # of the same ARN, so the same parameter
    assert ssm.get_parameter(Name=flat)["Parameter"]["Name"] == root
    refused("ParameterAlreadyExists", put, ssm=ssm, path=flat)


@pytest.mark.parametrize("bad, code", [
    ("aws", "ValidationException"), ("AWSx", "ValidationException"), ("ssm-x", "ValidationException"), ("/ssm/x", "ValidationException"),
    ("/aws/x", "AccessDeniedException"), ("a/b", "ValidationException"), ("/a//b", "ValidationException"), ("/a/", "ValidationException"),
    ("/a b", "ValidationException"), ("/a:1", "ValidationException"), ("/a" * 16, "HierarchyLevelLimitExceededException"),
    ("/" + "a" * 1000, "ValidationException"), ("/", "ValidationException"), (ARN + "/x", "ValidationException")])
def test_bad_names(ssm, bad, code):
    refused(code, put, ssm=ssm, path=bad)


def test_longest_names(ssm, root):
    put(ssm, root + "/a" * 14)
    longest = root + "/" + "a" * (1011 - len(ARN) - len(root) - 1)
    put(ssm, longest)
    assert ssm.get_parameter(Name=longest)["Parameter"]["ARN"] == ARN + longest
    refused("ValidationException", put, ssm=ssm, path=longest + "a")


@pytest.mark.parametrize("more, code, says", [
    ({"DataType": "aws:ec2:image"}, "ValidationException", "not supported by Weir"),
    ({"DataType": "Text"}, "ValidationException", "all lowercase"),
    ({"Policies": "[]"}, "ValidationException", "not supported by Weir"),
    ({"Value": "x {{ssm:y}}"}, "ValidationException", "nest"),
    ({"Tags": [{"Key": "a", "Value": "b"}], "Overwrite": True}, "ValidationException", "tags and overwrite"),
    ({"KeyId": "alias/aws/ssm"}, "ValidationException", "SecureString type parameter only"),
    ({"Value": "x" * 4097}, "ValidationException", "4096"),
    ({"Value": "x" * 8193, "Tier": "Advanced"}, "ValidationException", "8192"),
    ({"Value": "x" * 8193, "Tier": "Intelligent-Tiering"}, "ValidationException", "8192"),
    ({"AllowedPattern": "("}, "InvalidAllowedPatternException", "regular expression"),
    ({"AllowedPattern": "^\\d+$"}, "ParameterPatternMismatchException", "allowedPattern: ^\\d+$"),
    ({"Tags": [{"Key": "aws:x", "Value": "b"}]}, "ValidationException", "")])
def test_refused_settings(ssm, root, more, code, says):
    assert says in refused(code, ssm.put_parameter, **{"Name": root, "Value": "v", "Type": "String", **more})
    refused("ParameterNotFound", ssm.get_parameter, Name=root)


def test_type_is_needed_once(ssm, root):
    assert "type is required" in refused("ValidationException", ssm.put_parameter, Name=root, Value="v")
    put(ssm, root, "a,b", Type="StringList", DataType="text")
    ssm.put_parameter(Name=root, Value="c", Overwrite=True)
    assert ssm.get_parameter(Name=root)["Parameter"]["Type"] == "StringList"
    put(ssm, root, Overwrite=True)
    assert ssm.get_parameter(Name=root)["Parameter"]["Type"] == "String"


def test_a_pattern_stays(ssm, root):
    put(ssm, root, "5", AllowedPattern="\\d+")
    refused("ParameterPatternMismatchException", ssm.put_parameter, Name=root, Value="x", Overwrite=True)
    ssm.put_parameter(Name=root, Value="x", AllowedPattern="", Overwrite=True)
    assert ssm.get_parameter(Name=root)["Parameter"]["Value"] == "x"


def test_tiers(ssm, root):
    assert put(ssm, root, "x" * 4096)["Tier"] == "Standard"
    refused("ValidationException", ssm.put_parameter, Name=root, Value="x" * 4097, Overwrite=True)
    assert ssm.put_parameter(Name=root, Value="x" * 8192, Overwrite=True, Tier="Intelligent-Tiering")["Tier"] == "Advanced"
    assert ssm.get_parameter(Name=root)["Parameter"]["Value"] == "x" * 8192
    assert "can't downgrade" in refused("ValidationException", ssm.put_parameter, Name=root, Value="x", Overwrite=True, Tier="Standard")
    assert ssm.put_parameter(Name=root, Value="x", Overwrite=True)["Tier"] == "Advanced"
    assert put(ssm, root + "/i", Tier="Intelligent-Tiering")["Tier"] == "Standard"


# --- versions and labels --------------------------------------------------------------------------------


def test_history(ssm, root):
    put(ssm, root, "v1", Description="first")
    for i in range(2, 5):
        ssm.put_parameter(Name=root, Value=f"v{i}", Overwrite=True)
    ssm.label_parameter_version(Name=root, ParameterVersion=2, Labels=["a", "b"])
    first = ssm.get_parameter_history(Name=root, MaxResults=3)
    assert [h["Value"] for h in first["Parameters"]] == ["v1", "v2", "v3"]
    rest = ssm.get_parameter_history(Name=root, MaxResults=3, NextToken=first["NextToken"])
    assert [h["Version"] for h in rest["Parameters"]] == [4] and "NextToken" not in rest
    h = first["Parameters"][1]
    assert (h["Labels"], h["Type"], h["Tier"], h["Description"], h["DataType"]) == (["a", "b"], "String", "Standard", "first", "text")
    assert h["LastModifiedUser"] == f"arn:aws:iam::{ACCOUNT}:root" and h["LastModifiedDate"]
    refused("InvalidNextToken", ssm.get_parameter_history, Name=root, NextToken="x")
    refused("ParameterNotFound", ssm.get_parameter_history, Name=root + "-not")


def test_a_hundred_versions(ssm, root):
    put(ssm, root, "1")
    ssm.label_parameter_version(Name=root, Labels=["keep"])
    for i in range(2, 101):
        ssm.put_parameter(Name=root, Value=str(i), Overwrite=True)
    assert "label associated" in refused("ParameterMaxVersionLimitExceeded", ssm.put_parameter, Name=root, Value="101", Overwrite=True)
    ssm.label_parameter_version(Name=root, ParameterVersion=50, Labels=["keep"])
    assert ssm.put_parameter(Name=root, Value="101", Overwrite=True)["Version"] == 101
    refused("ParameterVersionNotFound", ssm.get_parameter, Name=root + ":1")
    refused("ParameterVersionNotFound", ssm.label_parameter_version, Name=root, ParameterVersion=1, Labels=["x"])
    assert ssm.get_parameter(Name=root + ":2")["Parameter"]["Value"] == "2"
    assert ssm.get_parameter_history(Name=root, MaxResults=1)["Parameters"][0]["Version"] == 2
    ssm.delete_parameter(Name=root)
    put(ssm, root, "again")
    refused("ParameterVersionNotFound", ssm.get_parameter, Name=root + ":50")


def test_labels(ssm, root):
    put(ssm, root)
    put(ssm, root, Overwrite=True)
    bad = ["aws-x", "SSM", "1st", "a b", "a/b"]
    r = ssm.label_parameter_version(Name=root, Labels=["good", *bad])
    assert r["InvalidLabels"] == bad and r["ParameterVersion"] == 2
    ssm.label_parameter_version(Name=root, ParameterVersion=1, Labels=["good"])  # moves
    assert ssm.get_parameter(Name=root + ":good")["Parameter"]["Version"] == 1
    ssm.label_parameter_version(Name=root, ParameterVersion=1, Labels=[f"l{i}" for i in range(9)])
    refused("ParameterVersionLabelLimitExceeded", ssm.label_parameter_version, Name=root, ParameterVersion=1, Labels=["one-more"])
    r = ssm.unlabel_parameter_version(Name=root, ParameterVersion=1, Labels=["good", "none"])
    assert (r["RemovedLabels"], r["InvalidLabels"]) == (["good"], ["none"])
    refused("ParameterVersionNotFound", ssm.get_parameter, Name=root + ":good")
    assert ssm.unlabel_parameter_version(Name=root, ParameterVersion=2, Labels=["l0"])["InvalidLabels"] == ["l0"]
    refused("ParameterVersionNotFound", ssm.unlabel_parameter_version, Name=root, ParameterVersion=3, Labels=["l0"])
    refused("ParameterNotFound", ssm.label_parameter_version, Name=root + "-not", Labels=["l0"])
    refused("ParameterNotFound", ssm.unlabel_parameter_version, Name=root + "-not", ParameterVersion=1, Labels=["l0"])


# --- several --------------------------------------------------------------------------------------------


def test_get_and_delete_many(ssm, root):
    put(ssm, root + "/a")
    put(ssm, root + "/b")
    r = ssm.get_parameters(Names=[root + "/b", root + "/x", root + "/a:1", root + "/a:7"])
    assert names(r) == [root + "/b", root + "/a"] and r["InvalidParameters"] == [root + "/x", root + "/a:7"]
    r = ssm.delete_parameters(Names=[root + "/a", root + "/x", root + "/b"])
    assert (r["DeletedParameters"], r["InvalidParameters"]) == ([root + "/a", root + "/b"], [root + "/x"])
    assert ssm.get_parameters(Names=[root + "/a"])["Parameters"] == []


def test_paths(ssm, root):
    for leaf in ("a", "b", "c/d", "c/e/f", "cc"):
        put(ssm, f"{root}/{leaf}", leaf)
    assert names(ssm.get_parameters_by_path(Path=root)) == [f"{root}/{n}" for n in ("a", "b", "cc")]
    every = [f"{root}/{n}" for n in ("a", "b", "c/d", "c/e/f", "cc")]
    assert names(ssm.get_parameters_by_path(Path=root + "/", Recursive=True)) == every
    assert names(ssm.get_parameters_by_path(Path=root + "/c", Recursive=True)) == [f"{root}/c/d", f"{root}/c/e/f"]
    assert root + "/a" not in names(ssm.get_parameters_by_path(Path="/"))
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=root, Recursive=True, PaginationConfig={"PageSize": 2})
    pages = [names(p) for p in pages]
    assert pages == [every[:2], every[2:4], every[4:]]
    put(ssm, root + "/b", "7", Type="StringList", Overwrite=True)
    ssm.label_parameter_version(Name=root + "/b", ParameterVersion=1, Labels=["prod"])
    by = lambda *f: [(p["Name"], p["Version"]) for p in ssm.get_parameters_by_path(Path=root, ParameterFilters=list(f))["Parameters"]]
    assert by({"Key": "Type", "Values": ["StringList"]}) == [(root + "/b", 2)]
    assert by({"Key": "Label", "Values": ["prod"]}) == [(root + "/b", 1)]
    assert by({"Key": "Label", "Option": "BeginsWith", "Values": ["p"]}, {"Key": "Type", "Values": ["String"]}) == []
    assert "Type, KeyId" in refused("InvalidFilterKey", ssm.get_parameters_by_path, Path=root, ParameterFilters=[{"Key": "Name", "Values": ["x"]}])
    refused("InvalidNextToken", ssm.get_parameters_by_path, Path=root, NextToken="x")
    for bad in ("x", "//", "/a//b", "/ssm/x", "/aws/x", "/a b"):
        refused("ValidationException", ssm.get_parameters_by_path, Path=bad)


def test_describe_filters(ssm, root, weir):
    key = weir.client("kms").create_key()["KeyMetadata"]["KeyId"]
    put(ssm, root + "/s", Tags=[{"Key": "team", "Value": "x"}])
    put(ssm, root + "/l", Type="StringList", Tier="Advanced")
    put(ssm, root + "/deep/k", Type="SecureString", KeyId=key)
    below = {"Key": "Path", "Option": "Recursive", "Values": [root]}

    def by(*filters):
        return [n[len(root):] for n in names(ssm.describe_parameters(ParameterFilters=[below, *filters]))]

    assert by() == ["/deep/k", "/l", "/s"]
    assert by({"Key": "Name", "Option": "BeginsWith", "Values": [root + "/d"]}) == ["/deep/k"]
    assert by({"Key": "Name", "Option": "Contains", "Values": ["/deep"]}) == ["/deep/k"]
    assert by({"Key": "Name", "Values": [root[1:] + "/s", root + "/l"]}) == ["/l", "/s"]
    assert by({"Key": "Type", "Values": ["StringList"]}) == ["/l"]
    assert by({"Key": "Type", "Option": "BeginsWith", "Values": ["String"]}) == ["/l", "/s"]
    assert by({"Key": "Tier", "Values": ["Advanced"]}) == ["/l"]
    assert by({"Key": "KeyId", "Values": [key]}) == ["/deep/k"]
    assert by({"Key": "DataType", "Values": ["text"]}) == ["/deep/k", "/l", "/s"]
    assert by({"Key": "tag:team", "Values": ["x", "y"]}) == by({"Key": "tag:team"}) == ["/s"]
    assert by({"Key": "tag:team", "Values": ["z"]}) == []
    one_level = ssm.describe_parameters(ParameterFilters=[{"Key": "Path", "Values": [root]}])
    assert names(one_level) == [root + "/l", root + "/s"]
    assert names(ssm.describe_parameters(Filters=[{"Key": "Name", "Values": [root + "/s"]}])) == [root + "/s"]
    status, body, _ = Service("ssm").send(weir, "DescribeParameters", {"Shared": True})  # older clients do not know it
    assert status == 200 and json.loads(body)["Parameters"] == []
    page = ssm.describe_parameters(ParameterFilters=[below], MaxResults=2)
    assert len(page["Parameters"]) == 2
    assert names(ssm.describe_parameters(ParameterFilters=[below], NextToken=page["NextToken"])) == [root + "/s"]


@pytest.mark.parametrize("filters, code, says", [
    ([{"Key": "Label", "Values": ["x"]}], "InvalidFilterKey", ""),
    ([{"Key": "Name", "Option": "Recursive", "Values": ["x"]}], "InvalidFilterOption", "Contains"),
    ([{"Key": "Type", "Option": "Contains", "Values": ["String"]}], "InvalidFilterOption", "[BeginsWith, Equals]"),
    ([{"Key": "Path", "Option": "Equals", "Values": ["/x"]}], "InvalidFilterOption", "[Recursive, OneLevel]"),
    ([{"Key": "Type", "Values": ["Int"]}], "InvalidFilterOption", "[String, StringList, SecureString]"),
    ([{"Key": "Name"}], "InvalidFilterValue", "missing"),
    ([{"Key": "Path", "Values": ["x"]}], "ValidationException", "forward slash"),
    ([{"Key": "Name", "Values": ["x"]}, {"Key": "Name", "Values": ["y"]}], "ValidationException", "duplicated"),
    ([{"Key": "Other", "Values": ["x"]}], "ValidationException", "")])
def test_bad_filters(ssm, filters, code, says):
    assert says in refused(code, ssm.describe_parameters, ParameterFilters=filters)


def test_one_kind_of_filters(ssm):
    refused("ValidationException", ssm.describe_parameters, ParameterFilters=[{"Key": "Name", "Values": ["x"]}], Filters=[{"Key": "Name", "Values": ["x"]}])
    refused("InvalidNextToken", ssm.describe_parameters, NextToken="x")


# --- secrets --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", ["Standard", "Advanced"])
def test_secret(ssm, root, weir, tier):
    put(ssm, root, "hush", Type="SecureString", Tier=tier)
    shown = ssm.get_parameter(Name=root)["Parameter"]["Value"]
    assert shown and "hush" not in shown
    assert ssm.get_parameter(Name=root, WithDecryption=True)["Parameter"]["Value"] == "hush"
    assert ssm.get_parameters(Names=[root], WithDecryption=True)["Parameters"][0]["Value"] == "hush"
    assert ssm.get_parameter_history(Name=root, WithDecryption=True)["Parameters"][0]["Value"] == "hush"
    [m] = ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [root]}])["Parameters"]
    assert m["KeyId"] == "alias/aws/ssm" and "Value" not in m
    assert weir.client("kms").describe_key(KeyId="alias/aws/ssm")["KeyMetadata"]["KeyManager"] == "AWS"
    put(ssm, root + "/x", "two", Type="SecureString")
    assert ssm.get_parameters_by_path(Path=root, WithDecryption=True)["Parameters"][0]["Value"] == "two"


def test_secret_keys(ssm, root, weir):
    kms = weir.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    put(ssm, root, "hush", Type="SecureString", KeyId=key)
    kms.disable_key(KeyId=key)
    refused("InvalidKeyId", ssm.get_parameter, Name=root, WithDecryption=True)
    refused("InvalidKeyId", ssm.get_parameters, Names=[root], WithDecryption=True)
    refused("InvalidKeyId", put, ssm=ssm, path=root, Type="SecureString", KeyId=key, Overwrite=True)
    refused("InvalidKeyId", put, ssm=ssm, path=root + "/x", Type="SecureString", KeyId="alias/none-such")
    ssm.get_parameter(Name=root)  # sealed, it needs no key
    kms.enable_key(KeyId=key)
    assert ssm.get_parameter(Name=root, WithDecryption=True)["Parameter"]["Value"] == "hush"


def test_secrets_by_the_callers_right(ssm, root, weir):
    key = weir.client("kms").create_key()["KeyMetadata"]
    put(ssm, root, "hush", Type="SecureString", KeyId=key["KeyId"])
    someone = person(weir, allow("ssm:*"))
    theirs = someone.client("ssm")
    theirs.get_parameter(Name=root)
    refused("AccessDeniedException", theirs.get_parameter, Name=root, WithDecryption=True)
    refused("AccessDeniedException", put, ssm=theirs, path=root, Type="SecureString", KeyId=key["KeyId"], Overwrite=True)
    context = {"StringEquals": {"kms:ViaService": "ssm.us-east-1.amazonaws.com", "kms:EncryptionContext:PARAMETER_ARN": ARN + root}}
    someone.may(allow("ssm:*"), allow("kms:Decrypt", key["Arn"], Condition=context))
    assert theirs.get_parameter(Name=root, WithDecryption=True)["Parameter"]["Value"] == "hush"
    refused("AccessDeniedException", put, ssm=theirs, path=root, Type="SecureString", KeyId=key["KeyId"], Overwrite=True)
    someone.may(allow("ssm:*"), allow("kms:Encrypt", key["Arn"], Condition=context))
    put(theirs, root, Type="SecureString", KeyId=key["KeyId"], Overwrite=True)
    # The key that AWS manages is for everybody who may use the parameter.
    put(theirs, root, "mine", Type="SecureString", Overwrite=True)
    assert theirs.get_parameter(Name=root, WithDecryption=True)["Parameter"]["Value"] == "mine"


def test_secrets_survive_a_restart_sealed(fresh_weir, root):
    ssm = fresh_weir.client("ssm")
    put(ssm, root, "hush-hush-hush", Type="SecureString")
    put(ssm, root + "/plain", "x")
    put(ssm, root + "/plain", "y", Overwrite=True)
    fresh_weir.restart()
    ssm = fresh_weir.client("ssm")
    assert ssm.get_parameter(Name=root, WithDecryption=True)["Parameter"]["Value"] == "hush-hush-hush"
    assert ssm.get_parameter(Name=root + "/plain:1")["Parameter"]["Value"] == "x"


# --- what AWS gives everybody ---------------------------------------------------------------------------


def test_public_parameters(ssm):
    there = "/aws/service/global-infrastructure"
    p = ssm.get_parameter(Name=there + "/regions/eu-west-1/longName")["Parameter"]
    assert (p["Value"], p["Type"], p["Version"]) == ("Europe (Ireland)", "String", 1)
    assert p["ARN"] == f"arn:aws:ssm:us-east-1::parameter{there}/regions/eu-west-1/longName"
    assert ssm.get_parameter(Name=p["ARN"])["Parameter"] == p
    r = ssm.get_parameters(Names=[there + "/current-region", there + "/regions/xx-1", "/aws/service/ami-amazon-linux-latest/al2023"])
    assert [p["Value"] for p in r["Parameters"]] == ["us-east-1"] and len(r["InvalidParameters"]) == 2
    refused("ParameterNotFound", ssm.get_parameter, Name="/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64")
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=there + "/regions")
    regions = [p["Value"] for page in pages for p in page["Parameters"]]
    assert len(regions) == 17 and "us-east-1" in regions and regions == sorted(regions)
    assert len(ssm.get_parameters_by_path(Path=there + "/regions/us-east-1")["Parameters"]) == 4


# --- tags and permissions -------------------------------------------------------------------------------


def test_tags(ssm, root, weir):
    put(ssm, root, Tags=[{"Key": "a", "Value": "1"}])
    ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId=root, Tags=[{"Key": "b", "Value": "2"}])
    ssm.remove_tags_from_resource(ResourceType="Parameter", ResourceId=root, TagKeys=["a", "x"])
    assert ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=root)["TagList"] == [{"Key": "b", "Value": "2"}]
    [found] = weir.client("resourcegroupstaggingapi").get_resources(ResourceTypeFilters=["ssm:parameter"],
                                                                    TagFilters=[{"Key": "b", "Values": ["2"]}])["ResourceTagMappingList"]
    assert found["ResourceARN"] == ARN + root
    weir.client("resourcegroupstaggingapi").tag_resources(ResourceARNList=[ARN + root], Tags={"c": "3"})
    assert len(ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=root)["TagList"]) == 2
    for call, more in ((ssm.list_tags_for_resource, {}), (ssm.add_tags_to_resource, {"Tags": [{"Key": "b", "Value": "2"}]}),
                       (ssm.remove_tags_from_resource, {"TagKeys": ["b"]})):
        refused("InvalidResourceId", call, ResourceType="Parameter", ResourceId=root + "-not", **more)
        refused("InvalidResourceType", call, ResourceType="Document", ResourceId=root, **more)
    many = [{"Key": f"k{i}", "Value": ""} for i in range(51)]
    refused("TooManyTagsError", ssm.add_tags_to_resource, ResourceType="Parameter", ResourceId=root, Tags=many)
    ssm.delete_parameter(Name=root)
    put(ssm, root)
    assert ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=root)["TagList"] == []


def test_permissions_are_of_arns(ssm, root, weir):
    put(ssm, root + "/mine/a", Tags=[{"Key": "team", "Value": "x"}])
    put(ssm, root + "/other")
    theirs = person(weir, allow("ssm:*", f"{ARN}{root}/mine*")).client("ssm")
    for ref in (root + "/mine/a", root + "/mine/a:1", f"{ARN}{root}/mine/a", f"{ARN}{root}/mine/a:1"):
        assert theirs.get_parameter(Name=ref)["Parameter"]["Value"] == "v"
    assert names(theirs.get_parameters(Names=[root + "/mine/a"])) == [root + "/mine/a"]
    assert names(theirs.get_parameters_by_path(Path=root + "/mine/")) == [root + "/mine/a"]
    refused("AccessDeniedException", theirs.get_parameter, Name=root + "/other")
    refused("AccessDeniedException", theirs.get_parameters, Names=[root + "/mine/a", root + "/other"])
    refused("AccessDeniedException", theirs.delete_parameters, Names=[root + "/mine/a", root + "/other"])
    refused("AccessDeniedException", theirs.get_parameters_by_path, Path=root)
    for key in ("aws:ResourceTag/team", "ssm:resourceTag/team"):
        tagged = person(weir, allow("ssm:GetParameter", Condition={"StringEquals": {key: "x"}})).client("ssm")
        tagged.get_parameter(Name=root + "/mine/a")
        refused("AccessDeniedException", tagged.get_parameter, Name=root + "/other")
    careful = person(weir, allow("ssm:*"), statement("Deny", "ssm:PutParameter", Condition={"Bool": {"ssm:Overwrite": "true"}})).client("ssm")
    refused("AccessDeniedException", put, ssm=careful, path=root + "/mine/a", Overwrite=True)
    put(careful, root + "/mine/b")
