//! The files of a model folder that say how text becomes tokens.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// Largest text file that is read: the largest `tokenizer.json` in use has some 35 MB.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// The folder where Hugging Face keeps named chat templates beside the default one.
const NAMED_TEMPLATES_FOLDER: &str = "additional_chat_templates";

/// What to do about a file that cannot be used; the end of every message of this module.
pub(super) const DOWNLOAD_AGAIN: &str = "download the model's folder again";

/// The text side of a model folder, as bytes: read from disk, or carried inside the program.
///
/// Only `tokenizer_json` must be there.
#[derive(Debug, Default, Clone)]
pub struct TokenizerFiles<'a> {
    /// `tokenizer.json`: vocabulary, merges, normalizer, pre-tokenizer, decoder.
    pub tokenizer_json: Cow<'a, [u8]>,
    /// `tokenizer_config.json`: the roles of special tokens, often the chat template.
    pub tokenizer_config: Option<Cow<'a, [u8]>>,
    /// `special_tokens_map.json`: the roles of special tokens in older folders.
    pub special_tokens_map: Option<Cow<'a, [u8]>>,
    /// `generation_config.json`: end tokens.
    pub generation_config: Option<Cow<'a, [u8]>>,
    /// `config.json`: end tokens.
    pub config: Option<Cow<'a, [u8]>>,
    /// `chat_template.jinja`.
    pub chat_template_jinja: Option<Cow<'a, [u8]>>,
    /// `chat_template.json`, as processors of image models keep it.
    pub chat_template_json: Option<Cow<'a, [u8]>>,
    /// `additional_chat_templates/*.jinja`, by name without the ending.
    pub named_templates: BTreeMap<String, Cow<'a, [u8]>>,
}

impl TokenizerFiles<'static> {
    /// Reads the files of a model folder.
    ///
    /// # Errors
    /// If `tokenizer.json` is missing, or a file cannot be read or is far too large.
    pub fn read(folder: &Path) -> Result<Self> {
        let optional = |name: &str| read_file(&folder.join(name));
        let Some(tokenizer_json) = optional("tokenizer.json")? else {
            bail!(missing_tokenizer(folder));
        };
        Ok(Self {
            tokenizer_json: tokenizer_json.into(),
            tokenizer_config: optional("tokenizer_config.json")?.map(Cow::from),
            special_tokens_map: optional("special_tokens_map.json")?.map(Cow::from),
            generation_config: optional("generation_config.json")?.map(Cow::from),
            config: optional("config.json")?.map(Cow::from),
            chat_template_jinja: optional("chat_template.jinja")?.map(Cow::from),
            chat_template_json: optional("chat_template.json")?.map(Cow::from),
            named_templates: read_named_templates(&folder.join(NAMED_TEMPLATES_FOLDER))?,
        })
    }
}

/// Why a folder has no `tokenizer.json`, and what can be done, in one sentence.
fn missing_tokenizer(folder: &Path) -> String {
    let shown = folder.display();
    if !folder.is_dir() {
        return format!("there is no model folder at {shown}; check the path");
    }
    let older = ["tokenizer.model", "spiece.model", "vocab.json"]
        .into_iter()
        .find(|name| folder.join(name).exists());
    match older {
        Some(name) => format!(
            "{shown} has {name} but no tokenizer.json, the only form read here; take a newer upload of the model, or make the file \
             once in Python: transformers.AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)"
        ),
        None => format!("{shown} has no tokenizer.json; {DOWNLOAD_AGAIN}"),
    }
}

/// A file's bytes; `None` if there is no such file.
fn read_file(path: &Path) -> Result<Option<Vec<u8>>> {
    let size = match fs::metadata(path) {
        Ok(found) if found.is_file() => found.len(),
        Ok(_) => bail!("{} is not a file; {DOWNLOAD_AGAIN}", path.display()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) if e.kind() == std::io::ErrorKind::NotADirectory => return Ok(None),
        Err(e) => return Err(e).with_context(|| format!("cannot read {}", path.display())),
    };
    ensure!(
        size <= MAX_FILE_BYTES,
        "{} has {size} bytes, more than the {MAX_FILE_BYTES} that such a file may have; {DOWNLOAD_AGAIN}",
        path.display()
    );
    fs::read(path)
        .map(Some)
        .with_context(|| format!("cannot read {}", path.display()))
}

