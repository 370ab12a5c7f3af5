//! A root directory, a launcher and conversations with the stand-in agent.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hearth_sandbox::{
    AssignSpec, BlankSpec, Isolation, IsolationError, LinuxConfig, LinuxIsolation, Parking, RestoreSpec, Saving, Subnet,
};
use hearth_types::{NetworkMode, SandboxId};

pub(crate) const FIXTURE: &str = env!("CARGO_BIN_EXE_sandbox-fixture");

/// True, with a note, where the test cannot run.
pub(crate) fn skipped() -> bool {
    let skip = !rustix::process::geteuid().is_root();
    if skip {
        println!("skipped: needs root");
    }
    skip
}

/// As [`skipped`], also where there is no CRIU that works.
pub(crate) fn cannot_save(host: &Host) -> bool {
    match host.isolation.saving() {
        Saving::Available { .. } => false,
        Saving::Unavailable { reason } => {
            println!("skipped: {reason}");
            true
        }
    }
}

/// One launcher and a directory for it.
pub(crate) struct Host {
    pub(crate) isolation: LinuxIsolation,
    pub(crate) dir: tempfile::TempDir,
    pub(crate) instance: String,
    next: AtomicU64,
}

pub(crate) fn config(dir: &Path, instance: &str) -> LinuxConfig {
    LinuxConfig {
        launcher_exe: FIXTURE.into(),
        launcher_args: vec!["launcher".into()],
        agent_binary: FIXTURE.into(),
        run_dir: dir.join("run"),
        instance: instance.to_owned(),
        uid_base: 1_000_000,
        egress_allow: Vec::new(),
        criu: hearth_sandbox::find_criu(None),
    }
}

pub(crate) fn unique_instance() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

impl Host {
    pub(crate) fn new() -> Self {
        Self::with_fixture(Path::new(FIXTURE))
    }

    /// Whose launcher, and what comes of it, stands still at a point.
    pub(crate) fn with_failpoint(name: &str) -> Self {
        Self::with(Path::new(FIXTURE), Vec::new(), Some(format!("--failpoint={name}")))
    }

    /// The fixture may lie elsewhere, where another user finds it.
    pub(crate) fn with_fixture(fixture: &Path) -> Self {
        Self::with(fixture, Vec::new(), None)
    }

    pub(crate) fn with_egress_allowed(allowed: Vec<Subnet>) -> Self {
        Self::with(Path::new(FIXTURE), allowed, None)
    }

    fn with(fixture: &Path, egress_allow: Vec<Subnet>, option: Option<String>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let instance = unique_instance();
        let config = config(dir.path(), &instance);
        let isolation = LinuxIsolation::start(LinuxConfig {
            launcher_exe: fixture.into(),
            launcher_args: config.launcher_args.iter().cloned().chain(option.map(Into::into)).collect(),
            agent_binary: fixture.into(),
            egress_allow,
            ..config
        })
        .unwrap();
        let task = dir.path().join("task");
        fs_err::create_dir(&task).unwrap();
        fs_err::write(task.join("code.txt"), "the code").unwrap();
        Self { isolation, dir, instance, next: AtomicU64::new(1) }
    }

