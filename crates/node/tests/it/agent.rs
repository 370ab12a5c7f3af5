//! What is at the other end of a sandbox's connection.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use hearth_agent_proto::{FromAgent, LogHead, LogSource, PROTOCOL_VERSION, ResponseHead, ToAgent, read_frame};
use rustix::event::{PollFd, PollFlags, poll};

use crate::sandboxes::Step;

/// Where it is to end, and that it does.
pub(crate) trait Fate {
    fn is_planned(&self, step: Step) -> bool;
    fn ends(&self, step: Step) -> bool;
}

/// Answers as a sound agent does with a function that returns what it is given.
pub(crate) fn run(stream: UnixStream, fate: &impl Fate) {
    let mut agent = Agent { stream, heard: Vec::new() };
    let _it_ended = agent.serve(fate).is_none();
}

struct Agent {
    stream: UnixStream,
    heard: Vec<u8>,
}

impl Agent {
    /// `None` at its end.
    fn serve(&mut self, fate: &impl Fate) -> Option<()> {
        self.say(&FromAgent::Hello { version: PROTOCOL_VERSION })?;
        loop {
            let length = self.hear()?;
            let heard: Vec<u8> = self.heard.drain(..length).collect();
            let (header, payload, _) = read_frame(&heard).ok()??;
            match ToAgent::decode(header, payload).ok()? {
                ToAgent::Init(_) if fate.ends(Step::Initialising) => return None,
                // What is to be saved is told so before.
                ToAgent::Init(_) | ToAgent::Renew(_) if header.kind == 1 || self.is_copy() => {
                    self.say(&FromAgent::Ready)?;
                    if fate.is_planned(Step::Initialised) {
                        self.await_more();
                        if fate.ends(Step::Initialised) {
                            return None;
                        }
                    }
                }
                ToAgent::Invoke { id, body, .. } => {
                    self.log_as_told(body)?;
                    let head = ResponseHead { content_type: "application/json".into() };
                    self.say(&FromAgent::Response { id, head, body })?;
                    self.say(&FromAgent::Idle { id })?;
                }
                _ => {}
            }
        }
    }

    /// So many long lines as the event says, each with its number; more than anybody reads do not end before the agent does.
    fn log_as_told(&mut self, event: &[u8]) -> Option<()> {
        let event: String = serde_json::from_slice(event).ok()?;
        let Some(lines) = event.strip_prefix("log ") else { return Some(()) };
        for number in 0..lines.parse::<u64>().ok()? {
            let head = LogHead { source: LogSource::Output, time_us: 1_700_000_000_000_000 };
            self.say(&FromAgent::Log { head, data: format!("{number:0>500}\n").as_bytes() })?;
        }
        Some(())
    }

    /// A restored one is told what is its own and nothing else.
    fn is_copy(&self) -> bool {
        self.heard.is_empty() && !self.more_within_ms(20)
    }

    fn more_within_ms(&self, ms: i64) -> bool {
        let mut watched = [PollFd::new(&self.stream, PollFlags::IN)];
        let timeout = rustix::time::Timespec { tv_sec: ms / 1000, tv_nsec: ms % 1000 * 1_000_000 };
        poll(&mut watched, Some(&timeout)).is_ok_and(|ready| ready > 0)
    }

    fn await_more(&self) {
        let mut watched = [PollFd::new(&self.stream, PollFlags::IN)];
        poll(&mut watched, None).unwrap();
    }

    fn say(&mut self, message: &FromAgent<'_>) -> Option<()> {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        self.stream.write_all(&bytes).ok()
    }

    /// The length of the first message, once it is there.
    fn hear(&mut self) -> Option<usize> {
        loop {
            if let Some((_, _, length)) = read_frame(&self.heard).ok()? {
                return Some(length);
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes).ok()? {
                0 => {
                    // The daemon has left, and waits for this.
                    let _closed_before = self.stream.shutdown(std::net::Shutdown::Both).is_err();
                    return None;
                }
                length => self.heard.extend_from_slice(&bytes[..length]),
            }
        }
    }
}
