//! Texts that come from outside: dropped files and long pastes. They are read on threads of their
//! own, and the engine counts their tokens; no frame waits for either.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::{panic, thread};

use anyhow::{Context as _, Result, bail, ensure};

use super::App;
use crate::chat::MessageId;
use crate::engine::message::{Action, Envelope, Event, RequestId, SessionId};
use crate::engine::question::{Question, Told};
use crate::ui::chat::{Attached, Attachment, LONG_TEXT};

/// The session that counts.
const COUNTER: SessionId = SessionId(41);
/// Larger files are not read.
const MOST_BYTES: u64 = 64 << 20;
/// Longer texts are refused: no model reads as much.
const MOST_LETTERS: usize = 8_000_000;

/// A text that was read, or why not.
type WasRead = (u64, Result<String>);

/// What tokens are counted of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    /// An attached text.
    Attachment(u64),
    /// A message.
    Message(MessageId),
}

/// The threads that read, and the questions that count.
#[derive(Debug)]
pub struct Intake {
    next: u64,
    sender: Sender<WasRead>,
    arrived: Receiver<WasRead>,
    counting: Vec<(RequestId, Counted)>,
    n_reading: usize,
}

impl Default for Intake {
    fn default() -> Self {
        let (sender, arrived) = channel();
        Self {
            next: 0,
            sender,
            arrived,
            counting: Vec::new(),
            n_reading: 0,
        }
    }
}

impl Intake {
    /// Whether nothing is read and nothing counted.
    pub fn is_idle(&self) -> bool {
        self.n_reading == 0 && self.counting.is_empty()
    }
}

impl App {
    /// Reads a file that is to go with the next question.
    pub(super) fn attach_file(&mut self, path: PathBuf) {
        let name = path.file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        let id = self.begin_attachment(name);
        let sender = self.chat.intake.sender.clone();
        let wake = self.chat.wake.clone();
        let read = move || {
            let text = read_file(&path);
            // Nobody waits for it once the window is closed.
            let _ = sender.send((id, text));
            wake();
        };
        let thread = thread::Builder::new().name("chat-file".to_owned());
        match thread.spawn(read) {
            Ok(_) => self.chat.intake.n_reading += 1,
            Err(error) => self.set_attachment(id, Attached::Failed(error.to_string())),
        }
    }

    /// Takes a long text that is to go with the next question.
    pub(super) fn attach_text(&mut self, name: String, text: String) {
        let id = self.begin_attachment(name);
        self.attachment_was_read(id, text);
    }

    /// Takes in what was read and counted.
    pub(super) fn take_intake(&mut self) {
        while let Ok((id, read)) = self.chat.intake.arrived.try_recv() {
            self.chat.intake.n_reading = self.chat.intake.n_reading.saturating_sub(1);
            match read {
                Ok(text) => self.attachment_was_read(id, text),
                Err(error) => self.set_attachment(id, Attached::Failed(format!("{error:#}"))),
            }
        }
        for Envelope { id, event } in self.link.events(COUNTER) {
            if !event.is_last() {
                continue;
            }
            let counting = &mut self.chat.intake.counting;
            let Some(at) = counting.iter().position(|(request, _)| *request == id) else {
                continue;
            };
            let (_, counted) = counting.remove(at);
            let Event::Told(told) = event else { continue };
            match (*told, counted) {
                (Told::Count(n), Counted::Attachment(id)) => self.attachment_was_counted(id, n),
                (Told::Count(n), Counted::Message(id)) => {
                    self.chat.state.counts.insert(id, n);
                }
                _ => {}
            }
        }
    }

    /// Has the tokens of a message counted, if it is long: the page counts short ones.
    pub(super) fn count_message(&mut self, id: MessageId) {
        let message = self.chat.state.conversation().message(id);
        let long = message.filter(|message| message.text.len() > LONG_TEXT);
        if let Some(text) = long.map(|message| message.text.clone()) {
            self.count(Counted::Message(id), text);
        }
    }

    /// Counts again: another model splits texts otherwise.
    pub(in crate::app) fn count_again(&mut self) {
        self.chat.state.counts.clear();
        let mut texts = Vec::new();
        for attachment in &mut self.chat.state.attachments {
            if let Attached::Ready { text, n_tokens } = &mut attachment.state {
                *n_tokens = None;
                texts.push((attachment.id, text.clone()));
            }
        }
        for (id, text) in texts {
            self.count(Counted::Attachment(id), text);
        }
        self.count_last();
    }

    /// Counts the last message on view, where no answer tells.
    pub(super) fn count_last(&mut self) {
        let branch = self.chat.state.conversation().branch();
        let last = branch.last().filter(|last| last.reply.is_none());
        if let Some(id) = last.map(|last| last.id) {
            self.count_message(id);
        }
    }

    fn count(&mut self, what: Counted, text: String) {
        let question = Question::CountTokens {
            model: Some(self.model.clone()),
            text,
        };
        let action = Action::Ask(Box::new(question));
        if let Some((request, _)) = self.link.request(COUNTER, "count tokens", action) {
            self.chat.intake.counting.push((request, what));
        }
    }