    pub(crate) fn blank(&self) -> SandboxId {
        self.blank_as(self.next.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn blank_as(&self, number: u64) -> SandboxId {
        self.blank_in(number, root())
    }

    fn blank_in(&self, number: u64, root: PathBuf) -> SandboxId {
        let id = SandboxId(number);
        self.isolation.create(&BlankSpec { id, root, parking: Parking::None, urgent: true }).unwrap();
        id
    }

    /// What the next sandbox is made from.
    pub(crate) fn next_blank(&self, parking: Parking) -> BlankSpec {
        BlankSpec { id: SandboxId(self.next.fetch_add(1, Ordering::Relaxed)), root: root(), parking, urgent: true }
    }

    pub(crate) fn spec(&self) -> AssignSpec {
        AssignSpec {
            task_dir: self.dir.path().join("task"),
            task_dir_may_hang: false,
            opt_dir: None,
            tmp_mib: 16,
            memory_mib: 256,
            cpu_weight_millis: 1000,
            cpu_limit_millis: None,
            processes_max: 64,
            network: NetworkMode::None,
            urgent: true,
        }
    }

    pub(crate) fn assigned(&self) -> Sandbox {
        self.assigned_as(&self.spec())
    }

    pub(crate) fn assigned_as(&self, spec: &AssignSpec) -> Sandbox {
        self.assign(self.blank(), spec)
    }

    /// Assigned, with a root of its own.
    pub(crate) fn assigned_in(&self, root: &Path) -> Sandbox {
        self.assign(self.blank_in(self.next.fetch_add(1, Ordering::Relaxed), root.to_owned()), &self.spec())
    }

    /// Ends the sandbox; what is left of it is in the directory.
    pub(crate) fn save(&self, sandbox: Sandbox, images: &Path) -> Result<(), IsolationError> {
        let id = sandbox.id;
        sandbox.leave();
        fs_err::create_dir(images).unwrap();
        let saved = self.isolation.save(id, &self.spec(), images);
        self.isolation.destroy(id).unwrap();
        saved
    }

    /// A new one from what was saved.
    pub(crate) fn restore(&self, images: &Path) -> Result<Sandbox, IsolationError> {
        let id = SandboxId(self.next.fetch_add(1, Ordering::Relaxed));
        let spec = RestoreSpec { image_dir: images.to_owned(), root: root(), assign: self.spec() };
        match self.isolation.restore(id, &spec) {
            Ok(socket) => {
                let uid_gid = self.isolation.tier().function_uid_gid;
                Ok(Sandbox { id, uid_gid, stream: BufReader::new(UnixStream::from(socket)) })
            }
            Err(error) => {
                self.isolation.destroy(id).unwrap();
                Err(error)
            }
        }
    }

    pub(crate) fn assign(&self, id: SandboxId, spec: &AssignSpec) -> Sandbox {
        let stream = UnixStream::from(self.isolation.assign(id, spec).unwrap());
        let uid_gid = self.isolation.tier().function_uid_gid;
        Sandbox { id, uid_gid, stream: BufReader::new(stream) }
    }
}

#[derive(Debug)]
pub(crate) struct Sandbox {
    pub(crate) id: SandboxId,
    uid_gid: Option<(u32, u32)>,
    stream: BufReader<UnixStream>,
}

impl Sandbox {
    /// Exit code, or minus the signal, and all output of a program run as the function's user.
    pub(crate) fn run(&mut self, words: &[&str]) -> (i32, String) {
        self.start(words);
        self.finish().expect("the agent answers")
    }

    pub(crate) fn start(&mut self, words: &[&str]) {
        let words: Vec<_> = words.iter().map(|word| word.replace('\n', "\u{1}")).collect();
        let (uid, gid) = self.uid_gid.map_or(Default::default(), |(uid, gid)| (uid.to_string(), gid.to_string()));
        let line = format!("{uid}\0{gid}\0{}\n", words.join("\0"));
        self.stream.get_mut().write_all(line.as_bytes()).unwrap();
    }

    /// Ends the connection, and waits until the agent knows.
    pub(crate) fn leave(self) {
        let mut stream = self.stream.into_inner();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    }

    /// `None` when the agent is gone.
    pub(crate) fn finish(&mut self) -> Option<(i32, String)> {
        let mut head = String::new();
        self.stream.read_line(&mut head).ok().filter(|length| *length > 0)?;
        let (code, length) = head.trim_end().split_once(' ').unwrap();
        let mut output = vec![0; length.parse().unwrap()];
        self.stream.read_exact(&mut output).ok()?;
        Some((code.parse().unwrap(), String::from_utf8_lossy(&output).into_owned()))
    }

    pub(crate) fn python(&mut self, script: &str) -> (i32, String) {
        self.run(&["/usr/bin/python3", "-c", script])
    }

    /// Output of a script that must succeed.
    pub(crate) fn python_ok(&mut self, script: &str) -> String {
        let (code, output) = self.python(script);
        assert_eq!(code, 0, "{output}");
        output
    }
}

/// Waits for something to become true.
pub(crate) fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_true() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A root with a shell, Python and Node.js where the host has them; one for all tests of this process.
pub(crate) fn root() -> PathBuf {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("root-{}", std::process::id()));
        build_root(&root);
        remove_stale_roots(&root);
        root
    })
    .clone()
}

fn build_root(root: &Path) {
    for dir in ["usr/bin", "usr/lib", "etc", "lib64", ".hearth"] {
        fs_err::create_dir_all(root.join(dir)).unwrap();
    }
    for link in ["bin", "lib"] {
        fs_err::os::unix::fs::symlink(format!("usr/{link}"), root.join(link)).unwrap();
    }
    fs_err::write(root.join("etc/passwd"), "root:x:0:0::/:/bin/sh\nsbx:x:993:990::/tmp:/bin/sh\n").unwrap();
    fs_err::write(root.join(".hearth/park.py"), crate::zygote::PARK).unwrap();
    let python = std::fs::canonicalize("/usr/bin/python3").expect("Debian's python3 is installed");
    let library = Path::new("/usr/lib").join(python.file_name().unwrap());
    run("cp", &["-a", library.to_str().unwrap(), root.join("usr/lib").to_str().unwrap()]);
    let mut programs = vec![python.clone(), FIXTURE.into()];
    programs.extend(["dash", "cat", "sleep", "ls", "id", "true"].map(|name| Path::new("/usr/bin").join(name)));
    programs.extend(node());
    for program in &programs {
        let to = root.join("usr/bin").join(program.file_name().unwrap());
        fs_err::copy(program, to).unwrap();
    }
    let extensions = fs_err::read_dir(library.join("lib-dynload")).unwrap().map(|entry| entry.unwrap().path());
    for library in libraries(programs.into_iter().chain(extensions)) {
        let to = root.join(library.strip_prefix("/").unwrap());
        fs_err::create_dir_all(to.parent().unwrap()).unwrap();
        fs_err::copy(&library, to).unwrap();
    }
    fs_err::os::unix::fs::symlink(python.file_name().unwrap(), root.join("usr/bin/python3")).unwrap();
    fs_err::os::unix::fs::symlink("dash", root.join("usr/bin/sh")).unwrap();
}

pub(crate) fn node() -> Option<PathBuf> {
    let places = std::env::var("PATH").unwrap_or_default();
    let found = places.split(':').map(|dir| Path::new(dir).join("node")).find(|path| path.is_file())?;
    std::fs::canonicalize(found).ok()
}

fn libraries(programs: impl Iterator<Item = PathBuf>) -> std::collections::BTreeSet<PathBuf> {
    let output = Command::new("ldd").args(programs).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let path = |line: &str| {
        line.split_whitespace().find(|word| word.starts_with('/') && !word.ends_with(':')).map(PathBuf::from)
    };
    text.lines().filter_map(path).collect()
}

fn run(program: &str, arguments: &[&str]) {
    assert!(Command::new(program).args(arguments).status().unwrap().success(), "{program} {arguments:?}");
}

/// Roots of test processes that are gone.
fn remove_stale_roots(current: &Path) {
    for entry in fs_err::read_dir(current.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if let Some(pid) = name.strip_prefix("root-")
            && !Path::new("/proc").join(pid).exists()
        {
            let _removed_by_another = std::fs::remove_dir_all(&path);
        }
    }
}
