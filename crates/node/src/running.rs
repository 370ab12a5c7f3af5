//! Invocations in sandboxes: handed to an agent, answered, reported.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hearth_agent_proto::{InvokeHead, ToAgent};
use hearth_engine::port::{StartKind, Timeline};
use hearth_engine::{ColdReason, Event, Start, Ticket};
use hearth_types::{Instant, LogFormat, Timestamp};

use crate::attempt::Attempt;
use crate::core::Core;
use crate::notice;
use crate::report::{Failure, Report, Status, SystemLines};
use crate::sandbox::{Assigned, LogTail, Running, Sandbox};

/// How often the memory of one sandbox is read at most.
const MEMORY_READ_EVERY: Duration = Duration::from_millis(200);

impl Core {
    /// Hands an attempt to a sandbox's agent.
    pub(crate) fn dispatch(self: &Arc<Self>, sandbox: &Arc<Sandbox>, attempt: Arc<Attempt>, start: Start) {
        let Some(assigned) = sandbox.assigned.get() else { return };
        let now = self.clock.now();
        let wall = self.clock.wall();
        let Some(id) = self.begin(sandbox, assigned, &attempt, start, (now, wall)) else {
            return self.undelivered(sandbox, &attempt);
        };
        let payload = attempt.payload().unwrap_or_default();
        let invocation = &attempt.invocation;
        let message = ToAgent::Invoke {
            id,
            head: InvokeHead {
                request_id: invocation.request_id.to_string().into(),
                invocation_id: uuid::Uuid::new_v4().to_string().into(),
                deadline_ms: (wall + attempt.timeout()).as_millis(),
                function_arn: (&*invocation.invoked_arn).into(),
                trace_id: invocation.trace_id.as_deref().map(Into::into),
                client_context: invocation.client_context.as_deref().map(Into::into),
                cognito_identity: None,
            },
            body: &payload,
        };
        if assigned.link.send(&message).is_err() {
            sandbox.closed.cancel();
            // An agent hands out whole messages only, and this one did not get there whole.
            if sandbox.take_back(id) {
                self.undelivered(sandbox, &attempt);
            }
        }
    }

    /// The sandbox had come to its end before the attempt got there, so it runs elsewhere.
    pub(crate) fn undelivered(self: &Arc<Self>, sandbox: &Sandbox, attempt: &Arc<Attempt>) {
        let state = self.lock();
        if state.engine.holds(attempt.ticket) {
            return self.step_locked(state, self.clock.now(), Event::Undelivered { sandbox: sandbox.id });
        }
        drop(state);
        // The engine knows of the end already, and took the attempt for answered.
        self.admit(attempt);
    }

    /// Notes the attempt as running and writes its `START` line. `None`: too late, the sandbox has come to its end.
    fn begin(
        &self,
        sandbox: &Arc<Sandbox>,
        assigned: &Assigned,
        attempt: &Arc<Attempt>,
        start: Start,
        (now, wall): (Instant, Timestamp),
    ) -> Option<u32> {
        let mut state = sandbox.state();
        if state.over {
            return None;
        }
        attempt.set_deadline(now + attempt.timeout());
        attempt.set_sandbox(sandbox);
        state.last_id = state.last_id.wrapping_add(1);
        let id = state.last_id;
        let init = state.init.take();
        let (kind, placement) = (state.start_kind, state.placement);
        let before = std::mem::take(&mut state.init_tail);
        let tail = attempt.invocation.log_tail.then(|| before.behind(&attempt.take_early_log()));
        let line = SystemLines::of(&assigned.spec).start(wall, attempt.invocation.request_id);
        state.running.push_back(Running {
            id,
            attempt: Arc::clone(attempt),
            since: now,
            responded: false,
            start,
            kind,
            placement,
            init,
            tail,
            collected: None,
            writer: None,
            withdrawn: false,
        });
        if let (Some(line), Some(running)) = (line, state.running.back_mut()) {
            if let Some(tail) = &mut running.tail {
                tail.push(line.as_bytes());
            }
            assigned.log.append(wall.as_millis(), line.into());
        }
        Some(id)
    }

