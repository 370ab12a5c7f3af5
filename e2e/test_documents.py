"""Every command line that the documents show is typed in a terminal of 80 columns, or it says here why that cannot be."""

import os
import re

import pytest

from daemon import HEARTH, ROOT, RUNTIMES, free_port
from terminal import CTRL_C, Terminal
from test_cli import AWS

DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md"))))
A_COMMAND = re.compile(r"(hearth|make|cargo|aws|export|target/release/\S+|scripts/\S+|\.tools/\S+) \S")
OPERATOR = "export HEARTH_OPERATOR_KEY_ID=OPERATOR HEARTH_OPERATOR_SECRET=choose-a-long-one"

# Beside a daemon without keys, in this order: the line, and what is shown. `Ctrl-C`: it goes on until then.
PLAIN = [
    ("hearth runtime add provided.al2023", r"ready provided\.al2023"),
    ("hearth runtime add python3.11 nodejs20.x", r"ready python3\.11 \(3\.11\.\d+\)\n(.*\n)*ready nodejs20\.x \(20\.[\d.]+\)"),
    ("hearth doctor", r"good +kernel: Linux (.*\n)+good +daemon: answers at"),
    ("hearth deploy DIR", r"deployed app \(python3\.11, 128 MB\)\. Call it: hearth invoke app"),
    ("hearth invoke app '{\"number\": 21}'", r'\w+ \(first\): queue [\d.]+, sandbox [\d.]+, init [\d.]+, run [\d.]+ ms\n{"answer": 42}'),
    ("hearth logs -f app", r"called with {'number': 21}(.*\n)+REPORT RequestId", "Ctrl-C"),
    ("hearth deploy --watch DIR", r"watching app; Ctrl-C ends", "Ctrl-C"),
    ("hearth deploy --help", r"Usage: hearth deploy (.*\n)+Examples:"),
    ("hearth config print", r'listen = "127\.0\.0\.1:4566"(.*\n)+\[node\]'),
    ("hearth top --once", r"places .*(.*\n)+FUNCTION +ACCOUNT"),
    ("hearth top --json --once", r'"sandboxes"'),
    ("hearth top", r"FUNCTION", "Ctrl-C"),
    ("hearth sim --trace TRACE", r"fixed:600"),
]
# Beside the daemon of README's configuration, as its operator.
GUARDED = [
    (OPERATOR, ""),
    ("hearth account create 210987654321 --name shop", r"\n210987654321\n"),
    ("hearth key create --account 210987654321", r"export AWS_ACCESS_KEY_ID=(AKIA\w+)\nexport AWS_SECRET_ACCESS_KEY=\S+\n"),
    ("hearth key rotate AKIA... --keep 2h", r"export AWS_ACCESS_KEY_ID=AKIA\w+\nexport AWS_SECRET_ACCESS_KEY=\S+\nAKIA\w+ goes on until \d{4}-"),
    ("hearth key delete AKIA...", r"deleted AKIA\w+"),
    ("hearth key list", r"AKIA\w+ .*210987654321"),
    ("hearth capacity policy 123456789012 --spread 1:3", r'"min": 1'),
    ("hearth pool set archive --frequency rare", r'"frequency": "rare"'),
    ("hearth pool set gold --kind dedicated --account 123456789012", r'"kind": "dedicated"'),
    ("hearth capacity add share-1 --memory 4096 --pool gold --lease 8h", r'"memory_mib": 4096'),
    ("hearth capacity policy 123456789012 --shortage borrow:general wait:30 reject", r'"borrow:general",\s+"wait:30",\s+"reject"'),
    ("hearth capacity reclaim share-1 --in 2m", r"share-1"),
    ("hearth capacity log", r"archive(.*\n)+.*share-1"),
    ("hearth top", r"FUNCTION", "Ctrl-C"),
]
# In a clone that is built.
CLONE = [
    ("make build", r"Finished `release` profile"),
    ('export PATH="$PWD/target/release:$PATH"', ""),
    ("hearth --version", r"hearth \d+\.\d+"),
    ("make demo", r"serving on http://127\.0\.0\.1:\d+ until Ctrl-C", "Ctrl-C"),
    ("DEMO_ONCE=1 make demo", r"hello-python +python3(.*\n)+.*hello-node +nodejs(.*\n)+.*hello-rust +provided"),
]
BESIDE_THE_SUITE = "the gate runs it beside these tests"
NOT_TYPED = {
    "make test": "these tests are part of it",
    "make fmt lint": BESIDE_THE_SUITE,
    "cargo clippy -p hearth-engine --all-targets": BESIDE_THE_SUITE,
    "cargo nextest run -p hearth-sandbox": BESIDE_THE_SUITE,
    "cargo xtask rooms": BESIDE_THE_SUITE,
    "cargo xtask members": BESIDE_THE_SUITE,
    "cargo xtask models": BESIDE_THE_SUITE,
    "cargo xtask reference": BESIDE_THE_SUITE,
    "hearth runtime add NAME...": "is typed with names",
    ".tools/venv/bin/pytest e2e -k streaming": BESIDE_THE_SUITE,
    "make fuzz FUZZ_SECONDS=60": "takes a minute for each target, after a build of its own",
    "make simulate": "takes many minutes",
    "make sim": "takes many minutes; `hearth sim` is typed",
    "make bench": "takes many minutes, and the machine for itself",
    "target/release/hearth-bench --against OTHER": "is built by `make bench`",
}  # fmt: skip


