//! One bad folder per test line: each is one clear sentence.

use std::path::Path;

use super::{folder, index, safetensors_file, with_header};
use crate::model::weights::{Checkpoint, WeightsError};

fn complaint(folder: &Path) -> String {
    Checkpoint::open(folder)
        .expect_err("should be refused")
        .to_string()
}

fn complaint_about_file(bytes: &[u8]) -> String {
    complaint(folder(&[("model.safetensors", bytes)]).path())
}

#[test]
fn a_damaged_file_is_named_with_what_is_wrong() {
    let good = safetensors_file(&[("a", &[2, 3])]);
    let cut = &good[..good.len() - 5];
    let longer = [good.as_slice(), b"more"].concat();
    let huge_header = [&(1u64 << 60).to_le_bytes()[..], b"{}"].concat();
    let lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n";
    let deep = format!("{{\"__metadata__\":{}", "[".repeat(100_000));
    let cases: &[(&[u8], &str)] = &[
        (b"", "is empty"),
        (b"abc", "has only 3 bytes"),
        (cut, "it is truncated"),
        (&longer, "something was added"),
        (&huge_header, "it cannot be as long as it says"),
        (lfs, "Git LFS pointer, not the weights"),
        (b"GGUF\x03\0\0\0 and so on", "a GGUF file"),
        (b"PK\x03\x04 and so on", "a zip archive"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (&with_header("{\"a\":", b""), "its header cannot be read"),
        (&with_header("[]", b""), "its header cannot be read"),
        (&with_header("{} {}", b""), "its header cannot be read"),
        (&with_header("\u{0}\u{0}", b""), "its header cannot be read"),
        (&with_header(&deep, b""), "its header cannot be read"),
    ];
    for (bytes, expected) in cases {
        let message = complaint_about_file(bytes);
        assert!(
            message.contains(expected) && message.contains("model.safetensors"),
            "{message}\n{expected}"
        );
    }
}

#[test]
fn a_header_that_contradicts_itself_is_refused() {
    let cases = [
        (
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
            4,
            "does not agree with its bytes",
        ),
        (
            r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
            8,
            "overlap another's or leave a gap",
        ),
        (
            r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}"#,
            8,
            "overlap another's or leave a gap",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}"#,
            6,
            "overlap another's or leave a gap",
        ),
        (
            r#"{"a":{"dtype":"F64","shape":[4294967296,4294967296,9],"data_offsets":[0,4]}}"#,
            4,
            "larger than any memory",
        ),
        (
            r#"{"a":{"dtype":"F7","shape":[1],"data_offsets":[0,4]}}"#,
            4,
            "tensor \"a\": unknown variant `F7`",
        ),
        (
            r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
            4,
            "tensor \"a\": invalid value",
        ),
        (
            r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
            2,
            "tensor \"a\" is listed twice",
        ),
    ];
    for (header, n_data, expected) in cases {
        let message = complaint_about_file(&with_header(header, &vec![0; n_data]));
        assert!(message.contains(expected), "{message}\nlacks: {expected}");
    }
}

#[test]
fn a_header_beyond_the_formats_limit_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(folder.path().join("model.safetensors")).unwrap();
    std::io::Write::write_all(&mut &file, &200_000_000u64.to_le_bytes()).unwrap();
    file.set_len(300_000_000).unwrap(); // sparse: no disk is used
    assert!(complaint(folder.path()).contains("it cannot be as long as it says"));
}

#[test]
fn a_folder_in_a_files_place_is_named() {
    let outer = tempfile::tempdir().unwrap();
    std::fs::create_dir(outer.path().join("model.safetensors")).unwrap();
    assert!(complaint(outer.path()).contains("it is a folder"));
    assert!(complaint(&outer.path().join("nowhere")).contains("it does not exist"));
    let file = folder(&[("weights", b"")]);
    assert!(complaint(&file.path().join("weights")).contains("it is a file"));
}

