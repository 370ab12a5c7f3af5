//! `hearth account`: who has functions here.

use std::process::ExitCode;

use anyhow::Result;
use http::Method;
use serde_json::{Value, json};

use super::client::Client;
use super::functions::path_segment;
use super::output::{Output, Table, text};

const PATH: &str = "/_hearth/v1/access/accounts";

#[derive(Debug, clap::Args)]
pub(crate) struct AccountArgs {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the accounts that have keys or were made (the default).
    #[command(after_help = "Examples:\n  hearth account list")]
    List,
    /// Make an account; then give it a key with `hearth key create`.
    #[command(after_help = "Examples:\n  hearth account create 123456789012 --name shop")]
    Create {
        /// Twelve digits; without them, some that nobody has.
        account: Option<String>,
        #[arg(long)]
        name: Option<String>,
    },
    /// Refuse an account's keys, its roles' sessions and its functions' own calls.
    #[command(after_help = "Examples:\n  hearth account disable 123456789012")]
    Disable { account: String },
    /// Take a disabled account in again.
    #[command(after_help = "Examples:\n  hearth account enable 123456789012")]
    Enable { account: String },
}

pub(crate) fn run(args: &AccountArgs, endpoint: &str, output: &Output) -> Result<ExitCode> {
    let client = Client::new(endpoint)?;
    match &args.action {
        None | Some(Action::List) => list(&client, output)?,
        Some(Action::Create { account, name }) => {
            let body = json!({"account": account, "name": name});
            let made = client.json("hearth", Method::POST, PATH, &body)?;
            output.result(&made, || text(&made["account"]));
        }
        Some(Action::Disable { account }) => switch(&client, account, "disable", output)?,
        Some(Action::Enable { account }) => switch(&client, account, "enable", output)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn switch(client: &Client, account: &str, verb: &str, output: &Output) -> Result<()> {
    let path = format!("{PATH}/{}/{verb}", path_segment(account));
    let changed = client.json("hearth", Method::POST, &path, &Value::Null)?;
    output.result(&changed, || format!("{verb}d {account}"));
    Ok(())
}

fn list(client: &Client, output: &Output) -> Result<()> {
    let accounts = client.json("hearth", Method::GET, PATH, &Value::Null)?["accounts"].clone();
    output.result(&accounts, || {
        let mut rows = Table::new(&["account", "name", "keys", "state"]);
        for account in accounts.as_array().into_iter().flatten() {
            let state = if account["disabled"] == true { "disabled" } else { "enabled" };
            rows.row([text(&account["account"]), text(&account["name"]), text(&account["keys"]), state.to_owned()]);
        }
        rows.to_string()
    });
    Ok(())
}
