//! `hearth top`: what runs now, live in a terminal, or once as text or JSON.

mod draw;
mod sample;
mod tell;

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::Method;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::layout::Rect;
use ratatui::widgets::Widget;
use serde_json::Value;

use super::client::Client;
use super::output::Output;
use draw::Screen;
use sample::{Sample, Span};

/// What a page that is not on a terminal is drawn for, columns.
const PAGE_WIDTH: u16 = 100;

#[derive(Debug, clap::Args)]
pub(crate) struct TopArgs {
    /// Show it once, as text (with --json: as JSON), instead of live.
    #[arg(long)]
    once: bool,
    /// Seconds between two looks; rates are of the time between them.
    #[arg(long, default_value_t = 1.0, value_parser = interval)]
    interval: f64,
}

fn interval(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("must be between 0.1 and 3600 seconds".to_owned()),
    }
}

pub(crate) fn run(args: &TopArgs, endpoint: &str, output: &Output) -> Result<ExitCode> {
    let client = Client::new(endpoint)?;
    let pause = Duration::from_secs_f64(args.interval);
    if output.is_json() || args.once || !std::io::stdout().is_terminal() {
        print(&client, endpoint, pause, args.once, output)?;
    } else {
        live(&client, endpoint, pause)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Looks at the daemon once.
fn look(client: &Client) -> Result<Sample> {
    let answer = client.call("hearth", Method::GET, "/_hearth/state", &[], Bytes::new())?;
    let state = answer.into_json()?;
    if state["engine"].is_null() {
        anyhow::bail!("`hearth top` needs an operator's key: this one sees its own account alone (GET /_hearth/state)");
    }
    let sample: Sample = serde_json::from_value(state)
        .context("the daemon's state cannot be read: is it of another version of Hearth?")?;
    let names = if sample.engine.spreads().next().is_some() { names(client)? } else { BTreeMap::new() };
    Ok(Sample { names, ..sample })
}

/// Of instances, by their numbers in the state.
fn names(client: &Client) -> Result<BTreeMap<u64, String>> {
    let instances = client.json("hearth", Method::GET, "/_hearth/v1/instances", &Value::Null)?;
    let instances = instances["instances"].as_array().into_iter().flatten();
    Ok(instances.filter_map(|found| Some((found["id"].as_u64()?, found["name"].as_str()?.to_owned()))).collect())
}

/// Text once; JSON for as long as somebody reads it, a line for each look.
fn print(client: &Client, endpoint: &str, pause: Duration, once: bool, output: &Output) -> Result<()> {
    let mut before = look(client)?;
    loop {
        let began = Instant::now();
        std::thread::sleep(pause);
        let now = look(client)?;
        let span = Span::between(&before, &now, began.elapsed());
        if !output.is_json() {
            output.line(&page(&Screen { endpoint, now: &now, span: &span, scroll: 0, problem: None, keys: false }));
            return Ok(());
        }
        let is_read = output.line(&tell::as_json(endpoint, &now, &span).to_string());
        if once || !is_read {
            return Ok(());
        }
        before = now;
    }
}

/// The whole view as lines of text, however long.
fn page(screen: &Screen<'_>) -> String {
    let width = terminal_width().unwrap_or(PAGE_WIDTH);
    let area = Rect::new(0, 0, width, screen.height_max());
    let mut buffer = Buffer::empty(area);
    screen.render(area, &mut buffer);
    let line = |y| {
        let line: String = (0..area.width).filter_map(|x| buffer.cell((x, y))).map(|cell| cell.symbol()).collect();
        line.trim_end().to_owned()
    };
    let lines: Vec<String> = (0..area.height).map(line).collect();
    lines.join("\n").trim_end().to_owned()
}

fn terminal_width() -> Option<u16> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    ratatui::crossterm::terminal::size().ok().map(|(columns, _)| columns)
}

fn live(client: &Client, endpoint: &str, pause: Duration) -> Result<()> {
    let first = look(client)?;
    let mut terminal = ratatui::try_init().context("this terminal cannot be drawn on: try --once")?;
    let result = live_on(&mut terminal, client, endpoint, pause, first);
    ratatui::try_restore().context("the terminal cannot be reset: type `reset`")?;
    result
}

fn live_on(
    terminal: &mut ratatui::DefaultTerminal,
    client: &Client,
    endpoint: &str,
    pause: Duration,
    first: Sample,
) -> Result<()> {
    let mut span = Span::of_start(&first);
    let (mut now, mut looked) = (first, Instant::now());
    let (mut scroll, mut problem) = (0_usize, None);
    loop {
        let screen = Screen { endpoint, now: &now, span: &span, scroll, problem, keys: true };
        terminal.draw(|frame| frame.render_widget(&screen, frame.area())).context("cannot draw")?;
        scroll = screen.scroll_within(terminal.size().context("cannot draw")?.height);
        problem = screen.problem;
        let left = pause.saturating_sub(looked.elapsed());
        if event::poll(left).context("cannot read the keyboard")? {
            match action(&event::read().context("cannot read the keyboard")?) {
                Action::Quit => return Ok(()),
                Action::Scroll(lines) => scroll = scroll.saturating_add_signed(lines),
                Action::Nothing => {}
            }
        }
        if looked.elapsed() < pause {
            continue;
        }
        // A daemon that is restarted is found again.
        match look(client) {
            Ok(next) => {
                span = Span::between(&now, &next, looked.elapsed());
                (now, problem) = (next, None);
            }
            Err(error) => problem = Some(format!("{error:#}")),
        }
        looked = Instant::now();
    }
}

enum Action {
    Quit,
    Scroll(isize),
    Nothing,
}

fn action(event: &Event) -> Action {
    let Event::Key(key) = event else { return Action::Nothing };
    if key.kind == KeyEventKind::Release {
        return Action::Nothing;
    }
    match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Action::Quit,
        KeyCode::Char('q') | KeyCode::Esc => Action::Quit,
        KeyCode::Down | KeyCode::Char('j') => Action::Scroll(1),
        KeyCode::Up | KeyCode::Char('k') => Action::Scroll(-1),
        KeyCode::PageDown | KeyCode::Char(' ') => Action::Scroll(10),
        KeyCode::PageUp => Action::Scroll(-10),
        KeyCode::Home => Action::Scroll(isize::MIN),
        _ => Action::Nothing,
    }
}
