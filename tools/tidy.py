#!/usr/bin/env python3
"""Checks what a tool can check about the tree, so that review need not: which folder may include
which, circles among the files of a folder, headers that compile alone, banned functions, names that
comments cite, letters of invariants, prefixes of global names, the size of files, formatting.

Prints one line a finding and exits 1 when there is any. `--root DIR` checks another tree (its own
test uses that); `--no-compile` and `--no-format` leave the slow parts out; `--build DIR` names a
build, whose generated headers let all headers compile and whose libraries show the circles.
"""
import argparse
import glob
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

# Folder under src/ -> folders it may include besides itself. Arrows of ARCHITECTURE.md.
LAYERS = {
    "base": [],
    "codec": ["base"],
    "wire": ["base", "codec"],
    "lang": ["base", "codec"],
    "template": ["base", "codec", "lang"],
    "io": ["base"],
    "fetch": ["base", "io"],
    "http": ["base", "io"],
    "net": ["base", "io", "fetch", "http"],
    "kv": ["base", "codec"],
    "auth": ["base", "codec"],
    "core": ["base", "codec", "wire", "lang", "io", "http", "fetch", "kv", "auth"],
    "deliver": ["base", "codec", "wire", "lang", "io", "http", "fetch", "kv", "auth", "core"],
    "sandbox": ["base", "codec", "wire", "lang", "io", "http", "fetch", "net", "kv", "auth", "core"],
    "svc": ["base", "codec", "wire", "lang", "template", "io", "http", "fetch", "kv", "auth", "core", "deliver", "sandbox"],
    "cli": ["base", "codec", "auth"],
    "main": None,  # the composition root may include everything
}

BANNED = {
    "strcpy": "memcpy with a known length", "strcat": "buf_add", "sprintf": "snprintf or str_fmt",
    "vsprintf": "vsnprintf", "gets": "fgets", "atoi": "str_to_i64", "atol": "str_to_i64",
    "atof": "str_to_f64", "strtok": "str_cut", "alloca": "the arena", "sleep": "a timer",
    "usleep": "a timer", "nanosleep": "a timer", "rand": "rng_u64", "srand": "rng_seed",
    "setjmp": "error codes", "longjmp": "error codes",
}
# Only these files may call the world directly; everybody else goes through base.
WORLD = {
    "malloc": "src/base/mem.c", "calloc": "src/base/mem.c", "realloc": "src/base/mem.c",
    "free": "src/base/mem.c", "time": None, "clock_gettime": "src/base/clock.c",
    "gettimeofday": None, "getrandom": "src/base/rng.c",
}
LINES_MAX = 1500


def strip_comments_and_strings(text):
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)


def strip_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)


def includes(text):
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', text, flags=re.M)


def check_includes(path, text, services):
    parts = path.split("/")
    layer = parts[1]
    if layer not in LAYERS:
        yield f"{path}: folder src/{layer} has no row in the table of layers"
        return
    allowed = LAYERS[layer]
    for inc in includes(text):
        if allowed is None or "/" not in inc:
            continue
        target = inc.split("/")[0]
        if target == layer and layer != "svc":
            continue
        if layer == "svc" and target == "svc":
            if inc.split("/")[1] == parts[2] or inc.endswith("_port.h"):
                continue
            yield f"{path}: a service reaches another only through its port, not {inc}"
        elif target not in allowed:
            yield f"{path}: src/{layer} must not include {inc}"
        elif target == "kv" and len(inc.split("/")) > 2:
            yield f"{path}: drivers of the store are named by src/main only, not {inc}"


def check_words(path, text):
    code = strip_comments_and_strings(text)
    for number, line in enumerate(code.split("\n"), 1):
        for word in re.findall(r"(?<![\w.>])([a-z_]+)\s*\(", line):
            if word in BANNED:
                yield f"{path}:{number}: {word} is banned, use {BANNED[word]}"
            if word in WORLD and path.startswith("src/") and path != WORLD[word]:
                yield f"{path}:{number}: {word} belongs to {WORLD[word] or 'src/base/clock.c'}"


def check_size(path, text):
    lines = text.count("\n")
    if lines > LINES_MAX:
        yield f"{path}: {lines} lines, over {LINES_MAX}: split it"


