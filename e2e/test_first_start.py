"""The first start on somebody's machine: addresses, directories, users, disks and logs that are not as they should be."""

import os
import pwd
import shutil
import signal
import subprocess

import pytest

from daemon import HEARTH, free_port, wait_until
from terminal import CTRL_C, Terminal

NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user and mounts")


def serve(*arguments, before=(), **options):
    """A start that is to fail: what is said on standard error."""
    command = [str(part) for part in (*before, HEARTH, "serve", "--listen", str(free_port()), *arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, **options)
    assert done.returncode == 1 and "panicked" not in done.stderr, done
    return done.stderr


class running:
    """A start that is to succeed; ended with the block."""

    def __init__(self, tmp_path, *arguments, before=(), **options):
        self.port = free_port()
        self.file = tmp_path / "log"
        self.command = [str(part) for part in (*before, HEARTH, "serve", "--listen", str(self.port), *arguments)]
        self.options = options

    def __enter__(self):
        with open(self.file, "wb") as log:
            self.options.setdefault("stderr", log)
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, **self.options)
        wait_until(lambda: self.process.poll() is not None or self.answers(), 30, "it answers", self.file.read_text)
        assert self.process.poll() is None, self.file.read_text()
        return self

    def answers(self):
        command = [str(HEARTH), "functions", "--endpoint", str(self.port)]
        return subprocess.run(command, capture_output=True, timeout=60).returncode == 0

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(40) == 0
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()


@pytest.fixture
def shared(tmp_path_factory):
    """A directory that other users reach."""
    directory = tmp_path_factory.mktemp("shared")
    for above in [directory, *directory.parents[:-2]]:
        above.chmod(above.stat().st_mode | 0o055)
    return directory


class TestDataDirectory:
    def test_is_made_with_all_above_it(self, tmp_path):
        with running(tmp_path, "--data", tmp_path / "not" / "there yet"):
            assert (tmp_path / "not" / "there yet" / "store").is_dir()

    def test_that_is_a_file_or_lies_in_one_says_so(self, tmp_path):
        (tmp_path / "file").write_text("")
        told = serve("--data", tmp_path / "file")
        assert f"cannot use {tmp_path}/file as the data directory: it is not a directory" in told and "--data" in told
        assert "part of its path is not a directory" in serve("--data", tmp_path / "file" / "below")

    @needs_root
    def test_that_is_read_only_says_so(self, tmp_path):
        script = 'mount -t tmpfs none "$0" && mount -o remount,ro "$0" && exec "$@"'
        place = tmp_path / "place"
        place.mkdir()
        before = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, place]
        for directory in (place, place / "data"):
            assert "its file system is read-only" in serve("--data", directory, before=before)

    @needs_root
    def test_of_somebody_else_says_whose_it_is(self, shared):
        (shared / "theirs").mkdir()
        told = serve("--data", shared / "theirs", before=NOBODY)
        assert f"it belongs to user 0, and user {pwd.getpwnam('nobody').pw_uid} may not write there" in told
        assert "may not make it" in serve("--data", shared / "theirs" / "data", before=NOBODY)

    def test_may_begin_with_a_tilde_wherever_no_shell_replaces_it(self, tmp_path):
        home = tmp_path / "home"
        home.mkdir()
        (tmp_path / "hearth.toml").write_text('data_dir = "~/data"\nruntimes_dir = "~/runtimes"\n')
        environment = os.environ | {"HOME": str(home)}
        with running(tmp_path, "--config", tmp_path / "hearth.toml", env=environment, cwd=tmp_path):
            assert (home / "data" / "store").is_dir() and (home / "runtimes").is_dir()
        with running(tmp_path, "--data=~/other", env=environment, cwd=tmp_path):
            assert (home / "other" / "store").is_dir()
        assert not (tmp_path / "~").exists()

    @needs_root
    def test_without_a_home_is_asked_for(self, shared, tmp_path):
        """A user whom the system does not list, as containers have them: nothing is made in whatever directory this is."""
        shared.chmod(0o777)
        unlisted = ["setpriv", "--reuid=123456", "--regid=123456", "--clear-groups"]
        environment = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_DATA_HOME")}
        told = serve(before=unlisted, env=environment, cwd=shared)
        assert "HOME is not set" in told and "--data" in told
        assert list(shared.iterdir()) == []
        for command in (["config", "print"], ["functions", "--endpoint", str(free_port())], ["--help"]):
            done = subprocess.run([*unlisted, HEARTH, *command], capture_output=True, text=True, env=environment, cwd=shared, timeout=60)
            assert "HOME is not set" not in done.stderr, "what needs no directory asks for none"

    @needs_root
    def test_of_a_user_is_in_the_users_home(self, shared, tmp_path):
        home = shared / "home"
        home.mkdir()
        shutil.chown(home, "nobody", "nogroup")
        environment = {name: value for name, value in os.environ.items() if name != "XDG_DATA_HOME"} | {"HOME": str(home)}
        with running(tmp_path, before=NOBODY, env=environment):
            assert (home / ".local/share/hearth/store").is_dir()

    @needs_root
    @pytest.mark.parametrize("size", ["64k", "600k"])
    def test_on_a_full_disk_says_so_and_starts_once_there_is_room(self, tmp_path, size):
        place = tmp_path / "place"
        place.mkdir()
        script = f'mount -t tmpfs -o size={size} none "$0"; "$@"; code=$?; mount -o remount,size=64m "$0"; timeout --preserve-status 5 "$@"; exit $code'
        before = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, place]
        told = serve("--data", place / "data", before=before)
        assert f"the disk of {place}/data is full: make room there" in told
        assert told.count("error:") == 1 and "ready" in told.partition("error:")[2], told


