//! The conversation with one agent: from the first frame to the end of the sandbox.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use hearth_agent_proto::{FrameError, FromAgent, LogHead, LogSource, PROTOCOL_VERSION, ToAgent, read_frame};
use hearth_engine::Event;
use hearth_engine::port::StreamError;
use hearth_sys::failpoint;
use hearth_types::{Timestamp, limits};
use tokio::time::{Instant as TokioInstant, timeout};

use crate::core::Core;
use crate::intake::{COUNTS_FOR, Meter};
use crate::report::Failure;
use crate::running::timeline;
use crate::sandbox::{Assigned, Sandbox, StartFailure};
use crate::tunnel::{TunnelError, Tunnels};

/// Taken from one agent before others have their turn.
const TURN_BYTES: usize = 64 * 1024;
/// Of a function that is ended while its log is held back, this much is taken all the same: what may be on its way.
const REST_BYTES_MAX: usize = 2 * 1024 * 1024;
/// For so long nothing comes if there is nothing left.
const REST_WITHIN: Duration = Duration::from_millis(50);

/// What a sandbox did that no sound agent does. It is destroyed for it.
#[derive(Debug, thiserror::Error)]
enum Violation {
    #[error("broken frame")]
    Frame(#[source] FrameError),
    #[error("agent speaks version {0}, not {PROTOCOL_VERSION}")]
    Version(u16),
    #[error("broken tunnel")]
    Tunnel(#[source] TunnelError),
    #[error("a streamed response exceeds its window")]
    Window,
    #[error("an answer to an invocation that is not under way")]
    UnknownInvocation,
}

pub(crate) struct Session {
    core: Arc<Core>,
    sandbox: Arc<Sandbox>,
    tunnels: Tunnels,
    /// When initialisation must be over.
    init_deadline: TokioInstant,
    /// From the agent, not yet understood.
    buffer: BytesMut,
    /// Log records since the meter was told, and their bytes.
    logged: (u64, u64),
    /// The function had logged more than it may: nothing is read before then.
    held_until: Option<TokioInstant>,
    /// The newest time that was read: what was logged before it needs no other.
    wall: Timestamp,
    /// It has been decided what becomes of the sandbox, and only its log still counts.
    is_ended: bool,
}

impl Session {
    pub(crate) fn new(core: Arc<Core>, sandbox: Arc<Sandbox>, init_limit: Duration) -> Self {
        let init_deadline = TokioInstant::now() + init_limit;
        Self {
            core,
            sandbox,
            tunnels: Tunnels::default(),
            init_deadline,
            buffer: BytesMut::new(),
            logged: (0, 0),
            held_until: None,
            wall: Timestamp::from_millis(0),
            is_ended: false,
        }
    }

    /// Runs until the sandbox is of no further use.
    pub(crate) async fn run(mut self) {
        failpoint("session");
        let sandbox = Arc::clone(&self.sandbox);
        let Some(assigned) = sandbox.assigned.get() else { return };
        tokio::select! {
            () = assigned.link.flush_forever() => {}
            () = self.read(assigned) => {}
            () = sandbox.closed.cancelled() => {}
        }
        if self.held_until.is_some_and(|until| TokioInstant::now() < until + COUNTS_FOR) {
            self.read_rest(assigned).await;
        }
        self.core.session_ended(&self.sandbox);
    }

    async fn read(&mut self, assigned: &Assigned) {
        let now = TokioInstant::now();
        let mut meter = Meter::new(&self.core.intake, &assigned.spec.key.account, self.sandbox.id, now);
        let mut turn = 0;
        loop {
            let initialised = self.sandbox.state().initialised;
            let more = tokio::select! {
                more = read_from(assigned, &mut self.buffer, self.held_until) => more,
                () = tokio::time::sleep_until(self.init_deadline), if !initialised => {
                    self.sandbox.state().start_failure = Some(StartFailure::TimedOut);
                    return;
                }
            };
            if !more {
                return;
            }
            let taken = match self.take_frames(assigned) {
                Ok((true, taken)) => taken,
                Ok((false, _)) => return,
                Err(violation) => {
                    tracing::warn!(sandbox = %self.sandbox.id, error = %chain(&violation), "sandbox destroyed");
                    self.sandbox.state().broke_rules = true;
                    return;
                }
            };
            let (records, bytes) = std::mem::take(&mut self.logged);
            if records > 0 {
                self.held_until = meter.took(records, bytes, TokioInstant::now()).or(self.held_until);
            }
            turn += taken;
            if turn > TURN_BYTES {
                turn = 0;
                tokio::task::yield_now().await;
            }
        }
    }

    /// The sandbox is to end while its log was held back: what the function has logged until then is taken.
    async fn read_rest(&mut self, assigned: &Assigned) {
        self.is_ended = true;
        let mut left = if self.sandbox.is_doomed() { 0 } else { REST_BYTES_MAX };
        while let Ok(true) = timeout(REST_WITHIN, assigned.link.read_into(&mut self.buffer)).await {
            if left == 0 {
                let line = "[hearth] log records were dropped: the function was ended while it logged faster than they could be kept\n";
                return assigned.log.append(self.core.clock.wall().as_millis(), line.into());
            }
            let Ok((true, taken)) = self.take_frames(assigned) else { return };
            left = left.saturating_sub(taken);
            tokio::task::yield_now().await;
        }
    }

    /// `false` when the runtime is gone; and how many bytes were taken.
    fn take_frames(&mut self, assigned: &Assigned) -> Result<(bool, usize), Violation> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let all = buffer.len();
        let result = loop {
            match self.take_frame(assigned, &mut buffer) {
                Ok(Some(true)) => {}
                Ok(Some(false)) => break Ok(false),
                Ok(None) => break Ok(true),
                Err(violation) => break Err(violation),
            }
        };
        let taken = all - buffer.len();
        self.buffer = buffer;
        Ok((result?, taken))
    }

    /// `None` if there is no whole one, `false` when the runtime is gone.
    fn take_frame(&mut self, assigned: &Assigned, buffer: &mut BytesMut) -> Result<Option<bool>, Violation> {
        let Some((header, payload, taken)) = read_frame(buffer).map_err(Violation::Frame)? else { return Ok(None) };
        let message = FromAgent::decode(header, payload).map_err(Violation::Frame)?;
        let alive = self.handle(assigned, message)?;
        buffer.advance(taken);
        Ok(Some(alive))
    }

    fn handle(&mut self, assigned: &Assigned, message: FromAgent<'_>) -> Result<bool, Violation> {
        match message {
            FromAgent::Log { head, data } => self.log(assigned, head, data),
            FromAgent::LogsDropped { records } => {
                let line =
                    format!("[hearth] {records} log records were dropped: they came faster than they could be kept\n");
                assigned.log.append(self.core.clock.wall().as_millis(), line.into());
            }
            _ if self.is_ended => {}
            FromAgent::Hello { version } if version != PROTOCOL_VERSION => return Err(Violation::Version(version)),
            FromAgent::Hello { .. } | FromAgent::Parked { .. } => {}
            FromAgent::Ready => {
                self.core.initialised(&self.sandbox);
                return Ok(!self.sandbox.to_be_saved);
            }
            FromAgent::Idle { id } => self.idle(id),
            FromAgent::Withdrawn { id } => self.withdrawn(id)?,
            FromAgent::Started { id } => self.started(id),
            FromAgent::Response { id, head, body } => {
                self.core.respond(&self.sandbox, id, &head.content_type, Bytes::copy_from_slice(body));
            }
            FromAgent::StreamStart { id, head } => self.stream_start(id, &head.content_type)?,
            FromAgent::StreamChunk { id, data } => self.stream_chunk(assigned, id, data)?,
            FromAgent::StreamEnd { id, end } => {
                let error = end.error.map(|(code, details)| StreamError {
                    code: code.into_owned(),
                    details: String::from_utf8_lossy(&details).into_owned(),
                });
                self.stream_end(id, error, end.truncated)?;
            }
            FromAgent::InvocationError { id, head, body } => {
                self.core.fail(&self.sandbox, id, &Failure::raised(&head.error_type, body));
            }
            FromAgent::InitError { head, body } => {
                let error_type = head.error_type.into_owned();
                self.sandbox.state().start_failure =
                    Some(StartFailure::Reported { error_type, payload: body.to_vec() });
            }
            FromAgent::Exit(status) => {
                self.sandbox.state().exit = Some(status);
                return Ok(false);
            }
            FromAgent::TunnelOpen { id } => {
                let server = Arc::clone(&self.core.tunnels);
                self.tunnels.open(id, server.as_ref(), &self.sandbox, &assigned.spec).map_err(Violation::Tunnel)?;
            }
            FromAgent::TunnelData { id, data } => self.tunnels.data(id, data).map_err(Violation::Tunnel)?,
            FromAgent::TunnelClose { id } => self.tunnels.close(id),
            FromAgent::TunnelCredit { id, bytes } => self.tunnels.credit(id, bytes),
        }
        Ok(true)
    }

    /// The runtime asked for its next event; whatever the agent held for it has been handed out with that.
    fn idle(&self, id: u32) {
        {
            let mut state = self.sandbox.state();
            if state.running.front().is_none_or(|first| first.id != id || !first.responded) {
                return;
            }
            state.running.pop_front();
            let now = self.core.clock.now();
            if let Some(next) = state.running.front_mut() {
                next.since = now;
                next.attempt.set_deadline(now + next.attempt.timeout());
            }
        }
        self.core.step(Event::Idle { sandbox: self.sandbox.id });
    }

    /// The agent gives an event back: because it was told to, or because there is no runtime any more that could take it.
    fn withdrawn(&self, id: u32) -> Result<(), Violation> {
        let sandbox = self.sandbox.id;
        let event = {
            let mut state = self.sandbox.state();
            let index = state.running.iter().position(|running| running.id == id && running.is_held());
            let index = index.ok_or(Violation::UnknownInvocation)?;
            let given_back = state.running.remove(index);
            let asked = index > 0 && given_back.is_some_and(|running| running.withdrawn);
            if asked { Event::Withdrawn { sandbox } } else { Event::Undelivered { sandbox } }
        };
        self.core.step(event);
        Ok(())
    }

    /// The runtime has the event.
    fn started(&self, id: u32) {
        if let Some(running) = self.sandbox.state().running.iter().find(|running| running.id == id) {
            running.attempt.let_payload_go();
        }
    }

    fn stream_start(&self, id: u32, content_type: &str) -> Result<(), Violation> {
        let mut state = self.sandbox.state();
        let running = state.running.front_mut().filter(|first| first.id == id && !first.responded);
        let running = running.ok_or(Violation::UnknownInvocation)?;
        match running.attempt.start_stream(content_type, timeline(running, None)) {
            Some(writer) => {
                let sandbox = Arc::downgrade(&self.sandbox);
                writer.on_taken(Box::new(move |bytes| {
                    if let Some(sandbox) = sandbox.upgrade()
                        && let Some(assigned) = sandbox.assigned.get()
                    {
                        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
                        // A link that takes nothing more ends its session by itself.
                        let _stuck = assigned.link.send(&ToAgent::Credit { id, tunnel: false, bytes }).is_err();
                    }
                }));
                running.writer = Some(writer);
            }
            None => running.collected = Some((content_type.to_owned(), BytesMut::new())),
        }
        Ok(())
    }

    fn stream_chunk(&self, assigned: &Assigned, id: u32, data: &[u8]) -> Result<(), Violation> {
        let mut state = self.sandbox.state();
        let running = state.running.front_mut().filter(|first| first.id == id && !first.responded);
        let running = running.ok_or(Violation::UnknownInvocation)?;
        if let Some((_, collected)) = &mut running.collected {
            if collected.len() <= limits::RESPONSE_BYTES_MAX {
                collected.extend_from_slice(data);
            }
            drop(state);
            let bytes = u32::try_from(data.len()).unwrap_or(u32::MAX);
            let _stuck = assigned.link.send(&ToAgent::Credit { id, tunnel: false, bytes }).is_err();
            return Ok(());
        }
        let writer = running.writer.clone().ok_or(Violation::UnknownInvocation)?;
        drop(state);
        writer.data(data).map_err(|_exceeded| Violation::Window)
    }

    fn stream_end(&self, id: u32, error: Option<StreamError>, truncated: bool) -> Result<(), Violation> {
        let collected = {
            let mut state = self.sandbox.state();
            let running = state.running.front_mut().filter(|first| first.id == id && !first.responded);
            running.ok_or(Violation::UnknownInvocation)?.collected.take()
        };
        let failure = match (error, truncated) {
            (Some(error), _) => Some(Failure::raised(&error.code, error.details.as_bytes())),
            (None, true) => Some(Failure::truncated()),
            (None, false) => None,
        };
        match (failure, collected) {
            (Some(failure), _) => self.core.fail(&self.sandbox, id, &failure),
            (None, Some((_, body))) if body.len() > limits::RESPONSE_BYTES_MAX => {
                self.core.fail(&self.sandbox, id, &Failure::response_too_large());
            }
            // What it grew into may be twice as much, and is kept until the caller has read the answer.
            (None, Some((content_type, body))) => {
                self.core.respond(&self.sandbox, id, &content_type, Bytes::copy_from_slice(&body));
            }
            (None, None) => self.core.respond(&self.sandbox, id, "application/octet-stream", Bytes::new()),
        }
        Ok(())
    }

    fn log(&mut self, assigned: &Assigned, head: LogHead, data: &[u8]) {
        self.logged = (self.logged.0 + 1, self.logged.1 + data.len() as u64);
        if head.time_us / 1000 > self.wall.as_millis() {
            self.wall = self.core.clock.wall();
        }
        {
            let mut state = self.sandbox.state();
            match state.running.front_mut() {
                Some(running) => {
                    if let Some(tail) = &mut running.tail {
                        tail.push(data);
                    }
                }
                None => state.init_tail.push(data),
            }
        }
        if let LogSource::Framed { level, .. } = head.source
            && !wanted(&assigned.spec, level)
        {
            return;
        }
        // Lambda makes no event of a blank line.
        if data.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return;
        }
        assigned.log.append(believable_ms(head.time_us, self.wall), Bytes::copy_from_slice(data));
    }
}

