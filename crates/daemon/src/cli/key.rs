//! `hearth key`: access keys of accounts and operators.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use http::Method;
use serde_json::{Value, json};

use super::capacity::duration;
use super::client::Client;
use super::functions::path_segment;
use super::output::{Output, Table, text};

const PATH: &str = "/_hearth/v1/access/keys";

#[derive(Debug, clap::Args)]
pub(crate) struct KeyArgs {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the keys (the default); with an account's own key, the account's.
    #[command(after_help = "Examples:\n  hearth key list")]
    List,
    /// Make a key; its secret is shown this once.
    #[command(
        after_help = "Examples:\n  hearth key create --account 123456789012 --name ci\n  hearth key create --operator"
    )]
    Create(CreateArgs),
    /// Make a key in the place of another, which goes on for a while.
    #[command(after_help = "Examples:\n  hearth key rotate AKIAEXAMPLE --keep 2h")]
    Rotate {
        id: String,
        /// For how long the old key goes on, such as 30s, 10m, 2h or 7d.
        #[arg(long, value_name = "TIME", default_value = "1d", value_parser = duration)]
        keep: Duration,
    },
    /// Refuse a key from now on.
    #[command(after_help = "Examples:\n  hearth key delete AKIAEXAMPLE")]
    Delete { id: String },
}

#[derive(Debug, clap::Args)]
struct CreateArgs {
    /// The account that the key is for.
    #[arg(long, required_unless_present = "operator", conflicts_with = "operator")]
    account: Option<String>,
    /// A key that manages the daemon, and has no account.
    #[arg(long)]
    operator: bool,
    /// What it is for.
    #[arg(long)]
    name: Option<String>,
}

pub(crate) fn run(args: &KeyArgs, endpoint: &str, output: &Output) -> Result<ExitCode> {
    let client = Client::new(endpoint)?;
    match &args.action {
        None | Some(Action::List) => list(&client, output)?,
        Some(Action::Create(create)) => {
            let body = json!({"account": create.account, "operator": create.operator, "name": create.name});
            let key = client.json("hearth", Method::POST, PATH, &body)?;
            output.result(&key, || with_secret(&key));
        }
        Some(Action::Rotate { id, keep }) => {
            let path = format!("{PATH}/{}/rotate", path_segment(id));
            let key = client.json("hearth", Method::POST, &path, &json!({"keep_s": keep.as_secs()}))?;
            output.result(&key, || format!("{}\n{id} goes on until {}", with_secret(&key), until(&key["replaces"])));
        }
        Some(Action::Delete { id }) => {
            client.json("hearth", Method::DELETE, &format!("{PATH}/{}", path_segment(id)), &Value::Null)?;
            output.result(&json!({"deleted": id}), || format!("deleted {id}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// As environment variables; nobody can show the secret again.
fn with_secret(key: &Value) -> String {
    let (id, secret) = match key["operator"].as_bool() {
        Some(true) => ("HEARTH_OPERATOR_KEY_ID", "HEARTH_OPERATOR_SECRET"),
        Some(false) | None => ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    };
    format!("export {id}={}\nexport {secret}={}", text(&key["id"]), text(&key["secret"]))
}

fn until(key: &Value) -> String {
    let at = key["expires_at_ms"].as_i64().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    at.map_or_else(|| "-".to_owned(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn list(client: &Client, output: &Output) -> Result<()> {
    let keys = client.json("hearth", Method::GET, PATH, &Value::Null)?["keys"].clone();
    output.result(&keys, || {
        let mut rows = Table::new(&["key", "of", "name", "ends", "from"]);
        for key in keys.as_array().into_iter().flatten() {
            let owner = key["account"].as_str().unwrap_or("operator").to_owned();
            rows.row([text(&key["id"]), owner, text(&key["name"]), until(key), text(&key["source"])]);
        }
        rows.to_string()
    });
    Ok(())
}
