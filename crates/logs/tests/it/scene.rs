//! A store in a directory of its own, and short words for what tests do with it.

use std::ops::Range;
use std::path::Path;

use bytes::Bytes;
use hearth_logs::{EventsQuery, FilterPattern, FilterQuery, LogConfig, LogStore, StreamChoice};
use hearth_types::Home;

pub(crate) const GROUP: &str = "/aws/lambda/hello";
pub(crate) const ALWAYS: Range<u64> = 0..u64::MAX;

pub(crate) struct Scene {
    pub dir: tempfile::TempDir,
    pub store: LogStore,
    pub home: Home,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(LogConfig::default())
    }

    pub(crate) fn with(config: LogConfig) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = LogStore::open(dir.path(), config, &home().region).unwrap();
        Self { dir, store, home: home() }
    }

    pub(crate) fn reopen(self) -> Self {
        let Self { dir, store, home } = self;
        drop(store);
        let store = LogStore::open(dir.path(), LogConfig::default(), &home.region).unwrap();
        Self { dir, store, home }
    }

    pub(crate) fn log(&self, stream: &str, time_ms: u64, message: &str) {
        let message = Bytes::copy_from_slice(message.as_bytes());
        self.store.stream(&self.home, GROUP, stream).append(time_ms, message);
    }

    /// All messages of a stream, in order.
    pub(crate) fn read(&self, stream: &str) -> Vec<String> {
        let mut query = EventsQuery { time: ALWAYS, limit: 10_000, start_from_head: true, token: None };
        let mut messages = Vec::new();
        loop {
            let page = self.store.get_events(&self.home, GROUP, stream, &query).unwrap();
            if query.token.replace(page.forward_token.clone()) == Some(page.forward_token) {
                return messages;
            }
            messages.extend(page.events.into_iter().map(|event| text(&event.message)));
        }
    }

    pub(crate) fn query(&self, pattern: &str) -> FilterQuery {
        FilterQuery {
            streams: StreamChoice::All,
            time: ALWAYS,
            limit: 10_000,
            pattern: FilterPattern::parse(pattern).unwrap(),
            token: None,
        }
    }

    /// Messages that match, all pages.
    pub(crate) fn filter(&self, mut query: FilterQuery) -> Vec<String> {
        let mut messages = Vec::new();
        loop {
            let page = self.store.filter_events(&self.home, GROUP, &query).unwrap();
            messages.extend(page.events.iter().map(|filtered| text(&filtered.event.message)));
            match page.next {
                Some(next) => query.token = Some(next),
                None => return messages,
            }
        }
    }

    pub(crate) fn segments(&self) -> usize {
        segments(self.dir.path())
    }
}

pub(crate) fn segments(dir: &Path) -> usize {
    let is_segment = |entry: &std::fs::DirEntry| entry.path().extension().is_some_and(|extension| extension == "seg");
    std::fs::read_dir(dir).unwrap().map(Result::unwrap).filter(is_segment).count()
}

pub(crate) fn home() -> Home {
    "123456789012/eu-west-1".parse().unwrap()
}

pub(crate) fn text(message: &[u8]) -> String {
    String::from_utf8(message.to_vec()).unwrap()
}
