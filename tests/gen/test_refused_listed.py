"""What the services' messages call unsupported stands on the reference page, so in the spec ("refused")."""
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted(p.stem for p in (ROOT / "spec").glob("*.json"))


def messages(service):
    for source in sorted((ROOT / "src" / "svc" / service).glob("*.c")):
        text = source.read_text(encoding="utf-8")
        for run in re.finditer(r'"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*', text):
            message = "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', run.group(0)))
            if "not supported by Weir" in message or "not supported here" in message or "by Weir; leave" in message:
                yield source.name, message


def names(message):
    """Members are written as AWS writes them: two words at least, without a space."""
    return set(re.findall(r"\b[A-Za-z][a-z]+(?:[A-Z]+[a-z]*)+\b", message))


@pytest.mark.parametrize("service", SERVICES)
def test_members_called_unsupported_are_listed(service):
    spec = json.loads((ROOT / "spec" / (service + ".json")).read_text(encoding="utf-8"))
    page = " ".join(row["says"] for row in spec.get("refused", []))
    members = {m for s in spec["shapes"].values() for m in s.get("members", {})}
    missing = [(file, name) for file, message in messages(service) for name in names(message) & members if name not in page]
    assert not missing