class TestAddress:
    @pytest.mark.parametrize("form", ["{port}", ":{port}", "127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}"])
    def test_is_written_as_people_do(self, tmp_path, form):
        daemon = running(tmp_path, "--data", tmp_path / "data")
        daemon.command[daemon.command.index("--listen") + 1] = form.format(port=daemon.port)
        daemon.answers = lambda: "ready" in daemon.file.read_text()
        with daemon:
            assert f":{daemon.port}" in daemon.file.read_text()

    @pytest.mark.parametrize(
        "address, code, words",
        [
            ("99999", 2, "is no address such as 127.0.0.1:4566"),
            ("somewhere", 2, "is no address such as 127.0.0.1:4566"),
            ("192.0.2.1:4599", 1, "this machine has no such address"),
            ("0.0.0.0:0", 1, "configure at least one access key"),
        ],
    )
    def test_that_cannot_be_says_why(self, tmp_path, address, code, words):
        command = [HEARTH, "serve", "--listen", address, "--data", tmp_path / "data"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (done.returncode, words in done.stderr) == (code, True), done
        assert not (tmp_path / "data").exists(), "nothing is touched"

    def test_that_is_taken_says_by_whom(self, tmp_path):
        with running(tmp_path, "--data", tmp_path / "data") as first:
            command = [HEARTH, "serve", "--listen", str(first.port), "--data", tmp_path / "other"]
            second = subprocess.run(command, capture_output=True, text=True, timeout=60)
            assert f"cannot listen on 127.0.0.1:{first.port}: another program listens there" in second.stderr
            assert not (tmp_path / "other").exists()
            same = serve("--data", tmp_path / "data")
            assert f"is in use by another process (pid {first.process.pid})" in same
            assert first.answers(), "the first is not disturbed"


class TestLog:
    def test_that_cannot_be_written_does_not_end_the_daemon(self, tmp_path):
        """On a full disk, or into a pipe whose reader has gone: `hearth serve 2>&1 | head`."""
        with open("/dev/full", "w") as full, running(tmp_path, "--data", tmp_path / "full", stderr=full) as daemon:
            assert daemon.answers()
        reader, writer = os.pipe()
        os.close(reader)
        with running(tmp_path, "--data", tmp_path / "pipe", stderr=writer) as daemon:
            os.close(writer)
            assert daemon.answers()


class TestInterrupt:
    @pytest.mark.parametrize("ending", ["Ctrl-C", signal.SIGTERM, signal.SIGINT])
    def test_of_the_daemon_in_a_terminal(self, tmp_path, ending):
        with Terminal(HEARTH, "serve", "--listen", "0", "--data", tmp_path / "data") as terminal:
            terminal.wait_for("ready")
            terminal.press(CTRL_C) if ending == "Ctrl-C" else terminal.process.send_signal(ending)
            assert terminal.finish() == 0, terminal.screen
        assert "stopped" in terminal.screen
