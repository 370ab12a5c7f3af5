//! `models`: what Hearth knows of AWS's services, made from botocore's data: a trimmed model and the Rust shapes of each.

mod document;
pub(crate) mod names;
mod rust;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use self::document::Document;
use crate::report;

/// A service that Hearth speaks or will.
struct Service {
    /// Directory in botocore's data, and the module's name.
    name: &'static str,
    version: &'static str,
    /// Operations with one of these in their names are known by name alone and have no shapes here.
    without_shapes: &'static [&'static str],
}

const SERVICES: &[Service] = &[
    Service {
        name: "apigateway",
        version: "2015-07-09",
        without_shapes: &["ClientCertificate", "Documentation", "DomainNameAccess", "Sdk", "VpcLink"],
    },
    Service {
        name: "apigatewayv2",
        version: "2018-11-29",
        without_shapes: &["Portal", "Product", "RoutingRule", "VpcLink"],
    },
    Service { name: "events", version: "2015-10-07", without_shapes: &["Endpoint", "Partner"] },
    Service {
        name: "iam",
        version: "2010-05-08",
        without_shapes: &[
            "Certificate",
            "ContextKeys",
            "Credential",
            "Delegation",
            "HumanReadable",
            "LoginProfile",
            "MFA",
            "OpenID",
            "Organizations",
            "Password",
            "SAML",
            "SSH",
            "SecurityTokenService",
            "ServiceLastAccessed",
            "ServiceLinked",
            "WebIdentity",
        ],
    },
    Service {
        name: "lambda",
        version: "2015-03-31",
        without_shapes: &[
            "ByCapacityProvider",
            "CreateCapacityProvider",
            "DeleteCapacityProvider",
            "GetCapacityProvider",
            "UpdateCapacityProvider",
        ],
    },
    Service {
        name: "logs",
        version: "2014-03-28",
        without_shapes: &[
            "AccountPolic",
            "Anomal",
            "BearerToken",
            "ConfigurationTemplate",
            "DataProtection",
            "Deliver",
            "Destination",
            "Export",
            "Import",
            "Index",
            "Integration",
            "Kms",
            "LogFields",
            "LogObject",
            "LogRecord",
            "Lookup",
            "Quer",
            "S3Table",
            "Storage",
            "Syslog",
            "Transform",
        ],
    },
    Service { name: "scheduler", version: "2021-06-30", without_shapes: &[] },
    Service { name: "sns", version: "2010-03-31", without_shapes: &["DataProtection", "Phone", "Platform", "SMS"] },
    Service { name: "sqs", version: "2012-11-05", without_shapes: &[] },
    Service {
        name: "sts",
        version: "2011-06-15",
        without_shapes: &["Authorization", "Delegated", "SAML", "WebIdentity"],
    },
];

/// Writes all files anew.
pub(crate) fn write(from: &Path) -> Result<ExitCode> {
    for (path, text) in files(from)? {
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Fails unless all files are as they would be written.
pub(crate) fn check(from: &Path) -> Result<ExitCode> {
    let mut wrong = 0;
    for (path, text) in files(from)? {
        if std::fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            report(&mut wrong, &format!("{} is not what `cargo xtask models` writes", path.display()));
        }
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn files(from: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    for Service { name: service, version, without_shapes } in SERVICES {
        let path = from.join(service).join(version).join("service-2.json.gz");
        let document = Document::read(service, &path).with_context(|| format!("{}", path.display()))?;
        files.push((format!("crates/aws-api/models/{service}.json").into(), document.to_text()?));
        files.push((
            format!("crates/aws-api/src/shapes/{service}.rs").into(),
            rust::module(service, &document, without_shapes)?,
        ));
    }
    Ok(files)
}
