//! The memory limit of the control groups that this process is in: version 2, `memory.max`, and version 1, `memory.limit_in_bytes`.
//!
//! A group is limited by those above it too. Its use counts files that were read and may be forgotten, which are left out.

use super::proc::resident;
use std::fs;
use std::path::{Path, PathBuf};

/// Names of the files of a version.
struct Version {
    limit: &'static str,
    used: &'static str,
    forgettable: &'static str,
}

const ONE: Version = Version {
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    forgettable: "total_inactive_file",
};
const TWO: Version = Version {
    limit: "memory.max",
    used: "memory.current",
    forgettable: "inactive_file",
};

/// Above this a limit is none: version 1 says 2^63 rounded down to pages.
const NO_LIMIT: f64 = 9e18;

/// Bytes that this process may have in all before a group is full.
pub fn room(root: &Path) -> Option<f64> {
    let text = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let rooms = text.lines().filter_map(|line| of_line(root, line));
    let least = rooms.min_by(f64::total_cmp)?;
    Some((least + resident(root)).max(0.0))
}

/// A line `0::/path` of version 2, or `9:memory:/path` of version 1.
fn of_line(root: &Path, line: &str) -> Option<f64> {
    let mut parts = line.splitn(3, ':');
    let (number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    let (version, top) = match (number, controllers) {
        ("0", "") => (TWO, root.join("sys/fs/cgroup")),
        (_, some) if some.split(',').any(|c| c == "memory") => {
            (ONE, root.join("sys/fs/cgroup/memory"))
        }
        _ => return None,
    };
    let groups = upwards(&top, path);
    let rooms = groups.iter().filter_map(|group| of_group(group, &version));
    rooms.min_by(f64::total_cmp)
}

/// The group's folder and all above it up to `top`, which a container may see instead of the group.
fn upwards(top: &Path, path: &str) -> Vec<PathBuf> {
    let folder = top.join(path.trim_start_matches('/'));
    let above = folder
        .ancestors()
        .take_while(|above| above.starts_with(top));
    above.map(Path::to_owned).collect()
}

/// What is left in one group; `None` without a limit.
fn of_group(folder: &Path, version: &Version) -> Option<f64> {
    let number = |name: &str| -> Option<f64> {
        fs::read_to_string(folder.join(name))
            .ok()?
            .trim()
            .parse()
            .ok()
    };
    let limit = number(version.limit).filter(|limit| *limit < NO_LIMIT)?;
    let used = number(version.used).unwrap_or(0.0);
    let statistics = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let mut lines = statistics.lines();
    let forgettable = lines.find_map(|line| {
        let rest = line.strip_prefix(version.forgettable)?;
        rest.strip_prefix(' ')?.trim().parse::<f64>().ok()
    });
    Some(limit - used + forgettable.unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::super::tests::files;
    use super::*;

    #[test]
    fn version_two_takes_the_smallest_of_a_group_and_those_above_it() {
        let root = files(&[
            ("proc/self/cgroup", "0::/user/session\n"),
            ("sys/fs/cgroup/user/session/memory.max", "4000000000\n"),
            ("sys/fs/cgroup/user/session/memory.current", "1500000000\n"),
            (
                "sys/fs/cgroup/user/session/memory.stat",
                "anon 500000000\ninactive_file 900000000\nactive_file 1\n",
            ),
            ("sys/fs/cgroup/user/memory.max", "max\n"),
        ]);
        assert_eq!(room(root.path()), Some(4e9 - 1.5e9 + 9e8));
    }

    #[test]
    fn version_one_reads_the_memory_controller_and_knows_its_way_to_say_none() {
        let lines = "12:cpu,cpuacct:/docker/ab\n4:memory:/docker/ab\n0::/docker/ab\n";
        let limited = files(&[
            ("proc/self/cgroup", lines),
            (
                "sys/fs/cgroup/memory/docker/ab/memory.limit_in_bytes",
                "2000000000\n",
            ),
            (
                "sys/fs/cgroup/memory/docker/ab/memory.usage_in_bytes",
                "700000000\n",
            ),
            (
                "sys/fs/cgroup/memory/docker/ab/memory.stat",
                "inactive_file 5\ntotal_inactive_file 100000000\n",
            ),
        ]);
        assert_eq!(room(limited.path()), Some(2e9 - 7e8 + 1e8));
        let free = files(&[
            ("proc/self/cgroup", lines),
            (
                "sys/fs/cgroup/memory/docker/ab/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
        ]);
        assert_eq!(room(free.path()), None);
    }

    #[test]
    fn a_container_that_sees_only_the_top_has_its_limit() {
        let root = files(&[
            ("proc/self/cgroup", "0::/machine/elsewhere\n"),
            ("sys/fs/cgroup/memory.max", "1000\n"),
        ]);
        assert_eq!(room(root.path()), Some(1000.0));
    }
}
