"""Golden tests of the generator and of the importer, on a tiny service.

After a wanted change of the generator, write the golden files anew and look at the difference:
    UPDATE_GOLDEN=1 /usr/bin/python3 -m pytest tests/gen
"""
import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).resolve().parent / "golden"
SPECS = sorted((ROOT / "spec").glob("*.json"))
sys.path[:0] = [str(ROOT / "gen"), str(ROOT / "tools")]

import docs  # noqa: E402
import gen  # noqa: E402
import spec_import  # noqa: E402
import stubs  # noqa: E402


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def tiny():
    return load(GOLDEN / "tiny.json")


def compare(name, text):
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), name


def test_header_is_golden():
    compare("tiny_api.h.golden", gen.Gen(tiny()).header())


def test_source_is_golden():
    compare("tiny_api.c.golden", gen.Gen(tiny()).source())


def test_page_is_golden():
    compare("tiny.md.golden", docs.page(tiny()))


def test_import_is_golden():
    """Also: the hand-kept rows survive an import, and a second import changes nothing."""
    spec = load(GOLDEN / "tiny_hand.json")
    spec_import.import_model(spec, load(GOLDEN / "model.json"), None)
    first = spec_import.dump(spec)
    compare("tiny.json", first)
    spec_import.import_model(spec, load(GOLDEN / "model.json"), None)
    assert spec_import.dump(spec) == first


def test_import_has_no_prose():
    assert "documentation" not in (GOLDEN / "tiny.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("spec", SPECS, ids=lambda p: p.stem)
def test_output_depends_on_the_spec_alone(spec, tmp_path):
    texts = []
    for seed in ("1", "2"):
        out = tmp_path / seed
        subprocess.run([sys.executable, str(ROOT / "gen" / "gen.py"), str(spec), str(out)],
                       check=True, env={**os.environ, "PYTHONHASHSEED": seed})
        texts.append([(out / (spec.stem + s)).read_text(encoding="utf-8")
                      for s in ("_api.h", "_api.c")])
    assert texts[0] == texts[1]


def test_generated_code_compiles(tmp_path):
    g = gen.Gen(tiny())
    (tmp_path / "tiny_api.h").write_text(g.header())
    (tmp_path / "tiny_api.c").write_text(g.source())
    (tmp_path / "tiny_stubs.c").write_text(stubs.stubs(g))
    for name in ("tiny_api.c", "tiny_stubs.c"):
        subprocess.run(["cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror",
                        "-Wno-unused-parameter", "-Wmissing-prototypes", "-I" + str(ROOT / "src"),
                        "-I" + str(tmp_path), "-fsyntax-only", str(tmp_path / name)], check=True)


@pytest.mark.parametrize("name, expected", [
    ("QueueUrl", "queue_url"), ("KMSMasterKeyId", "kms_master_key_id"),
    ("SSESpecification", "sse_specification"), ("ETag", "e_tag"), ("MD5OfBody", "md5_of_body"),
    ("tags", "tags"), ("logGroupName", "log_group_name"), ("PolicyARNs", "policy_arns"),
    ("Default", "default_"), ("S3Bucket", "s3_bucket"), ("x-amz", "x_amz"),
])
def test_names(name, expected):
    assert gen.snake(name) == expected


@pytest.mark.parametrize("text, expected", [
    ("a", '"a"'), ('"\\', '"\\"\\\\"'), ("??=", '"\\?\\?="'), ("\u00e9" + "1", '"\\303\\2511"'),
    ("\n", '"\\012"'),
])
def test_quotes(text, expected):
    assert gen.quote(text) == expected


def broken(change):
    spec = copy.deepcopy(tiny())
    change(spec)
    return spec


@pytest.mark.parametrize("change, word", [
    (lambda s: s["common_errors"].pop("skew"), "skew"),
    (lambda s: s["ops"]["PutThing"].pop("resource"), "PutThing"),
    (lambda s: s["extra_errors"].update({"skew": {"code": "X", "status": 400}}), "skew"),
    (lambda s: s["shapes"].update({"PutThingInput": s["shapes"]["Thing"]}) or
     s["shapes"]["GetThingsResponse"]["members"].update(
         {"Odd": {"shape": "PutThingInput"}}), "PutThingInput"),
    (lambda s: s["ops"]["PutThing"].update(resource="arn:{Nope}"), "Nope"),
    (lambda s: s["ops"]["PutThing"].update(when="Name !Nope.Deep"), "Nope.Deep"),
    (lambda s: s["ops"]["PutThing"]["keys"].update({"tiny:X": "{Name|odd}"}), "odd"),
    (lambda s: s["ops"]["DropAll"].update(also=[{"action": "tiny:Drop"}]), "tiny:Drop"),
    (lambda s: s["ops"]["DropAll"].update(reed_only=True), "reed_only"),
    (lambda s: s["constraints"]["Ref"].update(name="Gone"), "Gone"),
    (lambda s: s["constraints"]["Names"].update(too_long={"PartARNs": "Long."}), "too_long"),
], ids=["common error missing", "no resource", "error named twice", "shape named as an input",
        "template of no member", "condition of no member", "unknown form",
        "further permission without a resource", "unknown fact", "constraints of no shape", "too long without a limit"])
def test_broken_specs_are_refused(change, word):
    with pytest.raises(SystemExit, match=word):
        g = gen.Gen(broken(change))
        g.header()
        g.source()


def test_import_of_an_unknown_operation_is_refused():
    spec = load(GOLDEN / "tiny_hand.json")
    spec["ops"]["Nope"] = {"action": "tiny:Nope", "resource": "*"}
    with pytest.raises(SystemExit, match="Nope"):
        spec_import.import_model(spec, load(GOLDEN / "model.json"), None)


@pytest.mark.parametrize("spec", SPECS, ids=lambda p: p.stem)
def test_reference_pages_are_current(spec):
    page = ROOT / "docs" / "reference" / (spec.stem + ".md")
    assert page.read_text(encoding="utf-8") == docs.page(load(spec)), \
        "run: python3 gen/docs.py spec/*.json docs/reference"


@pytest.mark.parametrize("spec", SPECS, ids=lambda p: p.stem)
def test_rows_are_known(spec):
    """A misspelt row would be ignored in silence."""
    for name, row in load(spec)["ops"].items():
        assert set(row) <= gen.OP_FACTS, name
        for need in row.get("also", []):
            assert {"action"} <= set(need) <= {"action", "resource", "when", "or"}, name
    assert set(load(spec)["settings"]) <= {"signing", "arn", "wording", "speaks_query", "crc32", "query_detail", "query_json",
                                           "type_prefix", "url_member", "xmlns", "server",
                                           "buckets", "gzip_replies", "speaks_cbor", "signed_query"}
    assert set(load(spec).get("query_messages", {})) <= set(load(spec)["errors"])
    for shape in load(spec).get("constraints", {}).values():
        assert set(shape) <= {"min", "max", "pattern", "enum", "required", "name", "member", "first", "too_long"}
    for table in ("common_errors", "extra_errors"):
        for name, row in load(spec).get(table, {}).items():
            assert set(row) <= {"code", "query_code", "status", "namespace", "message_capital",
                                "type", "server"}, name