/// As [`Link::read_into`](crate::link::Link::read_into), but not before a time.
async fn read_from(assigned: &Assigned, buffer: &mut BytesMut, not_before: Option<TokioInstant>) -> bool {
    if let Some(until) = not_before.filter(|until| *until > TokioInstant::now()) {
        tokio::time::sleep_until(until).await;
    }
    assigned.link.read_into(buffer).await
}

/// When something was logged, by the agent's word: not later than now.
fn believable_ms(time_us: u64, now: Timestamp) -> u64 {
    (time_us / 1000).min(now.as_millis())
}

/// Whether a framed record passes `ApplicationLogLevel`; records without a level always do.
fn wanted(spec: &hearth_types::VersionSpec, level: u8) -> bool {
    use hearth_types::LogLevel;
    let least = match spec.application_log_level {
        None | Some(LogLevel::Trace) => 4,
        Some(LogLevel::Debug) => 8,
        Some(LogLevel::Info) => 12,
        Some(LogLevel::Warn) => 16,
        Some(LogLevel::Error) => 20,
        Some(LogLevel::Fatal) => 24,
    };
    level == 0 || level >= least
}

/// An error and what caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_logged_in_the_future() {
        let now = Timestamp::from_millis(1_790_000_000_123);
        assert_eq!(believable_ms(1_789_999_999_000_500, now), 1_789_999_999_000);
        assert_eq!(believable_ms(u64::MAX, now), now.as_millis());
    }
}
