//! `hearth capacity`: instances, policies of accounts, trust groups, and the log of what changed.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use http::Method;
use serde_json::{Map, Value, json};

use super::client::Client;
use super::functions::path_segment;
use super::output::{Output, Table, pretty, text};

const ROOT: &str = "/_hearth/v1";
const LOG_PAGE: usize = 1000;

#[derive(Debug, clap::Args)]
pub(crate) struct CapacityArgs {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the instances (the default).
    #[command(after_help = "Examples:\n  hearth capacity list")]
    List,
    /// Show everything about one instance.
    #[command(after_help = "Examples:\n  hearth capacity show node")]
    Show { name: String },
    /// Add an instance, or change what is given of one.
    #[command(
        after_help = "Examples:\n  hearth capacity add share-1 --memory 4096 --pool gold --lease 8h\n  hearth capacity add common --memory 2048 --shared true"
    )]
    Add(AddArgs),
    /// Use an instance for nothing new and remove it when it is empty.
    #[command(after_help = "Examples:\n  hearth capacity remove share-1")]
    Remove { name: String },
    /// Take an instance away: after the time, what still runs on it is ended.
    #[command(after_help = "Examples:\n  hearth capacity reclaim share-1 --in 2m")]
    Reclaim {
        name: String,
        /// Such as 30s, 10m or 2h.
        #[arg(long = "in", value_name = "TIME", default_value = "2m", value_parser = duration)]
        after: Duration,
    },
    /// Show or change what holds for an account; without one, list all.
    #[command(
        after_help = "Examples:\n  hearth capacity policy\n  hearth capacity policy 123456789012 --shortage borrow:general wait:30\n  hearth capacity policy 123456789012 --spread 1:3"
    )]
    Policy(PolicyArgs),
    /// Show or set the accounts of a trust group; without one, list all.
    #[command(after_help = "Examples:\n  hearth capacity group friends 123456789012 210987654321")]
    Group(GroupArgs),
    /// Show what changed, and what the hook did.
    #[command(after_help = "Examples:\n  hearth capacity log -n 100")]
    Log {
        /// Records to show, the latest.
        #[arg(short = 'n', long, default_value_t = 50)]
        lines: usize,
    },
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    name: String,
    /// Its size, MiB.
    #[arg(long)]
    memory: Option<u64>,
    /// Where it waits.
    #[arg(long)]
    pool: Option<String>,
    /// Thousandths of a core.
    #[arg(long)]
    cpu: Option<u64>,
    /// Sandboxes that may be on it at once.
    #[arg(long)]
    sandboxes: Option<u32>,
    /// Per hour.
    #[arg(long)]
    cost: Option<f64>,
    /// How long there is still use of it, such as 30s, 10m or 2h.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    lease: Option<Duration>,
    /// It takes nothing new from this age on.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    max_age: Option<Duration>,
    /// Whoever lent it may take it back at any time.
    #[arg(long)]
    reclaimable: Option<bool>,
    /// Used by several accounts side by side.
    #[arg(long)]
    shared: Option<bool>,
    #[arg(long = "label")]
    labels: Vec<String>,
}

#[derive(Debug, clap::Args)]
struct PolicyArgs {
    account: Option<String>,
    /// Instead of the pool that its identity selects.
    #[arg(long)]
    pool: Option<String>,
    /// What is tried in turn when its pool has nothing: borrow:POOL,POOL provision:SECONDS wait:SECONDS queue reject.
    #[arg(long, num_args = 1..)]
    shortage: Vec<String>,
    /// No instance that costs more per hour is used.
    #[arg(long)]
    price_max: Option<f64>,
    /// Over how many of its pool's shared instances its sandboxes go, such as 1:3 (one, and up to three where that is full), or all.
    #[arg(long, value_name = "MIN:MAX", value_parser = spread)]
    spread: Option<Value>,
    /// Forget it.
    #[arg(long, conflicts_with_all = ["pool", "shortage", "price_max", "spread"])]
    delete: bool,
}

#[derive(Debug, clap::Args)]
struct GroupArgs {
    name: Option<String>,
    /// All of its accounts.
    accounts: Vec<String>,
    /// Dissolve it.
    #[arg(long, conflicts_with = "accounts")]
    delete: bool,
}

/// Null for all.
fn spread(text: &str) -> Result<Value, String> {
    if text == "all" {
        return Ok(Value::Null);
    }
    let numbers =
        text.split_once(':').and_then(|(min, max)| Some((min.parse::<u32>().ok()?, max.parse::<u32>().ok()?)));
    let (min, max) = numbers.ok_or_else(|| "must be two numbers such as 1:3, or all".to_owned())?;
    Ok(json!({"min": min, "max": max}))
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "must be a time such as 30s, 10m, 2h or 7d".to_owned();
    let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
    let split = units.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let (number, unit_s) = split.ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_not_a_number| wrong())?;
    number.checked_mul(unit_s).map(Duration::from_secs).ok_or_else(wrong)
}

