"""A full disk: what runs goes on, what would have to be stored is refused, and all is well once there is room."""

import pytest
from daemon import refused, wait_until
from package import ROLE, deploy, make_zip, unique

SIZE = "48m"
PACKAGE = make_zip({"app.py": "def handler(event, context):\n    print(event)\n    return event\n"})
# The data directory is a small file system of the daemon's own, which nobody else sees and which goes with it.
SMALL_DISK = 'mkdir -p "$0" && mount -t tmpfs -o size=%s tmpfs "$0" && exec "$@"' % SIZE


@pytest.fixture
def small(own_daemon, tmp_path):
    data = tmp_path / "daemon-0" / "data"
    return own_daemon(wrapper=["unshare", "--mount", "--propagation", "private", "sh", "-c", SMALL_DISK, data])


def inside(daemon):
    """The data directory as the daemon sees it."""
    return f"/proc/{daemon.process.pid}/root{daemon.data}"


class Filler:
    """All that is left of the daemon's disk."""

    def __init__(self, daemon):
        self.path = f"{inside(daemon)}/filler"

    def __enter__(self):
        with pytest.raises(OSError, match="No space left"), open(self.path, "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def __exit__(self, *_):
        with open(self.path, "wb"):
            pass


def create(daemon, package=PACKAGE):
    return daemon.client().create_function(
        FunctionName=unique("full"), Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": package}
    )


class TestFullDisk:
    def test_refuses_what_must_be_stored_and_goes_on_with_the_rest(self, small):
        function = deploy(small, "app.handler", package=PACKAGE)
        client = small.client()
        with Filler(small):
            assert function.call({"number": 1}) == {"number": 1}
            with refused(client, "ServiceException", 500):
                function.invoke({"number": 2}, InvocationType="Event")
            with refused(client, "ServiceException", 500):
                create(small)
            with refused(client, "ServiceException", 500):
                client.update_function_configuration(FunctionName=function.name, Description="never stored")
            assert client.get_function_configuration(FunctionName=function.name)["Description"] == ""
            assert function.call({"number": 3}) == {"number": 3}
        assert function.invoke({"number": 4}, InvocationType="Event").status == 202
        function.wait_for_message("'number': 4")
        assert not [message for message in function.messages() if "'number': 2" in message], "it was refused"
        assert create(small)["State"] == "Pending"

    def test_a_package_that_does_not_fit_leaves_nothing(self, small):
        function = deploy(small, "app.handler", package=PACKAGE)
        for attempt in range(5):
            # Small as an archive, larger than the disk when it is unpacked.
            with refused(small.client(), "ServiceException", 500):
                create(small, make_zip({"app.py": str(attempt), "pad": bytes(64 << 20)}))
        assert function.call({"number": 1}) == {"number": 1}
        assert create(small)["State"] == "Pending"

    def test_templates_leave_room_for_what_must_be_stored(self, small):
        function = deploy(small, "app.handler", package=PACKAGE, SnapStart={"ApplyOn": "PublishedVersions"})
        client = small.client()
        version = client.publish_version(FunctionName=function.name)["Version"]

        def settled():
            found = client.get_function_configuration(FunctionName=function.name, Qualifier=version)
            return found if found["State"] != "Pending" else None

        found = wait_until(settled, 60, "the version is ready")
        assert (found["State"], found["SnapStart"]["OptimizationStatus"]) == ("Active", "Off"), found
        if "criu" in found["StateReason"].lower():
            pytest.skip(found["StateReason"])
        assert "SnapStart has no effect on this host: the disk has" in found["StateReason"], found
        assert function.invoke({"number": 1}, Qualifier=version).json == {"number": 1}
