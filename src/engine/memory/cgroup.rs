//! The memory limit of a Linux container: control groups, in their first and their second version.
//!
//! A group's usage counts cached files too, e.g. the model just downloaded; the system drops those when memory is
//! asked for, so they count as available here.

use std::path::{Path, PathBuf};

/// Bytes left within the limits of this process's group and every group around it; `None` without a limit.
pub(super) fn available() -> Option<u64> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    least_in(Path::new(TREE), &groups, left)
}

/// The narrowest limit of this process's group and every group around it; `None` without one.
pub(super) fn limit() -> Option<u64> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    least_in(Path::new(TREE), &groups, limit_of)
}

/// Where groups are mounted.
const TREE: &str = "/sys/fs/cgroup";

/// What is read in the folder of a group.
type Figure = fn(&Path, &Version) -> Option<u64>;

/// The least `figure` of all groups, with the mounted tree and the text of `/proc/self/cgroup` given.
fn least_in(root: &Path, groups: &str, figure: Figure) -> Option<u64> {
    // `hierarchy:controllers:path`; version 2 is hierarchy 0 and names no controllers.
    let lines = groups.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        rest.split_once(':')
    });
    let limits = lines.filter_map(|(controllers, path)| match controllers {
        "" => smallest(root, path, &VERSION_2, figure),
        list if list.split(',').any(|name| name == "memory") => {
            smallest(&root.join("memory"), path, &VERSION_1, figure)
        }
        _ => None,
    });
    limits.min()
}

/// Names of one version's files.
struct Version {
    limit: &'static str,
    usage: &'static str,
    /// Lines of `memory.stat` that count droppable files.
    droppable: [&'static str; 2],
}

const VERSION_1: Version = Version {
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    droppable: ["total_inactive_file", "total_active_file"],
};
const VERSION_2: Version = Version {
    limit: "memory.max",
    usage: "memory.current",
    droppable: ["inactive_file", "active_file"],
};

/// The least `figure` in the group at `path` and the groups around it, up to the mounted root.
///
/// Inside a container the path may be the host's and lead nowhere; the root is the container's own group then.
fn smallest(root: &Path, path: &str, version: &Version, figure: Figure) -> Option<u64> {
    let inside: PathBuf = Path::new(path)
        .components()
        .filter(|part| !matches!(part, std::path::Component::RootDir))
        .collect();
    let group = root.join(inside);
    group
        .ancestors()
        .take_while(|folder| folder.starts_with(root))
        .filter_map(|folder| figure(folder, version))
        .min()
}

/// What is left in one group; `None` without a limit.
fn left(folder: &Path, version: &Version) -> Option<u64> {
    let limit = limit_of(folder, version)?;
    let usage = number(&folder.join(version.usage))?;
    let stat = std::fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let droppable: u64 = stat
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(name, _)| version.droppable.contains(name))
        .filter_map(|(_, value)| value.trim().parse::<u64>().ok())
        .sum();
    Some(limit.saturating_sub(usage.saturating_sub(droppable)))
}

/// The limit of one group; `None` without one.
fn limit_of(folder: &Path, version: &Version) -> Option<u64> {
    // Version 2 writes `max` for no limit, version 1 an enormous number, which the machine's own figure undercuts.
    number(&folder.join(version.limit))
}

fn number(file: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn available_in(root: &Path, groups: &str) -> Option<u64> {
        least_in(root, groups, left)
    }

    fn group(root: &Path, path: &str, files: &[(&str, &str)]) {
        let folder = root.join(path);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in files {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }

    #[test]
    fn the_narrowest_group_decides() {
        let root = tempfile::tempdir().unwrap();
        group(
            root.path(),
            "a",
            &[("memory.max", "1000\n"), ("memory.current", "700\n")],
        );
        group(
            root.path(),
            "a/b",
            &[("memory.max", "max\n"), ("memory.current", "600\n")],
        );
        assert_eq!(available_in(root.path(), "0::/a/b\n"), Some(300));
        assert_eq!(available_in(root.path(), "0::/\n"), None);
        assert_eq!(least_in(root.path(), "0::/a/b\n", limit_of), Some(1_000));
    }

    #[test]
    fn cached_files_count_as_available() {
        let root = tempfile::tempdir().unwrap();
        let stat = "anon 100\ninactive_file 300\nactive_file 200\n";
        group(
            root.path(),
            "",
            &[
                ("memory.max", "1000"),
                ("memory.current", "700"),
                ("memory.stat", stat),
            ],
        );
        assert_eq!(available_in(root.path(), "0::/\n"), Some(800));
        // A host's path that does not exist in the container: the container's root counts.
        assert_eq!(
            available_in(root.path(), "0::/system.slice/docker-1.scope\n"),
            Some(800)
        );
    }

    #[test]
    fn the_first_version_is_understood() {
        let root = tempfile::tempdir().unwrap();
        let files = [
            ("memory.limit_in_bytes", "1000"),
            ("memory.usage_in_bytes", "900"),
            ("memory.stat", "inactive_file 1\ntotal_inactive_file 50\n"),
        ];
        group(root.path(), "memory/job", &files);
        let groups = "9:name=systemd:/\n4:cpu,memory:/job\n3:cpuset:/\n0::/\n";
        assert_eq!(available_in(root.path(), groups), Some(150));
        assert_eq!(available_in(root.path(), "nonsense\n::\n\n"), None);
    }
}
