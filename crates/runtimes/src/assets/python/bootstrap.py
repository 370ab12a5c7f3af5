"""What AWS's runtimes start: says where the function's modules are found, and runs the runtime client.

The client is loaded before a function's directories are searched, so no module of a package can take the place of one that it needs.
"""

import os
import site
import sys

import awslambdaric.__main__ as client


def main():
    task = os.environ["LAMBDA_TASK_ROOT"]
    version = "python%d.%d" % sys.version_info[:2]
    # A function that sets this variable says itself where to search, layers included.
    layers = [] if "PYTHONPATH" in os.environ else ["/opt/python/lib/" + version + "/site-packages", "/opt/python"]
    sdk = ["/var/lang/lib/" + version + "/site-packages"] if layers and sys.version_info >= (3, 11) else []
    sys.path[:0] = [task] + layers + sdk
    for directory in [task] + layers:
        # `site` looks at the whole search path each time. Where there are no path files, this is what it would do.
        try:
            has_path_files = any(name.endswith(".pth") for name in os.listdir(directory))
        except FileNotFoundError:
            sys.path.append(directory)
            continue
        except OSError:
            has_path_files = True
        if has_path_files:
            site.addsitedir(directory)
    if layers:
        # For programs that the function starts.
        os.environ["PYTHONPATH"] = os.environ["LAMBDA_RUNTIME_DIR"]
    client.main([task, os.environ["_HANDLER"]])


if __name__ == "__main__":
    main()
