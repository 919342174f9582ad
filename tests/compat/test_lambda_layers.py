"""Lambda's layers: versions and their policies, and what functions see of them under /opt."""
import base64
import hashlib
import io
import json
import os
import re
import shutil
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


def test_publish_and_use(stage):
    made = publish(stage, {"python/lib_of_layer.py": "X = 1", "data/a.txt": "a"}, Description="d", LicenseInfo="MIT",
                   CompatibleRuntimes=[stage.runtime()], CompatibleArchitectures=["x86_64"])
    name = stage.function(LOOK, Layers=[made["LayerVersionArn"]])
    assert seen(stage, name) == {"python/lib_of_layer.py": "X = 1", "data/a.txt": "a"}
    assert seen(stage, name, {"import": "lib_of_layer"}) == "/opt/python/lib_of_layer.py"


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
