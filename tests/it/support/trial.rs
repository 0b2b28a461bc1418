//! Trials that a machine may lack something for: ignored then, or failed where
//! the peers are required.

use libtest_mimic::{Failed, Trial};
use tokio::runtime::Runtime;

pub fn trial(
    name: &str,
    possible: Result<(), String>,
    work: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let Err(missing) = possible else { return Trial::test(name, work) };
    if std::env::var("WIREWATCH_PEERS").is_ok_and(|word| word == "required") {
        return Trial::test(name, || Err(missing.into()));
    }
    eprintln!("{name} is left out: {missing}");
    Trial::test(name, work).with_ignored_flag(true)
}

pub fn run(work: impl Future<Output = Result<(), String>>) -> Result<(), Failed> {
    Runtime::new().unwrap().block_on(work).map_err(Failed::from)
}