    pub(crate) fn initialised(self: &Arc<Self>, sandbox: &Arc<Sandbox>) {
        let (init, placement, kind, gives_way) = {
            let mut state = sandbox.state();
            if state.initialised {
                return;
            }
            state.initialised = true;
            let now = self.clock.now();
            state.init = state.init_since.map(|since| now - since);
            (state.init, state.placement, state.start_kind, std::mem::take(&mut state.gives_way))
        };
        if gives_way {
            self.hasten_soon(sandbox);
        }
        if sandbox.to_be_saved {
            return;
        }
        if let (Some(assigned), Some(init)) = (sandbox.assigned.get(), init) {
            let took = (!gives_way).then_some(placement + init);
            match kind {
                StartKind::Template => self.weigh_template(&assigned.spec, took),
                _ => self.consider_template(&assigned.spec, init, took),
            }
        }
        self.restored(sandbox);
        self.initialised_ahead(sandbox);
        self.step(Event::Initialised { sandbox: sandbox.id });
    }

    /// The function's answer, whole.
    pub(crate) fn respond(self: &Arc<Self>, sandbox: &Arc<Sandbox>, id: u32, content_type: &str, body: Bytes) {
        if let Some((attempt, timeline, tail)) = self.settle(sandbox, id, None) {
            self.step(Event::Responded { sandbox: sandbox.id });
            attempt.succeed(content_type, body, timeline, tail);
        }
    }

    /// The function's failure, as the runtime reported it.
    pub(crate) fn fail(self: &Arc<Self>, sandbox: &Arc<Sandbox>, id: u32, failure: &Failure) {
        if let Some((attempt, timeline, tail)) = self.settle(sandbox, id, Some(failure)) {
            self.step(Event::Responded { sandbox: sandbox.id });
            attempt.fail(failure, timeline, tail);
        }
    }

    /// Marks the running invocation `id` as answered and writes its `END` and `REPORT`. `None` if it is not under way: the
    /// agent answered twice, or the answer lost against the time-out.
    fn settle(
        &self,
        sandbox: &Sandbox,
        id: u32,
        failure: Option<&Failure>,
    ) -> Option<(Arc<Attempt>, Timeline, Option<Bytes>)> {
        let assigned = sandbox.assigned.get()?;
        let now = self.clock.now();
        let memory_bytes_max = self.memory(sandbox, now);
        let mut state = sandbox.state();
        let running = state.running.front_mut().filter(|first| first.id == id && !first.responded)?;
        running.responded = true;
        let duration = now - running.since;
        let timeline = timeline(running, Some(duration));
        let report = Report {
            duration,
            init: running.init,
            memory_bytes_max,
            status: failure.map_or(Status::Success, Failure::status),
            trace_id: running.attempt.invocation.trace_id.as_deref(),
            timeline: &timeline,
        };
        self.write_end(assigned, running.attempt.invocation.request_id, &report, failure, &mut running.tail);
        let attempt = Arc::clone(&running.attempt);
        let tail = running.tail.take().map(LogTail::into_bytes);
        drop(state);
        self.metrics.answered(&timeline, failure.is_some());
        if let Some(reason) = timeline.cold_reason {
            tell_cold(&attempt, reason, &timeline);
        }
        self.let_go(&attempt);
        Some((attempt, timeline, tail))
    }

    pub(crate) fn write_end(
        &self,
        assigned: &Assigned,
        request: hearth_types::RequestId,
        report: &Report<'_>,
        failure: Option<&Failure>,
        tail: &mut Option<LogTail>,
    ) {
        let wall = self.clock.wall();
        let lines = SystemLines::of(&assigned.spec);
        let why = failure.and_then(|failure| failure.log_line.clone());
        let why = why.filter(|_| assigned.spec.log_format == LogFormat::Text);
        let network = failure.and_then(|failure| notice::of_network(&assigned.spec, &failure.payload, wall));
        for line in [why, network, lines.end(request), lines.report(wall, request, report)].into_iter().flatten() {
            if let Some(tail) = tail {
                tail.push(line.as_bytes());
            }
            assigned.log.append(wall.as_millis(), line.into());
        }
    }

