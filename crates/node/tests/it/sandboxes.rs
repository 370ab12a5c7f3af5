//! Sandboxes without a kernel: each is a thread that speaks as an agent. They end where a test has them end, alone or with their
//! launcher.

use std::collections::HashMap;
use std::io;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use hearth_sandbox::{
    AssignSpec, BlankSpec, EffectiveTier, Isolation, IsolationError, Readiness, RestoreSpec, Saving, Usage,
};
use hearth_types::SandboxId;

use crate::agent::{self, Fate};

/// Where a sandbox, or the launcher, may end before the runtime has the event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// While it is made.
    Making,
    /// As a blank one.
    Lying,
    /// Before limits are set: its groups are gone.
    Limits,
    /// The launcher is asked to attach the code.
    Attaching,
    /// Its code is attached.
    Attached,
    /// It has been told what to start.
    Initialising,
    /// The runtime waits for its event, which is on its way.
    Initialised,
    /// While a copy is restored that is to take its place.
    Restoring,
    /// The copy is there.
    Restored,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Victim {
    Sandbox,
    Launcher,
}

#[derive(Debug, Default)]
struct State {
    /// Counts launchers.
    launcher: u64,
    sandboxes: HashMap<SandboxId, Sandbox>,
    /// The first who comes to the step ends; so many times.
    plan: Option<(Step, Victim, u32)>,
    /// Whose end nothing can bring about for now.
    stubborn: bool,
    /// Of each save, whether its sandbox was urgent, and the priority of the thread that did it.
    saves: Vec<(bool, i32)>,
    /// Thaws that do not come to their end for now.
    stuck_thaws: Option<usize>,
}

#[derive(Debug)]
struct Sandbox {
    launcher: u64,
    is_dead: bool,
    is_assigned: bool,
    connection: Option<UnixStream>,
    /// It may delay others.
    urgent: bool,
}

#[derive(Debug)]
pub(crate) struct Sandboxes {
    tier: EffectiveTier,
    saving: Saving,
    state: Arc<Mutex<State>>,
}

struct Planned(SandboxId, Arc<Mutex<State>>);

impl Fate for Planned {
    fn is_planned(&self, step: Step) -> bool {
        self.1.lock().unwrap().plan.is_some_and(|(wanted, ..)| wanted == step)
    }

    fn ends(&self, step: Step) -> bool {
        self.1.lock().unwrap().ends(self.0, step)
    }
}

impl State {
    /// Whether this is where the sandbox ends.
    fn ends(&mut self, id: SandboxId, step: Step) -> bool {
        let Some((wanted, victim, times)) = self.plan.filter(|(wanted, ..)| *wanted == step) else { return false };
        self.plan = (times > 1).then_some((wanted, victim, times - 1));
        if let Some(sandbox) = self.sandboxes.get_mut(&id) {
            // What its agent has not read is lost by being closed.
            sandbox.is_dead = true;
            sandbox.connection = None;
        }
        if victim == Victim::Launcher {
            self.launcher += 1;
            self.sandboxes.values_mut().for_each(Sandbox::die);
        }
        true
    }

    fn check(&self, id: SandboxId, step: &'static str) -> Result<(), IsolationError> {
        match self.sandboxes.get(&id) {
            Some(sandbox) if sandbox.launcher != self.launcher => Err(IsolationError::LauncherGone),
            Some(sandbox) if !sandbox.is_dead => Ok(()),
            _ => Err(failed(id, step, "it is dead or never was")),
        }
    }
}

impl Sandbox {
    fn new(launcher: u64, urgent: bool) -> Self {
        Self { launcher, is_dead: false, is_assigned: false, connection: None, urgent }
    }

    fn die(&mut self) {
        self.is_dead = true;
        if let Some(connection) = &self.connection {
            let _closed_before = connection.shutdown(Shutdown::Both).is_err();
        }
    }
}

fn failed(sandbox: SandboxId, step: &'static str, reason: &str) -> IsolationError {
    IsolationError::Failed { sandbox, step, reason: reason.to_owned() }
}