    /// The question with every text that goes with it. What could not be read stays, with its reason,
    /// until it is let go.
    pub(super) fn with_attachments(&mut self, text: &str) -> String {
        let mut whole = text.trim_end().to_owned();
        for attachment in std::mem::take(&mut self.chat.state.attachments) {
            let Attached::Ready { text, .. } = &attachment.state else {
                self.chat.state.attachments.push(attachment);
                continue;
            };
            if !whole.is_empty() {
                whole.push_str("\n\n");
            }
            whole.push_str(&format!("[{}]\n{text}\n", attachment.name));
        }
        whole
    }

    fn begin_attachment(&mut self, name: String) -> u64 {
        self.chat.intake.next += 1;
        let id = self.chat.intake.next;
        self.chat.state.attachments.push(Attachment {
            id,
            name,
            state: Attached::Reading,
        });
        id
    }

    fn attachment_was_read(&mut self, id: u64, text: String) {
        let n_tokens = None;
        let counted = text.clone();
        self.set_attachment(id, Attached::Ready { text, n_tokens });
        self.count(Counted::Attachment(id), counted);
    }

    fn attachment_was_counted(&mut self, id: u64, n: usize) {
        let attachments = &mut self.chat.state.attachments;
        let found = attachments.iter_mut().find(|one| one.id == id);
        if let Some(Attachment {
            state: Attached::Ready { n_tokens, .. },
            ..
        }) = found
        {
            *n_tokens = Some(n);
        }
    }

    fn set_attachment(&mut self, id: u64, state: Attached) {
        let attachments = &mut self.chat.state.attachments;
        if let Some(found) = attachments.iter_mut().find(|one| one.id == id) {
            found.state = state;
        }
    }
}

/// The text of a text file or of a PDF.
fn read_file(path: &Path) -> Result<String> {
    let cannot = || format!("cannot read {}", path.display());
    let about = fs::metadata(path).with_context(cannot)?;
    ensure!(!about.is_dir(), "this is a folder: drop files");
    ensure!(
        about.is_file() && about.len() <= MOST_BYTES,
        "this is too large to be read ({} MB; at most {} MB): drop a part of it",
        about.len() >> 20,
        MOST_BYTES >> 20
    );
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(cannot)?;
    // It may grow meanwhile.
    file.take(MOST_BYTES)
        .read_to_end(&mut bytes)
        .with_context(cannot)?;
    let text = match bytes.starts_with(b"%PDF") {
        true => text_of_pdf(&bytes)?,
        false => String::from_utf8(bytes)
            .ok()
            .context("this is neither UTF-8 text nor a PDF: convert it to text first")?,
    };
    let text = text.replace('\0', "");
    ensure!(
        text.chars().nth(MOST_LETTERS).is_none(),
        "this has more than {} million characters, more than any model reads: drop a part of it",
        MOST_LETTERS / 1_000_000
    );
    ensure!(
        !text.trim().is_empty(),
        "there is no text in it: a scan has pictures of its pages only"
    );
    Ok(text)
}

/// The text of a PDF. A file that the reader stumbles over is a failure like any other.
fn text_of_pdf(bytes: &[u8]) -> Result<String> {
    let read = panic::catch_unwind(|| pdf_extract::extract_text_from_mem(bytes));
    match read {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(error)) => bail!("this PDF cannot be read ({error}): save its text, and drop that"),
        Err(_) => bail!("this PDF cannot be read: save its text, and drop that"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with these bytes, read.
    fn read(bytes: &[u8]) -> Result<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a file");
        fs::write(&path, bytes).unwrap();
        read_file(&path)
    }

    /// A PDF of one page that says `text`.
    fn pdf(text: &str) -> Vec<u8> {
        let page = format!("BT /F1 24 Tf 72 700 Td ({text}) Tj ET");
        let objects = [
            "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources \
             << /Font << /F1 5 0 R >> >> >>"
                .to_owned(),
            format!("<< /Length {} >>\nstream\n{page}\nendstream", page.len()),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
                .to_owned(),
        ];
        let mut file = b"%PDF-1.4\n".to_vec();
        let mut places = Vec::new();
        for (number, object) in objects.iter().enumerate() {
            places.push(file.len());
            file.extend(format!("{} 0 obj\n{object}\nendobj\n", number + 1).bytes());
        }
        let start = file.len();
        file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
        for place in places {
            file.extend(format!("{place:010} 00000 n \n").bytes());
        }
        let size = objects.len() + 1;
        let trailer =
            format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
        file.extend(trailer.bytes());
        file
    }

    #[test]
    fn text_and_pdf_files_are_read() {
        assert_eq!(read("héllo\n".as_bytes()).unwrap(), "héllo\n");
        let text = read(&pdf("Attention is a weighted sum")).unwrap();
        assert!(text.contains("Attention is a weighted sum"), "{text:?}");
    }

    #[test]
    fn what_cannot_be_read_is_told_in_a_sentence() {
        for (bytes, says) in [
            (&b"\xff\xfe\x00binary"[..], "neither UTF-8 text nor a PDF"),
            (b"  \n ", "there is no text in it"),
            (b"%PDF-1.7 and nothing else", "this PDF cannot be read"),
            (
                b"%PDF-1.7\n1 0 obj << /Type /Catalog /Pages 9 0 R",
                "this PDF cannot be read",
            ),
        ] {
            let told = read(bytes).unwrap_err().to_string();
            assert!(told.contains(says), "{told}");
        }
        let missing = read_file(Path::new("/no/such/file")).unwrap_err();
        assert!(missing.to_string().contains("cannot read"), "{missing}");
    }
}
