//! `hearth pool`: sub-pools of capacity.

use std::process::ExitCode;

use anyhow::Result;
use http::Method;
use serde_json::{Map, Value, json};

use super::client::Client;
use super::functions::path_segment;
use super::output::{Output, Table, pretty, text};

const PATH: &str = "/_hearth/v1/pools";

#[derive(Debug, clap::Args)]
pub(crate) struct PoolArgs {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the pools (the default).
    #[command(after_help = "Examples:\n  hearth pool list")]
    List,
    /// Show everything about one.
    #[command(after_help = "Examples:\n  hearth pool show gold")]
    Show { name: String },
    /// Make a pool, or change what is given of one.
    #[command(
        after_help = "Examples:\n  hearth pool set archive --frequency rare\n  hearth pool set gold --kind dedicated --account 123456789012\n  hearth pool set bought --min 1 --target 2 --instance-memory 4096"
    )]
    Set(SetArgs),
    /// Delete an empty pool.
    #[command(after_help = "Examples:\n  hearth pool delete gold")]
    Delete { name: String },
}

#[derive(Debug, clap::Args)]
struct SetArgs {
    name: String,
    /// Who may draw on it: everybody, or its owner alone.
    #[arg(long, value_parser = ["general", "reserved", "dedicated"])]
    kind: Option<String>,
    /// The account that owns it.
    #[arg(long, conflicts_with = "group")]
    account: Option<String>,
    /// The trust group that owns it.
    #[arg(long)]
    group: Option<String>,
    /// Take versions that are called so often alone; `any` takes all again.
    #[arg(long, value_parser = ["frequent", "rare", "any"])]
    frequency: Option<String>,
    /// Instances that are to wait in it: fewer than these are filled up at once,
    #[arg(long)]
    min: Option<u32>,
    /// up to this number;
    #[arg(long)]
    target: Option<u32>,
    /// more than these are released.
    #[arg(long)]
    max: Option<u32>,
    /// Instances to acquire with each that is taken.
    #[arg(long)]
    refill: Option<u32>,
    /// From this many takings a minute on
    #[arg(long, requires = "fast_refill")]
    fast_from: Option<u32>,
    /// so many are acquired with each.
    #[arg(long)]
    fast_refill: Option<u32>,
    /// Size of the instances to acquire, MiB.
    #[arg(long)]
    instance_memory: Option<u64>,
    /// Whether its availability and price vary.
    #[arg(long)]
    variable: Option<bool>,
    /// Whether a variable pool can be used now.
    #[arg(long)]
    available: Option<bool>,
    /// Price of a variable pool, per instance and hour.
    #[arg(long)]
    price: Option<f64>,
}

impl SetArgs {
    fn changes(&self) -> Value {
        let mut members = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                members.insert(name.to_owned(), value);
            }
        };
        put("kind", self.kind.as_ref().map(|kind| json!(kind)));
        put("account", self.account.as_ref().map(|account| json!(account)));
        put("group", self.group.as_ref().map(|group| json!(group)));
        let frequency = |word: &String| if word == "any" { Value::Null } else { json!(word) };
        put("frequency", self.frequency.as_ref().map(frequency));
        put("min", self.min.map(Value::from));
        put("target", self.target.map(Value::from));
        put("max", self.max.map(Value::from));
        put("instance_memory_mib", self.instance_memory.map(Value::from));
        put("variable", self.variable.map(Value::from));
        put("available", self.available.map(Value::from));
        put("price", self.price.map(Value::from));
        if self.refill.is_some() || self.fast_from.is_some() {
            let refill = json!({
                "per_removal": self.refill.unwrap_or(0), "fast_from": self.fast_from.unwrap_or(0),
                "fast_per_removal": self.fast_refill.unwrap_or(0),
            });
            put("refill", Some(refill));
        }
        Value::Object(members)
    }
}

pub(crate) fn run(args: &PoolArgs, endpoint: &str, output: &Output) -> Result<ExitCode> {
    let client = Client::new(endpoint)?;
    match &args.action {
        None | Some(Action::List) => list(&client, output)?,
        Some(Action::Show { name }) => {
            let pool = client.json("hearth", Method::GET, &format!("{PATH}/{}", path_segment(name)), &Value::Null)?;
            output.result(&pool, || pretty(&pool));
        }
        Some(Action::Set(set)) => {
            let pool = client.change(&format!("{PATH}/{}", path_segment(&set.name)), &set.changes())?;
            output.result(&pool, || pretty(&pool));
            if instances_in(&client, &set.name)? == 0 {
                output.note(&format!(
                    "nothing runs in {name} before it has an instance: `hearth capacity add INSTANCE --memory MIB --pool {name}`",
                    name = set.name
                ));
            }
        }
        Some(Action::Delete { name }) => {
            client.json("hearth", Method::DELETE, &format!("{PATH}/{}", path_segment(name)), &Value::Null)?;
            output.result(&json!({"deleted": name}), || format!("deleted {name}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn instances_in(client: &Client, pool: &str) -> Result<usize> {
    let instances = client.json("hearth", Method::GET, "/_hearth/v1/instances", &Value::Null)?["instances"].clone();
    Ok(instances.as_array().into_iter().flatten().filter(|instance| instance["pool"] == pool).count())
}

fn list(client: &Client, output: &Output) -> Result<()> {
    let pools = client.json("hearth", Method::GET, PATH, &Value::Null)?["pools"].clone();
    let instances = client.json("hearth", Method::GET, "/_hearth/v1/instances", &Value::Null)?["instances"].clone();
    output.result(&pools, || {
        let mut rows =
            Table::new(&["pool", "kind", "owner", "instances", "for", "price/h", "min/target/max", "refill", "from"]);
        for pool in pools.as_array().into_iter().flatten() {
            let owner = [("account", &pool["account"]), ("group", &pool["group"])];
            let owner = owner.iter().find_map(|(kind, name)| name.as_str().map(|name| format!("{kind} {name}")));
            let of_pool = instances.as_array().into_iter().flatten().filter(|found| found["pool"] == pool["name"]);
            rows.row([
                text(&pool["name"]),
                text(&pool["kind"]),
                owner.unwrap_or_else(|| "everybody".to_owned()),
                of_pool.count().to_string(),
                text(&pool["frequency"]),
                price(pool),
                bounds(pool),
                refill(&pool["refill"]),
                text(&pool["source"]),
            ]);
        }
        rows.to_string()
    });
    Ok(())
}

/// Of a pool whose availability and price vary.
fn price(pool: &Value) -> String {
    match (pool["variable"].as_bool(), pool["available"].as_bool()) {
        (Some(true), Some(true)) => pool["price"].to_string(),
        (Some(true), _) => "not available".to_owned(),
        _ => "-".to_owned(),
    }
}

/// How many instances are to wait in it, if that is said.
fn bounds(pool: &Value) -> String {
    if pool["min"] == 0 && pool["target"] == 0 {
        return "-".to_owned();
    }
    format!("{}/{}/{}", pool["min"], pool["target"], pool["max"])
}

fn refill(refill: &Value) -> String {
    match (refill["per_removal"].as_u64(), refill["fast_from"].as_u64()) {
        (_, Some(1..)) => {
            format!("{}, {} from {}/min", refill["per_removal"], refill["fast_per_removal"], refill["fast_from"])
        }
        (Some(1..), _) => refill["per_removal"].to_string(),
        _ => "-".to_owned(),
    }
}