    /// The most memory that the sandbox ever used, read at most every [`MEMORY_READ_EVERY`].
    pub(crate) fn memory(&self, sandbox: &Sandbox, now: Instant) -> u64 {
        {
            let state = sandbox.state();
            if state.memory_read_at.is_some_and(|at| now - at < MEMORY_READ_EVERY) {
                return state.memory_bytes_max;
            }
        }
        let usage = self.isolation.usage(sandbox.place()).unwrap_or_default();
        let mut state = sandbox.state();
        state.memory_read_at = Some(now);
        state.memory_bytes_max = state.memory_bytes_max.max(usage.memory_bytes_max);
        state.memory_bytes_max
    }

    /// Ends the attempt if its time is over. Called by whoever watches it.
    pub(crate) fn enforce_deadline(self: &Arc<Self>, attempt: &Arc<Attempt>, now: Instant) {
        if attempt.is_over() || attempt.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        let Some(sandbox) = attempt.sandbox() else { return };
        let id = sandbox.state().running.front().filter(|first| first.attempt.ticket == attempt.ticket).map(|r| r.id);
        let Some(id) = id else { return };
        let request = attempt.invocation.request_id;
        let failure = Failure::timeout(request, attempt.invocation.spec.timeout_ms, self.clock.wall());
        self.fail_with(&sandbox, id, &failure);
        sandbox.closed.cancel();
    }

    /// Answers the running invocation with a failure that costs the sandbox its life.
    pub(crate) fn fail_with(self: &Arc<Self>, sandbox: &Sandbox, id: u32, failure: &Failure) {
        if let Some((attempt, timeline, tail)) = self.settle(sandbox, id, Some(failure)) {
            attempt.fail(failure, timeline, tail);
        }
    }
}

/// For those who ask why calls were slow: `hearth serve -v`.
fn tell_cold(attempt: &Attempt, reason: ColdReason, timeline: &Timeline) {
    tracing::debug!(
        function = %attempt.invocation.spec.key,
        request = %attempt.invocation.request_id,
        start = timeline.start.as_str(),
        reason = reason.as_str(),
        queue_us = timeline.queue_us,
        sandbox_us = timeline.sandbox_us,
        init_us = timeline.init_us,
        run_us = timeline.run_us,
        "cold start"
    );
}

/// What is known of an attempt that runs, or has run for `run`.
pub(crate) fn timeline(running: &Running, run: Option<Duration>) -> Timeline {
    let waited = running.since - running.attempt.accepted_at;
    let run_us = run.map(micros);
    match running.start {
        Start::Warm => Timeline { queue_us: micros(waited), run_us, ..Timeline::default() },
        Start::Cold(reason) => {
            let init = running.init.unwrap_or_default();
            Timeline {
                start: running.kind,
                cold_reason: Some(reason),
                queue_us: micros(waited.saturating_sub(running.placement + init)),
                sandbox_us: micros(running.placement),
                init_us: micros(init),
                run_us,
            }
        }
    }
}

pub(crate) fn withdraw(sandbox: &Sandbox, ticket: Ticket) {
    let id = {
        let mut state = sandbox.state();
        let held = state.running.iter_mut().skip(1).find(|running| running.attempt.ticket == ticket);
        held.map(|held| {
            held.withdrawn = true;
            held.id
        })
    };
    if let (Some(id), Some(assigned)) = (id, sandbox.assigned.get())
        && assigned.link.send(&ToAgent::Withdraw { id }).is_err()
    {
        sandbox.closed.cancel();
    }
}

pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
