//! Log lines and error payloads as Lambda writes them (`INIT_START`, `START`, `END`, `REPORT`), as text or JSON.

use std::fmt::Write as _;
use std::time::Duration;

use hearth_agent_proto::ExitStatus;
use hearth_engine::port::{StartKind, Timeline};
use hearth_runtimes::BOOTSTRAPS;
use hearth_types::{LogFormat, LogLevel, RequestId, Timestamp, VersionSpec, limits};
use serde_json::{Value, json};

use crate::env::SNAP_START;

/// How an attempt ended, for its `REPORT` line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status<'a> {
    Success,
    /// The function said itself what went wrong.
    Raised {
        error_type: &'a str,
    },
    /// The runtime did not come to its end as it should.
    Error {
        error_type: &'a str,
    },
    Timeout,
}

/// What a `REPORT` line tells.
#[derive(Clone, Debug)]
pub(crate) struct Report<'a> {
    pub(crate) duration: Duration,
    /// Only of the first invocation of a sandbox.
    pub(crate) init: Option<Duration>,
    pub(crate) memory_bytes_max: u64,
    pub(crate) status: Status<'a>,
    pub(crate) trace_id: Option<&'a str>,
    pub(crate) timeline: &'a Timeline,
}

impl Report<'_> {
    /// Whether `init` is the time that a restore took.
    fn is_restored(&self) -> bool {
        self.timeline.start == StartKind::Template
    }
}

/// Writes the platform's own lines for one version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemLines<'a> {
    spec: &'a VersionSpec,
}

impl<'a> SystemLines<'a> {
    pub(crate) fn of(spec: &'a VersionSpec) -> Self {
        Self { spec }
    }

