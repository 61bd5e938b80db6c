//! Installs Python wheels into a folder of their own, without touching the system.
//!
//! pip only *downloads* here, so what it would do to an installation (PEP 668, `--user`, `--target` and the like, from
//! the environment or pip.conf) has no bearing, while index, proxy, certificates, cache and `find-links` are the
//! user's. A wheel is a zip file, and unpacking it is all that installing a library takes.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::choice::Wheels;
use crate::explain;

/// Written last into an installed folder: what was installed, for which machine.
const STAMP: &str = "installed.txt";

/// Ends of folder names, after the wheel's name, from which pip moves files to the top when it installs.
const LIBRARY_PARTS: [&str; 2] = [".data/platlib/", ".data/purelib/"];

/// What is to be installed, where, and with what.
#[derive(Debug, Clone, Copy)]
pub struct Installation<'a> {
    /// The wheels that are wanted.
    pub wheels: &'a Wheels,
    /// The folder that holds each set of wheels in a folder of its own (`choice::home`).
    pub home: &'a Path,
    /// The machine that is built for, as Rust names it.
    pub triple: &'a str,
    /// The Python to download with.
    pub python: &'a OsStr,
}

impl Installation<'_> {
    /// Makes sure that the wheels are installed, and returns their folder.
    ///
    /// A folder that is whole and of the right version is kept; any other is replaced in one step by a new one, so that
    /// an installation that was interrupted or damaged repairs itself. Two builds at once take turns.
    ///
    /// # Errors
    /// One sentence that says what is missing and what to do about it.
    pub fn ensure(&self) -> Result<PathBuf, String> {
        let told = |error: io::Error| explain::file_operation(self.wheels, self.home, &error);
        let _lock = self.lock().map_err(told)?;
        let folder = self.home.join(self.wheels.folder);
        if self.is_whole(&folder) {
            return Ok(folder);
        }
        let scratch = self.home.join(format!("{}.partial", self.wheels.folder));
        let unpacked = scratch.join("unpacked");
        remove(&scratch).map_err(told)?;
        fs::create_dir_all(&unpacked).map_err(told)?;

        self.fill(&unpacked, &scratch)?;
        spread_library_parts(&unpacked).map_err(told)?;
        fs::write(unpacked.join(STAMP), self.stamp()).map_err(told)?;
        if !self.is_whole(&unpacked) {
            return Err(explain::odd_wheel(self.wheels));
        }
        date_back(&unpacked.join(self.wheels.proof)).map_err(told)?;
        // A program that runs from the old folder keeps its files until it ends.
        remove(&folder).map_err(told)?;
        fs::rename(&unpacked, &folder).map_err(told)?;
        remove(&scratch).map_err(told)?;
        Ok(folder)
    }

    /// Waits for other builds that install into the same folder; they wait for as long as the result lives.
    fn lock(&self) -> io::Result<File> {
        fs::create_dir_all(self.home)?;
        let lock = File::create(self.home.join("lock"))?;
        match lock.lock() {
            // Some network file systems have no locks, and a single build needs none.
            Err(error) if error.kind() != ErrorKind::Unsupported => Err(error),
            _ => Ok(lock),
        }
    }

    /// Downloads the wheels and unpacks them into `folder`.
    fn fill(&self, folder: &Path, scratch: &Path) -> Result<(), String> {
        let downloads = scratch.join("wheels");
        let python = self.python_with_pip(scratch)?;
        self.run(
            self.pip_download(&python, &downloads)
                // pip's own scratch files: /tmp is often too small for CUDA's libraries.
                .env("TMPDIR", scratch),
        )?;
        let wheels = fs::read_dir(&downloads)
            .map_err(|error| explain::file_operation(self.wheels, self.home, &error))?;
        for wheel in wheels.flatten() {
            let mut unzip = Command::new(&python);
            unzip.args(["-m", "zipfile", "-e"]);
            self.run(unzip.arg(wheel.path()).arg(folder))?;
        }
        Ok(())
    }

    /// A Python that has pip: the one given, or a virtual environment made with it in `scratch`.
    fn python_with_pip(&self, scratch: &Path) -> Result<PathBuf, String> {
        let mut pip = Command::new(self.python);
        match pip.args(["-m", "pip", "--version"]).output() {
            Err(error) => return Err(explain::no_python(self.wheels, self.python, &error)),
            Ok(output) if output.status.success() => return Ok(PathBuf::from(self.python)),
            Ok(_) => {}
        }
        let environment = scratch.join("python");
        let mut venv = Command::new(self.python);
        let made = venv.args(["-m", "venv"]).arg(&environment).output();
        if made.is_ok_and(|output| output.status.success()) {
            return Ok(environment.join("bin/python3"));
        }
        Err(explain::no_pip(self.wheels, self.python))
    }

    /// The command that downloads the wheels, as the user's pip settings say.
    fn pip_download(&self, python: &Path, downloads: &Path) -> Command {
        let mut pip = Command::new(python);
        pip.args(["-m", "pip", "download", "--only-binary=:all:", "--no-input"])
            .args(["--disable-pip-version-check", "--progress-bar=off"])
            .arg("--dest")
            .arg(downloads)
            .arg(format!(
                "{}=={}",
                self.wheels.package,
                self.wheels.version()
            ));
        if !self.wheels.with_dependencies {
            pip.arg("--no-deps");
        }
        // Settings that fit the user's own installations and would stand in the way of this one.
        pip.env("PIP_REQUIRE_VIRTUALENV", "0")
            .env("PIP_REQUIRE_HASHES", "0")
            .env("PIP_NO_DEPS", "0");
        for other in ["PIP_REQUIREMENT", "PIP_CONSTRAINT", "PIP_PYTHON"] {
            pip.env_remove(other);
        }
        pip
    }

    /// Runs a command; if it fails, keeps what it said in a log and tells it in a sentence.
    fn run(&self, command: &mut Command) -> Result<(), String> {
        let output = command
            .output()
            .map_err(|error| explain::file_operation(self.wheels, self.home, &error))?;
        if output.status.success() {
            return Ok(());
        }
        let said =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        let mut sentence = explain::pip(self.wheels, self.home, &said);
        let log = self.home.join("pip.log");
        if fs::write(&log, said.as_bytes()).is_ok() {
            sentence += &format!(" All that pip said is in {}.", log.display());
        }
        Err(sentence)
    }

    fn stamp(&self) -> String {
        let Wheels { package, .. } = self.wheels;
        format!("{package} {} {}\n", self.wheels.version(), self.triple)
    }

    /// Whether `folder` holds what is wanted, with every file in its full size.
    fn is_whole(&self, folder: &Path) -> bool {
        fs::read_to_string(folder.join(STAMP)).is_ok_and(|stamp| stamp == self.stamp())
            && folder.join(self.wheels.proof).is_file()
            && records_agree(folder).unwrap_or(false)
    }
}

