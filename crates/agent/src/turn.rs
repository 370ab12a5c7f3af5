//! Whose turn it is: what the runtime may ask and what it may post.
//!
//! ```text
//!  Blank: what waits to become a runtime is refused everything.
//!
//!  Initialising ──next──► Waiting ──event──► Running ──response, error──► Answered
//!       │                    ▲                   │                            ▲  │
//!       ▼                    │                   └──streamed─► Streaming ─end─┘  │
//!   InitFailed               └───────────────────────next────────────────────────┘
//!
//!  Initialising ──restore/next──► Held ──renewed──► Restoring ──next──► Waiting       in a sandbox that is to be saved
//! ```

use crate::reply::Refusal;

/// The invocation that the runtime has.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Attempt {
    /// The daemon's number.
    pub(crate) id: u32,
    pub(crate) request_id: String,
    pub(crate) invocation_id: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// There is no runtime.
    Blank,
    Initialising,
    InitFailed,
    /// Initialised, and waiting to be restored.
    Held,
    /// In a restored copy: the function's hooks run.
    Restoring,
    Waiting,
    Running,
    Streaming,
    Answered,
}

impl Phase {
    /// As the emulator of AWS names the states of a runtime in its refusals.
    fn name(self) -> &'static str {
        match self {
            Self::Blank => "Initialized",
            Self::Initialising => "Started",
            Self::InitFailed => "InitError",
            Self::Held => "RestoreReady",
            Self::Restoring => "Restoring",
            Self::Waiting => "Ready",
            Self::Running => "Running",
            Self::Streaming => "InvocationResponse",
            Self::Answered => "ResponseSent",
        }
    }
}

/// What asking for the next event means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Asked {
    /// For the first time: initialisation is over.
    First,
    /// Once more without having got one.
    Again,
    /// After this invocation.
    After(u32),
}

#[derive(Debug)]
pub(crate) struct Turn {
    phase: Phase,
    /// Of `Running`, `Streaming` and `Answered`; its buffers are used again.
    attempt: Attempt,
}

impl Default for Turn {
    fn default() -> Self {
        Self { phase: Phase::Blank, attempt: Attempt::default() }
    }
}

impl Turn {
    /// The runtime is started.
    pub(crate) fn begin(&mut self) {
        if self.phase == Phase::Blank {
            self.phase = Phase::Initialising;
        }
    }

    /// The runtime asks for the next event.
    ///
    /// # Errors
    /// It has one and has not answered it, or its initialisation failed.
    pub(crate) fn ask(&mut self) -> Result<Asked, Refusal> {
        let asked = match self.phase {
            Phase::Initialising | Phase::Restoring => Asked::First,
            Phase::Waiting => Asked::Again,
            Phase::Answered => Asked::After(self.attempt.id),
            Phase::Blank | Phase::InitFailed | Phase::Held | Phase::Running | Phase::Streaming => {
                return Err(self.refuse("Ready"));
            }
        };
        self.phase = Phase::Waiting;
        Ok(asked)
    }

    /// The runtime gets an event.
    pub(crate) fn start(&mut self, id: u32, request_id: &str, invocation_id: &str) {
        self.phase = Phase::Running;
        self.attempt.id = id;
        request_id.clone_into(&mut self.attempt.request_id);
        invocation_id.clone_into(&mut self.attempt.invocation_id);
    }

    /// The runtime is about to answer `request_id`: the daemon's number of it.
    ///
    /// # Errors
    /// It is not the invocation that the runtime has, or it was answered already.
    pub(crate) fn check_answer(&self, request_id: &[u8], invocation_id: Option<&[u8]>) -> Result<u32, Refusal> {
        let has_attempt = matches!(self.phase, Phase::Running | Phase::Streaming | Phase::Answered);
        if !has_attempt || request_id != self.attempt.request_id.as_bytes() {
            return Err(Refusal {
                status: 400,
                error_type: "InvalidRequestID",
                message: "Invalid request ID".to_owned(),
            });
        }
        if invocation_id.is_some_and(|invocation_id| invocation_id != self.attempt.invocation_id.as_bytes()) {
            return Err(Refusal {
                status: 400,
                error_type: "InvalidInvocationId",
                message: "Invalid invocation ID".to_owned(),
            });
        }
        match self.phase {
            Phase::Running => Ok(self.attempt.id),
            _ => Err(self.refuse("InvocationResponse")),
        }
    }

    /// The head of a streamed response was accepted.
    pub(crate) fn begin_stream(&mut self) {
        self.phase = Phase::Streaming;
    }

    /// The answer is complete, or as complete as it gets.
    pub(crate) fn answered(&mut self) {
        self.phase = Phase::Answered;
    }

    /// The runtime says that it cannot start.
    ///
    /// # Errors
    /// It has said so before, or had already started.
    pub(crate) fn fail_init(&mut self) -> Result<(), Refusal> {
        match self.phase {
            Phase::Initialising => {
                self.phase = Phase::InitFailed;
                Ok(())
            }
            Phase::Blank
            | Phase::InitFailed
            | Phase::Held
            | Phase::Restoring
            | Phase::Waiting
            | Phase::Running
            | Phase::Streaming
            | Phase::Answered => Err(self.refuse("InitError")),
        }
    }