    pub(crate) fn spec(self) -> &'a VersionSpec {
        self.spec
    }

    /// Whether a line of this level is written: `SystemLogLevel` counts only where the format is JSON.
    fn wanted(self, level: LogLevel) -> bool {
        self.spec.log_format == LogFormat::Text || self.spec.system_log_level.unwrap_or(LogLevel::Info) <= level
    }

    /// Such as `python:3.11.v1`. Lambda counts the versions of each runtime; here a runtime has one at a time.
    pub(crate) fn runtime_version(self) -> String {
        let runtime = self.spec.runtime.as_str();
        let provided = runtime.strip_prefix("provided.").map(|version| ("provided", version));
        let (family, version) = provided.unwrap_or_else(|| {
            runtime.split_at(runtime.find(|letter: char| letter.is_ascii_digit()).unwrap_or(runtime.len()))
        });
        format!("{family}:{}.v1", version.strip_suffix(".x").unwrap_or(version))
    }

    /// `kind` is the initialization type, as Lambda names it.
    pub(crate) fn init_start(self, now: Timestamp, kind: &str) -> Option<String> {
        let (runtime, arn) = (self.runtime_version(), &self.spec.runtime_version_arn);
        self.line(
            LogLevel::Info,
            now,
            "platform.initStart",
            || format!("INIT_START Runtime Version: {runtime}\tRuntime Version ARN: {arn}\n"),
            || {
                json!({
                    "initializationType": kind, "phase": phase(kind), "runtimeVersion": runtime, "runtimeVersionArn": arn,
                    "functionName": self.spec.key.function.as_str(), "functionVersion": self.spec.key.version.to_string(),
                })
            },
        )
    }

    /// Lambda writes this only when initialisation did not go well, or was nobody's invocation.
    pub(crate) fn init_report(self, now: Timestamp, took: Duration, status: Status<'_>, kind: &str) -> Option<String> {
        let (word, error_type) = status_words(status);
        self.line(
            LogLevel::Info,
            now,
            "platform.initReport",
            || {
                let phase = phase(kind);
                let mut line =
                    format!("INIT_REPORT Init Duration: {:.2} ms\tPhase: {phase}\tStatus: {word}", millis(took));
                if let Some(error_type) = error_type {
                    let _always = write!(line, "\tError Type: {error_type}");
                }
                line.push('\n');
                line
            },
            || {
                json!({
                    "initializationType": kind, "phase": phase(kind), "status": word, "errorType": error_type,
                    "metrics": {"durationMs": rounded(took)},
                })
            },
        )
    }

    pub(crate) fn start(self, now: Timestamp, request: RequestId) -> Option<String> {
        let version = self.spec.key.version;
        self.line(
            LogLevel::Info,
            now,
            "platform.start",
            || format!("START RequestId: {request} Version: {version}\n"),
            || json!({"requestId": request.to_string(), "version": version.to_string()}),
        )
    }

    pub(crate) fn end(self, request: RequestId) -> Option<String> {
        (self.spec.log_format == LogFormat::Text).then(|| format!("END RequestId: {request}\n"))
    }

    pub(crate) fn report(self, now: Timestamp, request: RequestId, report: &Report<'_>) -> Option<String> {
        self.line(
            LogLevel::Info,
            now,
            "platform.report",
            || self.report_text(request, report),
            || self.report_json(now, request, report),
        )
    }

    fn report_text(self, request: RequestId, report: &Report<'_>) -> String {
        let mut line = format!(
            "REPORT RequestId: {request}\tDuration: {:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} MB",
            millis(report.duration),
            billed_ms(report),
            self.spec.memory_mib,
            self.used_mb(report),
        );
        match report.init {
            Some(restore) if report.is_restored() => {
                let billed = whole_ms(restore);
                let _always =
                    write!(line, "\tRestore Duration: {:.2} ms\tBilled Restore Duration: {billed} ms", millis(restore));
            }
            Some(init) => {
                let _always = write!(line, "\tInit Duration: {:.2} ms", millis(init));
            }
            None => {}
        }
        match report.status {
            // As recorded: only a status is not followed by a tab, and a function's own errors are none.
            Status::Success | Status::Raised { .. } => line.push('\t'),
            Status::Timeout => line.push_str("\tStatus: timeout"),
            Status::Error { error_type } => {
                let _always = write!(line, "\tStatus: error\tError Type: {error_type}");
            }
        }
        line.push('\n');
        if self.spec.tracing_active
            && let Some(trace) = report.trace_id
        {
            let root = trace.split(';').find_map(|part| part.trim().strip_prefix("Root=")).unwrap_or(trace);
            let _always = writeln!(line, "XRAY TraceId: {root}\tSegmentId: \tSampled: true");
        }
        line
    }

    fn report_json(self, now: Timestamp, request: RequestId, report: &Report<'_>) -> Value {
        let (word, error_type) = status_words(report.status);
        let mut metrics = json!({
            "durationMs": rounded(report.duration), "billedDurationMs": billed_ms(report),
            "memorySizeMB": self.spec.memory_mib, "maxMemoryUsedMB": self.used_mb(report),
        });
        if let (Some(init), Value::Object(metrics)) = (report.init, &mut metrics) {
            if report.is_restored() {
                metrics.insert("restoreDurationMs".to_owned(), rounded(init));
                metrics.insert("billedRestoreDurationMs".to_owned(), json!(whole_ms(init)));
            } else {
                metrics.insert("initDurationMs".to_owned(), rounded(init));
            }
        }
        json!({
            "requestId": request.to_string(), "metrics": metrics, "status": word, "errorType": error_type,
            "spans": spans(now, report),
        })
    }

    /// Whole megabytes, rounded up. What a sandbox may use above its function's memory, for the agent, is not the function's.
    fn used_mb(self, report: &Report<'_>) -> u64 {
        report.memory_bytes_max.div_ceil(1024 * 1024).min(self.spec.memory_mib.into())
    }

    pub(crate) fn line(
        self,
        level: LogLevel,
        now: Timestamp,
        kind: &str,
        text: impl FnOnce() -> String,
        record: impl FnOnce() -> Value,
    ) -> Option<String> {
        if !self.wanted(level) {
            return None;
        }
        Some(match self.spec.log_format {
            LogFormat::Text => text(),
            LogFormat::Json => {
                let mut record = record();
                if let Value::Object(members) = &mut record {
                    members.retain(|_, value| !value.is_null());
                }
                format!("{}\n", json!({"time": iso8601(now), "type": kind, "record": record}))
            }
        })
    }
}

