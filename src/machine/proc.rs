//! What `/proc` says of memory: what is free, what this process has, and the limit of its address space.

use std::fs;
use std::path::Path;

/// Bytes that this process may have in all before the machine must swap: `MemAvailable` and what it has already.
pub fn available(root: &Path) -> Option<f64> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    Some(field(&text, "MemAvailable")? + resident(root))
}

/// Bytes that this process may have in all before RLIMIT_AS ends it. The limit counts addresses, of which a process reserves more than it
/// uses: that difference is left out.
pub fn address_space(root: &Path) -> Option<f64> {
    let text = fs::read_to_string(root.join("proc/self/limits")).ok()?;
    let limit = soft_limit(&text, "Max address space")?;
    let reserved = status(root, "VmSize").unwrap_or(0.0) - resident(root);
    Some((limit - reserved).max(0.0))
}

/// `VmRSS` of this process in bytes.
pub fn resident(root: &Path) -> f64 {
    status(root, "VmRSS").unwrap_or(0.0)
}

fn status(root: &Path, name: &str) -> Option<f64> {
    field(
        &fs::read_to_string(root.join("proc/self/status")).ok()?,
        name,
    )
}

/// A line `name:  123 kB`, in bytes.
fn field(text: &str, name: &str) -> Option<f64> {
    let mut lines = text.lines();
    let rest = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kilobytes: f64 = rest.split_whitespace().next()?.parse().ok()?;
    Some(1024.0 * kilobytes)
}

/// The soft limit of a row of `/proc/self/limits`; `None` where it is `unlimited`.
fn soft_limit(text: &str, row: &str) -> Option<f64> {
    let mut lines = text.lines();
    let rest = lines.find_map(|line| line.strip_prefix(row))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: &str = "\
Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max address space         4294967296           8589934592           bytes     
Max resident set          unlimited            unlimited            bytes     
";

    #[test]
    fn rows_of_limits_and_fields_are_read() {
        assert_eq!(soft_limit(LIMITS, "Max address space"), Some(4294967296.0));
        assert_eq!(soft_limit(LIMITS, "Max resident set"), None);
        assert_eq!(soft_limit(LIMITS, "Max of nothing"), None);
        assert_eq!(field("VmRSS:\t 12 kB\n", "VmRSS"), Some(12288.0));
        assert_eq!(field("VmRSSOld: 12 kB\n", "VmRSS"), None);
    }
}
