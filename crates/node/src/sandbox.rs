//! What the node knows of one sandbox.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hearth_agent_proto::ExitStatus;
use hearth_engine::port::StartKind;
use hearth_engine::{Purpose, Start};
use hearth_logs::LogStream;
use hearth_runtimes::RuntimeDefinition;
use hearth_sandbox::Readiness;
use hearth_types::{Instant, RequestId, SandboxId, Timestamp, VersionSpec, limits};
use tokio_util::sync::CancellationToken;

use crate::attempt::Attempt;
use crate::link::Link;
use crate::report::Failure;
use crate::stream::StreamWriter;

/// Why a sandbox did not come to serve its first invocation.
#[derive(Clone, Debug)]
pub(crate) enum StartFailure {
    /// The runtime reported an error of initialisation.
    Reported { error_type: String, payload: Vec<u8> },
    /// The runtime's process ended.
    Exit { status: Option<ExitStatus>, out_of_memory: bool },
    /// Initialisation took longer than it may.
    TimedOut,
}

impl StartFailure {
    /// As the failure of this request.
    pub(crate) fn of_request(self, request: RequestId, timeout_ms: u64, now: Timestamp) -> Failure {
        match self {
            Self::Reported { error_type, payload } => Failure::reported(&error_type, &payload),
            Self::Exit { status, out_of_memory } => Failure::exit(request, status, out_of_memory),
            Self::TimedOut => Failure::timeout(request, timeout_ms, now),
        }
    }
}

/// One invocation in a sandbox: under way, or handed to the agent ahead of the runtime's asking for it.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) id: u32,
    pub(crate) attempt: Arc<Attempt>,
    pub(crate) since: Instant,
    pub(crate) responded: bool,
    pub(crate) start: Start,
    /// How its sandbox came to be, and how long attaching the code took.
    pub(crate) kind: StartKind,
    pub(crate) placement: Duration,
    /// Time that initialisation took, if this is the sandbox's first invocation.
    pub(crate) init: Option<Duration>,
    pub(crate) tail: Option<LogTail>,
    /// A streamed answer to a caller who wants it whole.
    pub(crate) collected: Option<(String, BytesMut)>,
    pub(crate) writer: Option<StreamWriter>,
    /// The agent was told to give it back.
    pub(crate) withdrawn: bool,
}

impl Running {
    /// It can still be given to another sandbox: it is not answered, and as far as is known its runtime was not given the event.
    pub(crate) fn is_held(&self) -> bool {
        !self.responded && self.attempt.payload().is_some()
    }
}

/// What the sandbox is doing, as far as the node has to know.
#[derive(Debug, Default)]
pub(crate) struct SandboxState {
    /// In the order in which the runtime gets them; only the first has been handed out.
    pub(crate) running: VecDeque<Running>,
    pub(crate) last_id: u32,
    pub(crate) initialised: bool,
    /// It starts beside others of its version, and is slowed by everything else until it is initialised.
    pub(crate) gives_way: bool,
    /// It has given way for long enough, if it did.
    pub(crate) hastened: bool,
    /// What is being restored to take its place.
    pub(crate) restoring: Option<SandboxId>,
    /// Once it is given to a version: its share of the processors, thousandths of a core.
    pub(crate) cpu_weight_millis: Option<u32>,
    pub(crate) exit: Option<ExitStatus>,
    /// Something in it spoke as no sound agent does.
    pub(crate) broke_rules: bool,
    /// What the runtime started from.
    pub(crate) readiness: Readiness,
    /// The memory size for which an interpreter waits in it, MiB.
    pub(crate) parked_mib: Option<u32>,
    pub(crate) init_since: Option<Instant>,
    /// Time that initialisation took; told once, with the first invocation.
    pub(crate) init: Option<Duration>,
    pub(crate) placement: Duration,
    /// How it came to be; set once it is given to a version.
    pub(crate) start_kind: StartKind,
    /// It was made ahead of need: it lay ready before anybody waited for it.
    pub(crate) lay_ready: bool,
    pub(crate) start_failure: Option<StartFailure>,
    pub(crate) memory_bytes_max: u64,
    pub(crate) memory_read_at: Option<Instant>,
    pub(crate) init_tail: LogTail,
    /// Nobody listens to its agent any more.
    pub(crate) over: bool,
}

/// What is fixed once the sandbox belongs to a version.
#[derive(Debug)]
pub(crate) struct Assigned {
    pub(crate) spec: Arc<VersionSpec>,
    pub(crate) purpose: Purpose,
    pub(crate) link: Link,
    pub(crate) log: LogStream,
}

#[derive(Debug)]
pub(crate) struct Sandbox {
    pub(crate) id: SandboxId,
    pub(crate) assigned: OnceLock<Assigned>,
    /// It is initialised to be saved, and the engine does not know it.
    pub(crate) to_be_saved: bool,
    /// As the isolation knows it, where that is not `id`: a restored copy in the place of what was made first.
    copy: Mutex<Option<SandboxId>>,
    state: Mutex<SandboxState>,
    /// Ends the session task.
    pub(crate) closed: CancellationToken,
    doomed: AtomicBool,
    /// What the engine decided last.
    frozen_wanted: AtomicBool,
    /// Held while it is being changed.
    frozen: Mutex<bool>,
}