#[test]
fn what_may_not_be_read_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder(&[("model.safetensors", &safetensors_file(&[("a", &[1])]))]);
    let file = folder.path().join("model.safetensors");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o000)).unwrap();
    if std::fs::File::open(&file).is_ok() {
        println!("skipped: this user may read everything");
        return;
    }
    assert!(matches!(
        Checkpoint::open(folder.path()),
        Err(WeightsError::Unreadable { .. })
    ));
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o000)).unwrap();
    assert!(matches!(
        Checkpoint::open(folder.path()),
        Err(WeightsError::Unreadable { .. })
    ));
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o700)).unwrap();
}

#[test]
fn other_formats_are_refused_by_name() {
    for name in [
        "pytorch_model.bin",
        "model-q4.gguf",
        "weights.npz",
        "model.pt",
    ] {
        let message = complaint(folder(&[(name, b"x"), ("config.json", b"{}")]).path());
        assert!(
            message.contains(name) && message.contains("only safetensors"),
            "{message}"
        );
    }
    assert!(complaint(folder(&[]).path()).contains("has no weights"));
    assert!(
        complaint(folder(&[("consolidated.safetensors", b"")]).path())
            .contains("model*.safetensors")
    );
    assert!(
        complaint(folder(&[("model.safetensors.incomplete", b"")]).path()).contains("interrupted")
    );
}

#[test]
fn an_index_entry_that_leaves_the_folder_is_refused() {
    let escapes = [
        "../model.safetensors",
        "sub/../../model.safetensors",
        "/tmp/model.safetensors",
        "C:\\model.safetensors",
        "C:model.safetensors",
        "\\\\host\\share\\model.safetensors",
        "./../model.safetensors",
        "model.bin",
        "",
    ];
    for entry in escapes {
        let folder = folder(&[(
            "model.safetensors.index.json",
            &index(&[("a.weight", entry)]),
        )]);
        let error = Checkpoint::open(folder.path()).unwrap_err();
        assert!(
            matches!(error, WeightsError::IndexEscapes { .. }),
            "{entry:?}: {error}"
        );
        assert!(error.to_string().contains("a.weight"));
    }
}

#[test]
fn an_incomplete_download_says_which_file_is_missing() {
    let file = safetensors_file(&[("a", &[1])]);
    let (first, second) = (
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    );
    let by_name = folder(&[(first, &file)]);
    let message = complaint(by_name.path());
    assert!(
        message.contains(second) && message.contains("download is incomplete"),
        "{message}"
    );
    let by_index = folder(&[
        (first, &file),
        (
            "model.safetensors.index.json",
            &index(&[("a", first), ("b", second)]),
        ),
        ("model-00002-of-00002.safetensors.incomplete", b"half"),
    ]);
    let message = complaint(by_index.path());
    assert!(
        message.contains(second) && message.contains("*.incomplete"),
        "{message}"
    );
    let made_up = folder(&[("model-1-of-99999999999.safetensors", &file)]);
    assert!(complaint(made_up.path()).contains("model-2-of-99999999999.safetensors"));
}

#[test]
fn a_broken_index_is_named() {
    for text in [
        "",
        "{",
        "[]",
        "{\"weight_map\": {}}",
        "{\"weight_map\": {\"a\": 1}}",
        "{}",
    ] {
        let folder = folder(&[("model.safetensors.index.json", text.as_bytes())]);
        let error = Checkpoint::open(folder.path()).unwrap_err();
        assert!(
            matches!(error, WeightsError::Index { .. }),
            "{text:?}: {error}"
        );
    }
}

#[test]
fn a_tensor_in_two_files_is_named_with_both() {
    let file = safetensors_file(&[("a", &[1])]);
    let folder = folder(&[
        ("model-a.safetensors", &file),
        ("model-b.safetensors", &file),
    ]);
    let message = complaint(folder.path());
    for part in ["\"a\"", "model-a.safetensors", "model-b.safetensors"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_file_that_shrinks_after_opening_is_an_error_and_not_garbage() {
    let folder = folder(&[("model.safetensors", &safetensors_file(&[("a", &[100])]))]);
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(folder.path().join("model.safetensors"))
        .unwrap();
    file.set_len(100).unwrap();
    assert!(
        checkpoint
            .read("a")
            .unwrap_err()
            .to_string()
            .contains("became shorter")
    );
}