def joined(text):
    """A code span may be broken over two lines of its paragraph."""
    return re.sub(r"\s+", " ", text).strip()


def command_lines():
    lines = set()
    for name in DOCUMENTS:
        text = (ROOT / name).read_text()
        if name == "README.md":
            # Typed by test_readme.py.
            first = re.search(r"## Your AWS tools.*?```sh\n(.*?)```", text, re.DOTALL)
            text = text[: first.start(1)] + text[first.end(1) :]
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
            lines |= {re.sub(r"\s+#.*", "", line).strip() for line in block.splitlines()} - {""}
        prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        lines |= {joined(code) for code in re.findall(r"`([^`]+)`", prose) if A_COMMAND.match(joined(code))}
    return lines


def example(page):
    """The configuration that a page shows."""
    (block,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)
    return block


class Shell:
    """bash as somebody types into it."""

    def __init__(self, directory, **variables):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "HEARTH_"))}
        environment |= {"PATH": f"{HEARTH.parent}:{AWS.parent}:{environment['PATH']}", "PS1": "[$?] ready: "} | variables
        self.terminal = Terminal("bash", "--norc", "-i", columns=80, cwd=directory, environment=environment)

    def __enter__(self):
        self.terminal.wait_for(r"\[0\] ready: $")
        return self

    def __exit__(self, *broken):
        self.terminal.__exit__(*broken)

    def type(self, line, expected, end=None):
        """Types it and reads what is shown, to the next prompt; with `Ctrl-C` once the expected is there."""
        before = len(self.terminal.screen)
        self.terminal.type(line)
        if end == "Ctrl-C":
            self.terminal.wait_for(expected, 60, since=before)
            self.terminal.press(CTRL_C)
        self.terminal.wait_for(r"\[\d+\] ready: $", 100, since=before)
        shown = self.terminal.screen[before:]
        assert re.search(expected, shown), f"{line}\nshould show {expected}\n{shown}"
        if end != "Ctrl-C":
            assert shown.endswith("[0] ready: "), shown
        return shown


def assert_narrow(shown):
    """The first line is what was typed."""
    wide = [line for line in shown.splitlines()[1:] if len(line) > 80]
    assert not wide, wide


def test_each_line_is_typed_or_says_why_not():
    typed = [line for session in (PLAIN, GUARDED, CLONE) for line, *_ in session]
    typed += ["hearth serve --config FILE", "hearth config check FILE"]
    lines = {re.sub(r"\bDIR$", "app", line) for line in command_lines()}
    typed = [re.sub(r"\bDIR$", "app", line) for line in typed]
    assert len(lines) > 40
    # What is named without its arguments is typed with some.
    is_typed = lambda line: any(f"{other} ".startswith(f"{line} ") for other in typed)
    assert not [line for line in lines if line not in NOT_TYPED and not is_typed(line)]
    assert not [line for line in NOT_TYPED if line not in lines], "no document shows it any more"


def test_beside_a_daemon_without_keys(own_daemon, tmp_path):
    daemon = own_daemon()
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "app.py").write_text("def handler(event, context):\n    print('called with', event)\n    return {'answer': event['number'] * 2}\n")
    trace = ROOT / "crates/sim/traces/az21_30_invocations_events.csv"
    with Shell(tmp_path, HEARTH_ENDPOINT=daemon.endpoint) as shell:
        for line, *what in PLAIN:
            typed = re.sub(r"\bDIR$", "app", line).replace("TRACE", str(trace))
            shown = shell.type(typed, *what)
            # Logs and JSON are as wide as they are, and what draws the screen anew has no lines.
            if not re.search("logs|json|config|top$", line):
                assert_narrow(shown)


def test_beside_the_daemon_of_its_configuration(tmp_path):
    port = free_port()
    buckets, capacity = example("deploying.md"), example("capacity.md")
    first = example("configuration.md").replace("127.0.0.1:4566", f"127.0.0.1:{port}").replace("/var/lib/hearth", str(tmp_path / "data"))
    (tmp_path / "hearth.toml").write_text(f'runtimes_dir = "{RUNTIMES}"\n{first}')
    (tmp_path / "buckets.toml").write_text(buckets)
    (tmp_path / "capacity.toml").write_text(capacity)
    with Shell(tmp_path, HEARTH_ENDPOINT=str(port)) as shell, Shell(tmp_path) as serving:
        for file in ("hearth.toml", "buckets.toml", "capacity.toml"):
            shell.type(f"hearth config check {file}", "is valid")
        serving.terminal.type("hearth serve --config hearth.toml")
        serving.terminal.wait_for("ready address")
        key = None
        for line, *what in GUARDED:
            shown = shell.type(line.replace("AKIA...", key or ""), *what)
            if found := re.search(r"AWS_ACCESS_KEY_ID=(\w+)", shown):
                key = found[1]
            if not re.search("log$|top$", line):
                assert_narrow(shown)
        serving.terminal.press(CTRL_C)
        serving.terminal.wait_for(r"stopped(.*\n)+\[0\] ready: $", 60)


@pytest.mark.skipif(HEARTH != ROOT / "target/release/hearth", reason="the program under test is not the clone's own")
def test_in_the_clone():
    with Shell(ROOT, PATH=os.environ["PATH"]) as shell:
        for line, *what in CLONE:
            shown = shell.type(line, *what)
            assert_narrow("" if line == "make build" else shown)