impl SandboxState {
    /// Whether an interpreter waits that can become that of a function with this memory size and environment.
    pub(crate) fn use_parked(
        &mut self,
        runtime: &RuntimeDefinition,
        memory_mib: u32,
        environment: &[(String, String)],
    ) -> bool {
        let fits = |parked_mib| runtime.can_become(parked_mib, memory_mib, environment);
        if !self.parked_mib.is_some_and(fits) {
            self.readiness = Readiness::Empty;
        }
        self.start_kind = match (self.start_kind, self.readiness) {
            (StartKind::Blank, Readiness::Parked) => StartKind::Preboot,
            (StartKind::Blank, Readiness::Forked) => StartKind::Zygote,
            (kind, _) => kind,
        };
        self.readiness != Readiness::Empty
    }
}

impl Sandbox {
    pub(crate) fn new(id: SandboxId) -> Arc<Self> {
        Self::make(id, false)
    }

    pub(crate) fn to_be_saved(id: SandboxId) -> Arc<Self> {
        Self::make(id, true)
    }

    fn make(id: SandboxId, to_be_saved: bool) -> Arc<Self> {
        Arc::new(Self {
            id,
            assigned: OnceLock::new(),
            to_be_saved,
            copy: Mutex::default(),
            state: Mutex::default(),
            closed: CancellationToken::new(),
            doomed: AtomicBool::new(false),
            frozen_wanted: AtomicBool::new(false),
            frozen: Mutex::default(),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, SandboxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Undoes that the attempt runs here; false if its end was dealt with meanwhile, or the runtime was given the event.
    pub(crate) fn take_back(&self, id: u32) -> bool {
        let running = &mut self.state().running;
        let place = running.iter().position(|running| running.id == id && running.is_held());
        place.and_then(|place| running.remove(place)).is_some()
    }

    /// To be called in the order of the engine's decisions; they are performed in any order.
    pub(crate) fn want_frozen(&self, frozen: bool) {
        self.frozen_wanted.store(frozen, Ordering::Release);
    }

    /// Brings the sandbox into the state that is wanted *now*, so that a freeze that comes late never hits what was thawed since.
    pub(crate) fn settle_frozen<E>(&self, change: impl FnOnce(bool) -> Result<(), E>) -> Result<(), E> {
        let mut frozen = self.frozen.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = self.frozen_wanted.load(Ordering::Acquire);
        if *frozen != wanted {
            change(wanted)?;
            *frozen = wanted;
        }
        Ok(())
    }

    /// As the isolation knows it.
    pub(crate) fn place(&self) -> SandboxId {
        self.copy.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(self.id)
    }

    /// From now on this copy is what is meant; false if the sandbox is being destroyed already.
    pub(crate) fn take_place(&self, copy: SandboxId) -> bool {
        let mut place = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        let in_time = !self.is_doomed();
        if in_time {
            *place = Some(copy);
        }
        in_time
    }

    /// `true` for the first who decides that it is to be destroyed.
    pub(crate) fn doom(&self) -> bool {
        // Whoever takes its place does so before this or not at all.
        let _place = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        !self.doomed.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn is_doomed(&self) -> bool {
        self.doomed.load(Ordering::Acquire)
    }
}

/// The last 4 KiB of an invocation's log.
#[derive(Debug, Default)]
pub(crate) struct LogTail(VecDeque<u8>);

impl LogTail {
    pub(crate) fn push(&mut self, line: &[u8]) {
        let keep = &line[line.len().saturating_sub(limits::LOG_TAIL_BYTES)..];
        let surplus = (self.0.len() + keep.len()).saturating_sub(limits::LOG_TAIL_BYTES);
        self.0.drain(..surplus.min(self.0.len()));
        self.0.extend(keep);
    }

    /// This tail behind what was logged earlier.
    pub(crate) fn behind(self, earlier: &[u8]) -> Self {
        let mut tail = Self::default();
        tail.push(earlier);
        tail.push(&self.into_bytes());
        tail
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        Bytes::from(Vec::from(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freeze_that_comes_late_does_not_hit_what_was_thawed() {
        let sandbox = Sandbox::new(SandboxId(1));
        let changes = Mutex::new(Vec::new());
        let settle = || {
            sandbox.settle_frozen(|frozen| {
                changes.lock().unwrap().push(frozen);
                Ok::<_, ()>(())
            })
        };
        sandbox.want_frozen(true);
        sandbox.want_frozen(false);
        settle().unwrap();
        assert!(changes.lock().unwrap().is_empty());
        sandbox.want_frozen(true);
        assert_eq!(sandbox.settle_frozen(|_| Err("no freezer")), Err("no freezer"));
        settle().unwrap();
        settle().unwrap();
        sandbox.want_frozen(false);
        settle().unwrap();
        assert_eq!(*changes.lock().unwrap(), [true, false]);
    }

    #[test]
    fn the_tail_is_the_last_four_kibibytes() {
        let mut tail = LogTail::default();
        for number in 0..2000 {
            tail.push(format!("{number}\n").as_bytes());
        }
        let bytes = tail.into_bytes();
        assert_eq!(bytes.len(), limits::LOG_TAIL_BYTES);
        assert!(bytes.ends_with(b"1998\n1999\n"));
    }

    #[test]
    fn one_line_longer_than_the_tail_fills_it() {
        let mut tail = LogTail::default();
        tail.push(b"first");
        tail.push(&[b'x'; 3 * limits::LOG_TAIL_BYTES]);
        assert_eq!(tail.into_bytes(), vec![b'x'; limits::LOG_TAIL_BYTES]);
    }
}
