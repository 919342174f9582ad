"""Lambda's layers: versions and their policies, and what functions see of them under /opt."""
import base64
import hashlib
import io
import json
import os
import re
import subprocess
import urllib.request
import uuid
import zipfile

import pytest
from botocore.exceptions import ClientError

from test_lambda import Stage, code_of, zipped
from weirtest import wait_for

LOOK = """
import os
def handler(event, context):
    if event.get("import"):
        return __import__(event["import"]).__file__
    found = {}
    for top, folders, files in os.walk("/opt"):
        for name in files:
            with open(os.path.join(top, name)) as f:
                found[os.path.join(top, name)[5:]] = f.read()
    try:
        open("/opt/new", "w")
        found["written"] = "yes"
    except OSError as e:
        pass
    return found
"""


@pytest.fixture(scope="module")
def stage(weir):
    return Stage(weir)


def packed(files, compression=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as z:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o755 << 16
            z.writestr(info, content, compression)
    return out.getvalue()


def layer_name():
    return "l-" + uuid.uuid4().hex[:10]


def publish(stage, files, name=None, **kw):
    return stage.awslambda.publish_layer_version(LayerName=name or layer_name(), Content={"ZipFile": packed(files)}, **kw)


def seen(stage, name, event=None, **kw):
    got = stage.invoke(name, event or {}, **kw)
    body = json.load(got["Payload"])
    assert "FunctionError" not in got, body
    return body


def error_of(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


def test_publish_get_and_download(stage):
    name, content = layer_name(), packed({"a": "1"})
    made = stage.awslambda.publish_layer_version(
        LayerName=name, Content={"ZipFile": content}, Description="d", LicenseInfo="MIT",
        CompatibleRuntimes=["python3.11", "nodejs20.x"], CompatibleArchitectures=["x86_64", "arm64"])
    arn = f"arn:aws:lambda:us-east-1:000000000000:layer:{name}"
    assert (made["LayerArn"], made["LayerVersionArn"], made["Version"]) == (arn, arn + ":1", 1)
    assert (made["Description"], made["LicenseInfo"]) == ("d", "MIT")
    assert made["CompatibleRuntimes"] == ["python3.11", "nodejs20.x"]
    assert made["CompatibleArchitectures"] == ["x86_64", "arm64"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", made["CreatedDate"])
    assert made["Content"]["CodeSize"] == len(content)
    assert made["Content"]["CodeSha256"] == base64.b64encode(hashlib.sha256(content).digest()).decode()
    for got in (stage.awslambda.get_layer_version(LayerName=name, VersionNumber=1),
                stage.awslambda.get_layer_version(LayerName=arn, VersionNumber=1),
                stage.awslambda.get_layer_version_by_arn(Arn=arn + ":1")):
        with urllib.request.urlopen(got["Content"].pop("Location")) as reply:
            assert reply.read() == content
        made["Content"].pop("Location", None)
        got.pop("ResponseMetadata"), made.pop("ResponseMetadata", None)
        assert got == made
    plain = publish(stage, {"a": "2"}, name)
    assert plain["Version"] == 2 and plain["Description"] == ""
    assert not {"CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo"} & set(plain)


def test_publish_from_bucket(stage):
    bucket = "layers-" + uuid.uuid4().hex[:10]
    stage.s3.create_bucket(Bucket=bucket)
    stage.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = stage.s3.put_object(Bucket=bucket, Key="l.zip", Body=packed({"a": "first"}))["VersionId"]
    stage.s3.put_object(Bucket=bucket, Key="l.zip", Body=packed({"a": "second"}))
    name = layer_name()
    arns = [stage.awslambda.publish_layer_version(LayerName=name, Content={"S3Bucket": bucket, "S3Key": "l.zip", **more})
            ["LayerVersionArn"] for more in ({}, {"S3ObjectVersion": first})]
    assert seen(stage, stage.function(LOOK, Layers=arns[:1])) == {"a": "second"}
    assert seen(stage, stage.function(LOOK, Layers=arns[1:])) == {"a": "first"}
    code, message = error_of(stage.awslambda.publish_layer_version, LayerName=name, Content={"S3Bucket": bucket, "S3Key": "x"})
    assert code == "InvalidParameterValueException" and "NoSuchKey" in message
    assert error_of(stage.awslambda.publish_layer_version, LayerName=name, Content={"S3Bucket": bucket + "x", "S3Key": "x"}) == (
        "InvalidParameterValueException",
        "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist")


def test_lists(stage):
    name, other = layer_name(), layer_name()
    publish(stage, {"a": "1"}, name, CompatibleRuntimes=["python3.11"], CompatibleArchitectures=["arm64"])
    publish(stage, {"a": "2"}, name, CompatibleRuntimes=["nodejs20.x"], CompatibleArchitectures=["x86_64"])
    publish(stage, {"a": "3"}, name)
    publish(stage, {"a": "1"}, other)

    def versions(**kw):
        got = []
        for page in stage.awslambda.get_paginator("list_layer_versions").paginate(
                LayerName=name, PaginationConfig={"PageSize": 1}, **kw):
            assert len(page["LayerVersions"]) <= 1
            got += [v["Version"] for v in page["LayerVersions"]]
        return got

    def layers(**kw):
        got = {}
        for page in stage.awslambda.get_paginator("list_layers").paginate(PaginationConfig={"PageSize": 1}, **kw):
            for layer in page["Layers"]:
                assert layer["LayerName"] not in got
                got[layer["LayerName"]] = layer
        return {n: got[n]["LatestMatchingVersion"]["Version"] for n in (name, other) if n in got}

    assert versions() == [3, 2, 1]  # the newest first
    assert versions(CompatibleRuntime="python3.11") == [1]
    assert versions(CompatibleArchitecture="x86_64") == [2]
    assert versions(CompatibleRuntime="python3.11", CompatibleArchitecture="x86_64") == []
    assert layers() == {name: 3, other: 1}
    assert layers(CompatibleRuntime="python3.11") == {name: 1}
    assert layers(CompatibleArchitecture="x86_64") == {name: 2}
    assert stage.awslambda.list_layer_versions(LayerName="never-was")["LayerVersions"] == []
    for call, more in ((stage.awslambda.list_layers, {}), (stage.awslambda.list_layer_versions, {"LayerName": name})):
        assert error_of(call, Marker="bogus", **more)[0] == "InvalidParameterValueException"
        marker = call(MaxItems=1, **more)["NextMarker"]
        assert error_of(call, Marker=marker, CompatibleRuntime="python3.11", **more)[0] == "InvalidParameterValueException"


def test_delete(stage):
    name = layer_name()
    for content in "12":
        publish(stage, {"a": content}, name)
    stage.awslambda.delete_layer_version(LayerName=name, VersionNumber=2)
    stage.awslambda.delete_layer_version(LayerName=name, VersionNumber=2)  # of what is not there, too
    assert error_of(stage.awslambda.get_layer_version, LayerName=name, VersionNumber=2) == (
        "ResourceNotFoundException", "The resource you requested does not exist.")
    assert publish(stage, {"a": "3"}, name)["Version"] == 3  # a number is not used again
    for number in (1, 3):
        stage.awslambda.delete_layer_version(LayerName=name, VersionNumber=number)
    assert name not in json.dumps(stage.awslambda.list_layers())
    assert publish(stage, {"a": "4"}, name)["Version"] == 4


def test_errors_of_layers(stage):
    api, name = stage.awslambda, layer_name()
    arn = publish(stage, {"a": "1"}, name)["LayerVersionArn"]
    for call, more in ((api.get_layer_version, {}), (api.delete_layer_version, {}), (api.get_layer_version_policy, {}),
                       (api.remove_layer_version_permission, {"StatementId": "s"}),
                       (api.add_layer_version_permission,
                        {"StatementId": "s", "Action": "lambda:GetLayerVersion", "Principal": "*"})):
        assert error_of(call, LayerName=name, VersionNumber=0, **more) == (
            "InvalidParameterValueException", "Layer Version Cannot be less than 1.")
        assert error_of(call, LayerName=arn.rsplit(":", 1)[0].replace("us-east-1", "eu-west-1"), VersionNumber=1, **more)[0] == \
            "ResourceNotFoundException"
        if call != api.delete_layer_version:
            assert error_of(call, LayerName=name, VersionNumber=7, **more)[0] == "ResourceNotFoundException"
    for wrong in (arn[:-1] + "2", arn.replace("us-east-1", "eu-west-1")):
        assert error_of(api.get_layer_version_by_arn, Arn=wrong)[0] == "ResourceNotFoundException"
    zip_file = {"ZipFile": packed({"a": "1"})}
    for content in ({}, {"S3Bucket": "only-bucket"}, {**zip_file, "S3Bucket": "bucket", "S3Key": "k"}, {"ZipFile": b"no zip"},
                    {"ZipFile": packed({})}, {"ZipFile": packed({"../a": "1"})}):
        assert error_of(api.publish_layer_version, LayerName=name, Content=content)[0] == "InvalidParameterValueException"
    assert error_of(api.publish_layer_version, LayerName="l" * 120, Content=zip_file)[0] == "InvalidParameterValueException"
    elsewhere = arn.rsplit(":", 1)[0].replace("0" * 12, "1" * 12)
    assert error_of(api.publish_layer_version, LayerName=elsewhere, Content=zip_file)[0] == "ResourceNotFoundException"
    assert error_of(api.publish_layer_version, LayerName=name, Content=zip_file, CompatibleRuntimes=["cobol"])[0] == \
        "ValidationException"
    assert api.list_layer_versions(LayerName=name)["LayerVersions"][0]["Version"] == 1  # nothing half made


# --- policies ---------------------------------------------------------------------------------------


def test_policy_of_a_version(stage):
    api, name = stage.awslambda, layer_name()
    arn = publish(stage, {"a": "1"}, name)["LayerVersionArn"]
    version = {"LayerName": name, "VersionNumber": 1}
    allow = {"Action": "lambda:GetLayerVersion", **version}
    assert error_of(api.get_layer_version_policy, **version) == (
        "ResourceNotFoundException", "No policy is associated with the given resource.")
    first = api.add_layer_version_permission(StatementId="all", Principal="*", OrganizationId="o-abcdefghij", **allow)
    assert json.loads(first["Statement"]) == {
        "Sid": "all", "Effect": "Allow", "Principal": "*", "Action": "lambda:GetLayerVersion", "Resource": arn,
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}}
    assert error_of(api.add_layer_version_permission, StatementId="one", Principal="123456789012", RevisionId="x", **allow)[0] == \
        "PreconditionFailedException"
    second = api.add_layer_version_permission(StatementId="one", Principal="123456789012", RevisionId=first["RevisionId"], **allow)
    assert json.loads(second["Statement"])["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    assert error_of(api.add_layer_version_permission, StatementId="one", Principal="*", **allow)[0] == "ResourceConflictException"
    policy = api.get_layer_version_policy(**version)
    assert policy["RevisionId"] == second["RevisionId"] != first["RevisionId"]
    assert [s["Sid"] for s in json.loads(policy["Policy"])["Statement"]] == ["all", "one"]
    remove = api.remove_layer_version_permission
    assert error_of(remove, StatementId="none", **version)[0] == "ResourceNotFoundException"
    assert error_of(remove, StatementId="all", RevisionId=first["RevisionId"], **version)[0] == "PreconditionFailedException"
    remove(StatementId="all", RevisionId=second["RevisionId"], **version)
    remove(StatementId="one", **version)
    assert error_of(remove, StatementId="one", **version)[0] == "ResourceNotFoundException"
    for n in range(400):
        try:
            api.add_layer_version_permission(StatementId=f"{n:0>90}", Principal="*", **allow)
        except ClientError as e:
            assert e.response["Error"]["Code"] == "PolicyLengthExceededException" and n > 50
            break
    else:
        pytest.fail("no end")


def user(stage, *statements):
    name = "u-" + uuid.uuid4().hex[:10]
    stage.iam.create_user(UserName=name)
    stage.iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": list(statements)}))
    key = stage.iam.create_access_key(UserName=name)["AccessKey"]
    return stage.weir.client("lambda", key["AccessKeyId"], key["SecretAccessKey"])


def test_who_uses_a_layer_may_have_it(stage):
    name = layer_name()
    arn = publish(stage, {"a": "1"}, name)["LayerVersionArn"]
    role = stage.role()
    theirs = user(stage, {"Effect": "Allow", "Action": ["lambda:CreateFunction", "lambda:UpdateFunctionConfiguration", "iam:PassRole"],
                          "Resource": "*"})
    args = {"Runtime": stage.runtime(), "Role": role, "Handler": "app.handler", "Code": {"ZipFile": zipped(LOOK)}}
    create = {"FunctionName": "theirs-" + uuid.uuid4().hex[:8], "Layers": [arn], **args}
    code, message = error_of(theirs.create_function, **create)
    assert code == "AccessDeniedException" and f"lambda:GetLayerVersion on resource: {arn}" in message
    plain = stage.function(LOOK)
    assert error_of(theirs.update_function_configuration, FunctionName=plain, Layers=[arn])[0] == "AccessDeniedException"
    assert error_of(theirs.get_layer_version, LayerName=name, VersionNumber=1)[0] == "AccessDeniedException"
    stage.awslambda.add_layer_version_permission(LayerName=name, VersionNumber=1, StatementId="s", Principal="*",
                                                 Action="lambda:GetLayerVersion")
    assert theirs.get_layer_version(LayerName=name, VersionNumber=1)["LayerVersionArn"] == arn
    assert theirs.get_layer_version_by_arn(Arn=arn)["LayerVersionArn"] == arn
    assert theirs.create_function(**create)["Layers"][0]["Arn"] == arn
    theirs.update_function_configuration(FunctionName=plain, Layers=[arn])
    mine = user(stage, {"Effect": "Allow", "Action": "*", "Resource": "*"}, {
        "Effect": "Deny", "Action": "lambda:*", "Resource": "*", "Condition": {
            "ForAnyValue:StringNotLike": {"lambda:Layer": [arn[:-1] + "*"]}}})
    other = publish(stage, {"a": "1"})["LayerVersionArn"]
    assert error_of(mine.update_function_configuration, FunctionName=plain, Layers=[arn, other])[0] == "AccessDeniedException"
    mine.update_function_configuration(FunctionName=plain, Layers=[arn])


# --- layers of functions ----------------------------------------------------------------------------


def test_settings_of_functions(stage):
    arns = [publish(stage, {f"f{n}": str(n)})["LayerVersionArn"] for n in range(6)]
    again = publish(stage, {"f0": "again"}, arns[0].split(":")[-2])["LayerVersionArn"]
    function = stage.function(LOOK, Layers=arns[:5])
    assert len(seen(stage, function)) == 5
    shown = stage.awslambda.get_function_configuration(FunctionName=function)["Layers"]
    size = stage.awslambda.get_layer_version_by_arn(Arn=arns[0])["Content"]["CodeSize"]
    assert shown == [{"Arn": arn, "CodeSize": size} for arn in arns[:5]]
    here = dict(FunctionName=function)
    update = stage.awslambda.update_function_configuration
    elsewhere = arns[0].replace("us-east-1", "eu-west-1")
    for layers, message in (
            (arns, "Cannot reference more than 5 layers."),
            ([arns[0], arns[1], again], "Two different versions of the same layer are not allowed to be referenced in the same "
             f"function. {arns[0]} and {again} are versions of the same layer."),
            ([arns[0][:-1] + "9"], f"Layer version {arns[0][:-1]}9 does not exist."),
            ([arns[0].replace(":0000", ":1111")], f"Layer version {arns[0].replace(':0000', ':1111')} does not exist."),
            ([elsewhere], "Layers are not in the same region as the function. Layers are expected to be in region us-east-1.")):
        assert error_of(update, Layers=layers, **here) == ("InvalidParameterValueException", message)
    assert error_of(update, Layers=["no-arn"], **here)[0] == "ValidationException"
    assert len(update(Description="d", **here)["Layers"]) == 5  # not given: they stay
    stage.awslambda.update_function_code(ZipFile=zipped(LOOK + "# changed"), **here)
    assert len(seen(stage, function)) == 5
    assert "Layers" not in update(Layers=[], **here)
    assert seen(stage, function) == {}


def test_layers_are_merged_in_order(stage):
    first = publish(stage, {"a": "1", "both": "1", "d/x": "1", "kind/of/folder": "1", "kind2": "1"})
    second = publish(stage, {"b": "2", "both": "2", "d/y": "2", "kind": "2", "kind2/inner": "2"})
    name = stage.function(LOOK, Layers=[first["LayerVersionArn"], second["LayerVersionArn"]])
    both = {"a": "1", "b": "2", "d/x": "1", "d/y": "2"}
    assert seen(stage, name) == {**both, "both": "2", "kind": "2", "kind2/inner": "2"}
    shown = stage.awslambda.update_function_configuration(
        FunctionName=name, Layers=[second["LayerVersionArn"], first["LayerVersionArn"]])
    assert [x["Arn"] for x in shown["Layers"]] == [second["LayerVersionArn"], first["LayerVersionArn"]]
    assert seen(stage, name) == {**both, "both": "1", "kind/of/folder": "1", "kind2": "1"}
    assert seen(stage, stage.function(LOOK, Layers=[first["LayerVersionArn"]]))["both"] == "1"  # itself as it was


def folders(stage):
    """Packages in the data folder: whole ones only, named as functions and layers name them."""
    base = os.path.join(stage.weir.data_dir, "lambda", "code")
    return {name[:-4] if name.endswith(".zip") else name for name in os.listdir(base)}


def test_versions_and_functions_keep_what_they_use(stage):
    one, two = [publish(stage, {"one": text, text: "x"}) for text in ("1", "2")]
    arns = [one["LayerVersionArn"], two["LayerVersionArn"]]
    name = stage.function(LOOK, Layers=arns[:1])
    assert stage.awslambda.publish_version(FunctionName=name)["Version"] == "1"
    assert stage.awslambda.publish_version(FunctionName=name)["Version"] == "1"  # nothing changed
    stage.awslambda.update_function_configuration(FunctionName=name, Layers=arns)
    assert stage.awslambda.publish_version(FunctionName=name)["Version"] == "2"
    stage.awslambda.update_function_configuration(FunctionName=name, Layers=arns[::-1])
    assert stage.awslambda.publish_version(FunctionName=name)["Version"] == "3"  # the order counts
    stage.awslambda.update_function_configuration(FunctionName=name, Layers=[])
    for layer in (one, two):
        stage.awslambda.delete_layer_version(LayerName=layer["LayerArn"], VersionNumber=1)
    shown = stage.awslambda.get_function_configuration(FunctionName=name, Qualifier="1")["Layers"]
    assert [x["Arn"] for x in shown] == arns[:1]
    listed = stage.awslambda.list_versions_by_function(FunctionName=name)["Versions"]
    assert [len(v.get("Layers", [])) for v in listed] == [0, 1, 2, 2]
    assert seen(stage, name, Qualifier="1") == {"one": "1", "1": "x"}
    assert seen(stage, name, Qualifier="2") == {"one": "2", "1": "x", "2": "x"}
    assert seen(stage, name, Qualifier="3") == {"one": "1", "1": "x", "2": "x"}
    assert seen(stage, name) == {}
    assert error_of(stage.awslambda.update_function_configuration, FunctionName=name, Layers=arns)[0] == "InvalidParameterValueException"


def test_what_nobody_uses_is_removed(fresh_weir):
    stage = Stage(fresh_weir)
    one, two = publish(stage, {"a": "1"}), publish(stage, {"b": "2"})
    assert len(folders(stage)) == 2
    name = stage.function(LOOK, Layers=[one["LayerVersionArn"], two["LayerVersionArn"]])
    assert seen(stage, name) == {"a": "1", "b": "2"}
    assert len(folders(stage)) == 4  # its package, and its layers merged
    stage.awslambda.delete_layer_version(LayerName=one["LayerArn"], VersionNumber=1)
    wait_for(lambda: len(folders(stage)) == 3, 30, "removal of the layer")
    fresh_weir.restart()
    assert len(folders(stage)) == 3
    assert seen(stage, name) == {"a": "1", "b": "2"}
    stage.awslambda.update_function_configuration(FunctionName=name, Layers=[two["LayerVersionArn"]])
    wait_for(lambda: len(folders(stage)) == 2, 30, "removal of what was merged")
    stage.awslambda.delete_layer_version(LayerName=two["LayerArn"], VersionNumber=1)
    assert seen(stage, name) == {"b": "2"}
    stage.awslambda.delete_function(FunctionName=name)
    wait_for(lambda: not folders(stage), 30, "removal of all")
    assert error_of(stage.awslambda.publish_layer_version, LayerName="x", Content={"ZipFile": packed({"a": "1", "../b": "2"})})[0] == \
        "InvalidParameterValueException"
    wait_for(lambda: not folders(stage), 30, "removal of what failed")


def test_sizes(fresh_weir):
    """The limit is of package and layers together, unpacked."""
    stage = Stage(fresh_weir)
    MiB = 1024 * 1024
    big, small = [publish(stage, {f"zeros{n}": bytes(n * MiB)})["LayerVersionArn"] for n in (245, 6)]
    plain = stage.function(LOOK)
    update = stage.awslambda.update_function_configuration
    assert error_of(update, FunctionName=plain, Layers=[big, small]) == (
        "InvalidParameterValueException", "Layers consume more than the available size of 262144000 bytes")
    update(FunctionName=plain, Layers=[big])
    code = {"ZipFile": packed({"app.py": LOOK, "zeros": bytes(6 * MiB)})}
    for call in (lambda: stage.awslambda.update_function_code(FunctionName=plain, **code),
                 lambda: stage.function(LOOK, Layers=[big], Code=code),
                 lambda: update(FunctionName=stage.function(LOOK, Code=code), Layers=[big])):
        got, message = error_of(call)
        assert got == "InvalidParameterValueException"
        assert message == ("Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. "
                           f"The actual size is {251 * MiB + len(LOOK)} bytes.")
    account = stage.awslambda.get_account_settings()
    sizes = [f["CodeSize"] for f in stage.awslambda.list_functions()["Functions"]]
    sizes += [stage.awslambda.get_layer_version_by_arn(Arn=arn)["Content"]["CodeSize"] for arn in (big, small)]
    assert account["AccountUsage"]["TotalCodeSize"] == sum(sizes)


# --- what functions find there ----------------------------------------------------------------------

NATIVE = """
import ctypes, os, subprocess
def handler(event, context):
    return [ctypes.CDLL("libof_layer.so").answer(), subprocess.check_output(["tool_of_layer"]).decode(),
            [__import__(name).__name__ for name in ("plain_of_layer", "site_of_layer")],
            os.environ["PATH"].split(":")[-1], os.environ["LD_LIBRARY_PATH"].split(":")[-1]]
"""


def test_programs_libraries_and_modules(stage, tmp_path):
    source = tmp_path / "l.c"
    source.write_text("int answer(void) { return 42; }")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "l.so", source], check=True)
    version = stage.runtime()
    arn = publish(stage, {"lib/libof_layer.so": (tmp_path / "l.so").read_bytes(), "bin/tool_of_layer": "#!/bin/sh\nprintf tool",
                          "python/plain_of_layer.py": "", f"python/lib/{version}/site-packages/site_of_layer.py": ""})
    got = seen(stage, stage.function(NATIVE, Layers=[arn["LayerVersionArn"]]))
    assert got == [42, "tool", ["plain_of_layer", "site_of_layer"], "/opt/bin", "/opt/lib"]


REQUIRES = """
exports.handler = async () => {
    const found = ["of-layer", "of-version", "sdk-and-layer", "sdk-alone", "of-task"].map((name) => require(name));
    return found.concat(["of-layer", "sdk-and-layer", "sdk-alone"].map((name) => require.resolve(name).split("/")[1]));
};
"""
IMPORTS = """
import layer from "of-layer";
import both from "sdk-and-layer";
import sdk from "sdk-alone";
export const handler = async () => [layer, both, sdk];
"""


def test_modules_of_node(fresh_weir):
    """By require and by import: the package's, then the layer's, then the SDK that the runtime promises."""
    stage = Stage(fresh_weir)
    made = subprocess.run([fresh_weir.binary, "runtime", "list"], capture_output=True, text=True)
    runtime = next((line.split()[0] for line in made.stdout.splitlines() if re.match(r"nodejs(18|2\d)\.x", line)), None)
    if not runtime:
        pytest.skip("no Node.js from 18 on is on this machine")
    for sdk in ("sdk-and-layer", "sdk-alone"):
        folder = os.path.join(fresh_weir.data_dir, "runtimes", "sdk-v3", "node_modules", sdk)
        for path in (os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(folder)))), folder):
            os.makedirs(path, exist_ok=True)
        with open(os.path.join(folder, "index.js"), "w") as f:
            f.write("module.exports = 'sdk'")
    top = os.path.join(fresh_weir.data_dir, "runtimes")
    subprocess.run(["chmod", "-R", "a+rX", top], check=True)
    layer = packed({f"nodejs/node_modules/{name}/index.js": "module.exports = 'layer'" for name in ("of-layer", "sdk-and-layer", "of-task")} |
                   {f"nodejs/node{runtime[6:-2]}/node_modules/of-version/index.js": "module.exports = 'version'"})
    arn = stage.awslambda.publish_layer_version(LayerName="node", Content={"ZipFile": layer})["LayerVersionArn"]
    for kind, source, wanted in (("js", REQUIRES, ["layer", "version", "layer", "sdk", "task", "opt", "opt", "node_modules"]),
                                 ("mjs", IMPORTS, ["layer", "layer", "sdk"])):
        code = packed({f"app.{kind}": source, "node_modules/of-task/index.js": "module.exports = 'task'"})
        name = stage.function(Runtime=runtime, Layers=[arn], Code={"ZipFile": code}, MemorySize=512)
        assert seen(stage, name) == wanted


def test_a_runtime_in_a_layer(stage):
    """A bootstrap of C in the layer, for functions that have none."""
    with open(os.path.join(os.path.dirname(stage.weir.binary), "functions", "bench_echo", "bootstrap"), "rb") as f:
        arn = publish(stage, {"bootstrap": f.read()})["LayerVersionArn"]
    name = stage.function(LOOK, Runtime="provided.al2023", Layers=[arn])
    assert seen(stage, name, {"hello": "layer"}) == {"hello": "layer"}
