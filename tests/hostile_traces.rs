//! A trace file may come from anyone: whatever it holds, opening it ends in a trace or in one
//! sentence, never in a panic, and never takes a gigabyte.

#[path = "common/counting.rs"]
mod counting;
#[path = "common/huge.rs"]
mod huge;
#[path = "common/random.rs"]
mod random;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use counting::{NOW, PEAK};
use random::Random;
use serde_json::Value;
use vitrine::trace::HostTensor;
use vitrine::trace::file::{ModelMeta, PassMeta, Precision, Trace, TraceMeta, VERSION};

/// Only one test at a time may count.
static ALONE: Mutex<()> = Mutex::new(());

/// What opening `bytes` gives, and the most bytes it held beside them.
fn opened(bytes: &[u8]) -> (Result<Trace, String>, usize) {
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let result = Trace::from_bytes(bytes).map_err(|why| format!("{why:#}"));
    (result, PEAK.load(Ordering::Relaxed) - before)
}

fn small() -> Vec<u8> {
    let tensor = |n: usize| HostTensor::new(vec![2, n], vec![0.25; 2 * n]).unwrap();
    let trace = Trace {
        meta: TraceMeta {
            version: VERSION,
            model: ModelMeta {
                name: "tiny".into(),
                config: serde_json::json!({ "hidden_size": 4, "nested": [[1, 2], { "a": null }] }),
                weight_bytes: 12,
                hooks: vec!["hook_embed".into(), "blocks.0.attn.hook_q".into()],
            },
            prompt: Some("héllo".into()),
            tokens: Vec::new(),
            merges: Vec::new(),
            passes: vec![PassMeta {
                start: 0,
                boundaries: vec![2],
                times: vec![("embed".into(), 0.5)],
                draw: None,
                cache: Default::default(),
            }],
            sampling: Value::Null,
            seed: 7,
            edits: vec!["hook_embed=zero".parse().unwrap()],
            measures: BTreeMap::new(),
            companion: Default::default(),
        },
        tensors: [("hook_embed", 4), ("blocks.0.attn.hook_q", 3)]
            .map(|(name, n)| (name.to_owned(), tensor(n)))
            .into(),
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    trace.save(&path, Precision::F32).unwrap();
    std::fs::read(&path).unwrap()
}

/// A file with this header and `n_bytes` of values.
fn file(header: &str, n_bytes: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.resize(bytes.len() + n_bytes, 0);
    bytes
}

/// Numbers and texts that programs stumble over.
const NASTY: [&str; 12] = [
    "0",
    "-1",
    "18446744073709551615",
    "9223372036854775808",
    "4294967296",
    "1e400",
    "null",
    "[[[[[[",
    "\"F8_E4M3\"",
    "\"F64\"",
    "{}",
    "\\u0000",
];

fn mutated(original: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..1 + random.below(4) {
        let at = random.below(bytes.len());
        match random.below(7) {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = random.below(256) as u8,
            3 => bytes.insert(at, random.below(256) as u8),
            4 => drop(bytes.splice(at..at, NASTY[random.below(NASTY.len())].bytes())),
            5 => {
                // A number of the header becomes another one.
                let digits = (at..bytes.len()).find(|at| bytes[*at].is_ascii_digit());
                if let Some(start) = digits {
                    let rest = &bytes[start..];
                    let n = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                    bytes.splice(start..start + n, NASTY[random.below(NASTY.len())].bytes());
                }
            }
            _ => {
                let end = (at + random.below(40)).min(bytes.len());
                let piece: Vec<u8> = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                drop(bytes.splice(to..to, piece));
            }
        }
        if bytes.is_empty() {
            return bytes;
        }
        // Most headers keep the right length, so that more than the first check is met.
        if random.below(3) > 0 && bytes.len() > 8 {
            let end = bytes.len().saturating_sub(56).max(8);
            let length = (end - 8) as u64;
            bytes[..8].copy_from_slice(&length.to_le_bytes());
        }
    }
    bytes
}

#[test]
fn a_hundred_thousand_damaged_traces_are_opened_or_refused() {
    let _alone = ALONE.lock().unwrap();
    let original = small();
    assert!(opened(&original).0.is_ok());
    let mut random = Random(0x5EED);
    let (mut n_opened, mut most) = (0, 0);
    let mut sentences = std::collections::BTreeSet::new();
    for _ in 0..100_000 {
        let bytes = mutated(&original, &mut random);
        let (result, peak) = opened(&bytes);
        most = most.max(peak);
        match result {
            Ok(_) => n_opened += 1,
            Err(why) => drop(sentences.insert(why.chars().take(24).collect::<String>())),
        }
    }
    assert!(n_opened > 100, "some damage does no harm: {n_opened}");
    assert!(
        sentences.len() > 5,
        "several checks were met: {sentences:?}"
    );
    assert!(most < 4 << 20, "a file of a kilobyte took {most} bytes");
}

#[test]
fn a_header_that_lies_about_sizes_is_refused() {
    let _alone = ALONE.lock().unwrap();
    let entry = |shape: &str, start: u64, end: u64| {
        format!(
            r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[{start},{end}]}},
            "__metadata__":{{"vitrine_trace":"{{}}"}}}}"#
        )
    };
    let huge = u64::MAX;
    for (header, n_bytes) in [
        (entry("[4294967296, 4294967296]", 0, 0), 0),
        (entry("[18446744073709551615]", 0, huge), 0),
        (entry("[1000000000000]", 0, 4_000_000_000_000), 64),
        (entry("[4]", 16, 32), 32),
        (entry("[4]", 0, 16), 32),
        (entry("[4]", 0, 12), 12),
    ] {
        let (result, peak) = opened(&file(&header, n_bytes));
        assert!(result.unwrap_err().contains("damaged"), "{header}");
        assert!(peak < 1 << 20, "{peak} bytes for {header}");
    }
    let mut endless = vec![0xFF; 16];
    endless[7] = 0x7F;
    assert!(
        opened(&endless)
            .0
            .unwrap_err()
            .contains("no safetensors file")
    );
}

