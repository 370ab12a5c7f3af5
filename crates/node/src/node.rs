//! The node as the rest of Hearth sees it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use hearth_engine::Event;
use hearth_engine::port::{
    BoxFuture, Invocation, InvokeError, Invoker, PrepareError, Prepared, Reply, StreamingReply, Templates, Timeline,
};
use hearth_types::{AccountId, Instant, VersionKey, VersionSpec};
use tokio::sync::oneshot;

use crate::attempt::Attempt;
use crate::core::{Core, Parts};
use crate::roots::ANY_MIB;
use crate::{async_invoke, memories, pressure, template};

/// One machine's sandboxes and what runs in them.
#[derive(Clone, Debug)]
pub struct Node {
    core: Arc<Core>,
}

impl Node {
    /// Starts the timers. Needs a tokio runtime.
    pub fn start(parts: Parts) -> Self {
        let core = Core::new(parts);
        core.tasks.system("timers", tick(Arc::clone(&core)));
        core.tasks.system("host memory", pressure::watch(Arc::clone(&core)));
        core.tasks.system("memories", memories::keep(Arc::clone(&core)));
        for runtime in core.runtimes.list() {
            let _listed = core.announce(&runtime.name, ANY_MIB);
        }
        Self { core }
    }

    /// Learns what was learned before of versions' calls; to be called before any comes.
    pub async fn recall(&self) {
        self.core.recall_memories().await;
    }

    /// Works off the durable queues from now on: to be called once, when all that events need is connected.
    pub fn take_up_events(&self) {
        self.core.tasks.system("event queue", async_invoke::run(Arc::clone(&self.core)));
    }

    /// The functions of the calls that run or wait, each with how many there are.
    pub fn in_flight(&self) -> BTreeMap<String, usize> {
        let mut calls = BTreeMap::new();
        for attempt in self.core.lock().attempts.values() {
            *calls.entry(attempt.invocation.spec.key.function.to_string()).or_default() += 1;
        }
        calls
    }

    /// Takes nothing new, waits for what runs until `deadline`, then ends every sandbox.
    pub async fn drain(&self, deadline: Duration) {
        let core = &self.core;
        core.stopping.cancel();
        core.step(Event::Drain);
        let drained = async {
            while core.in_flight() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(deadline, drained).await.is_err() {
            tracing::warn!(invocations = core.in_flight(), "ended invocations that were still running");
        }
        core.write_memories().await;
        core.step(Event::Stop);
        for sandbox in core.sandboxes() {
            core.destroy(sandbox);
        }
        core.ended.cancel();
        core.tasks.close();
        core.tasks.wait().await;
        core.templates.close();
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    async fn run_buffered(&self, invocation: Invocation) -> Result<(Reply, Timeline), InvokeError> {
        self.check_open()?;
        run_to_the_end(&self.core, invocation).await
    }

    async fn run_streaming(&self, invocation: Invocation) -> Result<StreamingReply, InvokeError> {
        self.check_open()?;
        let core = &self.core;
        let (attempt, reply) = Attempt::streaming(core.next_ticket(), invocation, core.clock.now());
        // The reply's head is not its end: the time-out is watched beyond this future.
        core.watch(&attempt);
        let caller = Caller { core: Arc::clone(core), attempt: Some(Arc::clone(&attempt)), watches: false };
        core.admit(&attempt);
        let reply = reply.await;
        caller.has_it();
        reply.unwrap_or(Err(InvokeError::Draining))
    }

    fn check_open(&self) -> Result<(), InvokeError> {
        if self.core.stopping.is_cancelled() { Err(InvokeError::Draining) } else { Ok(()) }
    }
}

impl Invoker for Node {
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Result<(Reply, Timeline), InvokeError>> {
        Box::pin(self.run_buffered(invocation))
    }

    fn invoke_streaming(&self, invocation: Invocation) -> BoxFuture<'_, Result<StreamingReply, InvokeError>> {
        Box::pin(self.run_streaming(invocation))
    }

    fn enqueue(&self, invocation: Invocation) -> BoxFuture<'_, Result<(), InvokeError>> {
        Box::pin(async_invoke::enqueue(&self.core, invocation))
    }

    fn retire(&self, keys: Vec<VersionKey>) {
        let (core, gone) = (Arc::clone(&self.core), keys.clone());
        // What is left is removed when the next daemon starts.
        self.core.tasks.contained_blocking("removal of templates", move || core.templates.remove(&gone), || {});
        self.core.retire(keys);
    }

