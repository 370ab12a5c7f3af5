//! Network devices of the calling thread's network name space.

use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::error::{SysError, checked};
use crate::netlink::{Batch, FLAG_CREATE, LOOPBACK_INDEX};

/// Brings up `lo`; the kernel gives it 127.0.0.1 and ::1, and it gets this address besides.
///
/// # Errors
/// The caller lacks the right over its network name space.
pub fn bring_up_loopback(address: Ipv4Addr) -> Result<(), SysError> {
    let socket: OwnedFd = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
        .map_err(|errno| SysError::new("socket", errno))?;
    // SAFETY: all-zero bytes are a valid `ifreq`: it holds integers and a union of plain data.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(b"lo") {
        *place = *byte as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: SIOCSIFFLAGS reads one `ifreq`, which is alive during the call, from the pointer.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, ptr::from_ref(&request)) };
    checked("ioctl SIOCSIFFLAGS", result.into())?;
    add_loopback_address(address)
}

fn add_loopback_address(address: Ipv4Addr) -> Result<(), SysError> {
    const NEW_ADDRESS: u16 = 20;
    const ATTRIBUTES: [u16; 2] = [1, 2];
    const FAMILY_IPV4: u8 = 2;
    const SCOPE_HOST: u8 = 254;
    // Family, prefix length, flags, scope, index.
    let [a, b, c, d] = LOOPBACK_INDEX.to_ne_bytes();
    let mut batch = Batch::default();
    batch.message(NEW_ADDRESS, FLAG_CREATE, true, &[FAMILY_IPV4, 32, 0, SCOPE_HOST, a, b, c, d], |message| {
        ATTRIBUTES.into_iter().for_each(|kind| message.attribute(kind, &address.octets()));
    });
    batch.send("add an address", None)
}