def check_text(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if line.rstrip() != line:
            yield f"{path}:{number}: white space at the end of the line"
        if "\t" in line and path.endswith((".c", ".h")):
            yield f"{path}:{number}: tab"
        if re.search(r"\b(TODO|FIXME|XXX)\b", line):
            yield f"{path}:{number}: finish it or write it down in ARCHITECTURE.md"


# Words in comments that look like names of the tree and are not.
NOT_NAMES = re.compile(r"no_new_privs|close_notify|x_\w+(\.[ch])?")  # x: any service


def check_citations(root, sources, names, build):
    """A name or file that a comment cites must exist somewhere outside comments."""
    known = set()
    known_files = {os.path.basename(n) for n in names}
    texts = [strip_comments(t) for t in sources.values()]
    for path in glob.glob(os.path.join(root, "spec", "*.json")):
        with open(path, encoding="utf-8") as f:
            texts.append(f.read())
    for path in glob.glob(os.path.join(build, "gen", "*.[ch]")) if build else []:
        with open(path, encoding="utf-8") as f:
            texts.append(f.read())
        known_files.add(os.path.basename(path))
    for text in texts:
        known.update(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", text))
    for path, text in sources.items():
        if not path.startswith("src/"):
            continue
        for comment in re.finditer(r"/\*.*?\*/|//[^\n]*", text, flags=re.S):
            cited = re.findall(r"(?<![\w./<-])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w*<-]|\.\w)", comment.group())
            wrong = [w for w in cited if w not in known]
            cited = re.findall(r"(?<![\w./])([a-z][a-z0-9_]*\.[ch])\b", comment.group())
            wrong += [w for w in cited if w not in known_files]
            for w in wrong:
                if not NOT_NAMES.fullmatch(w):
                    line = text.count("\n", 0, comment.start() + comment.group().find(w)) + 1
                    yield f"{path}:{line}: the comment cites {w}, which is not there"


def check_invariants(sources):
    """The letters of numbered invariants belong to one file each."""
    owner = {}
    for path, text in sorted(sources.items()):
        if not path.startswith("src/"):
            continue
        for letters in sorted(set(re.findall(r"^ \*   ([A-Z]{1,3})[0-9]+ ", text, flags=re.M))):
            first = owner.setdefault(letters, path)
            if first != path:
                yield f"{path}: invariants {letters} are those of {first}"


# Folders whose files each have a name of their own as prefix (arena_, buf_, policy_): the layers
# that read as a library. In all others a global name carries the folder's.
OWN_PREFIXES = {"base", "codec", "kv", "kv_drv_rocksdb", "kv_drv_fault", "auth", "core", "cli", "lang",
                "deliver", "services"}


# Parts of a folder that is several modules; their names say which.
PART_PREFIXES = {"svc_cloudformation": {"cfn", "type"}, "svc_cloudwatch": {"cw"}, "svc_logs": {"filter"},
                 "template": {"tpl", "sam"},
                 "svc_apigateway": {"serve", "integrate", "map", "auth", "usage", "openapi", "keys", "domain"}}


def symbols(library):
    """Object -> (defined, needed) global names of a static library."""
    done = subprocess.run(["nm", "-A", library], capture_output=True, text=True)
    objects = {}
    for line in done.stdout.splitlines():
        _, obj, rest = line.split(":", 2)
        kind, name = rest.split()[-2:]
        # The generated tables name the handlers that include them.
        if obj.endswith("_api.c.o") or not kind.isupper():
            continue
        defined, needed = objects.setdefault(obj[:-2], (set(), set()))
        (needed if kind == "U" else defined).add(name)
    return objects


def circles(edges):
    """Groups of nodes that reach each other (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(v):
        index[v] = low[v] = len(index)
        stack.append(v)
        for w in edges[v]:
            if w not in index:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in stack:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            group = stack[stack.index(v):]
            del stack[stack.index(v):]
            if len(group) > 1:
                found.append(sorted(group))

    for v in edges:
        if v not in index:
            visit(v)
    return found


def check_library(library):
    """Files of a folder form a DAG, and its global names carry its prefix."""
    folder = os.path.basename(library)[len("libweir_"):-len(".a")]
    objects = symbols(library)
    home = {name: obj for obj, (defined, _) in objects.items() for name in defined}
    edges = {obj: {home[n] for n in needed if n in home and home[n] != obj}
             for obj, (_, needed) in objects.items()}
    for group in circles(edges):
        yield f"src/{folder}: {', '.join(group)} form a circle: " + "; ".join(
            f"{a} needs {n} of {b}" for a in group for b in group if a != b
            for n in sorted(objects[a][1] & objects[b][0])[:1])
    if folder in OWN_PREFIXES:
        return
    # A service may also use the short form of its name that its files have.
    prefixes = {folder.removeprefix("svc_").split("_")[0]}
    if folder == "svc_dynamodb":
        prefixes.add("ddb")
    prefixes |= PART_PREFIXES.get(folder, set())
    for name in sorted(home):
        if name.split("_")[0] not in prefixes and not name.startswith("__"):
            yield f"src/{folder}: global name {name} of {home[name]} lacks the folder's prefix"


def first_include(name, text):
    """The header of the tree that a file includes before all else, as a path from the root."""
    m = re.search(r'^#include ([<"])([^">]+)', text, re.M)
    if not m or m.group(1) == "<":
        return None
    beside = os.path.normpath(os.path.join(os.path.dirname(name), m.group(2)))
    return beside if os.path.dirname(m.group(2)) == "" else "src/" + m.group(2)


def compile_header(root, path, gen):
    cmd = ["cc", "-std=gnu11", "-D_GNU_SOURCE", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
           "-Wno-unused-parameter", "-Wno-unused-function", "-x", "c", "-I", "src", "-I", "runtime/c"]
    if gen:
        cmd += ["-I", gen]
    cmd += ["-include", path, "/dev/null"]
    done = subprocess.run(cmd, cwd=root, capture_output=True, text=True)
    if done.returncode:
        first = done.stderr.strip().split("\n")[0]
        return f"{path}: does not compile alone: {first}"
    return None


def files(root):
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root,
                            capture_output=True, text=True)
    if listed.returncode == 0:
        names = listed.stdout.split("\n")
    else:
        names = [os.path.relpath(os.path.join(d, f), root) for d, _, fs in os.walk(root) for f in fs]
    return sorted(n for n in names if n.endswith((".c", ".h")) and os.path.exists(os.path.join(root, n)))


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    ap.add_argument("--build", default="", help="build folder: generated headers, libraries")
    ap.add_argument("--no-compile", action="store_true")
    ap.add_argument("--no-format", action="store_true")
    args = ap.parse_args()
    root = os.path.abspath(args.root)
    found = []
    names = files(root)
    gen = os.path.join(os.path.abspath(args.build), "gen") if args.build else ""
    sources = {}
    for name in names:
        with open(os.path.join(root, name), encoding="utf-8") as f:
            text = sources[name] = f.read()
        if name.startswith("src/"):
            found += check_includes(name, text, None)
        if not name.startswith("tests/"):
            found += check_words(name, text)
        found += check_size(name, text)
        found += check_text(name, text)
    found += check_citations(root, sources, names, args.build)
    found += check_invariants(sources)
    for library in sorted(glob.glob(os.path.join(args.build, "libweir_*.a"))) if args.build else []:
        found += check_library(library)
    if not args.no_compile:
        headers = [n for n in names if n.endswith(".h") and n.startswith(("src/", "runtime/"))]
        if not gen:  # headers that use generated ones need them
            headers = [h for h in headers if not h.startswith("src/svc/") or h.endswith("_port.h")]
        else:  # what a source of the build begins with was compiled alone by it
            begun = {first_include(n, t) for n, t in sources.items() if n.endswith(".c") and n.startswith("src/")}
            headers = [h for h in headers if h not in begun]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found += [r for r in pool.map(lambda h: compile_header(root, h, gen), headers) if r]
    if not args.no_format and names:
        done = subprocess.run(["clang-format", "--dry-run", "-Werror", *names], cwd=root,
                              capture_output=True, text=True)
        seen = {m.group(1) for m in re.finditer(r"^(\S+?):\d+:\d+: (?:error|warning)", done.stderr, re.M)}
        found += [f"{n}: not formatted, run `make format`" for n in sorted(seen)]
    for line in found:
        print(line)
    print(f"tidy: {len(names)} files, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
