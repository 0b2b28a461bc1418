//! The table's two axes, and which connections meet the fault.

/// Mails in each cell.
pub const MAILS: usize = 20;
/// Every mail's first try meets the fault, and the second of every fourth.
pub const FAULTS: usize = MAILS + MAILS / 4;
/// Length of a reply that is much too long.
pub const LONG: usize = 10 << 20;

/// A point in the dialogue at which the relay answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Connect,
    Ehlo,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    Dot,
}

impl Stage {
    pub const ALL: [Self; 8] = [
        Self::Connect,
        Self::Ehlo,
        Self::StartTls,
        Self::Auth,
        Self::Mail,
        Self::Rcpt,
        Self::Data,
        Self::Dot,
    ];

    /// The code of a reply that lets the client go on.
    pub fn usual_code(self) -> &'static str {
        match self {
            Self::Connect | Self::StartTls => "220",
            Self::Auth => "235",
            Self::Data => "354",
            Self::Ehlo | Self::Mail | Self::Rcpt | Self::Dot => "250",
        }
    }
}

/// What the relay does in place of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A reply that says "later".
    Transient,
    /// A reply that says "never".
    Permanent,
    /// 421, and the end of the connection.
    Closing,
    /// The end of the connection.
    Drop,
    /// Nothing, until the client gives up.
    Stall,
    /// Bytes that are no reply.
    Garbage,
    /// A reply of [`LONG`] bytes in one line.
    LongLine,
}

impl Fault {
    pub const ALL: [Self; 7] = [
        Self::Transient,
        Self::Permanent,
        Self::Closing,
        Self::Drop,
        Self::Stall,
        Self::Garbage,
        Self::LongLine,
    ];
}

/// One fault at one stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    pub stage: Stage,
    pub fault: Fault,
}

impl Cell {
    pub fn all() -> impl Iterator<Item = Self> {
        let row = |stage| Fault::ALL.into_iter().map(move |fault| Self { stage, fault });
        Stage::ALL.into_iter().flat_map(row)
    }

    /// Whether the relay's `number`th connection meets the fault. Each attempt
    /// has a connection of its own, and no third one comes before all second ones.
    pub fn spoils(self, number: usize) -> bool {
        number < MAILS || (number < 2 * MAILS && number.is_multiple_of(4))
    }

    /// Whether the relay keeps the mail of a connection it spoils, and only
    /// fails to say so: at the end of the mail, and not always.
    pub fn keeps(self, number: usize) -> bool {
        let silent = match self.fault {
            Fault::Drop | Fault::Stall | Fault::Garbage | Fault::LongLine => true,
            Fault::Transient | Fault::Permanent | Fault::Closing => false,
        };
        self.stage == Stage::Dot && silent && (number / 4).is_multiple_of(2)
    }

    /// Whether the fault keeps the whole channel waiting: a refused password is
    /// not tried by each mail that waits.
    pub fn pauses(self) -> bool {
        self.fault == Fault::Permanent && self.stage == Stage::Auth
    }

    /// Whether the fault ends a delivery: within the transaction the relay
    /// speaks of this mail, before it of us or itself.
    pub fn kills(self) -> bool {
        self.fault == Fault::Permanent && self.stage >= Stage::Mail
    }
}