    /// The runtime waits to be restored; true for the first time.
    ///
    /// # Errors
    /// It is not initialising.
    pub(crate) fn hold(&mut self) -> Result<bool, Refusal> {
        match self.phase {
            Phase::Initialising | Phase::Held => Ok(std::mem::replace(&mut self.phase, Phase::Held) != Phase::Held),
            _ => Err(self.refuse("Restoring")),
        }
    }

    /// This is a restored copy.
    pub(crate) fn restore(&mut self) {
        if self.phase == Phase::Held {
            self.phase = Phase::Restoring;
        }
    }

    /// The runtime says that it cannot go on after a restore.
    ///
    /// # Errors
    /// It was not restored just now.
    pub(crate) fn fail_restore(&mut self) -> Result<(), Refusal> {
        if self.phase != Phase::Restoring {
            return Err(self.refuse("RestoreError"));
        }
        self.phase = Phase::InitFailed;
        Ok(())
    }

    pub(crate) fn is_restoring(&self) -> bool {
        self.phase == Phase::Restoring
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.phase == Phase::Waiting
    }

    pub(crate) fn is_initialising(&self) -> bool {
        self.phase == Phase::Initialising
    }

    /// A transition that Lambda answers with 403.
    pub(crate) fn refuse(&self, to: &str) -> Refusal {
        let from = self.phase.name();
        Refusal {
            status: 403,
            error_type: "InvalidStateTransition",
            message: format!(
                "State transition from {from} to {to} failed for runtime. Error: State transition is not allowed"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started() -> Turn {
        let mut turn = Turn::default();
        turn.begin();
        turn
    }

    fn running() -> Turn {
        let mut turn = started();
        assert_eq!(turn.ask(), Ok(Asked::First));
        turn.start(7, "request", "attempt");
        turn
    }

    #[test]
    fn what_is_no_runtime_yet_is_refused_and_changes_nothing() {
        let mut turn = Turn::default();
        assert_eq!(turn.ask().unwrap_err().status, 403);
        assert!(turn.hold().is_err() && turn.fail_init().is_err() && turn.fail_restore().is_err());
        assert!(turn.check_answer(b"", None).is_err());
        turn.begin();
        assert_eq!(turn.ask(), Ok(Asked::First));
        turn.begin();
        assert!(turn.is_waiting());
    }

    #[test]
    fn an_answered_invocation_makes_place_for_the_next() {
        let mut turn = running();
        assert_eq!(turn.check_answer(b"request", Some(b"attempt")), Ok(7));
        turn.answered();
        assert_eq!(turn.ask(), Ok(Asked::After(7)));
        assert_eq!(turn.ask(), Ok(Asked::Again));
    }

    #[test]
    fn the_next_event_is_refused_before_an_answer() {
        let mut turn = running();
        assert_eq!(turn.ask().unwrap_err().status, 403);
        turn.begin_stream();
        assert_eq!(turn.ask().unwrap_err().error_type, "InvalidStateTransition");
    }

    #[test]
    fn an_answer_goes_to_the_invocation_at_hand_and_once() {
        let mut turn = running();
        assert_eq!(turn.check_answer(b"other", None).unwrap_err().error_type, "InvalidRequestID");
        assert_eq!(turn.check_answer(b"request", Some(b"older")).unwrap_err().error_type, "InvalidInvocationId");
        assert_eq!(turn.check_answer(b"request", None), Ok(7));
        turn.answered();
        assert_eq!(turn.check_answer(b"request", None).unwrap_err().status, 403);
        turn.ask().unwrap();
        assert_eq!(turn.check_answer(b"request", None).unwrap_err().status, 400);
    }

    #[test]
    fn a_held_runtime_asks_first_once_it_is_restored() {
        let mut turn = started();
        assert!(turn.fail_restore().is_err());
        assert_eq!((turn.hold(), turn.hold()), (Ok(true), Ok(false)));
        assert_eq!(turn.ask().unwrap_err().status, 403);
        turn.restore();
        assert_eq!(turn.hold().unwrap_err().status, 403);
        assert_eq!(turn.ask(), Ok(Asked::First));
        assert!(turn.fail_restore().is_err());
        assert!(running().hold().is_err());
    }

    #[test]
    fn a_restored_runtime_may_fail_once() {
        let mut turn = started();
        turn.hold().unwrap();
        turn.restore();
        assert_eq!(turn.fail_restore(), Ok(()));
        assert!(turn.fail_restore().is_err() && turn.ask().is_err());
    }

    #[test]
    fn initialisation_fails_once_and_only_before_the_first_event() {
        let mut turn = started();
        assert_eq!(turn.fail_init(), Ok(()));
        assert_eq!(turn.fail_init().unwrap_err().status, 403);
        assert_eq!(turn.ask().unwrap_err().status, 403);
        assert_eq!(running().fail_init().unwrap_err().status, 403);
    }
}
