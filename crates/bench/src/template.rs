//! Starts from the saved state of a version, in turn with plain cold starts of the same function.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::bare::Bare;
use crate::cold::PAUSE;
use crate::daemon::Daemon;
use crate::http::{Connection, start_kind, told_invocation};
use crate::report::{Report, Spread, TemplateRow};
use crate::subject::Function;

/// Every call is a cold start, and the plain ones stay plain however frequent they are.
pub(crate) const NODE: &str = "keep_alive = \"fixed:0\"\n[templates]\nautomatic = false";
/// How starts from a template are called, in the timeline.
const START: &str = "template";
/// Until the zygotes have loaded and what deployments left to do is done.
const SETTLE: Duration = Duration::from_secs(3);
/// Calls that meet a sandbox that is about to end, one after the other.
const WARM_MAX: usize = 20;

/// Why this host starts nothing from templates; `None` where it does.
pub(crate) async fn lacking(daemon: &Daemon) -> Result<Option<String>> {
    let state = daemon.get("/_hearth/state").await?;
    let templates = &state["templates"];
    match templates["available"].as_bool() {
        Some(true) => Ok(None),
        Some(false) => Ok(Some(templates["reason"].as_str().unwrap_or("no reason told").to_owned())),
        None => bail!("the daemon does not tell whether it saves sandboxes"),
    }
}

/// `bare` starts the function's program with nothing to do.
pub(crate) async fn measure(
    daemon: &Daemon,
    what: &'static str,
    function: &Function,
    bare: &Bare,
    count: usize,
    report: &mut Report,
) -> Result<()> {
    crate::report::progress(&format!("template, {what}: saving it"));
    let name = format!("template-{}", what.to_lowercase().replace([' ', ','], "-"));
    daemon.deploy(&name, function).await?;
    if let Some(reason) = daemon.publish_saved(&name).await? {
        report.skip(format!("templates, {what}: {reason}"));
        return Ok(());
    }
    tokio::time::sleep(SETTLE).await;
    crate::report::progress(&format!("template, {what}: {count} cold starts of each kind in turn"));
    let (plain_name, template_name) = (name.clone(), format!("{name}:1"));
    let mut connection = Connection::open(daemon.address).await?;
    // The first of each brings files into memory, for all that follow.
    cold_start(&mut connection, &plain_name).await?;
    cold_start(&mut connection, &template_name).await?;
    let (mut plain, mut template, mut bares) = (Vec::new(), Vec::new(), Vec::new());
    let (mut plain_kinds, mut template_alike) = (BTreeMap::<String, usize>::new(), 0);
    for _ in 0..count {
        let (took, kind) = cold_start(&mut connection, &plain_name).await?;
        plain.push(took);
        *plain_kinds.entry(kind).or_default() += 1;
        let (took, kind) = cold_start(&mut connection, &template_name).await?;
        template.push(took);
        template_alike += usize::from(kind == START);
        tokio::time::sleep(PAUSE).await;
        bares.push(bare.time()?);
    }
    let most = plain_kinds.into_iter().max_by_key(|(_, count)| *count);
    let (plain_start, plain_alike) = most.context("nothing was measured")?;
    report.template(TemplateRow {
        what,
        runtime: function.runtime.clone(),
        count,
        plain_start,
        plain_alike,
        template_alike,
        plain: Spread::of(plain),
        template: Spread::of(template),
        bare: Spread::of(bares),
    });
    Ok(())
}

/// How long a call took and how it started. One that still met the sandbox of the call before says nothing and is made again.
async fn cold_start(connection: &mut Connection, name: &str) -> Result<(Duration, String)> {
    let request = told_invocation(name);
    for _ in 0..WARM_MAX {
        tokio::time::sleep(PAUSE).await;
        let started = Instant::now();
        let answer = connection.exchange(&request).await?;
        let took = started.elapsed();
        answer.succeeded().with_context(|| name.to_owned())?;
        let kind = start_kind(&answer);
        if kind != "warm" {
            return Ok((took, kind));
        }
    }
    bail!("{name} does not start cold")
}
