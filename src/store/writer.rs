//! The one thread that writes. Jobs that wait together share a transaction,
//! each in a savepoint of its own, so that one that fails takes nobody along.

use std::sync::Mutex;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::StoreError;
use super::checkpoint::Checkpointer;

/// Jobs that may wait; more wait in their callers.
const QUEUE: usize = 1_024;
/// Jobs in one transaction.
const GROUP: usize = 256;

/// Does its work inside the transaction and keeps the answer.
trait Job: Send {
    /// Whether the transaction goes on; `Err` when all of it is undone.
    fn run(&mut self, connection: &Connection) -> Result<(), rusqlite::Error>;
    /// Sends the answer, or the reason why the commit failed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Call<F, T> {
    work: Option<F>,
    result: Option<Result<T, rusqlite::Error>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Job for Call<F, T>
where
    F: FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send,
    T: Send,
{
    fn run(&mut self, connection: &Connection) -> Result<(), rusqlite::Error> {
        let Some(work) = self.work.take() else { return Ok(()) };
        let result = in_savepoint(connection, work);
        let undone = match &result {
            Err(error) if connection.is_autocommit() => Err(copy(error)),
            _ => Ok(()),
        };
        self.result = Some(result);
        undone
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let answer = match (committed, self.result) {
            (Ok(()), Some(result)) => result.map_err(StoreError::from),
            (Ok(()), None) => Err(StoreError::Closed),
            (Err(error), _) => Err(error),
        };
        // Nobody waits any more when the caller was cancelled.
        let _ = self.reply.send(answer);
    }
}

fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
) -> Result<T, rusqlite::Error> {
    step(connection, "SAVEPOINT job")?;
    // A panic in a decision is that job's failure, not the end of all writing.
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(connection)))
        .unwrap_or_else(|_| {
            Err(rusqlite::Error::ToSqlConversionFailure("a decision panicked".into()))
        });
    // A full disk or an I/O error may have undone the whole transaction; then
    // there is no savepoint left, and the first error is the one to tell.
    if connection.is_autocommit() {
        return result.and(Err(rusqlite::Error::ToSqlConversionFailure(
            "the transaction was undone by SQLite".into(),
        )));
    }
    if result.is_err() {
        step(connection, "ROLLBACK TO job")?;
    }
    step(connection, "RELEASE job")?;
    result
}

/// A step of a transaction, prepared once.
fn step(connection: &Connection, sql: &str) -> Result<(), rusqlite::Error> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

/// The way to the thread.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread, which owns the connection until the writer is dropped.
    /// With a checkpointer, which only the one has that holds the lock, it closes
    /// the write-ahead log at the end.
    pub(super) fn start(connection: Connection, checkpointer: Option<Checkpointer>) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let thread =
            std::thread::Builder::new().name("store-writer".to_string()).spawn(move || {
                run(&connection, queue, checkpointer.as_ref());
                if checkpointer.is_some() {
                    drop(checkpointer);
                    let _ = connection
                        .execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);");
                }
            });
        // Without the thread every job answers "closed", because its queue is gone.
        Self { jobs: Some(jobs), thread: Mutex::new(thread.ok()) }
    }

    /// Runs `work` in a transaction and answers when that is on disk.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let call = Call { work: Some(work), result: None, reply };
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.send(Box::new(call)).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        // Wait for the last commit: after this the file is closed.
        if let Ok(mut thread) = self.thread.lock()
            && let Some(thread) = thread.take()
        {
            let _ = thread.join();
        }
    }
}

fn run(
    connection: &Connection,
    mut queue: mpsc::Receiver<Box<dyn Job>>,
    checkpointer: Option<&Checkpointer>,
) {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(job) = queue.try_recv()
        {
            group.push(job);
        }
        let committed = commit(connection, &mut group);
        for job in group {
            let answer = match &committed {
                Ok(()) => Ok(()),
                Err(reason) => Err(StoreError::Sqlite(copy(reason))),
            };
            job.answer(answer);
        }
        if let Some(checkpointer) = checkpointer {
            checkpointer.ring();
        }
    }
}

fn commit(connection: &Connection, group: &mut [Box<dyn Job>]) -> Result<(), rusqlite::Error> {
    step(connection, "BEGIN IMMEDIATE")?;
    for job in group {
        job.run(connection)?;
    }
    let committed = step(connection, "COMMIT");
    if committed.is_err() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    committed
}

/// SQLite's errors do not clone; code and text do.
fn copy(error: &rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqliteFailure(code, text) => {
            rusqlite::Error::SqliteFailure(*code, text.clone())
        }
        other => rusqlite::Error::ToSqlConversionFailure(other.to_string().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer() -> Writer {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (x)").unwrap();
        Writer::start(connection, None)
    }

    async fn insert(writer: &Writer, value: &'static str) -> Result<usize, StoreError> {
        writer.run(move |db| db.execute("INSERT INTO t VALUES (?)", [value])).await
    }

    async fn count(writer: &Writer) -> i64 {
        let count = |db: &Connection| db.query_row("SELECT count(*) FROM t", [], |row| row.get(0));
        writer.run(count).await.unwrap()
    }

    #[tokio::test]
    async fn a_job_that_panics_or_fails_takes_nobody_along() {
        let writer = writer();
        let panics = writer.run::<(), _>(|db| {
            db.execute("INSERT INTO t VALUES ('half')", [])?;
            panic!("a bug in a decision")
        });
        let fails = writer.run(|db| db.execute("INSERT INTO nowhere VALUES (1)", []));
        let (panicked, failed, kept) = tokio::join!(panics, fails, insert(&writer, "kept"));
        assert!(panicked.is_err() && failed.is_err() && kept.is_ok());
        assert_eq!(count(&writer).await, 1);
    }

    #[tokio::test]
    async fn an_undone_transaction_fails_all_its_jobs_and_the_next_one_works() {
        let writer = writer();
        // What SQLite does by itself on a full disk or an I/O error.
        let undone = writer.run(|db| {
            db.execute_batch("ROLLBACK")?;
            db.execute("INSERT INTO nowhere VALUES (1)", [])
        });
        let (first, undone, last) =
            tokio::join!(insert(&writer, "first"), undone, insert(&writer, "last"));
        assert!(undone.is_err());
        // Whoever was told "stored" is, whether they shared the transaction or not.
        let stored = [first, last].iter().filter(|result| result.is_ok()).count();
        assert_eq!(count(&writer).await, i64::try_from(stored).unwrap());
        insert(&writer, "later").await.unwrap();
        assert_eq!(count(&writer).await, i64::try_from(stored).unwrap() + 1);
    }
}
