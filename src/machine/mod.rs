//! The machine that a run is judged for: how much memory it may take there, and on how many threads.
//!
//! `proc` reads what Linux says of the memory that is free and of the limits of this process, `cgroup` what its control groups allow.

mod cgroup;
mod proc;

use std::fmt;
use std::path::Path;

/// Part of what is free that a run may take.
pub const SHARE: f64 = 0.8;

/// Memory and threads of a machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Machine {
    /// The smallest of all limits; `None` where the system tells none.
    pub room: Option<Room>,
    pub threads: usize,
}

/// Bytes that a process may have in all, and who says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    pub bytes: f64,
    pub limit: Limit,
}

/// Who limits memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// `MemAvailable` of `/proc/meminfo`.
    Available,
    /// `memory.max`, or `memory.limit_in_bytes` of version 1.
    ControlGroup,
    /// RLIMIT_AS.
    AddressSpace,
    /// The command line.
    Asked,
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(match self {
            Self::Available => "what is free on this machine, MemAvailable",
            Self::ControlGroup => "the memory limit of this process's control group",
            Self::AddressSpace => "the limit of the address space, RLIMIT_AS or ulimit -v",
            Self::Asked => "--memory",
        })
    }
}

impl Machine {
    /// This machine, with the threads that rayon has.
    pub fn this() -> Self {
        Self {
            room: room(Path::new("/")),
            threads: rayon::current_num_threads(),
        }
    }

    /// Another one, where `memory` bytes or a number of threads are given.
    pub fn with(mut self, memory: Option<f64>, threads: Option<usize>) -> Self {
        if let Some(bytes) = memory {
            let limit = Limit::Asked;
            self.room = Some(Room { bytes, limit });
        }
        self.threads = threads.unwrap_or(self.threads);
        self
    }

    /// Bytes that a run may take, and who says so: all that was asked for, else [`SHARE`] of the smallest limit.
    pub fn allowance(&self) -> Option<Room> {
        self.room.map(|room| Room {
            bytes: match room.limit {
                Limit::Asked => room.bytes,
                _ => SHARE * room.bytes,
            },
            ..room
        })
    }
}

/// Resident memory of this process in bytes, 0 where the system does not tell it.
pub fn resident() -> f64 {
    proc::resident(Path::new("/"))
}

/// The smallest limit that the files under `root` tell.
fn room(root: &Path) -> Option<Room> {
    let rooms = [
        (Limit::Available, proc::available(root)),
        (Limit::AddressSpace, proc::address_space(root)),
        (Limit::ControlGroup, cgroup::room(root)),
    ];
    rooms
        .into_iter()
        .filter_map(|(limit, bytes)| {
            Some(Room {
                bytes: bytes?,
                limit,
            })
        })
        .min_by(|a, b| a.bytes.total_cmp(&b.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A file system with these files.
    pub(super) fn files(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    const STATUS: (&str, &str) = (
        "proc/self/status",
        "Name:\tmirrorflow\nVmSize:\t  500000 kB\nVmRSS:\t    20000 kB\n",
    );
    const MEMINFO: (&str, &str) = (
        "proc/meminfo",
        "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:    8000000 kB\n",
    );

    #[test]
    fn the_smallest_limit_counts_and_says_which_it_is() {
        let plain = files(&[STATUS, MEMINFO]);
        let found = room(plain.path()).unwrap();
        assert_eq!(found.limit, Limit::Available);
        assert_eq!(found.bytes, 1024.0 * 8_020_000.0);
        let limited = files(&[
            STATUS,
            MEMINFO,
            ("proc/self/cgroup", "0::/job/7\n"),
            ("sys/fs/cgroup/job/7/memory.max", "max\n"),
            ("sys/fs/cgroup/job/memory.max", "1000000000\n"),
            ("sys/fs/cgroup/job/memory.current", "300000000\n"),
        ]);
        let found = room(limited.path()).unwrap();
        assert_eq!(found.limit, Limit::ControlGroup);
        assert_eq!(found.bytes, 1e9 - 3e8 + 1024.0 * 20_000.0);
        let by_shell = files(&[
            STATUS,
            MEMINFO,
            (
                "proc/self/limits",
                "Limit                     Soft Limit           Hard Limit           Units     \n\
                 Max address space         600000000            unlimited            bytes     \n",
            ),
        ]);
        assert_eq!(room(by_shell.path()).unwrap().limit, Limit::AddressSpace);
        assert_eq!(room(files(&[]).path()), None);
    }

    #[test]
    fn what_is_asked_for_replaces_what_is_found() {
        let machine = Machine::this().with(Some(256e9), Some(64));
        assert_eq!(machine.threads, 64);
        let allowed = machine.allowance().unwrap();
        assert_eq!((allowed.bytes, allowed.limit), (256e9, Limit::Asked));
        let own = Machine::this().with(None, None);
        assert_eq!(own.threads, rayon::current_num_threads());
    }
}