#[test]
fn the_largest_headers_stay_below_a_gigabyte() {
    let _alone = ALONE.lock().unwrap();
    let of = |meta: &str| {
        let meta = serde_json::to_string(meta).unwrap();
        file(
            &format!(r#"{{"__metadata__":{{"vitrine_trace":{meta}}}}}"#),
            0,
        )
    };
    let zeros = "0,".repeat(4_000_000);
    let objects = r#"{"a":0},"#.repeat(1_300_000);
    let tensors = (0..500_000)
        .map(|n| format!(r#""{n}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}},"#));
    let tensors = format!("{{{}\"__metadata__\":{{}}}}", tensors.collect::<String>());
    for bytes in [
        of(&format!(r#"{{"version":1,"sampling":[{zeros}0]}}"#)),
        of(&format!(r#"{{"version":1,"sampling":[{objects}0]}}"#)),
        of(&format!(
            r#"{{"version":1,"prompt":"{}"}}"#,
            "x".repeat(60 << 20)
        )),
        file(&tensors, 0),
        file(&"[".repeat(3_000_000), 0),
        file(&" ".repeat(80 << 20), 0),
    ] {
        let (result, peak) = opened(&bytes);
        assert!(result.is_err());
        assert!(peak < 1 << 30, "{peak} bytes");
    }
}

#[test]
fn a_number_that_is_huge_is_refused_or_does_no_harm() {
    let _alone = ALONE.lock().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let whole = huge::recorded(&folder.path().join("whole.safetensors"));
    assert_eq!(huge::used(&whole), "", "the whole one opens");
    let path = folder.path().join("huge.safetensors");
    let (mut n_refused, mut n_used) = (0, 0);
    for (name, bytes) in huge::variants(&whole) {
        std::fs::write(&path, bytes).unwrap();
        let before = NOW.load(Ordering::Relaxed);
        PEAK.store(before, Ordering::Relaxed);
        match huge::used(&path) {
            why if why.is_empty() => n_used += 1,
            why => {
                assert!(
                    why.contains("huge.safetensors") && why.contains("damaged"),
                    "{name}: {why}"
                );
                n_refused += 1;
            }
        }
        let peak = PEAK.load(Ordering::Relaxed) - before;
        assert!(peak < 256 << 20, "{name} took {peak} bytes");
    }
    println!("{n_refused} refused, {n_used} used");
    assert!(
        n_refused > 20 && n_used > 50,
        "{n_refused} refused, {n_used} used"
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_before_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.safetensors");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    // Nobody writes into it: whoever opened it would wait for ever.
    let why = format!("{:#}", Trace::open(&pipe).unwrap_err());
    assert!(why.contains("not a regular file"), "{why}");
    let why = format!("{:#}", vitrine::recorded::peek(&pipe).unwrap_err());
    assert!(why.contains("not a regular file"), "{why}");
}

#[test]
fn a_description_that_contradicts_the_tensors_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let whole = huge::recorded(&folder.path().join("whole.safetensors"));
    let path = folder.path().join("huge.safetensors");
    for (at, value, says) in [
        (
            "/companion/family/n_heads",
            "1099511627776",
            "1,099,511,627,776 heads per block",
        ),
        (
            "/companion/family/n_heads",
            "12",
            "12 heads per block, and blocks.0.attn.hook_pattern has 6",
        ),
        ("/companion/family/n_layers", "12", "12 blocks"),
        (
            "/companion/family/vocab_size",
            "5000",
            "5,000 tokens in its vocabulary",
        ),
        ("/companion/family/n_kv_heads", "4", "4 KV heads"),
        (
            "/passes/0/cache/used_bytes",
            "18446744073709551615",
            "cache of pass 0",
        ),
    ] {
        std::fs::write(&path, huge::with(&whole, at, value)).unwrap();
        let why = huge::used(&path);
        assert!(why.contains(says), "{at}: {why}");
    }
    std::fs::write(&path, huge::with(&whole, "/passes/0/times/0/1", "1e300")).unwrap();
    let trace = Trace::open(&path).unwrap();
    assert!(trace.meta.passes[0].times[0].1 <= 1e9, "no run took longer");
}
