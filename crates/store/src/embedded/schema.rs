//! The files of a data directory: lock, tables, connections.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::OpenError;

const DATABASE: &str = "store.sqlite";
const LOCK: &str = "lock";

/// Step `n` brings format `n` to format `n + 1`; steps that have been released are never edited.
///
/// Bodies that may be large stand in tables with a row id, so that walking an index does not drag them along. `meta` holds
/// the newest revision and, from format 2 on, what the clocks showed at the last commit. `deleted` remembers deletions for watchers, newer than the partition's row in `compacted`.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO meta VALUES ('revision', 0);

    CREATE TABLE kv (partition TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL, value BLOB NOT NULL);
    CREATE UNIQUE INDEX kv_key ON kv (partition, key);
    CREATE UNIQUE INDEX kv_revision ON kv (partition, revision, key);
    CREATE TABLE deleted (partition TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL,
        PRIMARY KEY (partition, key)) WITHOUT ROWID;
    CREATE UNIQUE INDEX deleted_revision ON deleted (partition, revision, key);
    CREATE TABLE compacted (partition TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID;

    CREATE TABLE log (partition TEXT NOT NULL, log TEXT NOT NULL, next INTEGER NOT NULL,
        PRIMARY KEY (partition, log)) WITHOUT ROWID;
    CREATE TABLE log_record (partition TEXT NOT NULL, log TEXT NOT NULL, sequence INTEGER NOT NULL, record BLOB NOT NULL);
    CREATE UNIQUE INDEX log_record_sequence ON log_record (partition, log, sequence);

    CREATE TABLE queue (partition TEXT NOT NULL, queue TEXT NOT NULL, messages INTEGER NOT NULL,
        PRIMARY KEY (partition, queue)) WITHOUT ROWID;
    CREATE TABLE message (partition TEXT NOT NULL, queue TEXT NOT NULL, id TEXT NOT NULL, visible_at INTEGER NOT NULL,
        token INTEGER NOT NULL, deliveries INTEGER NOT NULL, enqueued_at INTEGER NOT NULL, body INTEGER NOT NULL,
        PRIMARY KEY (partition, queue, id)) WITHOUT ROWID;
    CREATE INDEX message_visible ON message (partition, queue, visible_at, id);
    CREATE TABLE body (row INTEGER PRIMARY KEY, body BLOB NOT NULL);
", "
    INSERT INTO meta SELECT 'clock', COALESCE(MAX(enqueued_at), 0) FROM message;
    INSERT INTO meta SELECT 'wall', value FROM meta WHERE name = 'clock';
    DELETE FROM queue WHERE messages <= 0;
"];

/// Takes the directory for this process, for as long as the file is open.
pub(super) fn lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join(LOCK);
    let failed = |step| {
        let path = path.clone();
        move |source| OpenError::Io { step, path, source }
    };
    let mut file = fs_err::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed("open"))?
        .into_file();
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut pid = String::new();
            let pid = file.read_to_string(&mut pid).ok().and_then(|_| pid.trim().parse().ok());
            return Err(OpenError::Locked { dir: dir.to_owned(), pid });
        }
        Err(error) => return Err(failed("lock")(error.into())),
    }
    file.set_len(0).map_err(failed("write"))?;
    writeln!(file, "{}", std::process::id()).map_err(failed("write"))?;
    Ok(file)
}

/// The one connection that writes, with the tables in place.
pub(super) fn open_writer(dir: &Path) -> Result<Connection, OpenError> {
    let failed = |step| move |source| OpenError::Database { step, dir: dir.to_owned(), source };
    let path = dir.join(DATABASE);
    let is_new = !path.exists();
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&path, flags).map_err(failed("open the database"))?;
    configure_writer(&connection).map_err(failed("configure the database"))?;
    let known = i64::try_from(MIGRATIONS.len()).expect("a handful of migrations");
    let found: i64 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed("read the format"))?;
    if found > known {
        return Err(OpenError::Newer { dir: dir.to_owned(), found, known });
    }
    if found < known {
        migrate(&mut connection, found, known).map_err(failed("set up the database"))?;
    }
    if is_new {
        sync_dir(dir)?;
    }
    Ok(connection)
}

fn configure_writer(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -16384;
         PRAGMA temp_store = MEMORY;",
    )
}

fn migrate(connection: &mut Connection, found: i64, known: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let skip = usize::try_from(found).unwrap_or(0);
    for step in MIGRATIONS.iter().skip(skip) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()
}

/// A connection that can only read.
pub(super) fn open_reader(dir: &Path) -> Result<Connection, OpenError> {
    let failed = |step| move |source| OpenError::Database { step, dir: dir.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(dir.join(DATABASE), flags).map_err(failed("open the database"))?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.busy_timeout(Duration::from_secs(5)).map_err(failed("configure the database"))?;
    connection.execute_batch("PRAGMA cache_size = -4096;").map_err(failed("configure the database"))?;
    Ok(connection)
}

/// Makes the names of new files durable: the database's own and, for a new directory, the directory's.
fn sync_dir(dir: &Path) -> Result<(), OpenError> {
    for path in [Some(dir), dir.parent().filter(|parent| !parent.as_os_str().is_empty())].into_iter().flatten() {
        let failed = |source| OpenError::Io { step: "sync", path: path.to_owned(), source };
        fs_err::File::open(path).map_err(failed)?.sync_all().map_err(failed)?;
    }
    Ok(())
}
