//! The pipes that a runtime logs to.

use std::time::{Duration, SystemTime};

use hearth_agent_proto::{LogHead, LogSource};
use rustix::{
    fd::OwnedFd,
    io::{Errno, read},
};

use crate::{
    link::Link,
    poller::{Poller, Source, Watched},
    records::{FrameCutter, LineCutter},
    runtime_process,
};

/// Read at once: what a pipe holds by default.
const READ_BYTES: usize = 64 * 1024;
/// Read in one go from a pipe that does not run dry: the most that the function can enlarge it to. What was written before the
/// go began is then read in any case.
const DRAIN_BYTES_MAX: usize = 1024 * 1024;
/// A frame's own time is believed if it is at most so long ago.
const FRAME_AGE_MAX: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(crate) struct Logs {
    output: Pipe<LineCutter>,
    telemetry: Pipe<FrameCutter>,
    buffer: Vec<u8>,
    /// Both pipes were read since the round of events began.
    was_drained: bool,
}

#[derive(Debug)]
struct Pipe<C> {
    fd: Option<Watched>,
    cutter: C,
}

impl<C: Default> Default for Pipe<C> {
    fn default() -> Self {
        Self { fd: None, cutter: C::default() }
    }
}

impl Logs {
    /// Reads from these pipes from now on.
    ///
    /// # Errors
    /// They cannot be waited for.
    pub(crate) fn open(&mut self, poller: &Poller, output: OwnedFd, telemetry: OwnedFd) -> rustix::io::Result<()> {
        self.output.fd = Some(poller.watch(output, Source::Output)?);
        self.telemetry.fd = Some(poller.watch(telemetry, Source::Telemetry)?);
        Ok(())
    }

    /// The pipe has been made anew, as pipes are when a sandbox is restored: it may be opened by name again. Where it cannot be,
    /// whoever has it open writes to it all the same.
    pub(crate) fn reopen(&self) {
        if let Some(output) = &self.output.fd {
            let _stays_closed = runtime_process::open_by_name(output);
        }
    }

    /// All writers have gone and all that they wrote was read.
    pub(crate) fn is_over(&self) -> bool {
        self.output.fd.is_none() && self.telemetry.fd.is_none()
    }

    /// Pauses or resumes reading when pipes are ready.
    pub(crate) fn set_read(&mut self, poller: &Poller, read: bool) {
        for fd in [&mut self.output.fd, &mut self.telemetry.fd].into_iter().flatten() {
            fd.set_read(poller, read);
        }
    }

    /// What was ready when this round began has yet to be read.
    pub(crate) fn begin_round(&mut self) {
        self.was_drained = false;
    }

    /// As [`Logs::drain`], unless that was done since the round began: what came later is told of by the next.
    pub(crate) fn drain_once(&mut self, link: &mut Link) {
        if !self.was_drained {
            self.drain(link);
        }
    }

    /// Pushes to `link` what was written so far.
    pub(crate) fn drain(&mut self, link: &mut Link) {
        self.was_drained = true;
        let now = now();
        if self.buffer.is_empty() {
            self.buffer = vec![0; READ_BYTES];
        }
        let buffer = &mut self.buffer;
        let mut sink = |source, time_us, bytes: &[u8]| {
            let time_us = believable_us(time_us, now);
            link.push_log(LogHead { source, time_us }, bytes);
        };
        let lines = &mut self.output.cutter;
        drain_pipe(&mut self.output.fd, buffer, |bytes| lines.feed(bytes, &mut sink));
        let frames = &mut self.telemetry.cutter;
        drain_pipe(&mut self.telemetry.fd, buffer, |bytes| frames.feed(bytes, &mut sink));
    }

    /// As [`Logs::drain`], and ends a begun line: what comes later belongs to something else.
    pub(crate) fn drain_lines(&mut self, link: &mut Link) {
        self.drain(link);
        self.output.cutter.flush(&mut plain_sink(link));
    }

    /// As [`Logs::drain`], then gives out whatever was begun and closes the pipes.
    pub(crate) fn finish(&mut self, link: &mut Link) {
        self.drain(link);
        self.output.cutter.flush(&mut plain_sink(link));
        self.telemetry.cutter.finish(&mut plain_sink(link));
        *self = Self::default();
    }
}

fn plain_sink(link: &mut Link) -> impl FnMut(LogSource, Option<u64>, &[u8]) {
    let now = now();
    move |source, time_us, bytes| {
        link.push_log(LogHead { source, time_us: believable_us(time_us, now) }, bytes);
    }
}

fn now() -> Duration {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
}

fn believable_us(time_us: Option<u64>, now: Duration) -> u64 {
    let now_us = |now: Duration| u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
    let oldest = now_us(now.saturating_sub(FRAME_AGE_MAX));
    let now = now_us(now);
    time_us.filter(|time_us| (oldest..=now).contains(time_us)).unwrap_or(now)
}

/// Reads until the pipe is dry, or closes it at its end.
fn drain_pipe(pipe: &mut Option<Watched>, buffer: &mut [u8], mut feed: impl FnMut(&[u8])) {
    let mut drained = 0;
    while let Some(fd) = pipe
        && drained < DRAIN_BYTES_MAX
    {
        match read(fd, &mut buffer[..]) {
            Ok(0) => *pipe = None,
            Ok(length) => {
                feed(&buffer[..length]);
                drained += length;
                if length < buffer.len() {
                    return;
                }
            }
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return,
            Err(_) => *pipe = None,
        }
    }
}
