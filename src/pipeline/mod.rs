//! The loops, and the only place that knows the order of the stages:
//!
//! ```text
//! poll      claim due feeds ▸ fetch ▸ ingest
//! push      ask hubs for news ▸ take in what they brought ▸ ingest
//! ingest    parse ▸ extract ▸ dedup ▸ rule ▸ alert ▸ commit
//! notify    gather notices about feeds into messages
//! dispatch  claim due deliveries ▸ render ▸ send ▸ finish or retry
//! pages     claim waiting pages ▸ fetch ▸ article ▸ rule ▸ alert ▸ commit
//! sweep     forget what is old
//! inspect   is the database sound?
//! ```
//!
//! Loops share no memory but what stands in [`Live`], and the counters of
//! [`Meter`]; the store stands between them.

mod aftermath;
mod ask;
mod callback;
mod complaint;
mod desk;
mod dispatch;
mod gate;
mod ingest;
mod inspect;
mod live;
mod meter;
mod notify;
mod pages;
mod poll;
mod pulse;
mod push;
mod recover;
mod replay;
mod round;
mod sweep;
mod visit;
mod wanted;
mod watch;

pub use callback::CallbackDesk;
pub use complaint::Complaint;
pub use desk::{Desk, Seat};
pub use dispatch::{Dispatcher, Drained};
pub use ingest::{Arrived, Prepared, ingest, prepare};
pub use inspect::Inspector;
pub use live::{Live, Watched};
pub use meter::Meter;
pub use notify::Notifier;
pub use pages::{PageReader, PagesReport};
pub use poll::{PollStatus, Poller};
pub use pulse::{Beat, Pulse};
pub use push::Subscriber;
pub use replay::{Replay, ReplayItem, ReplayOutcome};
pub use round::RoundReport;
pub use sweep::Sweeper;
pub use wanted::{Wants, Wish};
pub use watch::{Ping, Watcher};
