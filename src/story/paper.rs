//! What is written down of the stories of the last days, as it is too much to
//! keep in mind. Nobody needs it after a restart: it can be had anew.

use std::fmt::Debug;
use std::io;

/// Gives sheets to write on.
pub trait Paper: Debug + Send + Sync {
    /// An empty sheet; what is on it is gone with it.
    ///
    /// # Errors
    /// When there is none, as on a full disk.
    fn sheet(&self) -> io::Result<Box<dyn Sheet>>;

    /// Whether what is written takes memory, so that there is less room.
    fn takes_memory(&self) -> bool {
        false
    }
}

/// Bytes that are written once and read often.
pub trait Sheet: Debug + Send {
    /// Writes at a place up to which all is written.
    ///
    /// # Errors
    /// When that fails, as on a full disk.
    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Reads what was written.
    ///
    /// # Errors
    /// When that fails, or when less is there.
    fn read(&self, at: u64, bytes: &mut [u8]) -> io::Result<()>;
}

/// Paper of memory: for what is short, and for when no other is to be had.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryPaper;

impl Paper for MemoryPaper {
    fn sheet(&self) -> io::Result<Box<dyn Sheet>> {
        Ok(Box::new(Vec::new()))
    }

    fn takes_memory(&self) -> bool {
        true
    }
}

impl Sheet for Vec<u8> {
    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.truncate(at as usize);
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn read(&self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        let from = at as usize;
        let read = from.checked_add(bytes.len()).and_then(|to| self.get(from..to));
        bytes.copy_from_slice(read.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}