pub(crate) fn run(args: &CapacityArgs, endpoint: &str, output: &Output) -> Result<ExitCode> {
    let client = Client::new(endpoint)?;
    match &args.action {
        None | Some(Action::List) => list(&client, output)?,
        Some(Action::Show { name }) => show_instance(&client, name, output)?,
        Some(Action::Add(add)) => {
            let instance = client.change(&format!("{ROOT}/instances/{}", path_segment(&add.name)), &add.changes()?)?;
            output.result(&instance, || pretty(&instance));
        }
        Some(Action::Remove { name }) => {
            client.json("hearth", Method::DELETE, &format!("{ROOT}/instances/{}", path_segment(name)), &Value::Null)?;
            output.result(&json!({"removed": name}), || {
                format!("{name} is used for nothing new and goes when it is empty")
            });
        }
        Some(Action::Reclaim { name, after }) => {
            let body = json!({"seconds": after.as_secs()});
            client.json("hearth", Method::POST, &format!("{ROOT}/instances/{}/reclaim", path_segment(name)), &body)?;
            output.result(&json!({"reclaimed": name, "seconds": after.as_secs()}), || {
                format!("{name} is taken away in {} s", after.as_secs())
            });
        }
        Some(Action::Policy(policy)) => run_policy(&client, policy, output)?,
        Some(Action::Group(group)) => run_group(&client, group, output)?,
        Some(Action::Log { lines }) => log(&client, *lines, output)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn show(client: &Client, path: &str, output: &Output) -> Result<()> {
    let document = client.json("hearth", Method::GET, path, &Value::Null)?;
    output.result(&document, || pretty(&document));
    Ok(())
}

impl AddArgs {
    fn changes(&self) -> Result<Value> {
        let mut members = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                members.insert(name.to_owned(), value);
            }
        };
        put("memory_mib", self.memory.map(Value::from));
        put("pool", self.pool.as_ref().map(|pool| json!(pool)));
        put("cpu_millis", self.cpu.map(Value::from));
        put("sandboxes", self.sandboxes.map(Value::from));
        put("cost_rate", self.cost.map(Value::from));
        if let Some(lease) = self.lease {
            let lease = jiff::SignedDuration::try_from(lease).context("the lease is too long")?;
            let end = jiff::Timestamp::now().checked_add(lease).context("the lease is too long")?;
            let end = jiff::Timestamp::from_second(end.as_second()).context("the lease is too long")?;
            put("lease_end", Some(json!(end)));
        }
        put("age_max_s", self.max_age.map(|age| json!(age.as_secs())));
        put("reclaimable", self.reclaimable.map(Value::from));
        put("shared", self.shared.map(Value::from));
        put("labels", (!self.labels.is_empty()).then(|| json!(self.labels)));
        Ok(Value::Object(members))
    }
}

/// What each is used for now, by whom.
fn add_use(client: &Client, instances: &mut [Value]) -> Result<()> {
    let state = client.json("hearth", Method::GET, "/_hearth/state", &Value::Null)?;
    let used: Vec<&Value> = state["engine"]["instances"].as_array().into_iter().flatten().collect();
    for instance in instances {
        let use_now = used.iter().find(|used| used["id"] == instance["id"]);
        instance["use"] = use_now.map_or(Value::Null, |used| {
            json!({
                "standing": used["standing"], "memory_mib": used["memory_mib"], "sandboxes": used["sandboxes"],
                "accounts": used["tenants"],
            })
        });
    }
    Ok(())
}

fn show_instance(client: &Client, name: &str, output: &Output) -> Result<()> {
    let path = format!("{ROOT}/instances/{}", path_segment(name));
    let mut instance = client.json("hearth", Method::GET, &path, &Value::Null)?;
    add_use(client, std::slice::from_mut(&mut instance))?;
    output.result(&instance, || pretty(&instance));
    Ok(())
}

/// How long until then, in its two largest units.
fn left_of(end: &Value) -> String {
    let end = end.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let Some(end) = end else { return "-".to_owned() };
    let minutes = end.duration_since(jiff::Timestamp::now()).as_secs().max(0) / 60;
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, minutes) => format!("{hours}h{minutes:02}m"),
        (days, hours, _) => format!("{days}d{hours:02}h"),
    }
}

/// The documents, each with what it is used for now.
fn list(client: &Client, output: &Output) -> Result<()> {
    let path = format!("{ROOT}/instances");
    let answer = client.json("hearth", Method::GET, &path, &Value::Null)?;
    let mut instances = answer["instances"].as_array().cloned().unwrap_or_default();
    add_use(client, &mut instances)?;
    output.result(&json!(instances), || {
        let mut rows =
            Table::new(&["instance", "pool", "MiB used", "used by", "cost/h", "lease", "state", "labels", "from"]);
        for instance in &instances {
            let words = |value: &Value| value.as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(" ");
            let standing = text(&instance["use"]["standing"]);
            rows.row([
                text(&instance["name"]),
                text(&instance["pool"]),
                format!("{} of {}", text(&instance["use"]["memory_mib"]), instance["memory_mib"]),
                words(&instance["use"]["accounts"]),
                if instance["cost_rate"] == 0.0 { "-".to_owned() } else { text(&instance["cost_rate"]) },
                left_of(&instance["lease_end"]),
                if instance["leaving"] == true { "leaving".to_owned() } else { standing },
                words(&instance["labels"]),
                text(&instance["source"]),
            ]);
        }
        rows.to_string()
    });
    Ok(())
}

