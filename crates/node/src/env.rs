//! What a sandbox's runtime finds in its environment.
//!
//! Source of the names: AWS Lambda Developer Guide, "Defined runtime environment variables".

use hearth_agent_proto::{ENDPOINT_PORT, Init, Park, RUNTIME_API_PORT, Rlimits};
use hearth_engine::Purpose;
use hearth_engine::port::SessionCredentials;
use hearth_runtimes::RuntimeDefinition;
use hearth_sandbox::Zygote;
use hearth_types::{LogFormat, LogLevel, VersionSpec, limits};

/// How the runtime of `spec` is started.
pub(crate) fn init_message(
    spec: &VersionSpec,
    runtime: &RuntimeDefinition,
    credentials: &SessionCredentials,
    log_stream: &str,
    purpose: Purpose,
    uid_gid: Option<(u32, u32)>,
) -> Init {
    let environment = environment(spec, runtime, credentials, log_stream, purpose);
    Init {
        commands: runtime.commands_for(spec.memory_mib, &environment),
        environment,
        cwd: "/var/task".to_owned(),
        parked: false,
        telemetry: runtime.interpreter_version.is_some(),
        uid_gid,
        hostname: "localhost".to_owned(),
        rlimits: RLIMITS,
        response_bytes_max: limits::RESPONSE_BYTES_MAX as u64,
        stream_bytes_max: limits::STREAM_BYTES_MAX,
    }
}

const RLIMITS: Rlimits =
    Rlimits { files: limits::SANDBOX_FILES_MAX, processes: limits::SANDBOX_PROCESSES_MAX as u64, core_bytes: 0 };

/// How an interpreter is started to wait for a function of this memory size; `None` where the runtime has none that waits.
pub(crate) fn park_message(runtime: &RuntimeDefinition, memory_mib: u32, uid_gid: Option<(u32, u32)>) -> Option<Park> {
    let command = runtime.parked_command(memory_mib)?;
    let environment = waiting_environment(runtime);
    Some(Park { command, environment, uid_gid, rlimits: RLIMITS })
}

/// What a waiting interpreter starts in: what its runtime sets, and what clients look up as they load, as most functions have it.
fn waiting_environment(runtime: &RuntimeDefinition) -> Vec<(String, String)> {
    let mut environment: Vec<(String, String)> = runtime.environment.clone().into_iter().collect();
    set(&mut environment, "AWS_LAMBDA_RUNTIME_API", &runtime_api());
    environment
}

fn runtime_api() -> String {
    format!("127.0.0.1:{RUNTIME_API_PORT}")
}

/// How to start what waiting interpreters are forked from; `None` where the runtime has none.
pub(crate) fn zygote_of(runtime: &RuntimeDefinition) -> Option<Zygote> {
    let environment = waiting_environment(runtime);
    runtime.zygote_command().map(|command| Zygote { command, environment, rlimits: RLIMITS })
}

fn environment(
    spec: &VersionSpec,
    runtime: &RuntimeDefinition,
    credentials: &SessionCredentials,
    log_stream: &str,
    purpose: Purpose,
) -> Vec<(String, String)> {
    let endpoint = format!("http://127.0.0.1:{ENDPOINT_PORT}");
    let mut environment: Vec<(String, String)> = runtime.environment.clone().into_iter().collect();
    // A user's own setting of what is not reserved wins over the runtime's.
    set(&mut environment, "AWS_ENDPOINT_URL", &endpoint);
    if spec.log_format == LogFormat::Json {
        set(&mut environment, "AWS_LAMBDA_LOG_FORMAT", "JSON");
    }
    if let Some(level) = spec.application_log_level {
        set(&mut environment, "AWS_LAMBDA_LOG_LEVEL", level_name(level));
    }
    for (name, value) in &spec.environment {
        // AWS's start scripts take an empty one for none.
        if name == "NODE_PATH" && value.is_empty() && runtime.environment.contains_key(name) {
            continue;
        }
        set(&mut environment, name, value);
    }
    for (name, value) in [
        ("_HANDLER", spec.handler.as_str()),
        ("AWS_REGION", spec.key.region.as_str()),
        ("AWS_DEFAULT_REGION", spec.key.region.as_str()),
        ("AWS_LAMBDA_FUNCTION_NAME", spec.key.function.as_str()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &spec.memory_mib.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", &spec.key.version.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", initialization_type(purpose)),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &spec.log_group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream),
        ("AWS_ACCESS_KEY_ID", &credentials.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key),
        ("AWS_SESSION_TOKEN", &credentials.session_token),
        ("AWS_LAMBDA_RUNTIME_API", &runtime_api()),
    ] {
        set(&mut environment, name, value);
    }
    environment
}

/// The initialization type of what is saved, and of its copies.
pub(crate) const SNAP_START: &str = "snap-start";

/// As Lambda names it.
pub(crate) fn initialization_type(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Invocation | Purpose::Prewarm => "on-demand",
        Purpose::Provisioned => "provisioned-concurrency",
    }
}

fn set(environment: &mut Vec<(String, String)>, name: &str, value: &str) {
    match environment.iter_mut().find(|(present, _)| present == name) {
        Some((_, present)) => value.clone_into(present),
        None => environment.push((name.to_owned(), value.to_owned())),
    }
}

fn level_name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Trace => "TRACE",
        LogLevel::Debug => "DEBUG",
        LogLevel::Info => "INFO",
        LogLevel::Warn => "WARN",
        LogLevel::Error => "ERROR",
        LogLevel::Fatal => "FATAL",
    }
}