/// What a cold invocation went through before the function ran, in the form of the Telemetry API's spans; warm ones have none.
fn spans(now: Timestamp, report: &Report<'_>) -> Value {
    let timeline = report.timeline;
    if timeline.cold_reason.is_none() {
        return Value::Null;
    }
    let phases = [("queue", timeline.queue_us), ("sandbox", timeline.sandbox_us), ("init", timeline.init_us)];
    let before_us: u64 = phases.iter().map(|(_, took)| took).sum();
    let total = report.duration + Duration::from_micros(before_us);
    let began_ms = now.as_millis().saturating_sub(u64::try_from(total.as_millis()).unwrap_or(u64::MAX));
    let mut passed_us = 0;
    let span = |(name, took): (&str, u64)| {
        let start = Timestamp::from_millis(began_ms + passed_us / 1000);
        passed_us += took;
        json!({"name": name, "start": iso8601(start), "durationMs": rounded(Duration::from_micros(took))})
    };
    phases.into_iter().map(span).collect()
}

pub(crate) fn status_words(status: Status<'_>) -> (&'static str, Option<&str>) {
    match status {
        Status::Success => ("success", None),
        Status::Timeout => ("timeout", None),
        Status::Raised { error_type } | Status::Error { error_type } => ("error", Some(error_type)),
    }
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub(crate) fn rounded(duration: Duration) -> Value {
    json!((millis(duration) * 1e3).round() / 1e3)
}

fn phase(kind: &str) -> &'static str {
    if kind == SNAP_START { SNAP_START } else { "init" }
}

/// Whole milliseconds, rounded up; initialisation counts.
fn billed_ms(report: &Report<'_>) -> u128 {
    whole_ms(report.duration + report.init.unwrap_or_default())
}

/// Rounded up.
fn whole_ms(duration: Duration) -> u128 {
    duration.as_nanos().div_ceil(1_000_000)
}

/// Such as `2026-01-02T03:04:05.678Z`.
pub(crate) fn iso8601(time: Timestamp) -> String {
    let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).map(|time| format!("{time:.3}")).unwrap_or_default()
}

/// The stream's name: `YYYY/MM/DD/[version]` and 32 hexadecimal digits.
pub(crate) fn log_stream_name(now: Timestamp, version: &str, random: [u8; 16]) -> String {
    let date = iso8601(now);
    let date = date.get(..10).unwrap_or("1970-01-01").replace('-', "/");
    let random: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{date}/[{version}]{random}")
}

/// An error payload and what the log says of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Failure {
    pub(crate) error_type: String,
    pub(crate) payload: Vec<u8>,
    /// Written before `END`.
    pub(crate) log_line: Option<String>,
    pub(crate) timed_out: bool,
    /// By the handler, not by its initialisation.
    pub(crate) raised: bool,
}

impl Failure {
    /// What the runtime itself reported.
    pub(crate) fn reported(error_type: &str, payload: &[u8]) -> Self {
        let error_type = match error_type {
            "" => error_type_in(payload).unwrap_or_else(|| "Unhandled".to_owned()),
            given => given.to_owned(),
        };
        Self { error_type, payload: payload.to_vec(), log_line: None, timed_out: false, raised: false }
    }

    /// What the runtime reported of an invocation.
    pub(crate) fn raised(error_type: &str, payload: &[u8]) -> Self {
        Self { raised: true, ..Self::reported(error_type, payload) }
    }

    pub(crate) fn timeout(request: RequestId, timeout_ms: u64, now: Timestamp) -> Self {
        let text = format!("Task timed out after {}.{:02} seconds", timeout_ms / 1000, timeout_ms % 1000 / 10);
        Self {
            error_type: "Sandbox.Timedout".to_owned(),
            payload: payload("Sandbox.Timedout", &format!("RequestId: {request} Error: {text}")),
            log_line: Some(format!("{} {request} {text}\n\n", iso8601(now))),
            timed_out: true,
            raised: false,
        }
    }

