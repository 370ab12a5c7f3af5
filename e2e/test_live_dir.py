"""Functions that run from a directory of the host, tagged `hearth:live-dir`."""

import threading

import hung_mount
import pytest
from daemon import refused, wait_until, within
from package import deploy

pytestmark = pytest.mark.skipif(not hung_mount.possible(), reason="mounting needs root and /dev/fuse")


@pytest.fixture
def control(tmp_path):
    return tmp_path / "control"


@pytest.fixture
def daemon(own_daemon, tmp_path, control):
    hung = tmp_path / "hung"
    hung.mkdir()
    return own_daemon(wrapper=hung_mount.wrapper(hung, control))


@pytest.fixture
def live(daemon, tmp_path):
    return deploy(daemon, "probe.state", Tags={"hearth:live-dir": str(tmp_path / "hung" / "code")})


def children(daemon):
    """Processes of the launcher that attach code."""
    with open(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children") as file:
        launchers = file.read().split()
    found = []
    for launcher in launchers:
        try:
            with open(f"/proc/{launcher}/task/{launcher}/children") as file:
                found += file.read().split()
        except FileNotFoundError:
            pass
    names = {}
    for child in found:
        try:
            with open(f"/proc/{child}/wchan") as file:
                names[child] = file.read()
        except OSError:
            pass
    return [child for child, name in names.items() if "fuse" in name or "request_wait" in name]


@pytest.mark.parametrize("whom", ["all", "others"])
def test_a_file_system_that_hangs_holds_up_its_own_function_alone(daemon, live, control, whom):
    """Also one that answers the daemon and hangs when the launcher looks; and when it answers again all is as before."""
    others = [deploy(daemon, "probe.state") for _ in range(3)]
    control.write_text(whom)
    refusals = []

    def call():
        with refused(live.client, "ServiceException", 500, "live directory .* does not answer"):
            live.invoke({})
        refusals.append(True)

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    with within(40):
        for other in others:
            assert other.call({})["calls"] == 1
        for caller in callers:
            caller.join()
    assert len(refusals) == 4
    assert others[0].call({})["calls"] == 2, "its sandbox is still there: the launcher was not ended"
    control.unlink()
    wait_until(lambda: not children(daemon), 20, "nobody waits for the file system any more")
    assert live.call({}) == {"calls": 1, "live": True}


def test_the_daemon_ends_while_a_file_system_hangs(daemon, live, control):
    assert live.call({})["live"]
    control.write_text("all")
    with refused(live.client, "ServiceException", 500, "live directory .* does not answer"):
        live.configure(Timeout=4)
        live.invoke({})
    daemon.stop()
