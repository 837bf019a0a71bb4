"""A file system that is read-only but for the folders of WRITABLE, as far as Python writes.

Whatever runs with this folder on its PYTHONPATH gets the error that such a system gives; REFUSED tells what it tried.
"""

import errno
import os
import sys
from pathlib import Path

WRITABLE = tuple(os.path.realpath(folder) for folder in (*os.environ["WRITABLE"].split(os.pathsep), "/dev", "/proc"))
REFUSED = Path(os.environ["REFUSED"])
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.link", "os.truncate", "os.chmod")


def watch(event: str, given: tuple) -> None:
    writes = event in CHANGES or (event == "open" and given[2] & WRITES)
    if not writes or not isinstance(given[0], str | bytes | os.PathLike):
        return
    path = os.path.realpath(os.fsdecode(given[0]))
    if path.startswith(WRITABLE) or path == str(REFUSED):
        return
    if "__pycache__" not in path:  # Python itself does without
        with REFUSED.open("a") as log:
            print(event, path, file=log)
    raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)


sys.addaudithook(watch)
