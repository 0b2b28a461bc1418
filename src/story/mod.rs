//! Which story an entry belongs to, who tells it independently, and what a
//! revision changed. Pure, but for the paper it is given to write on.
//!
//! `features` says what of an entry counts, `sketch` recognises copies of one
//! text, `learned` knows how rare words are, `score` compares an entry with a
//! story, and `window` holds the stories that are `growing` and decides: `reach`
//! finds those to compare, `texts` those that are copied. Both write what they
//! know on `paper`: as `record`s on a `shelf`, and in an `index` made of `run`s.
//! `source` tells who speaks, with the agencies that `agency` knows and
//! `credited` finds in a text, `change` what is new in a revision.
//! docs/decisions/stories.md says why it is done this way, and how well.

mod agency;
mod change;
mod credited;
mod features;
mod figure;
mod growing;
mod index;
mod learned;
mod memory;
mod paper;
mod reach;
mod record;
mod run;
mod score;
mod shelf;
mod sketch;
mod source;
mod texts;
mod window;

pub use change::{Change, Wording, material};
pub use features::Features;
pub use memory::Memory;
pub use paper::{MemoryPaper, Paper, Sheet};
pub use source::{About, Origin, independent, origin, sources};
pub use window::Join;
