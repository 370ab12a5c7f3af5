"""Functions that run from a directory of the host, tagged `hearth:live-dir`."""

import threading

import hung_mount
import pytest
from daemon import refused, within
from package import deploy


@pytest.mark.skipif(not hung_mount.possible(), reason="mounting needs root and /dev/fuse")
def test_a_file_system_that_hangs_holds_up_its_own_function_alone(own_daemon, tmp_path):
    hung = tmp_path / "hung"
    hung.mkdir()
    daemon = own_daemon(wrapper=hung_mount.wrapper(hung))
    stuck = deploy(daemon, "probe.state", Tags={"hearth:live-dir": str(hung / "code")})
    others = [deploy(daemon, "probe.state") for _ in range(3)]
    refusals = []

    def call():
        with refused(stuck.client, "ServiceException", 500, "live directory .* does not answer"):
            stuck.invoke({})
        refusals.append(True)

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    with within(30):
        for other in others:
            assert other.call({})["calls"] == 1
        for caller in callers:
            caller.join()
    assert len(refusals) == 4
    assert others[0].call({})["calls"] == 2, "its sandbox is still there"
