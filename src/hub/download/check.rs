//! Whether a file is what the hub said it is.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::hub::remote::{Expected, RemoteFile};

/// Bytes read at once.
const BLOCK: usize = 1 << 20;

/// What is wrong with the file at `path`; `None` if it is the one expected. `go_on` is asked between blocks, with
/// the bytes read so far; `Interrupted` if it says no.
///
/// # Errors
/// If the file cannot be read, or `go_on` says no.
pub fn difference(
    path: &Path,
    file: &RemoteFile,
    mut go_on: impl FnMut(u64) -> bool,
) -> io::Result<Option<String>> {
    let mut content = File::open(path)?;
    let n_bytes = content.metadata()?.len();
    if n_bytes != file.bytes {
        return Ok(Some(format!("{n_bytes} bytes instead of {}", file.bytes)));
    }
    let mut read = |update: &mut dyn FnMut(&[u8])| -> io::Result<()> {
        let mut block = vec![0; BLOCK];
        let mut n_read = 0u64;
        loop {
            let n = content.read(&mut block)?;
            update(block.get(..n).unwrap_or_default());
            n_read += n as u64;
            if n == 0 {
                return Ok(());
            }
            if !go_on(n_read) {
                return Err(io::ErrorKind::Interrupted.into());
            }
        }
    };
    let (name, found) = match &file.expected {
        Expected::Sha256(_) => {
            let mut hash = Sha256::new();
            read(&mut |bytes| hash.update(bytes))?;
            ("SHA-256", hex(&hash.finalize()))
        }
        Expected::GitSha1(_) => {
            // Git hashes a blob after a header of its kind and length.
            let mut hash = Sha1::new();
            hash.update(format!("blob {n_bytes}\0"));
            read(&mut |bytes| hash.update(bytes))?;
            ("Git SHA-1", hex(&hash.finalize()))
        }
    };
    let expected = file.expected.hex();
    Ok((found != expected).then(|| format!("its {name} is {found}, not {expected}")))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: u64, expected: Expected) -> RemoteFile {
        RemoteFile {
            name: "x".to_owned(),
            bytes,
            expected,
        }
    }

    #[test]
    fn both_hashes_of_the_hub_are_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, "hello\n").unwrap();
        let check = |expected| difference(&path, &file(6, expected), |_| true).unwrap();
        // `printf 'hello\n' | sha256sum` and `git hash-object`.
        let sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        let git = "ce013625030ba8dba906f756967f9e9ca394464a";
        assert_eq!(check(Expected::Sha256(sha256.to_owned())), None);
        assert_eq!(check(Expected::GitSha1(git.to_owned())), None);
        let wrong = check(Expected::Sha256("0".repeat(64))).unwrap();
        assert!(
            wrong.contains("SHA-256") && wrong.contains(sha256),
            "{wrong}"
        );
        let short = difference(&path, &file(7, Expected::GitSha1(git.to_owned())), |_| true);
        assert_eq!(short.unwrap().unwrap(), "6 bytes instead of 7");
        let stopped = difference(&path, &file(6, Expected::GitSha1(git.to_owned())), |_| {
            false
        });
        assert_eq!(stopped.unwrap_err().kind(), io::ErrorKind::Interrupted);
    }
}
