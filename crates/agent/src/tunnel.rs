//! Tunnels: connections of the function to the endpoint port, carried to the daemon as raw bytes.

use hearth_agent_proto::{CHUNK_BYTES_MAX, FromAgent, TUNNELS_MAX, WINDOW_BYTES};
use rustix::{
    fd::OwnedFd,
    io::{Errno, Result, read, write},
    net::sockopt,
};

use crate::{
    buffer,
    io::Io,
    poller::{Key, Ready, Source, Watched},
    slots::Slots,
};

#[derive(Debug)]
struct Tunnel {
    id: u32,
    socket: Watched,
    /// Bytes that the daemon lets us send yet.
    credit: usize,
    /// From the daemon, not yet taken by the function. With what is not yet credited never more than the window.
    output: Vec<u8>,
    written: usize,
    /// Written to the function, and not yet given to the daemon as credit.
    uncredited: usize,
    /// The daemon has closed its end: what is left is written, then the tunnel is gone.
    is_closing: bool,
}

#[derive(Debug)]
pub(crate) struct Tunnels {
    tunnels: Slots<Tunnel>,
    last_id: u32,
    buffer: Vec<u8>,
}

impl Default for Tunnels {
    fn default() -> Self {
        let max = u16::try_from(TUNNELS_MAX).unwrap_or(u16::MAX);
        Self { tunnels: Slots::new(max), last_id: 0, buffer: Vec::new() }
    }
}

impl Tunnels {
    /// The function has connected. Beyond [`TUNNELS_MAX`] the connection is closed at once.
    pub(crate) fn accept(&mut self, io: &mut Io, socket: OwnedFd) {
        if sockopt::set_tcp_nodelay(&socket, true).is_err() {
            return;
        }
        let Some(key) = self.tunnels.next_key() else {
            return;
        };
        let Ok(socket) = io.poller.watch(socket, Source::Tunnel(key)) else {
            return;
        };
        self.last_id = self.last_id.wrapping_add(1).max(1);
        let id = self.last_id;
        let credit = WINDOW_BYTES;
        let tunnel = Tunnel { id, socket, credit, output: Vec::new(), written: 0, uncredited: 0, is_closing: false };
        self.tunnels.insert(key, tunnel);
        io.link.send(&io.poller, &FromAgent::TunnelOpen { id });
    }

    pub(crate) fn on_ready(&mut self, io: &mut Io, key: Key, ready: Ready) {
        let Some(tunnel) = self.tunnels.get_mut(key) else {
            return;
        };
        let interest = tunnel.socket.interest();
        if ready.write && interest.write {
            match tunnel.flush(io) {
                Ok(()) if tunnel.is_closing && tunnel.output.is_empty() => {
                    self.tunnels.remove(key);
                    return;
                }
                Ok(()) => {}
                Err(_) => return self.close(io, key),
            }
        }
        if ready.read && interest.read {
            self.forward(io, key);
        }
    }

