"""Makes a function package: package.py OUT.zip NAME=FILE... The same files give the same bytes, so
that a redeploy can see that nothing changed: fixed time, fixed order, fixed modes."""
import sys
import zipfile

FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def main():
    out, entries = sys.argv[1], sorted(arg.split("=", 1) for arg in sys.argv[2:])
    with zipfile.ZipFile(out, "w") as package:
        for name, path in entries:
            info = zipfile.ZipInfo(name, FIXED_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # Unix: the mode below counts
            info.external_attr = 0o100755 << 16
            with open(path, "rb") as source:
                package.writestr(info, source.read(), compresslevel=9)


main()
