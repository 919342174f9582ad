"""Documents that are generated are current, and links between documents lead somewhere."""
import os
import re
import subprocess

from weirtest import ROOT, find_binary


def test_command_line_page_is_current():
    done = subprocess.run([find_binary(), "help"], capture_output=True, text=True)
    with open(os.path.join(ROOT, "docs", "reference", "command-line.md")) as f:
        assert done.stdout.strip() in f.read(), "run `make docs`"


def documents():
    for folder, subfolders, files in os.walk(ROOT):
        subfolders[:] = [s for s in subfolders if s not in (".git", "build", "node_modules", ".weir")]
        yield from (os.path.join(folder, f) for f in files if f.endswith(".md"))


def test_links_lead_somewhere():
    broken = []
    for path in documents():
        with open(path) as f:
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", f.read()):
                if "://" not in target and not os.path.exists(os.path.join(os.path.dirname(path), target)):
                    broken.append(f"{os.path.relpath(path, ROOT)}: {target}")
    assert not broken


def test_every_source_folder_explains_itself():
    missing = []
    for top in ("src", "src/svc"):
        for name in os.listdir(os.path.join(ROOT, top)):
            folder = os.path.join(ROOT, top, name)
            if os.path.isdir(folder) and name != "svc" and not os.path.exists(os.path.join(folder, "README.md")):
                missing.append(f"{top}/{name}")
    assert not missing
