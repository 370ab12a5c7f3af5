//! `members`: every member of the inputs that the services' tables take is read by some code, or stands in [`UNREAD`] with its reason.
//!
//! The compiler tells. With the feature `told` of `aws-api` all operations and members are deprecated, so that each use of one is a
//! warning that names it. A refusal is a use. What this does not see:
//!
//! - what the code does with a member that it reads: tests say that;
//! - which operation a use is for, where several take one structure: a member that is read for one of them counts as read;
//! - members of structures that are compared, kept or handed on whole: nobody names them, so they stand in the list;
//! - Invoke and its like, which have no types. `e2e/test_inputs.py` accounts for those, and has of each other operation what is refused.

use std::collections::BTreeSet;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::models::names::{field, type_name};
use crate::report;

/// Members that no code names, of one service and for one reason. `Structure.*` is each of its members that are not read.
struct Unread {
    service: &'static str,
    reason: &'static str,
    members: &'static [&'static str],
}

const UNREAD: &[Unread] = &[
    Unread {
        service: "iam",
        reason: "no role has instance profiles: there is one page, which is empty",
        members: &["ListInstanceProfilesForRoleRequest.Marker", "ListInstanceProfilesForRoleRequest.MaxItems"],
    },
    Unread {
        service: "lambda",
        reason: "refused as a whole, whatever is in it (functions::unsupported)",
        members: &[
            "AcceleratorConfig.*",
            "CapacityProviderConfig.*",
            "DurableConfig.*",
            "FileSystemConfig.*",
            "FunctionRuntimeConfig.*",
            "ImageConfig.*",
            "LambdaManagedInstancesCapacityProviderConfig.*",
            "S3FilesConfig.*",
            "TenancyConfig.*",
        ],
    },
    Unread {
        service: "lambda",
        reason: "without subnets, which are refused, there is no network that it could be about",
        members: &["VpcConfig.Ipv6AllowedForDualStack"],
    },
    Unread {
        service: "lambda",
        reason: "there is nothing of the kind: none is found whatever is asked for (lambda::absent)",
        members: &[
            "GetEventSourceMappingRequest.*",
            "GetFunctionUrlConfigRequest.*",
            "GetResourcePolicyRequest.*",
            "ListCapacityProvidersRequest.*",
            "ListCodeSigningConfigsRequest.*",
            "ListDurableExecutionsByFunctionRequest.*",
            "ListEventSourceMappingsRequest.*",
            "ListFunctionUrlConfigsRequest.*",
        ],
    },
    Unread {
        service: "logs",
        reason: "refused as a whole, whatever is in it",
        members: &["DataSourceFilter.*", "TagFilter.*"],
    },
    Unread {
        service: "logs",
        reason: "there are no linked accounts",
        members: &["DescribeLogGroupsRequest.includeLinkedAccounts", "ListLogGroupsRequest.includeLinkedAccounts"],
    },
    Unread {
        service: "logs",
        reason: "no group has metric filters: there is nothing to choose from",
        members: &[
            "DescribeMetricFiltersRequest.filterNamePrefix",
            "DescribeMetricFiltersRequest.limit",
            "DescribeMetricFiltersRequest.metricName",
            "DescribeMetricFiltersRequest.metricNamespace",
            "DescribeMetricFiltersRequest.nextToken",
        ],
    },
    Unread {
        service: "logs",
        reason: "AWS ignores it",
        members: &["FilterLogEventsRequest.interleaved", "PutLogEventsRequest.sequenceToken"],
    },
    Unread {
        service: "logs",
        reason: "nothing is masked",
        members: &["FilterLogEventsRequest.unmask", "GetLogEventsRequest.unmask"],
    },
    Unread {
        service: "logs",
        reason: "the answer says that an entity is not kept, whatever is in it",
        members: &["Entity.*"],
    },
    Unread { service: "sqs", reason: "no account has queues: none is found", members: &["GetQueueUrlRequest.*"] },
    Unread {
        service: "sts",
        reason: "refused as a whole, whatever is in it",
        members: &["PolicyDescriptorType.*", "ProvidedContext.*"],
    },
];

/// A member of a structure, by Rust's names.
type Member = (String, String, String);

/// What the crates' code uses.
#[derive(Default)]
struct Uses {
    /// `(service, operation)` of the tables.
    operations: BTreeSet<(String, String)>,
    read: BTreeSet<Member>,
}

