//! What a root says of itself: the system that Lambda has for a runtime, its user, and how names are looked up.

use std::io;

use crate::name::RuntimeName;
use crate::root::Root;

/// Nobody is who the host's files belong to, seen from inside. The home directory is Lambda's: it does not exist.
const USERS: &str = "root:x:0:0:root:/root:/bin/bash
sbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin
nobody:x:65534:65534:Kernel Overflow User:/:/sbin/nologin
";
const GROUPS: &str = "root:x:0:
sbx_user1051:x:990:
nobody:x:65534:
";
const LOOKUPS: &str = "passwd: files
group: files
hosts: files dns
services: files
protocols: files
";
/// As Amazon Linux has it: `localhost` is an address of IPv4 alone.
const HOSTS: &str = "127.0.0.1 localhost localhost.localdomain localhost4 localhost4.localdomain4
::1 localhost6 localhost6.localdomain6
";

/// The entry point of AWS's base images: it sets the handler and becomes the runtime.
const ENTRY_POINT: &str = "/lambda-entrypoint.sh";
const ENTRY_SCRIPT: &str = r#"#!/bin/sh
if [ $# -ne 1 ]; then
    echo "entrypoint requires the handler name to be the first argument" >&2
    exit 142
fi
export _HANDLER="$1"
for program in /var/runtime/bootstrap /var/task/bootstrap /opt/bootstrap; do
    [ -f "$program" ] && exec "$program"
done
echo "$0: there is no bootstrap in /var/runtime, /var/task or /opt" >&2
exit 127
"#;

/// Programs choose by it which of the binaries in their packages they load, and packages are made for Lambda's systems.
const AMAZON_LINUX_2: &str = r#"NAME="Amazon Linux"
VERSION="2"
ID="amzn"
ID_LIKE="centos rhel fedora"
VERSION_ID="2"
PRETTY_NAME="Amazon Linux 2"
ANSI_COLOR="0;33"
CPE_NAME="cpe:2.3:o:amazon:amazon_linux:2"
HOME_URL="https://amazonlinux.com/"
"#;
const LINE_2: &str = "Amazon Linux release 2 (Karoo)\n";
const AMAZON_LINUX_2023: &str = r#"NAME="Amazon Linux"
VERSION="2023"
ID="amzn"
ID_LIKE="fedora"
VERSION_ID="2023"
PLATFORM_ID="platform:al2023"
PRETTY_NAME="Amazon Linux 2023"
ANSI_COLOR="0;33"
CPE_NAME="cpe:2.3:o:amazon:amazon_linux:2023"
HOME_URL="https://aws.amazon.com/linux/amazon-linux-2023/"
"#;
const LINE_2023: &str = "Amazon Linux release 2023 (Amazon Linux)\n";

pub(crate) fn write(root: &Root, runtime: RuntimeName) -> io::Result<()> {
    root.write("/etc/passwd", USERS)?;
    root.write("/etc/group", GROUPS)?;
    root.write("/etc/nsswitch.conf", LOOKUPS)?;
    root.write("/etc/hosts", HOSTS)?;
    root.write("/etc/resolv.conf", "")?;
    let (release, line) =
        if runtime.is_amazon_linux_2() { (AMAZON_LINUX_2, LINE_2) } else { (AMAZON_LINUX_2023, LINE_2023) };
    root.write("/etc/os-release", release)?;
    root.write("/etc/system-release", line)?;
    root.write_program(ENTRY_POINT, ENTRY_SCRIPT)
}
