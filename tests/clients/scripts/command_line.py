"""DuckDB's command line: one session over its stdin; `command_line.py FILE PROGRAM`."""

import csv
import subprocess
import sys

from common import talk

END = "the-answer-is-over"


def open_():
    shell = subprocess.Popen(
        [sys.argv[2], "-readonly", "-csv", "-noheader", sys.argv[1]],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip

    def ask(sql):
        shell.stdin.write(f"{' '.join(sql.split())};\n.print {END}\n")
        shell.stdin.flush()
        lines = list(iter(lambda: shell.stdout.readline().rstrip("\n"), END))
        if any("Error" in line for line in lines):
            raise RuntimeError(" ".join(lines))
        return [tuple(row) for row in csv.reader(lines)]

    def close():
        shell.stdin.close()
        shell.wait(20)

    return ask, ask, close


told = subprocess.run([sys.argv[2], "--version"], capture_output=True, text=True, check=True)
talk({"duckdb CLI": told.stdout.split()[0].lstrip("v")}, open_)
