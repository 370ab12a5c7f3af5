//! Netlink: messages of attributes to the kernel's network configuration, and its answers.

use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

use crate::error::SysError;

const HEADER_BYTES: usize = 16;
const FLAG_REQUEST: u16 = 0x1;
const FLAG_ACK: u16 = 0x4;
/// Make something new rather than change it.
pub(crate) const FLAG_CREATE: u16 = 0x400;
/// The first interface of every network name space is `lo`.
pub(crate) const LOOPBACK_INDEX: u32 = 1;
/// Type of the kernel's acknowledgements, good (0) and bad (an error number).
const TYPE_ERROR: u16 = 2;
/// Set in the type of attributes that hold attributes.
const NESTED: u16 = 0x8000;

/// Messages to be sent at once.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    acknowledged: u32,
}

impl Batch {
    /// A message of a fixed head and what `fill` adds. With `acknowledge` the kernel has to confirm it.
    pub(crate) fn message(
        &mut self,
        kind: u16,
        flags: u16,
        acknowledge: bool,
        head: &[u8],
        fill: impl FnOnce(&mut Self),
    ) {
        let start = self.bytes.len();
        let flags = flags | FLAG_REQUEST | if acknowledge { FLAG_ACK } else { 0 };
        self.acknowledged += u32::from(acknowledge);
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(&flags.to_ne_bytes());
        self.bytes.extend_from_slice(&self.acknowledged.to_ne_bytes());
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(head);
        self.pad();
        fill(self);
        let length = u32::try_from(self.bytes.len() - start).unwrap_or(u32::MAX);
        self.bytes[start..start + 4].copy_from_slice(&length.to_ne_bytes());
    }

    pub(crate) fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.nested(kind, |batch| batch.bytes.extend_from_slice(value), 0);
    }

    /// Text with its terminating NUL.
    pub(crate) fn text(&mut self, kind: u16, value: &str) {
        self.attribute(kind, &[value.as_bytes(), b"\0"].concat());
    }

    /// In network byte order, as the packet filter has all numbers.
    pub(crate) fn number(&mut self, kind: u16, value: u32) {
        self.attribute(kind, &value.to_be_bytes());
    }

    pub(crate) fn group(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        self.nested(kind, fill, NESTED);
    }

    fn nested(&mut self, kind: u16, fill: impl FnOnce(&mut Self), flag: u16) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 2]);
        self.bytes.extend_from_slice(&(kind | flag).to_ne_bytes());
        fill(self);
        let length = u16::try_from(self.bytes.len() - start).unwrap_or(u16::MAX);
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// Sends all and waits until each message is confirmed.
    pub(crate) fn send(self, call: &'static str, protocol: Option<Protocol>) -> Result<(), SysError> {
        let failed = |errno| SysError::new(call, errno);
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol);
        let socket = socket.map_err(failed)?;
        send(&socket, &self.bytes, SendFlags::empty()).map_err(failed)?;
        read_acknowledgements(&socket, self.acknowledged).map_err(failed)
    }
}

fn read_acknowledgements(socket: &OwnedFd, mut awaited: u32) -> Result<(), Errno> {
    let mut buffer = vec![0; 32 * 1024];
    while awaited > 0 {
        let (length, _) = recv(socket, &mut buffer[..], RecvFlags::empty())?;
        let mut rest = buffer.get(..length).ok_or(Errno::BADMSG)?;
        while let Some((head, body)) = rest.split_at_checked(HEADER_BYTES) {
            let length = u32::from_ne_bytes([head[0], head[1], head[2], head[3]]) as usize;
            if length < HEADER_BYTES {
                return Err(Errno::BADMSG);
            }
            if u16::from_ne_bytes([head[4], head[5]]) == TYPE_ERROR {
                let code = body.first_chunk::<4>().ok_or(Errno::BADMSG)?;
                match i32::from_ne_bytes(*code) {
                    0 => awaited = awaited.saturating_sub(1),
                    code => return Err(Errno::from_raw_os_error(code.saturating_neg())),
                }
            }
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or(&[]);
        }
    }
    Ok(())
}