/// Holds the members of the tables' inputs against the code and the list.
pub(crate) fn check() -> Result<ExitCode> {
    let uses = Uses::told()?;
    ensure!(!uses.operations.is_empty(), "the compiler tells of no operation: the feature `told` marks them no more");
    let mut unread = BTreeSet::new();
    let services: BTreeSet<&str> = uses.operations.iter().map(|(service, _)| service.as_str()).collect();
    for service in services {
        let model = std::fs::read_to_string(format!("crates/aws-api/models/{service}.json"));
        let model: Value = serde_json::from_str(&model.context("run this in the workspace's root")?)?;
        let taken = uses.operations.iter().filter(|(of, _)| of == service);
        for (structure, member) in taken.flat_map(|(_, operation)| input_members(&model, operation)) {
            let place = (service.to_owned(), type_name(&structure), field(&member).trim_start_matches("r#").to_owned());
            if !uses.read.contains(&place) {
                unread.insert((service.to_owned(), structure, member));
            }
        }
    }
    let mut wrong = 0;
    let listed = || UNREAD.iter().flat_map(|entry| entry.members.iter().map(move |members| (entry, *members)));
    for member in unread.iter().filter(|member| !listed().any(|(entry, members)| entry.covers(members, member))) {
        let (service, structure, member) = member;
        let advice = "read it, refuse it, or say in crates/xtask/src/members.rs why neither is needed";
        report(&mut wrong, &format!("{service}: no code reads {structure}.{member}: {advice}"));
    }
    for (entry, members) in
        listed().filter(|(entry, members)| !unread.iter().any(|member| entry.covers(members, member)))
    {
        let Unread { service, reason, .. } = entry;
        report(&mut wrong, &format!("{service}: {members} stands in the list without need ({reason})"));
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Unread {
    fn covers(&self, members: &str, (service, structure, member): &Member) -> bool {
        let (listed, which) = members.split_once('.').unwrap_or((members, "*"));
        service == self.service && listed == structure && (which == "*" || which == member)
    }
}

/// `(structure, member)` of the operation's input and all that it leads to, by the model's names.
fn input_members(model: &Value, operation: &str) -> BTreeSet<(String, String)> {
    let (mut members, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut waiting: Vec<&str> = model["operations"][operation]["input"]["shape"].as_str().into_iter().collect();
    while let Some(name) = waiting.pop() {
        if !seen.insert(name) {
            continue;
        }
        let shape = &model["shapes"][name];
        let named = shape["members"].as_object().into_iter().flatten();
        members.extend(named.clone().map(|(member, _)| (name.to_owned(), member.clone())));
        let parts = ["member", "key", "value"].map(|part| &shape[part]);
        waiting.extend(named.map(|(_, reference)| reference).chain(parts).filter_map(|part| part["shape"].as_str()));
    }
    members
}

impl Uses {
    /// The warnings of a check of the front and all that it is made of; tests are left out.
    fn told() -> Result<Self> {
        let check = ["check", "--quiet", "--package=hearth-frontend", "--features=hearth-aws-api/told"];
        let output = Command::new(env!("CARGO")).args(check).arg("--message-format=json").output();
        let output = output.context("cannot run cargo check")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut uses = Self::default();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            uses.take(&serde_json::from_str(line).context("cargo does not write JSON")?);
        }
        Ok(uses)
    }

    fn take(&mut self, line: &Value) {
        let is_ours = line["package_id"].as_str().is_some_and(|package| package.contains("hearth-aws-api"));
        let message = &line["message"];
        if is_ours || message["code"]["code"] != "deprecated" {
            return;
        }
        // use of deprecated field `hearth_aws_api::shapes::sqs::GetQueueUrlRequest::queue_name`
        let path = message["message"].as_str().and_then(|text| text.split('`').nth(1)).unwrap_or_default();
        match path.split("::").collect::<Vec<_>>().as_slice() {
            ["hearth_aws_api", "shapes", service, "operation", name] => {
                self.operations.insert(((*service).to_owned(), (*name).to_owned()));
            }
            ["hearth_aws_api", "shapes", service, structure, name] if is_read(&message["spans"][0], name) => {
                self.read.insert((
                    (*service).to_owned(),
                    (*structure).to_owned(),
                    name.trim_start_matches("r#").to_owned(),
                ));
            }
            _ => {}
        }
    }
}

/// Whether the place reads the member, as `input.name`, and does not make a structure with it.
fn is_read(span: &Value, name: &str) -> bool {
    let last = span["text"].as_array().and_then(|lines| lines.last());
    let read = last.and_then(|line| {
        let end = usize::try_from(line["highlight_end"].as_u64()?).ok()?;
        let before: String = line["text"].as_str()?.chars().take(end.saturating_sub(1)).collect();
        Some(before.strip_suffix(name)?.ends_with('.'))
    });
    read.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn warning(package: &str, what: &str, text: &str) -> Value {
        let span = json!({ "text": [{ "text": format!("    {text};"), "highlight_end": text.len() + 5 }] });
        let message = json!({
            "code": { "code": "deprecated" }, "spans": [span],
            "message": format!("use of deprecated field `hearth_aws_api::shapes::sqs::{what}`"),
        });
        json!({ "package_id": format!("path+file:///x#{package}@0.1.0"), "message": message })
    }

    #[test]
    fn reading_counts_and_writing_does_not() {
        let mut uses = Uses::default();
        uses.take(&warning("hearth-frontend", "Tag::key", "input.key"));
        uses.take(&warning("hearth-frontend", "Tag::r#type", "input.tags[0].r#type"));
        uses.take(&warning("hearth-frontend", "Tag::value", "value: String::new()"));
        uses.take(&warning("hearth-frontend", "Tag::value", "value"));
        uses.take(&warning("hearth-aws-api", "Tag::value", "self.value"));
        uses.take(&warning("hearth-frontend", "operation::TagQueue", "sqs::operation::TagQueue"));
        let read: Vec<&str> = uses.read.iter().map(|(_, _, member)| member.as_str()).collect();
        assert_eq!(read, ["key", "type"]);
        assert_eq!(uses.operations, [("sqs".to_owned(), "TagQueue".to_owned())].into());
    }

    #[test]
    fn an_input_has_the_members_of_all_that_it_leads_to() {
        let model = json!({
            "operations": { "O": { "input": { "shape": "In" } } },
            "shapes": {
                "In": { "members": { "A": { "shape": "Text" }, "L": { "shape": "List" } } },
                "List": { "member": { "shape": "Part" } },
                "Part": { "members": { "B": { "shape": "Text" }, "Again": { "shape": "In" } } },
                "Text": {}, "Other": { "members": { "C": { "shape": "Text" } } },
            },
        });
        let pairs = [("In", "A"), ("In", "L"), ("Part", "Again"), ("Part", "B")];
        let expected = pairs.map(|(structure, member)| (structure.to_owned(), member.to_owned()));
        assert_eq!(input_members(&model, "O"), expected.into());
    }
}
