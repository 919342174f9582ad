"""Golden and refusal tests of the generator of CloudFormation's resource types, on a tiny service.

    UPDATE_GOLDEN=1 /usr/bin/python3 -m pytest tests/gen/test_type_rows.py
"""
import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).resolve().parent / "golden"
sys.path[:0] = [str(ROOT / "gen"), str(ROOT / "tools")]

import type_docs  # noqa: E402
import type_rows  # noqa: E402
import types_import  # noqa: E402


def rows():
    return json.loads((GOLDEN / "tiny_types.json").read_text(encoding="utf-8"))


def generate(tmp_path, spec):
    (tmp_path / "types").mkdir()
    shutil.copy(GOLDEN / "tiny.json", tmp_path / "tiny.json")
    (tmp_path / "types" / "tiny.json").write_text(json.dumps(spec), encoding="utf-8")
    return type_rows.generate(tmp_path)


def test_source_is_golden(tmp_path):
    path, text = GOLDEN / "tiny_types.c.golden", generate(tmp_path, rows())
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_generated_code_compiles(tmp_path):
    source = tmp_path / "types.c"
    source.write_text(generate(tmp_path, rows()), encoding="utf-8")
    subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-I" + str(ROOT / "src"),
                    "-fsyntax-only", str(source)], check=True)


def test_what_no_template_sends_is_refused(tmp_path):
    text = generate(tmp_path, rows())
    assert '{STR_INIT("Odd"), TYPE_P_REFUSED,' in text
    assert '{STR_INIT("Color"), 0,' in text


def test_page_is_current():
    page = (ROOT / "docs" / "reference" / "cloudformation-types.md").read_text(encoding="utf-8")
    assert page == type_docs.page(type_rows.read_rows(ROOT / "spec")), "run: tools/docs.sh"


def thing(spec):
    return spec["types"]["AWS::Tiny::Thing"]


@pytest.mark.parametrize("change, word", [
    (lambda s: thing(s)["create"][0].update(do="Nope"), "no such operation"),
    (lambda s: thing(s)["create"][0]["with"].update(Nope="x"), "no member Nope"),
    (lambda s: thing(s)["create"][0]["with"].update(Name="{Nope}"), "no such property"),
    (lambda s: thing(s)["create"][0]["with"].update(Name="{:nope}"), "no such hole"),
    (lambda s: thing(s)["create"][0]["with"].update(Name="{Name|nope}"), "no such filter"),
    (lambda s: thing(s)["create"][0].update(nope=1), "not a step"),
    (lambda s: thing(s).update(nope=1), "unknown members"),
    (lambda s: thing(s).pop("fixed"), "no step of an update sends Count"),
    (lambda s: thing(s).setdefault("apply", []).append({"do": thing(s)["create"][0]["do"], "with": {"Name": "{Name}"}}), "would never run"),
    (lambda s: thing(s)["create"][0]["with"].update({"$part": "nope"}), "no such part"),
    (lambda s: thing(s).update(ignored={"Nope": "why"}), "no such property"),
    (lambda s: s["schemas"].clear(), "its schema is not imported"),
    (lambda s: s.update(service="nope"), "no such service"),
], ids=["operation", "member", "property", "hole", "filter", "step", "row", "update", "never", "part", "ignored", "schema",
        "service"])
def test_broken_rows_are_refused(change, word, tmp_path):
    spec = copy.deepcopy(rows())
    change(spec)
    with pytest.raises(SystemExit, match=word):
        generate(tmp_path, spec)


DB = {"schema": {
    "resource": {"entities": [{
        "cloudFormationType": "AWS::Tiny::Thing", "name": "Thing", "documentation": "prose",
        "attributes": {"Arn": {"type": {"type": "string"}, "documentation": "prose"}},
        "tagInformation": {"tagPropertyName": "Tags", "variant": "standard"},
        "properties": {
            "Name": {"type": {"type": "string"}, "required": True, "causesReplacement": "yes", "documentation": "prose"},
            "Both": {"type": {"type": "union", "types": [{"type": "string"}, {"type": "json"}]}, "causesReplacement": "maybe"},
            "Tags": {"type": {"type": "array", "element": {"type": "tag"}}},
            "Deep": {"type": {"type": "map", "element": {"type": "ref", "reference": {"$ref": "7"}}}}}}]},
    "typeDefinition": {"entities": [{
        "$id": "7", "name": "Deep", "properties": {"Self": {"type": {"type": "ref", "reference": {"$ref": "7"}}}}}]}}}


def test_import():
    spec = {"service": "tiny", "types": {"AWS::Tiny::Thing": {}}}
    types_import.import_types(spec, DB)
    assert spec["schemas"] == {"AWS::Tiny::Thing": {
        "properties": {"Both": "json maybe", "Deep": "{Deep}", "Name": "string required replaces", "Tags": "[tag]"},
        "attributes": ["Arn"], "tags": "Tags", "definitions": {"Deep": {"Self": "Deep"}}}}
    assert json.loads(types_import.dump(spec)) == spec
    with pytest.raises(SystemExit, match="AWS::No::Such"):
        types_import.import_types({"types": {"AWS::No::Such": {}}}, DB)


def test_output_depends_on_the_rows_alone(tmp_path):
    texts = []
    for seed in ("1", "2"):
        out = tmp_path / seed
        subprocess.run([sys.executable, str(ROOT / "gen" / "type_rows.py"), str(ROOT / "spec"), str(out)], check=True,
                       env={**os.environ, "PYTHONHASHSEED": seed})
        texts.append(out.read_text(encoding="utf-8"))
    assert texts[0] == texts[1]
