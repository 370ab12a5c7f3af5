//! How sandboxes end before their time, and what becomes of the attempts that counted on them.

use std::sync::Arc;
use std::time::Duration;

use hearth_engine::port::{StartKind, Timeline};
use hearth_engine::{ColdReason, Event, Purpose};

use crate::attempt::Attempt;
use crate::core::Core;
use crate::env::initialization_type;
use crate::report::{Failure, Report, SystemLines};
use crate::running::micros;
use crate::sandbox::{LogTail, Sandbox, StartFailure};

impl Core {
    /// The session ended: the runtime exited, was killed, timed out or broke the rules; or the engine gave the sandbox up.
    pub(crate) fn session_ended(self: &Arc<Self>, sandbox: &Arc<Sandbox>) {
        let out_of_memory = self.isolation.usage(sandbox.place()).is_ok_and(|usage| usage.oom_kills > 0);
        let mut distrusted = None;
        let (initialised, status, first, lost) = {
            let mut state = sandbox.state();
            state.over = true;
            let status = state.exit;
            // The agent's end, or its launcher's: a function cannot bring it about, but by all of its memory.
            let by_function = state.start_failure.is_some() || status.is_some() || out_of_memory || state.broke_rules;
            let lost = !state.initialised && !by_function;
            if !state.initialised && state.start_kind == StartKind::Template && !sandbox.is_doomed() {
                let by_hook = matches!(state.start_failure, Some(StartFailure::Reported { .. }));
                // Who did not ask for SnapStart is not to suffer from it.
                distrusted = sandbox.assigned.get().filter(|assigned| !by_hook || !assigned.spec.snap_start);
            }
            if !state.initialised && state.start_failure.is_none() {
                state.start_failure = Some(StartFailure::Exit { status, out_of_memory });
            }
            let first = state.running.front().filter(|first| !first.responded);
            (state.initialised, status, first.map(|first| (first.id, Arc::clone(&first.attempt))), lost)
        };
        if sandbox.to_be_saved {
            return;
        }
        if let Some(assigned) = distrusted {
            self.distrust(&assigned.spec);
        }
        if let Some((id, attempt)) = first {
            let lost = sandbox.assigned.get().is_some_and(|assigned| assigned.link.close(id));
            // What the node ends itself is not run again.
            if lost && !sandbox.is_doomed() && sandbox.take_back(id) {
                self.undelivered(sandbox, &attempt);
            } else {
                let failure = Failure::exit(attempt.invocation.request_id, status, out_of_memory);
                self.fail_with(sandbox, id, &failure);
            }
        }
        if lost && !sandbox.is_doomed() && !self.ended.is_cancelled() {
            tracing::warn!(sandbox = %sandbox.id, "lost while it initialised");
            self.lost(sandbox);
        } else if !initialised && !sandbox.is_doomed() {
            self.init_failed_ahead(sandbox);
            self.step(Event::InitFailed { sandbox: sandbox.id });
        }
        self.destroy(Arc::clone(sandbox));
    }

    /// No sandbox came to be for this attempt.
    pub(crate) fn start_failed(self: &Arc<Self>, attempt: &Arc<Attempt>, sandbox: Option<&Sandbox>) {
        if attempt.is_over() {
            // Its caller has left.
            return self.let_go(attempt);
        }
        let failure = sandbox.and_then(|sandbox| sandbox.state().start_failure.clone());
        let failure = failure.unwrap_or(StartFailure::Exit { status: None, out_of_memory: false });
        let request = attempt.invocation.request_id;
        let spec = &attempt.invocation.spec;
        if let Some(error) = sandbox.and_then(|sandbox| self.restore_failure(sandbox, &failure)) {
            self.let_go(attempt);
            self.metrics.refused(&error);
            return attempt.refuse(error);
        }
        let rerun = attempt.may_rerun_init();
        let failure = failure.of_request(request, spec.timeout_ms, self.clock.wall());
        let took = sandbox.and_then(|sandbox| sandbox.state().init_since).map(|since| self.clock.now() - since);
        let took = took.unwrap_or_default();
        let assigned = sandbox.and_then(|sandbox| sandbox.assigned.get());
        if rerun {
            if let Some(assigned) = assigned {
                let wall = self.clock.wall();
                let kind = initialization_type(assigned.purpose);
                let line = SystemLines::of(spec).init_report(wall, took, failure.status(), kind);
                if let Some(line) = line {
                    attempt.set_early_log(line.clone().into_bytes());
                    if assigned.purpose == Purpose::Invocation {
                        assigned.log.append(wall.as_millis(), line.into());
                    }
                }
            }
            return self.admit(attempt);
        }
        self.init_failed_for_good(attempt, sandbox, took, &failure);
    }

    /// The second failure of initialisation is the invocation's own.
    fn init_failed_for_good(&self, attempt: &Attempt, sandbox: Option<&Sandbox>, took: Duration, failure: &Failure) {
        let request = attempt.invocation.request_id;
        let start = sandbox.map_or(StartKind::Boot, |sandbox| sandbox.state().start_kind);
        let waited = self.clock.now() - attempt.accepted_at;
        let timeline = Timeline {
            start,
            cold_reason: Some(ColdReason::Failed),
            queue_us: micros(waited.saturating_sub(took)),
            init_us: micros(took),
            ..Timeline::default()
        };
        let mut tail = attempt.invocation.log_tail.then(LogTail::default);
        let mut memory_bytes_max = 0;
        if let Some(sandbox) = sandbox {
            memory_bytes_max = self.memory(sandbox, self.clock.now());
            if let Some(tail) = &mut tail {
                *tail = std::mem::take(&mut sandbox.state().init_tail);
            }
        }
        if let Some(assigned) = sandbox.and_then(|sandbox| sandbox.assigned.get()) {
            let wall = self.clock.wall();
            if let Some(line) = SystemLines::of(&assigned.spec).start(wall, request) {
                if let Some(tail) = &mut tail {
                    tail.push(line.as_bytes());
                }
                assigned.log.append(wall.as_millis(), line.into());
            }
            let report = Report {
                duration: took,
                init: None,
                memory_bytes_max,
                status: failure.status(),
                trace_id: None,
                timeline: &timeline,
            };
            self.write_end(assigned, request, &report, Some(failure), &mut tail);
        }
        self.metrics.answered(&timeline, true);
        self.let_go(attempt);
        attempt.fail(failure, timeline, tail.map(LogTail::into_bytes));
    }
}
