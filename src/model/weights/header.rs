//! The header of a safetensors file: eight bytes of length, then JSON with each tensor's type, shape and place.
//!
//! Nothing here is trusted: the length is compared with the file before any memory is asked for, the places
//! must cover the data without gap or overlap, and the data must end where the file ends.

use std::fmt;

use safetensors::SafeTensorError;
use safetensors::tensor::{Metadata, TensorInfo as Entry};
use serde::Deserializer;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};

use super::error::WeightsError;
use super::source::Source;

/// The `safetensors` crate's own limit; a 70-billion model's header has some 100 kB.
const MAX_HEADER_BYTES: u64 = 100_000_000;
const LENGTH_BYTES: u64 = 8;

/// What a header says, checked.
#[derive(Debug)]
pub(super) struct Header {
    /// Where the data begin in the file.
    pub(super) data_start: u64,
    /// Every tensor in the order of the data.
    pub(super) tensors: Vec<(String, Entry)>,
}

/// Reads and checks the header of one file.
pub(super) fn read(source: &Source) -> Result<Header, WeightsError> {
    let n_header = header_length(source)?;
    let mut text = vec![0; n_header];
    source.read_at(LENGTH_BYTES, &mut text)?;
    let damaged = |why: String| WeightsError::Header {
        file: source.name().to_owned(),
        why,
    };
    let mut tensors =
        parse(&text).map_err(|error| damaged(format!("its header cannot be read ({error})")))?;
    drop(text);
    tensors.sort_by_key(|(_, entry)| entry.data_offsets);
    let metadata = Metadata::new(None, tensors.clone()).map_err(|error| damaged(reason(&error)))?;
    let data_start = LENGTH_BYTES + n_header as u64;
    check_length(source, data_start + metadata.data_len() as u64)?;
    Ok(Header {
        data_start,
        tensors,
    })
}

/// The JSON of a header; spaces may follow it, and nothing else.
fn parse(text: &[u8]) -> serde_json::Result<Vec<(String, Entry)>> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let tensors = deserializer.deserialize_map(TensorList)?;
    deserializer.end()?;
    Ok(tensors)
}

/// The header's length, if the file can have such a header.
fn header_length(source: &Source) -> Result<usize, WeightsError> {
    let file = || source.name().to_owned();
    if source.len() == 0 {
        return Err(WeightsError::EmptyFile { file: file() });
    }
    if source.len() < LENGTH_BYTES {
        let why = format!("it has only {} bytes", source.len());
        return Err(WeightsError::Header { file: file(), why });
    }
    let mut start = [0; LENGTH_BYTES as usize];
    source.read_at(0, &mut start)?;
    if let Some((what, advice)) = other_kind(&start) {
        return Err(WeightsError::OtherKind {
            file: file(),
            what,
            advice,
        });
    }
    let n_header = u64::from_le_bytes(start);
    let limit = if n_header > source.len() - LENGTH_BYTES {
        format!("but the whole file has {}", source.len())
    } else if n_header > MAX_HEADER_BYTES {
        format!("and the format allows {MAX_HEADER_BYTES}")
    } else {
        return usize::try_from(n_header).map_err(|error| WeightsError::Header {
            file: file(),
            why: error.to_string(),
        });
    };
    Err(WeightsError::HeaderLength {
        file: file(),
        n_header,
        limit,
    })
}

/// Other kinds of file that are found under this name, told by how they begin.
fn other_kind(start: &[u8]) -> Option<(&'static str, &'static str)> {
    const FETCH: &str = "fetch the safetensors version of the model";
    match start {
        [b'v', b'e', b'r', b's', b'i', b'o', b'n', b' '] => Some((
            "a Git LFS pointer, not the weights",
            "run `git lfs pull` in the model's folder, or download the model again",
        )),
        [b'G', b'G', b'U', b'F', ..] => Some(("a GGUF file", FETCH)),
        [b'P', b'K', 3, 4, ..] => Some(("a zip archive, as PyTorch and NumPy write", FETCH)),
        [b'<', b'!' | b'h' | b'H', ..] => {
            Some(("a web page", "the download went wrong, so fetch it again"))
        }
        _ => None,
    }
}

/// The data must end exactly where the file ends.
fn check_length(source: &Source, expected: u64) -> Result<(), WeightsError> {
    let found = source.len();
    let verdict = match found.cmp(&expected) {
        std::cmp::Ordering::Equal => return Ok(()),
        std::cmp::Ordering::Less => "it is truncated, the download was interrupted",
        std::cmp::Ordering::Greater => "something was added to it",
    };
    Err(WeightsError::FileLength {
        file: source.name().to_owned(),
        found,
        expected,
        verdict,
    })
}

/// The format's rules that were broken, in our words.
fn reason(error: &SafeTensorError) -> String {
    match error {
        SafeTensorError::InvalidOffset(name) => {
            format!("the data of tensor \"{name}\" overlap another's or leave a gap")
        }
        SafeTensorError::TensorInvalidInfo => {
            "a tensor's shape does not agree with its bytes".to_owned()
        }
        SafeTensorError::ValidationOverflow => {
            "a tensor's shape is larger than any memory".to_owned()
        }
        other => format!("its header breaks the format's rules ({other})"),
    }
}

/// Reads the header's JSON object as a list, so that a name that stands twice is noticed.
struct TensorList;

impl<'de> Visitor<'de> for TensorList {
    type Value = Vec<(String, Entry)>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut tensors = Vec::new();
        let mut names = std::collections::HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let entry = map
                .next_value::<Entry>()
                .map_err(|error| A::Error::custom(format!("tensor \"{name}\": {error}")))?;
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format!(
                    "tensor \"{name}\" is listed twice"
                )));
            }
            tensors.push((name, entry));
        }
        Ok(tensors)
    }
}