/// Whether each file that the wheels' `RECORD`s list is there in its size.
fn records_agree(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let record = entry?.path().join("RECORD");
        if !record.is_file() {
            continue;
        }
        // One line per file: path,hash,size. The line of RECORD itself has no size.
        for line in fs::read_to_string(record)?.lines() {
            let mut fields = line.rsplitn(3, ',');
            let size = fields.next().and_then(|size| size.parse::<u64>().ok());
            let (Some(size), Some(path)) = (size, fields.nth(1)) else {
                continue;
            };
            let path = LIBRARY_PARTS
                .iter()
                .find_map(|part| path.split_once(part))
                .map_or(path, |(_, place)| place);
            // A path with a comma in it is quoted.
            let file = fs::metadata(folder.join(path.trim_matches('"')));
            if file.map(|file| file.len()).ok() != Some(size) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Moves what a wheel keeps in [`LIBRARY_PARTS`] to where pip would install it: beside the rest.
fn spread_library_parts(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some(wheel) = name.to_str().and_then(|name| name.strip_suffix(".data")) else {
            continue;
        };
        for part in LIBRARY_PARTS.map(|part| folder.join(format!("{wheel}{part}"))) {
            if part.is_dir() {
                merge(&part, folder)?;
            }
        }
    }
    Ok(())
}

/// Moves the content of `from` into `to`, which may have folders of the same names.
fn merge(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if place.is_dir() {
            merge(&entry.path(), &place)?;
        } else {
            fs::rename(entry.path(), place)?;
        }
    }
    Ok(())
}

/// Dates a file back. Cargo runs a build script again when a file it watches is newer than the script's last start,
/// and this one has just been made by the script.
fn date_back(file: &Path) -> io::Result<()> {
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    File::options()
        .write(true)
        .open(file)?
        .set_modified(long_ago)
}

/// Removes a folder with all it holds, if it is there.
fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
