"""P4 as a test: every member that a client can send is read by somebody, or listed in unread_members.txt
with the reason why it need not be.

The generated headers are written once more with a mark on each member of an input; the compiler then
tells every place that reads one. A member that nobody reads would be taken and ignored in silence.
"""
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
ALLOWED = Path(__file__).resolve().parent / "unread_members.txt"
SPECS = sorted((ROOT / "spec").glob("*.json"))
sys.path[:0] = [str(ROOT / "gen")]

import gen  # noqa: E402

MARK = "member-read "


def marked(g):
    """The header with a mark on each member of a structure that an input can hold."""
    out, struct = [], None
    inputs = {"%s_%s" % (g.prefix, gen.snake(n)): n for n in g.order
              if g.kind(n) == "STRUCT" and "in" in g.uses[n]}
    for line in g.header().splitlines():
        opened = re.fullmatch(r"struct (\w+) \{", line)
        if opened:
            struct = inputs.get(opened.group(1))
        member = re.fullmatch(r"    (.*[ *])(\w+);", line)
        if struct and member:  # who looks at has_x knows of x
            line = '    %s%s __attribute__((deprecated("%s%s.%s")));' % (
                member.group(1), member.group(2), MARK, struct, member.group(2).removeprefix("has_"))
        elif line == "};":
            struct = None
        out.append(line)
    return "\n".join(out) + "\n"


def own_names(text):
    """What a source file defines for itself: what another of the same compilation must not define again."""
    names = re.findall(r"^static\b[^=;(\[]*?(\w+)(?: =|\[|\(|;)", text, re.M)
    names += re.findall(r"^\s*#\s*define (\w+)", text, re.M)
    names += re.findall(r"^(?:typedef |static |const )*(?:struct|union|enum) (\w+)(?=[\s\w]*(?:\[\w*\] = )?\{)", text, re.M)
    for body in re.findall(r"^(?:typedef |static )*enum[^;{()]*\{([^}]*)\}", text, re.M):
        names += re.findall(r"\b[A-Z_]\w+", body)
    return set(names)


def together(sources):
    """The sources in groups that compile as one, for most of a compilation is headers. None is in a group where
    its own names are taken."""
    groups = []
    for source in sources:
        names = own_names(source.read_text(encoding="utf-8"))
        for group, taken in groups:
            if len(group) < 20 and not names & taken:
                group.append(source)
                taken |= names
                break
        else:
            groups.append(([source], names))
    return [group for group, _ in groups]


def reads(sources, include):
    """Members that source files touch, as Shape.c_name."""
    text = "".join('#include "%s"\n' % source for source in sources)
    done = subprocess.run(
        ["cc", "-std=gnu11", "-D_GNU_SOURCE", '-DWEIR_VERSION="0"', "-fsyntax-only", "-fmax-errors=3",
         "-I" + str(include), "-I" + str(ROOT / "src"), "-xc", "-"], input=text, capture_output=True, text=True)
    if done.returncode != 0 and len(sources) > 1:  # a name that one of them has from a header is another's own
        half = len(sources) // 2
        return reads(sources[:half], include) | reads(sources[half:], include)
    assert done.returncode == 0, done.stderr[-2000:]
    return set(re.findall(MARK + r"([\w/]+\.\w+)", done.stderr))


def by_name(source):
    """Members that a file reads by AWS's name."""
    return set(re.findall(r'wire_input_str\([^;]*?STR\("([\w.]+)"\)', source.read_text(encoding="utf-8")))


def unread(g, seen, named):
    """Shape.Member of every input's member that nobody reads, below what is read."""
    out, todo, done = [], [(name + "Input", True) for name, _, _, _ in g.ops], set()
    while todo:
        shape, top = todo.pop()
        if shape in done or g.kind(shape) not in ("STRUCT", "LIST", "MAP"):
            continue
        done.add(shape)
        for owner, name, member in g.shape_members(shape):
            if owner and "%s.%s" % (shape, gen.snake(name)) not in seen and not (top and name in named):
                out.append("%s.%s.%s" % (g.prefix, shape.partition("/")[0], name))
            else:
                todo.append((member["shape"], False))
    return out


def allowed():
    rows = {}
    for line in ALLOWED.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, reason = line.partition(" ")
            assert reason.strip(), "no reason: " + line
            assert name not in rows, "twice: " + name
            rows[name] = reason.strip()
    return rows


@pytest.fixture(scope="module")
def all_unread(tmp_path_factory):
    include = tmp_path_factory.mktemp("marked")
    gens = [gen.Gen(json.loads(p.read_text(encoding="utf-8"))) for p in SPECS]
    for g in gens:
        (include / (g.prefix + "_api.h")).write_text(marked(g), encoding="utf-8")
    out = []
    for g in gens:
        sources = sorted((ROOT / "src" / "svc" / g.prefix).glob("*.c"))
        with ThreadPoolExecutor(2) as pool:
            seen = set().union(*pool.map(lambda group: reads(group, include), together(sources)))
        out += unread(g, seen, set().union(*map(by_name, sources)))
    return sorted(out)


def test_every_member_is_read_or_listed(all_unread):
    patterns = list(allowed())
    missing = [m for m in all_unread if not any(fnmatchcase(m, p) for p in patterns)]
    assert not missing, "nobody reads:\n" + "\n".join(missing)


def test_list_is_current(all_unread):
    stale = [p for p in allowed() if not any(fnmatchcase(m, p) for m in all_unread)]
    assert not stale, "listed, but read or gone:\n" + "\n".join(stale)