    /// The runtime's process ended. `out_of_memory`: the kernel killed it for want of memory.
    pub(crate) fn exit(request: RequestId, status: Option<ExitStatus>, out_of_memory: bool) -> Self {
        let (error_type, reason) = match status {
            _ if out_of_memory => ("Runtime.OutOfMemory", "Runtime exited with error: signal: killed".to_owned()),
            Some(ExitStatus::Code(0)) => ("Runtime.ExitError", "Runtime exited without providing a reason".to_owned()),
            Some(ExitStatus::Code(code)) => {
                ("Runtime.ExitError", format!("Runtime exited with error: exit status {code}"))
            }
            Some(ExitStatus::Signal(signal)) => {
                ("Runtime.ExitError", format!("Runtime exited with error: signal: {}", signal_name(signal)))
            }
            Some(ExitStatus::NotFound) => {
                ("Runtime.InvalidEntrypoint", format!("Couldn't find valid bootstrap(s): [{}]", BOOTSTRAPS.join(" ")))
            }
            Some(ExitStatus::NotStarted { command, errno }) => {
                // Of other runtimes it lies in the root, where it can be started.
                let program = BOOTSTRAPS.get(command as usize).unwrap_or(&"bootstrap");
                ("Runtime.InvalidEntrypoint", format!("fork/exec {program}: {}", error_text(errno)))
            }
            None => ("Runtime.ExitError", "Runtime exited with error: signal: killed".to_owned()),
        };
        Self {
            error_type: error_type.to_owned(),
            payload: payload(error_type, &format!("RequestId: {request} Error: {reason}")),
            log_line: Some(format!("RequestId: {request} Error: {reason}\n{error_type}\n")),
            timed_out: false,
            raised: false,
        }
    }

    /// The runtime broke off a streamed response.
    pub(crate) fn truncated() -> Self {
        let text = "Response stream was truncated: the runtime closed its connection before the end";
        Self {
            error_type: "Runtime.TruncatedResponse".to_owned(),
            payload: payload("Runtime.TruncatedResponse", text),
            log_line: None,
            timed_out: false,
            raised: false,
        }
    }

    /// Wording as recorded from Lambda.
    pub(crate) fn response_too_large() -> Self {
        let limit = limits::RESPONSE_BYTES_MAX;
        let text = format!("Response payload size exceeded maximum allowed payload size ({limit} bytes).");
        Self {
            error_type: "Function.ResponseSizeTooLarge".to_owned(),
            payload: payload("Function.ResponseSizeTooLarge", &text),
            log_line: None,
            timed_out: false,
            raised: false,
        }
    }

    pub(crate) fn status(&self) -> Status<'_> {
        let error_type = &self.error_type;
        match (self.timed_out, self.raised) {
            (true, _) => Status::Timeout,
            (false, true) => Status::Raised { error_type },
            (false, false) => Status::Error { error_type },
        }
    }
}

/// Python's and Node's clients name the type in the body only.
fn error_type_in(payload: &[u8]) -> Option<String> {
    let object: Value = serde_json::from_slice(payload).ok()?;
    object["errorType"].as_str().map(str::to_owned)
}

fn payload(error_type: &str, message: &str) -> Vec<u8> {
    format!("{{\"errorType\":{},\"errorMessage\":{}}}", Value::from(error_type), Value::from(message)).into_bytes()
}

/// As Go words the kernel's refusals, which is what Lambda's own supervisor prints: `exec format error`.
fn error_text(errno: i32) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// As Go's `os/signal` words them, which is what Lambda's own supervisor prints.
fn signal_name(signal: i32) -> String {
    match signal {
        1 => "hangup".to_owned(),
        2 => "interrupt".to_owned(),
        3 => "quit".to_owned(),
        4 => "illegal instruction".to_owned(),
        5 => "trace/breakpoint trap".to_owned(),
        6 => "aborted".to_owned(),
        7 => "bus error".to_owned(),
        8 => "floating point exception".to_owned(),
        9 => "killed".to_owned(),
        11 => "segmentation fault".to_owned(),
        13 => "broken pipe".to_owned(),
        14 => "alarm clock".to_owned(),
        15 => "terminated".to_owned(),
        31 => "bad system call".to_owned(),
        other => format!("signal {other}"),
    }
}