impl Sandboxes {
    pub(crate) fn new() -> Arc<Self> {
        let tier = EffectiveTier { name: "test", privilege: "root", function_uid_gid: None, missing: Vec::new() };
        let saving = Saving::Available { identity: "test".to_owned() };
        Arc::new(Self { tier, saving, state: Arc::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn plan(&self, step: Step, victim: Victim, times: u32) {
        self.state().plan = Some((step, victim, times));
    }

    /// Whether somebody has come to the step as often as planned.
    pub(crate) fn plan_is_done(&self) -> bool {
        self.state().plan.is_none()
    }

    pub(crate) fn set_stubborn(&self, stubborn: bool) {
        self.state().stubborn = stubborn;
    }

    /// From now on no thaw comes to its end, until it is set back.
    pub(crate) fn set_thaws_stuck(&self, stuck: bool) {
        self.state().stuck_thaws = stuck.then_some(0);
    }

    pub(crate) fn saves(&self) -> Vec<(bool, i32)> {
        self.state().saves.clone()
    }

    pub(crate) fn stuck_thaws(&self) -> usize {
        self.state().stuck_thaws.unwrap_or(0)
    }

    /// Those that hold something.
    pub(crate) fn count(&self) -> usize {
        self.state().sandboxes.len()
    }

    /// Its agent is there already.
    fn end_now(&self, id: SandboxId, step: Step) {
        let mut state = self.state();
        let connection = state.sandboxes.get_mut(&id).and_then(|sandbox| sandbox.connection.take());
        if state.ends(id, step) {
            connection.iter().for_each(|connection| connection.shutdown(Shutdown::Both).unwrap());
        } else if let Some(sandbox) = state.sandboxes.get_mut(&id) {
            sandbox.connection = connection;
        }
    }

    fn connect(&self, id: SandboxId) -> OwnedFd {
        let (ours, theirs) = UnixStream::pair().unwrap();
        if let Some(sandbox) = self.state().sandboxes.get_mut(&id) {
            sandbox.is_assigned = true;
            sandbox.connection = Some(theirs.try_clone().unwrap());
        }
        let fate = Planned(id, Arc::clone(&self.state));
        std::thread::spawn(move || agent::run(theirs, &fate));
        ours.into()
    }
}

impl Isolation for Sandboxes {
    fn tier(&self) -> &EffectiveTier {
        &self.tier
    }

    fn create(&self, spec: &BlankSpec) -> Result<Readiness, IsolationError> {
        let mut state = self.state();
        let launcher = state.launcher;
        state.sandboxes.insert(spec.id, Sandbox::new(launcher, spec.urgent));
        if state.ends(spec.id, Step::Making) {
            state.sandboxes.remove(&spec.id);
            return Err(IsolationError::LauncherGone);
        }
        state.ends(spec.id, Step::Lying);
        Ok(Readiness::Empty)
    }

    fn assign(&self, id: SandboxId, _: &AssignSpec) -> Result<OwnedFd, IsolationError> {
        {
            let mut state = self.state();
            let groups_gone = failed(id, "assign", "failed to create memory.limit_in_bytes: No such file or directory");
            if state.ends(id, Step::Limits) || state.check(id, "assign").is_err() {
                return Err(groups_gone);
            }
            state.ends(id, Step::Attaching);
            state.check(id, "assign")?;
        }
        let socket = self.connect(id);
        self.end_now(id, Step::Attached);
        Ok(socket)
    }

    fn saving(&self) -> &Saving {
        &self.saving
    }

    fn save(&self, id: SandboxId, _: &AssignSpec, images: &Path) -> Result<(), IsolationError> {
        let niceness = rustix::process::getpriority_process(None).unwrap();
        let mut state = self.state();
        let urgent = state.sandboxes.get(&id).is_some_and(|sandbox| sandbox.urgent);
        state.saves.push((urgent, niceness));
        std::fs::write(images.join("image"), "all of it").unwrap();
        Ok(())
    }

    fn restore(&self, id: SandboxId, _: &RestoreSpec) -> Result<OwnedFd, IsolationError> {
        {
            let mut state = self.state();
            let launcher = state.launcher;
            state.sandboxes.insert(id, Sandbox::new(launcher, true));
            state.ends(id, Step::Restoring);
            state.check(id, "restore")?;
        }
        let socket = self.connect(id);
        self.end_now(id, Step::Restored);
        Ok(socket)
    }

    fn hasten(&self, _: SandboxId, _: Option<u32>) -> Result<(), IsolationError> {
        Ok(())
    }

    fn freeze(&self, _: SandboxId) -> Result<(), IsolationError> {
        Ok(())
    }

    fn thaw(&self, _: SandboxId) -> Result<(), IsolationError> {
        if let Some(stuck) = &mut self.state().stuck_thaws {
            *stuck += 1;
        }
        while self.state().stuck_thaws.is_some() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        Ok(())
    }

    fn usage(&self, _: SandboxId) -> Result<Usage, IsolationError> {
        Ok(Usage::default())
    }

    fn has_died(&self, id: SandboxId) -> bool {
        self.state().sandboxes.get(&id).is_some_and(|sandbox| sandbox.is_dead && !sandbox.is_assigned)
    }

    fn destroy(&self, id: SandboxId) -> Result<(), IsolationError> {
        let mut state = self.state();
        if state.stubborn {
            return Err(failed(id, "destroy", &io::Error::from(io::ErrorKind::TimedOut).to_string()));
        }
        if let Some(mut sandbox) = state.sandboxes.remove(&id) {
            sandbox.die();
        }
        Ok(())
    }
}
