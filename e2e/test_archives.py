"""Archives as tools of all kinds write them: taken as Lambda takes them, or refused with the reason."""

import io
import zipfile

import pytest
from daemon import refused
from package import ROLE, Entry, directory, link, make_archive, run_script, shell_bootstrap, unique

BOOTSTRAP = Entry("bootstrap", shell_bootstrap(), 0o100755)


@pytest.fixture
def unpacked(deploy, client):
    """What a script prints in a function that has this package, and this layer."""

    def unpacked(script, *entries, layer=()):
        layers = []
        if layer:
            content = {"ZipFile": make_archive(*layer)}
            layers.append(client.publish_layer_version(LayerName="archive", Content=content)["LayerVersionArn"])
        function = deploy("any", "provided.al2023", package=make_archive(BOOTSTRAP, *entries), Layers=layers)
        return run_script(function, script)

    return unpacked


class TestLinks:
    @pytest.mark.parametrize("target", ["/opt/data", "../../opt/data", "../../tmp/../opt/./data", "/proc/self/root/opt/data"])
    def test_lead_to_what_the_sandbox_has_there(self, unpacked, target):
        said = unpacked("readlink link; cat link", link("link", target), layer=[Entry("data", "of the layer")])
        assert said == f"{target}\nof the layer"

    def test_never_lead_out_of_the_sandbox(self, unpacked, tmp_path):
        (tmp_path / "secret").write_text("of the host")
        up = "../" * 30 + str(tmp_path).lstrip("/")
        links = [link("far", str(tmp_path / "secret")), link("up", f"{up}/secret"), link("dir", str(tmp_path))]
        said = unpacked("cat far up dir/secret; cat users", *links, link("users", "/etc/passwd"))
        assert "of the host" not in said
        assert said.count("No such file") == 3
        assert "sbx_user1051" in said

    def test_may_lead_nowhere_or_in_circles(self, unpacked):
        said = unpacked("readlink a b c; cat a b", link("a", "b"), link("b", "a"), link("c", "gone"))
        assert said.startswith("b\na\ngone\n")
        assert said.count("Too many levels of symbolic links") == 2

    def test_of_layers_are_kept_when_layers_are_merged(self, deploy, client, tmp_path):
        (tmp_path / "secret").write_text("of the host")
        first = make_archive(link("dir", str(tmp_path)), link("file", "/etc/passwd"))
        second = make_archive(Entry("dir/secret", "of the layer"), Entry("file", "of the layer"), link("back", "dir/secret"))
        arns = [
            client.publish_layer_version(LayerName=unique("merged"), Content={"ZipFile": content})["LayerVersionArn"]
            for content in (first, second)
        ]
        function = deploy("any", "provided.al2023", package=make_archive(BOOTSTRAP), Layers=arns)
        assert run_script(function, "cat /opt/dir/secret /opt/file /opt/back") == "of the layer" * 3
        assert (tmp_path / "secret").read_text() == "of the host"
        assert [path.name for path in tmp_path.iterdir()] == ["secret"]


class TestNames:
    @pytest.mark.parametrize(
        "name, path",
        [
            # As .NET wrote them on Windows for years.
            ("bin\\Debug\\app.dll", r"bin\Debug\app.dll"),
            ("..\\up", r"..\up"),
            ("./here/./it/is", "here/it/is"),
            ("/etc/own", "etc/own"),
            ("double//slash", "double/slash"),
            ("grüße 世界", "grüße 世界"),
            # DOS's code page 437.
            (b"\x81bung", "übung"),
            ("-rf", "-rf"),
            (" leading and trailing ", " leading and trailing "),
            ("new\nline", "new\nline"),
        ],
    )
    def test_are_taken_literally(self, unpacked, name, path):
        assert unpacked(f"cat -- './{path}'", Entry(name, "found")) == "found"

    def test_that_occur_twice_are_the_last_ones(self, unpacked):
        twice = [Entry("a", "first"), Entry("b", "first"), link("c", "a"), Entry("a", "second"), link("b", "a"), Entry("c", "second")]
        assert unpacked("cat a; readlink b; cat c; ls | wc -l", *twice) == "seconda\nsecond4\n"

    @pytest.mark.parametrize(
        "entries, reason",
        [
            ([Entry("../evil")], "leads out of the archive"),
            ([Entry("a/../../evil")], "leads out of the archive"),
            ([link("a", "/tmp"), Entry("a/evil")], "below a file or link"),
            ([Entry("a"), Entry("a/b")], "below a file or link"),
            ([directory("a/"), Entry("a")], "of a directory and of a file"),
            ([Entry("x" * 256)], "name is too long"),
            ([Entry("x/" * 2000 + "x")], "path is too long"),
            ([Entry("")], "no name"),
            ([link("a", "x" * 4096)], "target is too long"),
            ([link("a", "")], "target is no path"),
            ([Entry("a", "x", compression=zipfile.ZIP_LZMA)], "method that is not supported"),
        ],
        ids=lambda value: value if isinstance(value, str) else None,
    )
    def test_or_entries_that_are_refused_are_named(self, client, entries, reason):
        data = make_archive(BOOTSTRAP, *entries)
        text = rf"^Could not unzip uploaded file\. Please check your file, then try to upload again\. \(entry .*: .*{reason}.*\)$"
        with refused(client, "InvalidParameterValueException", 400, text):
            client.create_function(
                FunctionName=unique("refused"), Runtime="provided.al2023", Handler="any", Role=ROLE, Code={"ZipFile": data}
            )
        with refused(client, "InvalidParameterValueException", 400, text):
            client.publish_layer_version(LayerName="refused", Content={"ZipFile": data})


