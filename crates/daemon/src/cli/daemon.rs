//! What the running daemon says about itself, for commands that work on its files.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use hearth_runtimes::Runtimes;
use http::Method;
use serde_json::Value;

use super::ConfigArgs;
use super::client::{Client, Unreachable};

/// The state of the daemon at this endpoint; `None` if there is none.
pub(crate) fn ask(client: &Client) -> Result<Option<Value>> {
    match client.json("hearth", Method::GET, "/_hearth/state", &Value::Null) {
        Ok(state) => Ok(Some(state)),
        Err(error) if error.is::<Unreachable>() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The runtimes that the options name, else those of the running daemon, else those of the default directory.
pub(crate) fn runtimes(args: &ConfigArgs, endpoint: &str) -> Result<Runtimes> {
    let own = || Ok(Runtimes::open(&args.load()?.runtimes_dir())?);
    if args.is_given() {
        return own();
    }
    let client = Client::new(endpoint)?;
    let state =
        ask(&client).context("cannot ask the daemon for its runtimes (--config and --data name them as well)")?;
    let Some(state) = state else { return own() };
    if !client.is_local() {
        bail!("the daemon at {} is on another machine: run this command there", client.endpoint());
    }
    let dir = state["daemon"]["runtimes_dir"].as_str().map(PathBuf::from);
    let dir =
        dir.context("the daemon does not say where its runtimes are: that wants an operator's key, or --config")?;
    Ok(Runtimes::open(&dir)?)
}
