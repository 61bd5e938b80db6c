//! What went wrong while wheels were installed, each as one sentence that says what to do.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::choice::Wheels;

/// What pip says when it has no way to the package index.
const NO_NETWORK: [&str; 11] = [
    "establish a new connection",
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ProtocolError",
    "ProxyError",
    "Read timed out",
    "Connection reset",
    "Network is unreachable",
    "Failed to connect to",
];

/// There is no Python at all.
pub fn no_python(wheels: &Wheels, python: &OsStr, error: &io::Error) -> String {
    format!(
        "There is no Python to fetch {} with (`{}`: {error}): install it with pip (Debian and Ubuntu: `sudo apt-get install python3-pip`); {}.",
        wheel(wheels),
        python.display(),
        wheels.instead()
    )
}

/// The Python there is has neither pip nor what it takes to make it (Debian keeps both in packages of their own).
pub fn no_pip(wheels: &Wheels, python: &OsStr) -> String {
    format!(
        "`{}` has no pip to fetch {} with: install it (Debian and Ubuntu: `sudo apt-get install python3-pip`); {}.",
        python.display(),
        wheel(wheels),
        wheels.instead()
    )
}

/// A download or an unpacking failed; `said` is all it printed.
pub fn pip(wheels: &Wheels, home: &Path, said: &str) -> String {
    let mentions = |signs: &[&str]| signs.iter().any(|sign| said.contains(sign));
    let (wheel, instead) = (wheel(wheels), wheels.instead());
    if mentions(&["No space left on device", "Disk quota exceeded"]) {
        return disk_is_full(wheels, home);
    }
    // The network comes before the wheel: without one, pip ends with "No matching distribution" too.
    if mentions(&["CERTIFICATE_VERIFY_FAILED", "SSLError"]) {
        return format!(
            "pip does not trust the package index's certificate, so {wheel} cannot be fetched: check the machine's clock and its certificates (Debian and Ubuntu: `sudo apt-get install ca-certificates`; PIP_CERT names one of your own); {instead}."
        );
    }
    if mentions(&NO_NETWORK) {
        return format!(
            "The package index cannot be reached to fetch {wheel}: connect to the network and build again (pip's index and proxy settings count; PIP_FIND_LINKS can name a folder that has the wheel); {instead}."
        );
    }
    if mentions(&["No matching distribution", "not a supported wheel"]) {
        return format!(
            "The package index has no {wheel} for this machine: use Linux on x86-64 or 64-bit Arm with glibc 2.35 or newer (Debian 12, Ubuntu 22.04), and an index that carries it; {instead}."
        );
    }
    let reason = said
        .lines()
        .rev()
        .find(|line| line.contains("rror"))
        .map_or("it gives no reason", str::trim);
    format!("pip cannot fetch {wheel} ({reason}): mend that and build again; {instead}.")
}

/// A wheel does not hold what it should.
pub fn odd_wheel(wheels: &Wheels) -> String {
    format!(
        "The wheel of {} is not as expected (no `{}`, or a file of another size than it lists): build again, or ask whoever runs your package index; {}.",
        wheel(wheels),
        wheels.proof,
        wheels.instead()
    )
}

/// A folder or file cannot be made, moved or removed in `home`.
pub fn file_operation(wheels: &Wheels, home: &Path, error: &io::Error) -> String {
    if matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    ) {
        return disk_is_full(wheels, home);
    }
    format!(
        "{} cannot be installed in {} ({error}): make the folder writable, or choose another target folder with CARGO_TARGET_DIR.",
        wheel(wheels),
        home.display()
    )
}

fn disk_is_full(wheels: &Wheels, home: &Path) -> String {
    format!(
        "The disk that holds {} is full: {} needs about {} there, so make room, or choose a target folder on another disk with CARGO_TARGET_DIR.",
        home.display(),
        wheel(wheels),
        wheels.room
    )
}

fn wheel(wheels: &Wheels) -> String {
    format!("{} {}", wheels.package, wheels.version())
}