/// The named templates of a folder; none if it does not exist.
fn read_named_templates(folder: &Path) -> Result<BTreeMap<String, Cow<'static, [u8]>>> {
    let mut templates = BTreeMap::new();
    if !folder.is_dir() {
        return Ok(templates);
    }
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry
            .with_context(|| format!("cannot read {}", folder.display()))?
            .path();
        let is_template = path.extension().is_some_and(|ending| ending == "jinja");
        let Some(name) = path.file_stem().filter(|_| is_template) else {
            continue;
        };
        if let Some(bytes) = read_file(&path)? {
            templates.insert(name.to_string_lossy().into_owned(), bytes.into());
        }
    }
    Ok(templates)
}

/// A JSON file of the folder as an object; an absent file counts as an empty object.
///
/// # Errors
/// If the file is empty or holds anything but a JSON object.
pub(super) fn parse_object(name: &str, bytes: Option<&[u8]>) -> Result<Value> {
    let Some(bytes) = bytes else {
        return Ok(Value::Object(serde_json::Map::new()));
    };
    ensure!(
        !bytes.iter().all(u8::is_ascii_whitespace),
        "{name} is empty; {DOWNLOAD_AGAIN}"
    );
    let value: Value = serde_json::from_slice(bytes)
        .with_context(|| format!("{name} is not valid JSON; {DOWNLOAD_AGAIN}"))?;
    ensure!(
        value.is_object(),
        "{name} holds no JSON object; {DOWNLOAD_AGAIN}"
    );
    Ok(value)
}

/// A text file of the folder.
///
/// # Errors
/// If it is not UTF-8.
pub(super) fn parse_text(name: &str, bytes: &[u8]) -> Result<String> {
    String::from_utf8(bytes.to_vec())
        .with_context(|| format!("{name} is not UTF-8 text; {DOWNLOAD_AGAIN}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(folder: &Path) -> String {
        TokenizerFiles::read(folder)
            .expect_err("the folder is bad")
            .to_string()
    }

    #[test]
    fn a_folder_without_tokenizer_json_is_told_what_it_lacks() {
        let folder = tempfile::tempdir().unwrap();
        assert!(error_of(folder.path()).contains("has no tokenizer.json; download"));
        fs::write(folder.path().join("tokenizer.model"), "x").unwrap();
        let said = error_of(folder.path());
        assert!(
            said.contains("tokenizer.model") && said.contains("save_pretrained"),
            "{said}"
        );
        assert!(error_of(&folder.path().join("nowhere")).contains("no model folder at"));
    }

    #[test]
    fn a_folder_in_place_of_a_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tokenizer.json")).unwrap();
        assert!(error_of(folder.path()).contains("tokenizer.json is not a file"));
    }

    #[test]
    fn named_templates_are_found_by_their_file_names() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
        fs::create_dir(folder.path().join(NAMED_TEMPLATES_FOLDER)).unwrap();
        let template = folder
            .path()
            .join(NAMED_TEMPLATES_FOLDER)
            .join("tool_use.jinja");
        fs::write(template, "hello").unwrap();
        let files = TokenizerFiles::read(folder.path()).unwrap();
        assert_eq!(files.named_templates["tool_use"].as_ref(), b"hello");
    }

    #[test]
    fn empty_and_broken_json_are_named() {
        let said = |bytes: &[u8]| {
            format!(
                "{:#}",
                parse_object("config.json", Some(bytes)).unwrap_err()
            )
        };
        assert!(said(b"").contains("config.json is empty"));
        assert!(said(b"{\"a\":").contains("config.json is not valid JSON"));
        assert!(said(b"[]").contains("config.json holds no JSON object"));
    }
}
