//! How the database is set, as others see it: by a second connection, and by the order in which
//! the kernel is asked to write, to sync and to send.

use std::time::Duration;

use rusqlite::Connection;
use wirewatch::store::Store;

use super::say;
use super::scene::Scene;
use super::trace::{Trace, judge, without_syncs};

/// Deliveries to be looked at.
const TOLD: usize = 25;

/// The modes that lie in the file, while the daemon runs, and those of its connections.
pub(crate) async fn modes() -> Result<(), String> {
    let mut scene = Scene::set(10).await;
    scene.publish();
    let mut life = scene.home.start(1, &[]);
    scene.told(1, &mut life).await?;
    let mut problems = Vec::new();
    let db = Connection::open(scene.home.database()).unwrap();
    db.busy_timeout(Duration::from_secs(10)).unwrap();
    let text = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, String>(0));
    let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if text("journal_mode").as_deref() != Ok("wal") {
        problems.push(format!("the journal is {:?}", text("journal_mode")));
    }
    if number("application_id").unwrap_or(0) == 0 || number("user_version").unwrap_or(0) == 0 {
        problems.push("the file does not say whose it is, and of which version".to_owned());
    }
    drop(db);
    scene.hush().await;
    problems.extend(scene.all_told(&mut life).await.err());
    problems.extend(life.stop().await.err());
    // What belongs to a connection cannot be asked of another process's.
    let settings = Store::open(&scene.home.database()).unwrap().settings().await;
    if !matches!(&settings, Ok((journal, 2, true)) if journal == "wal") {
        problems.push(format!("journal, synchronous, foreign keys: {settings:?}"));
    }
    problems.extend(scene.verdict());
    scene.end(problems)
}

/// Nothing is told before it is on disk, and the same trace without syncs is seen to be wrong.
pub(crate) async fn order() -> Result<(), String> {
    let mut scene = Scene::set(20).await;
    scene.publish();
    let trace = Trace::new(scene.home.file(1, "trace"));
    let mut life = scene.home.start(1, &trace.words(&[]));
    scene.told(TOLD, &mut life).await?;
    scene.hush().await;
    let mut problems = Vec::new();
    problems.extend(scene.all_told(&mut life).await.err());
    problems.extend(life.stop().await.err());
    let calls = trace.calls().await?;
    let judged = judge(&calls);
    say(&format!(
        "settings: {} deliveries told after {} commits, {} of them too early",
        judged.told,
        judged.commits,
        judged.problems.len()
    ));
    if judged.told < TOLD {
        problems.push(format!("void: {} deliveries are in the trace", judged.told));
    }
    problems.extend(judged.problems);
    if judge(&without_syncs(&calls)).problems.len() < judged.told {
        problems.push("void: a trace without syncs is not seen to be wrong".to_owned());
    }
    problems.extend(scene.verdict());
    scene.end(problems)
}
