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
    "src/base/alone.h": ("struct str f(void);\nunknown_t g;\n", "does not compile alone"),
}
GOOD = {
    "src/svc/s3/port.c": '#include "svc/sqs/sqs_port.h"\n#include "svc/s3/s3_int.h"\n',
    "src/main/all.c": '#include "kv/drv_rocksdb/kv_rocksdb.h"\n',
    "src/base/words.c": '/* strcpy( */\nconst char *s = "sleep(1)";\nvoid x_free(void *p);\n',
}


def run(root, *more):
    return subprocess.run([sys.executable, TIDY, "--root", str(root), "--no-format", *more],
                          capture_output=True, text=True)


def test_each_finding(tmp_path):
    for name, (text, want) in BAD.items():
        root = tmp_path / name.replace("/", "_")
        path = root / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
        done = run(root)
        assert done.returncode == 1 and want in done.stdout, (name, done.stdout)


def test_no_false_findings(tmp_path):
    for name, text in GOOD.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout


def test_the_tree_is_clean():
    gen = os.environ.get("WEIR_BUILD", "")
    gen = os.path.join(gen, "gen") if gen else os.path.join(ROOT, "build", "gen")
    done = subprocess.run([sys.executable, TIDY, "--gen", os.path.abspath(gen)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
