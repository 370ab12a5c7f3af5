//! How functions log: what requests change of it, and how it is shown.

use hearth_aws_api::ApiError;
use hearth_aws_api::shapes::lambda::{self, ApplicationLogLevel, LoggingConfig, SystemLogLevel};
use hearth_types::{LogFormat, LogLevel};

use crate::record::Logging;

pub(crate) fn default(function: &str) -> Logging {
    Logging {
        format: LogFormat::Text,
        application_level: None,
        system_level: None,
        group: format!("/aws/lambda/{function}"),
    }
}

/// What `given` makes of the present logging configuration: levels belong to JSON, where both are INFO unless said.
pub(crate) fn change(present: &mut Logging, given: &LoggingConfig) -> Result<(), ApiError> {
    match given.log_format {
        Some(lambda::LogFormat::Json) => present.format = LogFormat::Json,
        Some(lambda::LogFormat::Text) => present.format = LogFormat::Text,
        None => {}
    }
    if let Some(group) = &given.log_group {
        present.group.clone_from(group);
    }
    if present.format == LogFormat::Text {
        if given.application_log_level.is_some() || given.system_log_level.is_some() {
            return Err(ApiError::invalid_parameter(
                "Log level is not supported for Text format. To use ApplicationLogLevel or SystemLogLevel, set LogFormat to JSON.",
            ));
        }
        (present.application_level, present.system_level) = (None, None);
        return Ok(());
    }
    let level = |given: Option<LogLevel>, present: Option<LogLevel>| Some(given.or(present).unwrap_or(LogLevel::Info));
    present.application_level = level(given.application_log_level.map(of_application), present.application_level);
    present.system_level = level(given.system_log_level.map(of_system), present.system_level);
    Ok(())
}

pub(crate) fn shown(logging: &Logging) -> LoggingConfig {
    LoggingConfig {
        log_format: Some(match logging.format {
            LogFormat::Json => lambda::LogFormat::Json,
            LogFormat::Text => lambda::LogFormat::Text,
        }),
        application_log_level: logging.application_level.map(application),
        system_log_level: logging.system_level.map(system),
        log_group: Some(logging.group.clone()),
    }
}

fn of_application(level: ApplicationLogLevel) -> LogLevel {
    match level {
        ApplicationLogLevel::Trace => LogLevel::Trace,
        ApplicationLogLevel::Debug => LogLevel::Debug,
        ApplicationLogLevel::Info => LogLevel::Info,
        ApplicationLogLevel::Warn => LogLevel::Warn,
        ApplicationLogLevel::Error => LogLevel::Error,
        ApplicationLogLevel::Fatal => LogLevel::Fatal,
    }
}

fn application(level: LogLevel) -> ApplicationLogLevel {
    match level {
        LogLevel::Trace => ApplicationLogLevel::Trace,
        LogLevel::Debug => ApplicationLogLevel::Debug,
        LogLevel::Info => ApplicationLogLevel::Info,
        LogLevel::Warn => ApplicationLogLevel::Warn,
        LogLevel::Error => ApplicationLogLevel::Error,
        LogLevel::Fatal => ApplicationLogLevel::Fatal,
    }
}

fn of_system(level: SystemLogLevel) -> LogLevel {
    match level {
        SystemLogLevel::Debug => LogLevel::Debug,
        SystemLogLevel::Info => LogLevel::Info,
        SystemLogLevel::Warn => LogLevel::Warn,
    }
}

/// The nearest, as Lambda knows three of the system's alone.
fn system(level: LogLevel) -> SystemLogLevel {
    match level {
        LogLevel::Trace | LogLevel::Debug => SystemLogLevel::Debug,
        LogLevel::Info => SystemLogLevel::Info,
        LogLevel::Warn | LogLevel::Error | LogLevel::Fatal => SystemLogLevel::Warn,
    }
}