fn run_policy(client: &Client, args: &PolicyArgs, output: &Output) -> Result<()> {
    let Some(account) = &args.account else {
        let path = format!("{ROOT}/accounts");
        let accounts = client.json("hearth", Method::GET, &path, &Value::Null)?["accounts"].clone();
        output.result(&accounts, || {
            if accounts.as_array().is_none_or(Vec::is_empty) {
                return "no account has a policy: set one, such as `hearth capacity policy ACCOUNT --shortage wait:30 reject`"
                    .to_owned();
            }
            let mut rows = Table::new(&["account", "pool", "on shortage", "price max", "instances", "from"]);
            for account in accounts.as_array().into_iter().flatten() {
                let steps = account["shortage"].as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
                rows.row([
                    text(&account["account"]),
                    text(&account["pool"]),
                    if steps.is_empty() { "queue".to_owned() } else { steps.join(", then ") },
                    text(&account["price_max"]),
                    match account["spread"].as_object() {
                        Some(spread) => format!("{} to {}", text(&spread["min"]), text(&spread["max"])),
                        None => "all".to_owned(),
                    },
                    text(&account["source"]),
                ]);
            }
            rows.to_string()
        });
        return Ok(());
    };
    let path = format!("{ROOT}/accounts/{}", path_segment(account));
    if args.delete {
        client.json("hearth", Method::DELETE, &path, &Value::Null)?;
        output.result(&json!({"deleted": account}), || format!("no policy holds for {account} any more"));
        return Ok(());
    }
    let mut changes = Map::new();
    if let Some(pool) = &args.pool {
        changes.insert("pool".to_owned(), json!(pool));
    }
    if !args.shortage.is_empty() {
        changes.insert("shortage".to_owned(), json!(args.shortage));
    }
    if let Some(price) = args.price_max {
        changes.insert("price_max".to_owned(), json!(price));
    }
    if let Some(spread) = &args.spread {
        changes.insert("spread".to_owned(), spread.clone());
    }
    if changes.is_empty() {
        return show(client, &path, output);
    }
    let document = client.change(&path, &Value::Object(changes))?;
    output.result(&document, || pretty(&document));
    Ok(())
}

fn run_group(client: &Client, args: &GroupArgs, output: &Output) -> Result<()> {
    let Some(name) = &args.name else {
        let groups = client.json("hearth", Method::GET, &format!("{ROOT}/groups"), &Value::Null)?["groups"].clone();
        output.result(&groups, || {
            if groups.as_array().is_none_or(Vec::is_empty) {
                return "no trust groups: make one, such as `hearth capacity group friends ACCOUNT ACCOUNT`".to_owned();
            }
            let mut rows = Table::new(&["trust group", "accounts", "from"]);
            for group in groups.as_array().into_iter().flatten() {
                let accounts = group["accounts"].as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
                rows.row([text(&group["name"]), accounts.join(" "), text(&group["source"])]);
            }
            rows.to_string()
        });
        return Ok(());
    };
    let path = format!("{ROOT}/groups/{}", path_segment(name));
    if args.delete {
        client.json("hearth", Method::DELETE, &path, &Value::Null)?;
        output.result(&json!({"deleted": name}), || format!("{name} is dissolved"));
        return Ok(());
    }
    if args.accounts.is_empty() {
        return show(client, &path, output);
    }
    let document = client.json("hearth", Method::PUT, &path, &json!({"accounts": args.accounts}))?;
    output.result(&document, || pretty(&document));
    Ok(())
}

fn log(client: &Client, lines: usize, output: &Output) -> Result<()> {
    let (mut from, mut latest) = (0, std::collections::VecDeque::new());
    loop {
        let path = format!("{ROOT}/log?from={from}&limit={LOG_PAGE}");
        let page = client.json("hearth", Method::GET, &path, &Value::Null)?;
        let records = page["records"].as_array().cloned().unwrap_or_default();
        let last = records.len() < LOG_PAGE;
        latest.extend(records);
        latest.drain(..latest.len().saturating_sub(lines));
        if last {
            break;
        }
        from = page["next"].as_u64().unwrap_or(u64::MAX);
    }
    if latest.is_empty() {
        output.note("nothing was changed yet");
    }
    for record in &latest {
        let line = match output.is_json() {
            true => record.to_string(),
            false => format!(
                "{}  {}  {}  {}",
                text(&record["time"]),
                text(&record["actor"]),
                text(&record["what"]),
                record["details"]
            ),
        };
        output.line(&line);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("90s").unwrap(), Duration::from_secs(90));
        assert_eq!(duration("2h").unwrap(), Duration::from_secs(7200));
        for wrong in ["", "5", "s", "-1s", "1.5h", "99999999999999999999d", "5ü"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
