"""Standard descriptors belong to the function: whoever opens them by name, as nginx and many loggers do, writes to the log."""

import pytest
from package import Entry, deploy, make_archive, make_zip, run_script, shell_bootstrap
from test_parked import AHEAD, EXECUTED
from test_templates import start, templating  # noqa: F401

from daemon import wait_until

NAMES = ["/dev/stdout", "/dev/stderr", "/dev/fd/1", "/dev/fd/2", "/proc/self/fd/1", "/proc/self/fd/2"]

# To write, to append, to write after truncating, to read and write: each as some logger has it.
PYTHON = """
import os, subprocess, time

def write(path, flags, text):
    file = os.open(path, flags, 0o644)
    os.write(file, (text + "\\n").encode())
    os.close(file)

def handler(event, context):
    mark = event["mark"]
    modes = [os.O_WRONLY, os.O_WRONLY | os.O_APPEND | os.O_CREAT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, os.O_RDWR]
    for path in NAMES:
        for mode in modes:
            write(path, mode, f"{mark} {path} {mode}")
    subprocess.run(["/bin/sh", "-c", f"echo {mark} child > /dev/stderr; echo {mark} child >> /proc/self/fd/1"], check=True)
    print("end of", mark, flush=True)
    return len(NAMES) * len(modes) + 2
""".replace("NAMES", str(NAMES))

NODE = """
const fs = require("fs"), { constants: c } = fs, { execSync } = require("child_process");
exports.handler = async ({ mark }) => {
  const modes = [c.O_WRONLY, c.O_WRONLY | c.O_APPEND | c.O_CREAT, c.O_WRONLY | c.O_CREAT | c.O_TRUNC, c.O_RDWR];
  for (const path of NAMES) for (const mode of modes) {
    const file = fs.openSync(path, mode);
    fs.writeSync(file, `${mark} ${path} ${mode}\\n`);
    fs.closeSync(file);
  }
  execSync(`echo ${mark} child > /dev/stderr; echo ${mark} child >> /proc/self/fd/2`, { stdio: "inherit" });
  console.log("end of", mark);
  return NAMES.length * modes.length + 2;
};
""".replace("NAMES", str(NAMES))

SOURCES = {"python3.11": {"own.py": PYTHON}, "nodejs20.x": {"own.js": NODE}}


def check(function, mark, expected):
    """Everything that was written with this mark is in the log, once, each as a line of its own."""
    wait_until(lambda: any(f"end of {mark}\n" in message for message in function.messages()), 10, "the last line is logged")
    lines = [message for message in function.messages() if message.startswith(f"{mark} ")]
    assert len(lines) == expected, lines


@pytest.mark.parametrize("runtime", SOURCES)
class TestInterpreters:
    def deploy(self, daemon, runtime, environment):
        variables = {"Variables": environment}
        return deploy(daemon, "own.handler", runtime, package=make_zip(SOURCES[runtime]), Environment=variables)

    @pytest.mark.parametrize("ahead", [True, False], ids=["parked", "executed"])
    def test_open_them_by_name(self, daemon, runtime, ahead):
        environment = {} if ahead else {EXECUTED[runtime]: "1"}

        def started():
            function = self.deploy(daemon, runtime, environment)
            kind, count = start(function, {"mark": "mark"})
            return (function, count) if (kind in AHEAD) == ahead else None

        function, count = wait_until(started, 30, f"a start of {runtime}, ahead: {ahead}")
        check(function, "mark", count)
        assert start(function, {"mark": "again"})[1] == count
        check(function, "again", count)

    def test_open_them_by_name_in_restored_copies(self, templating, runtime):  # noqa: F811
        slow = {"own.py": PYTHON + "\ntime.sleep(0.3)\n", "own.js": NODE + "\nconst until = Date.now() + 300; while (Date.now() < until);\n"}
        files = {name: slow[name] for name in SOURCES[runtime]}
        function = deploy(templating, "own.handler", runtime, package=make_zip(files), MemorySize=256)
        kind = None
        for number in range(60):
            mark = f"mark-{number}"
            kind, count = start(function, {"mark": mark})
            if kind == "template":
                break
        assert kind == "template"
        check(function, mark, count)


class TestShell:
    SCRIPT = "".join(f"echo mark {name} > {name}; echo mark {name} >> {name}; exec 7<>{name}; echo mark 7 >&7;" for name in NAMES)

    def test_opens_them_by_name(self, deploy):
        package = make_archive(Entry("bootstrap", b"#!/bin/sh\n" + self.SCRIPT.encode() + b"echo end of mark\n" + shell_bootstrap(), 0o100755))
        function = deploy("any", "provided.al2023", package=package)
        assert run_script(function, "echo ran") == "ran\n"
        check(function, "mark", 3 * len(NAMES))

    def test_but_not_those_of_others(self, deploy):
        """The first process of a sandbox is not the function's."""
        function = deploy("any", "provided.al2023", package=make_archive(Entry("bootstrap", shell_bootstrap(), 0o100755)))
        said = run_script(function, "for n in 0 1 2; do echo x > /proc/1/fd/$n; done; echo done")
        assert said.count("No such file or directory") + said.count("Permission denied") == 3 and said.endswith("done\n"), said

    def test_of_processes_that_are_left_behind_stay_open(self, deploy):
        """A server started in the background logs by name as long as it runs."""
        function = deploy("any", "provided.al2023", package=make_archive(Entry("bootstrap", shell_bootstrap(), 0o100755)))
        background = "mkfifo /tmp/go; (read < /tmp/go; echo mark late > /dev/stderr; echo end of mark > /dev/stdout) > /proc/$$/fd/1 2>&1 & echo started"
        run_script(function, background)
        run_script(function, "echo > /tmp/go; echo told")
        check(function, "mark", 1)
