//! Out, but neither to the host nor to private networks.

use std::io::Write;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};

use hearth_sandbox::{AssignSpec, Isolation, Subnet};
use hearth_types::NetworkMode;

use crate::host::{Host, Sandbox, eventually, skipped};
use crate::lifecycle::pids_in;

fn skipped_without_slirp() -> bool {
    let there = std::path::Path::new("/usr/bin/slirp4netns").exists();
    if !there {
        println!("skipped: slirp4netns is not installed");
    }
    skipped() || !there
}

fn with_egress(host: &Host) -> Sandbox {
    host.assigned_as(&AssignSpec { network: NetworkMode::Egress, ..host.spec() })
}

/// An address of this host that is not its loopback.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    // Nothing is sent: connecting chooses a route.
    socket.connect("198.51.100.1:9").ok()?;
    Some(socket.local_addr().unwrap().ip())
}

fn greeter(address: IpAddr) -> SocketAddr {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _closed_already = stream.unwrap().write_all(b"hello");
        }
    });
    address
}

fn connect(sandbox: &mut Sandbox, host: &str, port: u16) -> String {
    let script = format!(
        "
import socket
try: print(socket.create_connection(('{host}', {port}), 3).recv(9))
except OSError as error: print(error.strerror or error)
"
    );
    sandbox.python_ok(&script).trim().to_owned()
}

#[test]
fn allowed_address_is_reached_and_others_of_the_host_are_not() {
    if skipped_without_slirp() {
        return;
    }
    let Some(address) = own_address() else {
        println!("skipped: the host has no address besides its loopback");
        return;
    };
    let open = greeter(address);
    let host = Host::with_egress_allowed(vec![Subnet { address, prefix_length: 32 }]);
    let mut sandbox = with_egress(&host);
    assert_eq!(connect(&mut sandbox, &address.to_string(), open.port()), "b'hello'");

    let host = Host::new();
    let mut sandbox = with_egress(&host);
    assert_eq!(connect(&mut sandbox, &address.to_string(), open.port()), "Permission denied");
    let local = greeter("127.0.0.1".parse().unwrap());
    for loopback in ["127.0.0.1", "198.19.255.2", "198.19.255.3", "0.0.0.0"] {
        let answer = connect(&mut sandbox, loopback, local.port());
        assert!(!answer.contains("hello"), "{loopback}: {answer}");
    }
}

#[test]
fn private_ranges_answer_with_an_error_at_once() {
    if skipped_without_slirp() {
        return;
    }
    let host = Host::new();
    let mut sandbox = with_egress(&host);
    for address in ["10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "224.0.0.1", "240.0.0.1"]
    {
        let answer = connect(&mut sandbox, address, 80);
        assert!(answer == "Permission denied" || answer == "Network is unreachable", "{address}: {answer}");
    }
}

#[test]
fn sockets_bound_to_the_device_do_not_get_past_the_fence() {
    if skipped_without_slirp() {
        return;
    }
    let host = Host::new();
    let group = "239.255.77.77";
    let receiver = UdpSocket::bind("0.0.0.0:0").unwrap();
    let Some(IpAddr::V4(own)) = own_address() else {
        println!("skipped: the host has no address besides its loopback");
        return;
    };
    receiver.join_multicast_v4(&group.parse().unwrap(), &own).unwrap();
    receiver.set_nonblocking(true).unwrap();
    let port = receiver.local_addr().unwrap().port();
    let mut sandbox = with_egress(&host);
    let script = format!(
        "
import socket, struct
interface = struct.pack('4s4si', bytes(4), bytes(4), socket.if_nametoindex('tap0'))
for address in ['{group}', '224.0.0.251', '255.255.255.255', '{own}', '127.0.0.1', '10.0.0.1']:
    for bind in [True, False]:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        if bind: s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'tap0')
        try: s.sendto(b'x', (address, {port}))
        except OSError: pass
"
    );
    sandbox.python_ok(&script);
    // What was sent before it has been handled when this is answered.
    connect(&mut sandbox, "198.19.255.2", 9);
    assert_eq!(receiver.recv(&mut [0; 9]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn the_way_out_goes_with_the_sandbox() {
    if skipped_without_slirp() {
        return;
    }
    let host = Host::new();
    let sandbox = with_egress(&host);
    let first_process = pids_in(&host.instance)[0].as_raw_nonzero().to_string();
    assert!(has_stack(&first_process));
    host.isolation.destroy(sandbox.id).unwrap();
    eventually("no slirp4netns", || !has_stack(&first_process));
}

/// True if a slirp4netns serves the process.
fn has_stack(pid: &str) -> bool {
    let serves = |entry: std::fs::DirEntry| {
        let line = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        line.starts_with("slirp4netns") && line.split('\0').any(|word| word == pid)
    };
    std::fs::read_dir("/proc").unwrap().flatten().any(serves)
}

#[test]
fn resolver_configuration_is_there_only_with_egress() {
    if skipped_without_slirp() {
        return;
    }
    let host = Host::new();
    let mut sandbox = with_egress(&host);
    assert_eq!(sandbox.run(&["/usr/bin/cat", "/etc/resolv.conf"]), (0, "nameserver 198.19.255.3\n".to_owned()));
    let mut without = host.assigned();
    assert_eq!(without.run(&["/usr/bin/cat", "/etc/resolv.conf"]), (0, String::new()));
}