    /// Reads what the function has sent, within the credit, and sends it on.
    fn forward(&mut self, io: &mut Io, key: Key) {
        let Some(tunnel) = self.tunnels.get_mut(key) else {
            return;
        };
        let length = tunnel.credit.min(CHUNK_BYTES_MAX);
        if length == 0 || io.must_stall() {
            return tunnel.socket.set_read(&io.poller, false);
        }
        if self.buffer.is_empty() {
            self.buffer = vec![0; CHUNK_BYTES_MAX];
        }
        match read(&tunnel.socket, &mut self.buffer[..length]) {
            Ok(0) => self.close(io, key),
            Ok(length) => {
                tunnel.credit -= length;
                io.link.send(&io.poller, &FromAgent::TunnelData { id: tunnel.id, data: &self.buffer[..length] });
                // A client that sends a request in pieces may hold the next back until this one is acknowledged.
                let _slower = sockopt::set_tcp_quickack(&tunnel.socket, true);
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.close(io, key),
        }
    }

    /// Closes a tunnel from this side.
    fn close(&mut self, io: &mut Io, key: Key) {
        if let Some(tunnel) = self.tunnels.remove(key)
            && !tunnel.is_closing
        {
            io.link.send(&io.poller, &FromAgent::TunnelClose { id: tunnel.id });
        }
    }

    /// The daemon sends bytes to the function.
    pub(crate) fn send(&mut self, io: &mut Io, id: u32, data: &[u8]) {
        let Some((key, tunnel)) = self.find(id) else {
            return;
        };
        let is_within_window = tunnel.output.len() - tunnel.written + tunnel.uncredited + data.len() <= WINDOW_BYTES;
        if tunnel.is_closing || !is_within_window || tunnel.take(io, data).is_err() {
            self.close(io, key);
        }
    }

    /// The daemon has closed its end.
    pub(crate) fn close_by_daemon(&mut self, io: &Io, id: u32) {
        if let Some((key, tunnel)) = self.find(id) {
            tunnel.is_closing = true;
            tunnel.socket.set_read(&io.poller, false);
            if tunnel.output.is_empty() {
                self.tunnels.remove(key);
            }
        }
    }

    /// The daemon takes more of a tunnel.
    pub(crate) fn add_credit(&mut self, io: &Io, id: u32, bytes: u32) {
        if let Some((_, tunnel)) = self.find(id) {
            tunnel.credit = tunnel.credit.saturating_add(bytes as usize).min(WINDOW_BYTES);
            tunnel.listen(io);
        }
    }

    /// The daemon has caught up: tunnels go on.
    pub(crate) fn resume(&mut self, io: &Io) {
        for key in self.tunnels.keys() {
            if let Some(tunnel) = self.tunnels.get_mut(key) {
                tunnel.listen(io);
            }
        }
    }

    /// The other ends are gone with the daemon's connection.
    pub(crate) fn close_all(&mut self) {
        for key in self.tunnels.keys() {
            self.tunnels.remove(key);
        }
    }

    fn find(&mut self, id: u32) -> Option<(Key, &mut Tunnel)> {
        let key = self.tunnels.find(|tunnel| tunnel.id == id)?;
        Some((key, self.tunnels.get_mut(key)?))
    }
}

impl Tunnel {
    /// Reads on, if the daemon takes what is read.
    fn listen(&mut self, io: &Io) {
        if self.credit > 0 && !self.is_closing {
            self.socket.set_read(&io.poller, true);
        }
    }

    /// Writes `data` to the function, behind what it has not yet taken.
    fn take(&mut self, io: &mut Io, data: &[u8]) -> Result<()> {
        let mut written = 0;
        if self.output.is_empty() {
            written = write_some(&self.socket, data)?;
            self.credit_daemon(io, written);
        }
        if written < data.len() {
            self.output.extend_from_slice(&data[written..]);
            self.socket.set_write(&io.poller, true);
        }
        Ok(())
    }

    fn flush(&mut self, io: &mut Io) -> Result<()> {
        let written = write_some(&self.socket, &self.output[self.written..])?;
        self.written += written;
        if self.written == self.output.len() {
            self.socket.set_write(&io.poller, false);
        }
        // A function that is always a little behind must not cost ever more memory.
        if self.written > self.output.len() / 2 {
            buffer::consume(&mut self.output, std::mem::take(&mut self.written));
        }
        self.credit_daemon(io, written);
        Ok(())
    }

    /// Tells the daemon in large steps what it may send again.
    fn credit_daemon(&mut self, io: &mut Io, written: usize) {
        self.uncredited += written;
        if self.uncredited >= WINDOW_BYTES / 2 && !self.is_closing {
            let bytes = u32::try_from(std::mem::take(&mut self.uncredited)).unwrap_or(u32::MAX);
            io.link.send(&io.poller, &FromAgent::TunnelCredit { id: self.id, bytes });
        }
    }
}

fn write_some(socket: &Watched, data: &[u8]) -> Result<usize> {
    match write(socket, data) {
        Err(Errno::AGAIN | Errno::INTR) => Ok(0),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read, os::unix::net::UnixStream};

    use super::*;
    use crate::poller::Poller;

    #[test]
    fn a_function_that_never_quite_catches_up_costs_no_more_memory() {
        let mut io = Io::new(Poller::new().unwrap());
        let (ours, mut function) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let key = Tunnels::default().tunnels.next_key().unwrap();
        let socket = io.poller.watch(ours.into(), Source::Tunnel(key)).unwrap();
        let credit = WINDOW_BYTES;
        let mut tunnel =
            Tunnel { id: 1, socket, credit, output: Vec::new(), written: 0, uncredited: 0, is_closing: false };
        let mut piece = vec![0; 16 * 1024];
        for _ in 0..1000 {
            while tunnel.output.len() - tunnel.written + tunnel.uncredited + piece.len() <= WINDOW_BYTES {
                tunnel.take(&mut io, &piece).unwrap();
            }
            function.read_exact(&mut piece).unwrap();
            tunnel.flush(&mut io).unwrap();
            assert!(tunnel.output.len() > tunnel.written, "it is behind");
        }
        assert!(tunnel.output.len() <= 2 * WINDOW_BYTES, "{}", tunnel.output.len());
    }
}
