//! What a restore leaves in the function's log, and what a caller is told when it fails.
//!
//! Wording: AWS Lambda Developer Guide, "Monitoring for Lambda SnapStart" and "Lambda execution environment".

use std::fmt::Write as _;
use std::time::Duration;

use hearth_engine::port::{InvokeError, StartKind};
use hearth_types::{LogLevel, RequestId, Timestamp};
use serde_json::json;

use crate::core::Core;
use crate::env::SNAP_START;
use crate::report::{Failure, Status, SystemLines, millis, rounded, status_words};
use crate::sandbox::{Sandbox, StartFailure};

/// What runtime clients report when a hook fails after the restore.
const AFTER_RESTORE_ERROR: &str = "Runtime.AfterRestoreError";

impl SystemLines<'_> {
    pub(crate) fn restore_start(self, now: Timestamp) -> Option<String> {
        let spec = self.spec();
        let (runtime, arn, key) = (self.runtime_version(), &spec.runtime_version_arn, &spec.key);
        self.line(
            LogLevel::Info,
            now,
            "platform.restoreStart",
            || format!("RESTORE_START Runtime Version: {runtime}\tRuntime Version ARN: {arn}\n"),
            || {
                json!({
                    "runtimeVersion": runtime, "runtimeVersionArn": arn, "functionName": key.function.as_str(),
                    "functionVersion": key.version.to_string(),
                })
            },
        )
    }

    pub(crate) fn restore_report(self, now: Timestamp, took: Duration, status: Status<'_>) -> Option<String> {
        let (word, error_type) = status_words(status);
        self.line(
            LogLevel::Info,
            now,
            "platform.restoreReport",
            || {
                let mut line = format!("RESTORE_REPORT Restore Duration: {:.2} ms", millis(took));
                if word != "success" {
                    let _always = write!(line, "\tStatus: {word}");
                }
                if let Some(error_type) = error_type {
                    let _always = write!(line, "\tError Type: {error_type}");
                }
                line.push('\n');
                line
            },
            || json!({"status": word, "errorType": error_type, "metrics": {"durationMs": rounded(took)}}),
        )
    }
}

impl Core {
    /// Initialisation is over: of a copy that was its restore.
    pub(crate) fn restored(&self, sandbox: &Sandbox) {
        let (kind, took) = {
            let state = sandbox.state();
            (state.start_kind, state.init.unwrap_or_default())
        };
        if kind == StartKind::Template {
            self.write_restore_report(sandbox, took, Status::Success);
        }
    }

    /// How a restore failed, where the function asked for SnapStart: as in Lambda the call fails with it. All other starts that
    /// fail are made once more in another way.
    pub(crate) fn restore_failure(&self, sandbox: &Sandbox, failure: &StartFailure) -> Option<InvokeError> {
        let assigned = sandbox.assigned.get().filter(|assigned| assigned.spec.snap_start)?;
        let (kind, since) = {
            let state = sandbox.state();
            (state.start_kind, state.init_since)
        };
        if kind != StartKind::Template {
            return None;
        }
        let (error, status) = match failure {
            StartFailure::Reported { error_type, payload } if error_type == AFTER_RESTORE_ERROR => {
                let error: Option<serde_json::Value> = serde_json::from_slice(payload).ok();
                let why = error.as_ref().and_then(|error| error["errorMessage"].as_str()).unwrap_or_default();
                let message = format!(
                    "The afterRestore() runtime hook of {} encountered an error: {why}. For more information, check the log group {}.",
                    assigned.spec.key.function, assigned.spec.log_group
                );
                (InvokeError::RestoreHook { message }, Status::Error { error_type: AFTER_RESTORE_ERROR })
            }
            StartFailure::TimedOut => (InvokeError::RestoreTimeout, Status::Timeout),
            StartFailure::Reported { .. } | StartFailure::Exit { .. } => return None,
        };
        let took = since.map(|since| self.clock.now() - since).unwrap_or_default();
        self.write_restore_report(sandbox, took, status);
        Some(error)
    }

    /// The end of the initialisation of what is to be saved, or its failure.
    pub(crate) fn write_snapshot_report(&self, sandbox: &Sandbox, failure: Option<StartFailure>) {
        let Some(assigned) = sandbox.assigned.get() else { return };
        let (init, since) = {
            let state = sandbox.state();
            (state.init, state.init_since)
        };
        let (now, wall) = (self.clock.now(), self.clock.wall());
        let took = init.or_else(|| since.map(|since| now - since)).unwrap_or_default();
        let nobody = RequestId::from_random([0; 16]);
        let failure = failure.map(|failure| failure.of_request(nobody, assigned.spec.timeout_ms, wall));
        let status = failure.as_ref().map_or(Status::Success, Failure::status);
        if let Some(line) = SystemLines::of(&assigned.spec).init_report(wall, took, status, SNAP_START) {
            assigned.log.append(wall.as_millis(), line.into());
        }
    }

    fn write_restore_report(&self, sandbox: &Sandbox, took: Duration, status: Status<'_>) {
        let Some(assigned) = sandbox.assigned.get() else { return };
        let wall = self.clock.wall();
        if let Some(line) = SystemLines::of(&assigned.spec).restore_report(wall, took, status) {
            sandbox.state().init_tail.push(line.as_bytes());
            assigned.log.append(wall.as_millis(), line.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hearth_types::{
        AccountId, FunctionName, LogFormat, NetworkMode, Sha256, VersionKey, VersionLabel, VersionSpec,
    };

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_123);

    fn spec(log_format: LogFormat) -> Arc<VersionSpec> {
        Arc::new(VersionSpec {
            key: VersionKey {
                account: "123456789012".parse::<AccountId>().unwrap(),
                region: "eu-west-1".parse().unwrap(),
                function: "f".parse::<FunctionName>().unwrap(),
                version: VersionLabel::Number(1),
                code: Sha256([0; 32]),
                generation: 1,
            },
            runtime: "python3.11".to_owned(),
            runtime_version_arn: String::new(),
            handler: String::new(),
            role: String::new(),
            memory_mib: 128,
            timeout_ms: 3000,
            ephemeral_storage_mib: 512,
            environment: Default::default(),
            layers: Vec::new(),
            live_dir: None,
            network: NetworkMode::None,
            log_group: "/aws/lambda/f".to_owned(),
            log_format,
            application_log_level: None,
            system_log_level: None,
            snap_start: true,
            tracing_active: false,
        })
    }

    #[test]
    fn a_restore_is_reported_as_lambda_does() {
        let text = spec(LogFormat::Text);
        let line = |status| SystemLines::of(&text).restore_report(NOW, Duration::from_micros(204_270), status).unwrap();
        assert_eq!(line(Status::Success), "RESTORE_REPORT Restore Duration: 204.27 ms\n");
        assert_eq!(line(Status::Timeout), "RESTORE_REPORT Restore Duration: 204.27 ms\tStatus: timeout\n");
        assert_eq!(
            line(Status::Error { error_type: "Runtime.ExitError" }),
            "RESTORE_REPORT Restore Duration: 204.27 ms\tStatus: error\tError Type: Runtime.ExitError\n"
        );
        let json = spec(LogFormat::Json);
        let line = SystemLines::of(&json).restore_report(NOW, Duration::from_micros(204_270), Status::Success).unwrap();
        let record: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(record["type"], "platform.restoreReport");
        assert_eq!(record["record"], json!({"status": "success", "metrics": {"durationMs": 204.27}}));
    }
}
