#!/usr/bin/env python3
"""Checks what a tool can check about the tree, so that review need not: which folder may include
which, headers that compile alone, banned functions, the size of files, formatting.

Prints one line a finding and exits 1 when there is any. `--root DIR` checks another tree (its own
test uses that); `--no-compile` and `--no-format` leave the slow parts out.
"""
import argparse
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
    "io": ["base"],
    "fetch": ["base", "io"],
    "http": ["base", "io"],
    "kv": ["base"],
    "auth": ["base", "codec"],
    "core": ["base", "codec", "wire", "lang", "io", "http", "fetch", "kv", "auth"],
    "deliver": ["base", "codec", "wire", "lang", "io", "http", "fetch", "kv", "auth", "core"],
    "sandbox": ["base", "codec", "wire", "lang", "io", "http", "kv", "auth", "core"],
    "svc": ["base", "codec", "wire", "lang", "io", "http", "fetch", "kv", "auth", "core", "deliver", "sandbox"],
    "cli": ["base", "codec"],
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
    ap.add_argument("--gen", default="", help="folder of the generated headers")
    ap.add_argument("--no-compile", action="store_true")
    ap.add_argument("--no-format", action="store_true")
    args = ap.parse_args()
    root = os.path.abspath(args.root)
    found = []
    names = files(root)
    for name in names:
        with open(os.path.join(root, name), encoding="utf-8") as f:
            text = f.read()
        if name.startswith("src/"):
            found += check_includes(name, text, None)
        if not name.startswith("tests/"):
            found += check_words(name, text)
        found += check_size(name, text)
        found += check_text(name, text)
    if not args.no_compile:
        headers = [n for n in names if n.endswith(".h") and n.startswith(("src/", "runtime/"))]
        if not args.gen:  # headers that use generated ones need them
            headers = [h for h in headers if not h.startswith("src/svc/") or h.endswith("_port.h")]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found += [r for r in pool.map(lambda h: compile_header(root, h, args.gen), headers) if r]
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
