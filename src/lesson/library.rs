//! All lessons: those that the program carries, and those of folders of one's own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::carried::CARRIED;
use super::parts::Lesson;
use super::problem::{Place, Problem};
use super::read::{MOST_BYTES, read};

/// Most files of a folder that are read as lessons.
const MOST_FILES: usize = 500;

/// Lessons, and what is wrong with those that cannot be read.
#[derive(Debug, Default)]
pub struct Library {
    carried: Vec<Entry>,
    folders: Vec<Folder>,
}

/// A file that holds a lesson, or should.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The name of the file, without `.md`.
    pub name: String,
    /// The lesson, or what is wrong with it.
    pub lesson: Result<Lesson, Vec<Problem>>,
}

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    files: BTreeMap<PathBuf, Known>,
}

#[derive(Debug)]
struct Known {
    stamp: Stamp,
    entry: Entry,
}

/// A file that has changed has another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
}

impl Library {
    /// The lessons that the program carries.
    #[must_use]
    pub fn carried() -> Self {
        let entry = |(name, text): &(&str, &str)| entry(name, &format!("lessons/{name}.md"), text);
        Self {
            carried: CARRIED.iter().map(entry).collect(),
            folders: Vec::new(),
        }
    }

    /// Adds the lessons of a folder: every `.md` in it that begins with a head.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn add_folder(&mut self, path: &Path) -> std::io::Result<()> {
        fs::read_dir(path)?;
        if self.folders.iter().all(|folder| folder.path != path) {
            self.folders.push(Folder {
                path: path.to_owned(),
                files: BTreeMap::new(),
            });
        }
        self.refresh();
        Ok(())
    }

    /// Leaves the lessons of a folder out.
    pub fn remove_folder(&mut self, path: &Path) {
        self.folders.retain(|folder| folder.path != path);
    }

    /// Reads files again that have changed, and finds new ones; the names of those that changed.
    /// Cheap when nothing did: it looks at times and sizes alone.
    pub fn refresh(&mut self) -> Vec<String> {
        self.folders.iter_mut().flat_map(Folder::refresh).collect()
    }

    /// Every file: those of the program and then those of the folders, each by the order its lesson
    /// asks for, so that a lesson of one's own does not renumber the others. Those that cannot be
    /// read come last.
    #[must_use]
    pub fn entries(&self) -> Vec<&Entry> {
        let own = self.folders.iter().flat_map(|folder| folder.files.values());
        let mut own: Vec<&Entry> = own.map(|known| &known.entry).collect();
        let mut entries: Vec<&Entry> = self.carried.iter().collect();
        let order = |entry: &Entry| {
            entry
                .lesson
                .as_ref()
                .map_or(f64::INFINITY, |lesson| lesson.order)
        };
        for part in [&mut entries, &mut own] {
            part.sort_by(|a, b| order(a).total_cmp(&order(b)));
        }
        entries.append(&mut own);
        entries
    }

    /// Every lesson, in order.
    pub fn lessons(&self) -> impl Iterator<Item = &Lesson> {
        self.entries()
            .into_iter()
            .filter_map(|entry| entry.lesson.as_ref().ok())
    }

    /// The lesson called `name`; one of a folder goes before one that the program carries.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Entry> {
        let own = self.folders.iter().flat_map(|folder| folder.files.values());
        let mut all = own.map(|known| &known.entry).chain(&self.carried);
        all.find(|entry| entry.name == name)
    }
}

impl Folder {
    fn refresh(&mut self) -> Vec<String> {
        let mut found = BTreeMap::new();
        let mut changed = Vec::new();
        for (path, stamp) in lesson_files(&self.path) {
            let known = self
                .files
                .remove(&path)
                .filter(|known| known.stamp == stamp);
            let known = known.or_else(|| {
                let entry = open(&path, stamp.length)?;
                changed.push(entry.name.clone());
                Some(Known { stamp, entry })
            });
            found.extend(known.map(|known| (path, known)));
        }
        let gone = self.files.values().map(|known| known.entry.name.clone());
        let gone: Vec<String> = gone.filter(|name| !changed.contains(name)).collect();
        self.files = found;
        changed.extend(gone);
        changed
    }
}

fn lesson_files(folder: &Path) -> Vec<(PathBuf, Stamp)> {
    let Ok(files) = fs::read_dir(folder) else {
        return Vec::new(); // the folder is gone: so are its lessons
    };
    let paths = files.flatten().map(|file| file.path());
    let is_lesson = |path: &PathBuf| path.extension().is_some_and(|end| end == "md");
    let stamped = paths.filter(is_lesson).filter_map(|path| {
        let data = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
        let stamp = Stamp {
            modified: data.modified().ok(),
            length: data.len(),
        };
        Some((path, stamp))
    });
    let mut found: Vec<_> = stamped.take(MOST_FILES).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// The lesson in a file; `None` if the file does not begin as a lesson does.
fn open(path: &Path, length: u64) -> Option<Entry> {
    let file = path.display().to_string();
    let name = path
        .file_stem()
        .map(|name| name.to_string_lossy().into_owned())?;
    let failed = |message: String| Entry {
        name: name.clone(),
        lesson: Err(vec![Problem {
            file: file.clone(),
            place: Place { line: 1, column: 1 },
            message,
        }]),
    };
    if length > MOST_BYTES as u64 {
        return Some(failed(format!("a lesson has at most {MOST_BYTES} bytes")));
    }
    match fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => Some(failed(
            "the file is empty; a lesson begins with a line '+++', its head in TOML, and another line '+++'"
                .to_owned(),
        )),
        // Something before the head, even a blank line, is a mistake that the reader tells.
        Ok(text)
            if text
                .trim_start_matches('\u{feff}')
                .trim_start()
                .starts_with("+++") =>
        {
            Some(entry(&name, &file, &text))
        }
        Ok(_) => None,
        Err(error) => Some(failed(format!(
            "the file cannot be read as UTF-8 text: {error}"
        ))),
    }
}

fn entry(name: &str, file: &str, text: &str) -> Entry {
    Entry {
        name: name.to_owned(),
        lesson: read(name, file, text),
    }
}
