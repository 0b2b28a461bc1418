//! Secrets appear nowhere: the real program with a secret of every kind, at trace level, against
//! servers that refuse, redirect, cut and repeat whatever they were sent. Then everything that
//! people, programs or backups may read is searched for the secrets, as they are and encoded.
//!
//! The same stem stands in every secret, so one search finds them all. A search that finds nothing
//! proves little, so the servers are asked whether the secrets reached them.
//!
//! ```sh
//! cargo test --test canaries
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and its servers end with it"
)]

#[path = "canaries/house.rs"]
mod house;
#[path = "canaries/search.rs"]
mod search;
#[path = "it/support/mod.rs"]
mod support;
#[path = "canaries/town.rs"]
mod town;

use house::House;
use search::Search;
use town::Town;

#[tokio::test(flavor = "multi_thread")]
async fn secrets_appear_nowhere_with_a_log_for_people() {
    observe("text").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_appear_nowhere_with_a_log_for_programs() {
    observe("json").await;
}

/// One life of the program, and all that is left of it.
async fn observe(log_format: &str) {
    let town = Town::build().await;
    let house = House::furnish(&town);
    let mut search = Search::default();
    let mut daemon = house.start(log_format);
    house.until_everything_was_tried(&town, &mut daemon).await;
    search.process(daemon.id().expect("it runs"));
    house.endpoint(&mut search).await;
    house.commands(&mut search).await;
    house.reload_what_is_wrong(&daemon, &mut search).await;
    house::stop(&mut daemon).await;
    house.files(&mut search);
    town.letters(&mut search);
    assert_eq!(town.missing(), Vec::<String>::new(), "secrets that were never used");
    search.conclude();
}