class TestModes:
    """Lambda's guide: "AWS Lambda requires global read permissions on code files"."""

    def test_are_the_archives(self, unpacked):
        entries = [
            Entry("plain", "x", 0o100644),
            Entry("program", "x", 0o100755),
            Entry("private", "x", 0o100600),
            Entry("from-windows", "x", None),
            Entry("without", "x", 0o100000),
            Entry("untyped", "x", 0o755),
            Entry("su", "x", 0o106755),
            Entry("closed/x", "x"),
            Entry("closed/", mode=0o040700),
            directory("open/"),
        ]
        said = unpacked("stat -c '%a %n' *; cat plain from-windows without; cat private; cat closed/x", *entries).splitlines()
        modes = "755 bootstrap, 700 closed, 644 from-windows, 755 open, 644 plain, 600 private, 755 program, 755 su, 755 untyped, 644 without"
        assert said[:10] == modes.split(", ")
        denied = ["cat: private: Permission denied", "cat: closed/x: Permission denied"]
        assert said[10:] == ["xxx" + denied[0], denied[1]]

    def test_keep_a_handler_from_being_read(self, deploy):
        package = make_archive(Entry("app.py", "def handler(event, context): return 1\n", 0o100600))
        result = deploy("app.handler", package=package).invoke({})
        assert result.error == "Unhandled"
        assert "Permission denied: '/var/task/app.py'" in result.json["errorMessage"]

    @pytest.mark.parametrize("kind", [0o010000, 0o020000, 0o060000, 0o140000, 0o120000, 0o100000])
    def test_with_odd_types_do_no_harm(self, unpacked, kind):
        entries = [Entry("dir/", mode=kind | 0o755), Entry("dir/x", "in it"), *([] if kind == 0o120000 else [Entry("x", "a file", kind | 0o644)])]
        said = unpacked("stat -c '%F' dir; cat dir/x; stat -c ', %F' x", *entries)
        assert said.startswith("directory\nin it")
        assert kind == 0o120000 or said.endswith(", regular file\n")


class TestForms:
    @pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2], ids=["stored", "deflated", "bzip2"])
    def test_compressed_by_any_method_of_unzip(self, unpacked, method):
        assert unpacked("cat data | wc -c", Entry("data", "line\n" * 50_000, compression=method)) == "250000\n"

    def test_streamed_with_large_headers_between_other_things(self, deploy):
        class Stream(io.RawIOBase):
            """Cannot seek: the writer puts sizes behind the data."""

            def __init__(self):
                self.written = b""

            def writable(self):
                return True

            def write(self, data):
                self.written += bytes(data)
                return len(data)

        stream = Stream()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            info = zipfile.ZipInfo("bootstrap")
            info.external_attr = 0o100755 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as file:
                file.write(shell_bootstrap())
            archive.comment = b"a comment, PK\x05\x06 and all"
        package = b"#!/bin/sh\nexec unzip $0\n" + stream.written
        assert run_script(deploy("any", "provided.al2023", package=package), "echo ran") == "ran\n"