    fn view(&self, account: Option<AccountId>) -> BoxFuture<'_, String> {
        Box::pin(async move {
            match account {
                None => self.core.view().await.to_string(),
                Some(account) => self.core.view_of(&account).to_string(),
            }
        })
    }

    fn metrics(&self) -> BoxFuture<'_, String> {
        Box::pin(self.core.metrics_text())
    }
}

impl Templates for Node {
    fn prepare(&self, spec: Arc<VersionSpec>) -> BoxFuture<'static, Result<Prepared, PrepareError>> {
        Box::pin(template::prepare(Arc::clone(&self.core), spec))
    }

    fn retain(&self, current: HashSet<VersionKey>) {
        let core = Arc::clone(&self.core);
        let work = async move {
            core.forget_memories(&current).await;
            let _panicked =
                hearth_tasks::blocking("removal of templates", move || core.templates.retain(&current)).await.is_err();
        };
        self.core.tasks.contained("removal of what is not current", work, || {});
    }
}

/// Runs an invocation and returns its whole reply.
pub(crate) async fn run_to_the_end(core: &Arc<Core>, invocation: Invocation) -> Result<(Reply, Timeline), InvokeError> {
    let (attempt, mut reply) = Attempt::buffered(core.next_ticket(), invocation, core.clock.now());
    let caller = Caller { core: Arc::clone(core), attempt: Some(Arc::clone(&attempt)), watches: true };
    core.admit(&attempt);
    let reply = wait(core, &attempt, &mut reply).await;
    caller.has_it();
    reply
}

/// Waits for the reply and ends the function when its time is over.
async fn wait<T>(
    core: &Arc<Core>,
    attempt: &Arc<Attempt>,
    reply: &mut oneshot::Receiver<Result<T, InvokeError>>,
) -> Result<T, InvokeError> {
    loop {
        let at = look_at(core, attempt);
        tokio::select! {
            biased;
            reply = &mut *reply => return reply.unwrap_or(Err(InvokeError::Draining)),
            () = tokio::time::sleep_until(core.clock.tokio_instant(at)) => {}
        }
    }
}

impl Core {
    /// Sees to the attempt's time-out, whoever waits for it.
    fn watch(self: &Arc<Self>, attempt: &Arc<Attempt>) {
        let (core, watched) = (Arc::clone(self), Arc::clone(attempt));
        let clean_up = move || {
            if let Some(sandbox) = watched.sandbox() {
                core.destroy(sandbox);
            }
        };
        self.tasks.contained("time-out", watch_to_the_end(Arc::clone(self), Arc::clone(attempt)), clean_up);
    }
}

async fn watch_to_the_end(core: Arc<Core>, attempt: Arc<Attempt>) {
    while !attempt.is_over() {
        let at = look_at(&core, &attempt);
        tokio::select! {
            () = attempt.settled.notified() => return,
            () = tokio::time::sleep_until(core.clock.tokio_instant(at)) => {}
        }
    }
}

/// Ends the function if its time is over. Returns when to look again: whatever it is handed to from now on has its whole time, and
/// the deadline of a sandbox that gave it back means nothing.
fn look_at(core: &Arc<Core>, attempt: &Arc<Attempt>) -> Instant {
    let now = core.clock.now();
    core.enforce_deadline(attempt, now);
    attempt.deadline().filter(|at| now < *at).unwrap_or(now + attempt.timeout())
}

/// Who waits for a reply. Leaves it if dropped before: what was not handed to a sandbox yet is given up, what runs goes on and
/// is watched, if it was this one's to watch its time-out.
struct Caller {
    core: Arc<Core>,
    attempt: Option<Arc<Attempt>>,
    watches: bool,
}

impl Caller {
    fn has_it(mut self) {
        self.attempt = None;
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        if let Some(attempt) = self.attempt.take()
            && !attempt.is_over()
            && !hearth_tasks::has_rung()
        {
            self.core.abandon(&attempt);
            if self.watches && !attempt.is_over() {
                self.core.watch(&attempt);
            }
        }
    }
}

/// Tells the engine when the time has come that it asked for.
async fn tick(core: Arc<Core>) {
    let mut wake = core.wake.subscribe();
    loop {
        let at = *wake.borrow_and_update();
        let sleep = async {
            match at {
                Some(at) => tokio::time::sleep_until(core.clock.tokio_instant(at)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = sleep => {
                core.wake.send_if_modified(|next| {
                    let done = *next == at;
                    if done {
                        *next = None;
                    }
                    done
                });
                core.step(Event::Tick);
            }
            changed = wake.changed() => if changed.is_err() { return },
            () = core.ended.cancelled() => return,
        }
    }
}
