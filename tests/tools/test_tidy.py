"""The tidy check finds what it says it finds, and the tree itself is clean."""
import os
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
TIDY = os.path.join(ROOT, "tools", "tidy.py")

BAD = {
    "src/base/up.c": ('#include "kv/kv.h"\n', "src/base must not include kv/kv.h"),
    "src/svc/s3/peek.c": ('#include "svc/sqs/sqs_int.h"\n', "only through its port"),
    "src/core/driver.c": ('#include "kv/drv_rocksdb/kv_rocksdb.h"\n', "named by src/main only"),
    "src/base/copy.c": ("void f(char *d) { strcpy(d, 0); }\n", "strcpy is banned"),
    "src/core/heap.c": ("void f(void *p) { free(p); }\n", "free belongs to src/base/mem.c"),
    "src/core/nap.c": ("void f(void) { sleep(1); }\n", "sleep is banned"),
    "src/odd/x.c": ("int x;\n", "no row in the table of layers"),
    "src/base/long.c": ("\n" * 1501, "split it"),
    "src/base/ws.c": ("int x; \n", "white space"),
    "src/base/later.c": ("/* TODO */\n", "finish it"),
    "src/kv/cite.h": ("/* See kv_no_such_thing. */\n", "cites kv_no_such_thing"),
    "src/kv/file.h": ("/* See no_such.c. */\n", "cites no_such.c"),
    "src/kv/two.h": ("/*\n *   Q1  One.\n */\n", "invariants Q are those of src/kv/one.h"),
    "src/base/alone.h": ("struct str f(void);\nunknown_t g;\n", "does not compile alone"),
}
GOOD = {
    "src/svc/s3/port.c": '#include "svc/sqs/sqs_port.h"\n#include "svc/s3/s3_int.h"\n',
    "src/main/all.c": '#include "kv/drv_rocksdb/kv_rocksdb.h"\n',
    "src/base/words.c": '/* strcpy( */\nconst char *s = "sleep(1)";\nvoid x_free(void *p);\n',
}


BESIDE = {"src/kv/two.h": ("src/kv/one.h", "/*\n *   Q1  One.\n *   Q2  Two.\n */\n")}


def run(root, *more):
    return subprocess.run([sys.executable, TIDY, "--root", str(root), "--no-format", *more],
                          capture_output=True, text=True)


def test_each_finding(tmp_path):
    for name, (text, want) in BAD.items():
        root = tmp_path / name.replace("/", "_")
        path = root / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
        if name in BESIDE:
            (root / BESIDE[name][0]).write_text(BESIDE[name][1])
        done = run(root)
        assert done.returncode == 1 and want in done.stdout, (name, done.stdout)


def library(path, sources):
    """A static library of C files, as the build makes them."""
    path.mkdir(parents=True)
    objects = []
    for name, text in sources.items():
        (path / name).write_text(text)
        objects.append(name + ".o")
        subprocess.run(["cc", "-c", name, "-o", name + ".o"], cwd=path, check=True)
    subprocess.run(["ar", "rcs", "libweir_svc_x.a", *objects], cwd=path, check=True)


def test_circles_and_prefixes(tmp_path):
    (tmp_path / "tree").mkdir()
    library(tmp_path / "round", {"a.c": "void x_b(void);\nvoid x_a(void) { x_b(); }\n",
                                 "b.c": "void x_a(void);\nvoid x_b(void) { x_a(); }\n"})
    done = run(tmp_path / "tree", "--build", str(tmp_path / "round"))
    assert done.returncode == 1 and "a.c, b.c form a circle" in done.stdout, done.stdout
    library(tmp_path / "names", {"a.c": "void stray(void) {}\n"})
    done = run(tmp_path / "tree", "--build", str(tmp_path / "names"))
    assert done.returncode == 1 and "stray of a.c lacks the folder's prefix" in done.stdout
    library(tmp_path / "good", {"a.c": "void x_b(void);\nvoid x_a(void) { x_b(); }\n",
                                "b.c": "void x_b(void) {}\n"})
    done = run(tmp_path / "tree", "--build", str(tmp_path / "good"))
    assert done.returncode == 0, done.stdout


def test_no_false_findings(tmp_path):
    for name, text in GOOD.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout


def test_the_tree_is_clean():
    build = os.path.abspath(os.environ.get("WEIR_BUILD") or os.path.join(ROOT, "build"))
    assert os.path.exists(os.path.join(build, "libweir_base.a")), "needs a build"
    done = subprocess.run([sys.executable, TIDY, "--build", build], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
