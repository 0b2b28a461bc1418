//! WebSub (W3C Recommendation of 23 January 2018) and rssCloud, the
//! subscriber's side: what a feed names, what a hub may be believed, and how
//! long. Pure, but for the random bytes of the system's; who asks and answers
//! is `pipeline`'s business.

mod cloud;
mod discovery;
mod lease;
mod page;
mod said;
mod signature;
mod token;
mod verify;

pub use cloud::{cloud_refusal, cloud_terms, pinged, registration};
pub use discovery::find;
pub use lease::{LEASE, lease, renewal, retry};
pub use page::in_page;
pub use said::said;
pub use signature::is_signed;
pub use token::{NoRandom, key, secret, token};
pub use verify::{MAX_CHALLENGE, Verdict, verify};
