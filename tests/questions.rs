//! Questions go through messages, and each is told what the run and the model really hold.

use vitrine::engine::client::Client;
use vitrine::engine::message::{
    Action, CancelToken, Event, ModelChoice, OpenRequest, Prompt, SamplingChoice, SessionId,
};
use vitrine::engine::question::{Message, Question, Space, TemplateArgs, Told, Vector};
use vitrine::engine::watch::Watch;
use vitrine::model::cache::CacheOptions;
use vitrine::model::linear::Kernels;
use vitrine::trace::debug::{DebugCommand, SourcePrompt};
use vitrine::trace::edit::Change;
use vitrine::trace::measure::heads::ProbeText;
use vitrine::trace::measure::lens::LensRequest;
use vitrine::trace::measure::rope::Turned;
use vitrine::trace::measure::sweep::{Outcome, Over, SweepPlan};
use vitrine::trace::measure::{At, Point};

const SESSION: SessionId = SessionId(1);
const LAST: At = At { pass: 0, row: 4 };

fn choice(name: &str) -> ModelChoice {
    ModelChoice {
        name: name.to_owned(),
        kernels: Kernels::Auto,
    }
}

fn end_of(client: &mut Client, action: Action) -> Event {
    let events = client
        .ask(SESSION, action, &CancelToken::default())
        .unwrap();
    events.last().unwrap()
}

fn ask(client: &mut Client, question: Question) -> Told {
    match end_of(client, Action::Ask(Box::new(question.clone()))) {
        Event::Told(told) => *told,
        other => panic!("{question:?} ended in {other:?}"),
    }
}

fn refused(client: &mut Client, question: Question) -> String {
    match end_of(client, Action::Ask(Box::new(question.clone()))) {
        Event::Failed(why) => why,
        other => panic!("{question:?} ended in {other:?}"),
    }
}

/// A client whose run has the logits of "The capital of France is" and one more token.
fn with_run() -> Client {
    let mut client = Client::start().unwrap();
    let open = OpenRequest {
        model: choice("classroom"),
        prompt: Prompt::Raw("The capital of France is".to_owned()),
        sampling: SamplingChoice {
            temperature: Some(1.0),
            ..SamplingChoice::default()
        },
        seed: Some(3),
        cache: CacheOptions::default(),
        watch: Watch::Nothing,
        budget_bytes: None,
        chunks: Vec::new(),
        all_logits: false,
        edits: Vec::new(),
        sources: Vec::new(),
        script: Vec::new(),
    };
    for action in [
        Action::Open(Box::new(open)),
        Action::Debug(DebugCommand::Tokens(2)),
    ] {
        match end_of(&mut client, action) {
            Event::Run(_) => {}
            other => panic!("{other:?}"),
        }
    }
    client
}

macro_rules! told {
    ($client:expr, $variant:ident, $question:expr) => {
        match ask($client, $question) {
            Told::$variant(value) => value,
            other => panic!("not {}: {other:?}", stringify!($variant)),
        }
    };
}

#[test]
fn one_failing_address_does_not_spoil_the_others() {
    let client = &mut with_run();
    let addresses = [
        "blocks.2.attn.hook_pattern[3]",
        "blocks.9.hook_resid_pre",
        "pass.1.blocks.5",
    ];
    let addresses = addresses.iter().map(|text| text.parse().unwrap());
    let seen = told!(client, Values, Question::Values(addresses.collect()));
    assert_eq!(seen[0].value.as_ref().unwrap().shape(), [5, 5]);
    assert!(seen[1].value.as_ref().unwrap_err().contains("blocks.9"));
    assert_eq!(seen[2].value.as_ref().unwrap().shape(), [1, 192]);
}

#[test]
fn the_four_states_of_a_map_follow_from_each_other() {
    let client = &mut with_run();
    for pass in [0, 1] {
        let question = Question::ScoreMaps {
            pass,
            layer: 2,
            head: 3,
        };
        let maps = told!(client, ScoreMaps, question);
        let n_keys = 5 + pass;
        assert_eq!(
            maps.dot.shape(),
            [maps.pattern.values().len() / n_keys, n_keys]
        );
        let masked = maps.masked.values().iter().zip(maps.scaled.values());
        for (place, (masked, scaled)) in masked.enumerate() {
            let (query, key) = (maps.start + place / n_keys, place % n_keys);
            match key > query {
                true => assert_eq!(*masked, f32::NEG_INFINITY),
                false => assert!((masked - scaled).abs() < 1e-4),
            }
        }
        let parts = Question::ScoreParts {
            pass,
            layer: 2,
            head: 3,
            row: 0,
            key: 0,
        };
        let parts = told!(client, ScoreParts, parts);
        assert!((parts.dot - f64::from(maps.dot.values()[0])).abs() < 1e-4);
        assert!((parts.share - f64::from(maps.pattern.values()[0])).abs() < 1e-6);
    }
}

#[test]
fn miniatures_hold_the_largest_and_the_mean_share() {
    let client = &mut with_run();
    let question = Question::Patterns {
        pass: 0,
        layers: Vec::new(),
        size: 2,
    };
    let small = told!(client, Patterns, question);
    assert_eq!(small.len(), 6 * 6);
    for head in &small {
        assert_eq!(head.max.shape(), [2, 2]);
        // Rows 0 to 2 share the first rectangle with keys 0 to 2: the first query sees itself only.
        assert_eq!(head.max.values()[0], 1.0);
        let total = head.mean.values()[0] * 9.0 + head.mean.values()[1] * 6.0;
        assert!((total - 3.0).abs() < 1e-5, "three rows, each sums to 1");
    }
}

#[test]
fn logits_sampling_and_redraws_tell_of_the_same_distribution() {
    let client = &mut with_run();
    let logits = Question::Logits {
        at: LAST,
        k: 3,
        tokens: vec![7],
    };
    let logits = told!(client, Logits, logits);
    assert_eq!(logits.top[0].token.text, " Paris");
    assert_eq!((logits.row.len(), logits.histogram.n), (4096, 4096));
    assert_eq!((logits.chosen[0].token.id, logits.chosen.len()), (7, 1));
    let question = |settings| Question::Sampling {
        pass: 0,
        settings,
        limit: 5,
    };
    let own = told!(client, Sampling, question(None));
    assert_eq!(own.texts[0], " Paris");
    assert!(own.draw.as_ref().unwrap().random.is_some());
    let greedy = SamplingChoice {
        temperature: Some(0.0),
        ..SamplingChoice::default()
    };
    let greedy = told!(client, Sampling, question(Some(greedy)));
    assert_eq!(greedy.draw.unwrap().token, logits.top[0].token.id);
    let redraw = Question::Redraw {
        pass: 0,
        settings: None,
        n: 500,
        seed: 1,
    };
    let redraws = told!(client, Redraws, redraw);
    assert_eq!(
        redraws
            .tokens
            .iter()
            .map(|token| token.count)
            .sum::<usize>(),
        500
    );
    let paris = &redraws.tokens[0];
    assert!((paris.count as f64 / 500.0 - paris.share).abs() < 0.05);
}

#[test]
fn a_pair_turns_by_its_angle() {
    let client = &mut with_run();
    for (of, head) in [(Turned::Queries, 5), (Turned::Keys, 1)] {
        let question = Question::Rope {
            pass: 0,
            layer: 1,
            of,
            head,
            rows: vec![0, 3],
        };
        let turned = told!(client, Rotations, question);
        assert!(turned[0].pairs.iter().all(|pair| pair.before == pair.after));
        assert_eq!(turned[1].pairs.len(), 16);
        for pair in &turned[1].pairs {
            let ([x, y], (sin, cos)) = (pair.before, pair.angle.sin_cos());
            let expected = [x * cos - y * sin, x * sin + y * cos];
            for (a, b) in pair.after.iter().zip(expected) {
                assert!((a - b).abs() < 1e-4, "{pair:?}");
            }
        }
    }
}

#[test]
fn the_ledger_agrees_with_the_formula_and_memory_is_told() {
    let client = &mut with_run();
    for pass in [0, 1] {
        let ledger = told!(client, Ledger, Question::Ledger { pass });
        assert_eq!((ledger.positions, ledger.layers.len()), (5 + pass, 6));
        // 2 (keys and values) · 6 layers · 2 KV heads · 32 values · 4 bytes · positions
        assert_eq!(ledger.formula_bytes, 2 * 6 * 2 * 32 * 4 * (5 + pass as u64));
        assert_eq!(ledger.used_bytes() as u64, ledger.formula_bytes);
        assert_eq!(ledger.without_gqa_bytes, 3 * ledger.formula_bytes);
        assert!(ledger.allocated_bytes() > ledger.used_bytes());
    }
    let memory = told!(client, Memory, Question::Memory);
    assert_eq!(memory.weights[0].0, "classroom");
    assert!(memory.hidden_bytes > 0 && memory.mlx_active_bytes > 0);
    assert!(memory.process_bytes.unwrap() > memory.mlx_active_bytes);
}

#[test]
fn every_measure_of_a_run_can_be_asked_for() {
    let client = &mut with_run();
    let heads = told!(client, Heads, Question::Heads { pass: 0 });
    assert_eq!(heads.heads.len(), 36);
    let lens = LensRequest {
        rows: vec![LAST],
        top_k: 1,
        ..LensRequest::default()
    };
    let lens = told!(client, Lens, Question::Lens(lens));
    assert_eq!(lens.last().unwrap().top[0].token.text, " Paris");
    let token = lens.last().unwrap().top[0].token.id;
    let contributions = Question::Contributions {
        at: LAST,
        token,
        against: None,
    };
    let contributions = told!(client, Contributions, contributions);
    assert!(contributions.left_over().abs() < 1e-3);
    let weighted = Question::WeightedAttention {
        pass: 1,
        layer: 0,
        head: 0,
    };
    let weighted = told!(client, WeightedAttention, weighted);
    assert_eq!(weighted.value_sizes.len(), 6);
    let rows = Vec::new();
    let writes = told!(client, Writes, Question::Writes { pass: 0, rows });
    assert_eq!((writes.len(), writes[5].layer, writes[5].row), (6, 5, 4));
    let neurons = Question::Neurons {
        at: LAST,
        layer: 3,
        k: 4,
    };
    assert_eq!(told!(client, Neurons, neurons).top.len(), 4);
    let norms = told!(client, Norms, Question::Norms { at: LAST });
    assert_eq!(norms.len(), 13);
    let rows = Vec::new();
    let paths = told!(client, Paths, Question::Paths { pass: 0, rows });
    assert_eq!((paths.len(), paths[0].states.len()), (5, 13));
    let cell = Question::Cell {
        path: "model.layers.0.mlp.gate_proj".to_owned(),
        at: LAST,
        output: 3,
        k: 5,
    };
    assert!(told!(client, Cell, cell).left_over().abs() < 1e-3);
    let cost = told!(client, Cost, Question::Cost { pass: 1 });
    assert_eq!(cost.stages.len(), 9);
    let histogram = Question::Histogram {
        at: "blocks.0.mlp.hook_post".parse().unwrap(),
        n_bins: 10,
    };
    assert_eq!(told!(client, Histogram, histogram).n % 5, 0);
    let near = Question::Nearest {
        model: None,
        space: Space::Output,
        to: Vector::State {
            at: LAST,
            point: Point::AfterMlp(5),
        },
        k: 3,
    };
    assert_eq!(told!(client, Neighbours, near).len(), 3);
}

#[test]
fn weights_and_words_need_no_run() {
    let client = &mut Client::start().unwrap();
    let model = || Some(choice("classroom"));
    let path = "model.layers.0.self_attn.q_proj".to_owned();
    let row = Question::Row {
        model: model(),
        path: path.clone(),
        row: 1,
        columns: Some(0..32),
    };
    let row = told!(client, Row, row);
    assert!(row.stored.is_some(), "measured against the 16-bit copy");
    let slice = Question::Slice {
        model: model(),
        path: path.clone(),
        rows: Some(1..2),
        columns: Some(0..32),
    };
    let slice = told!(client, Slice, slice);
    assert_eq!(
        (slice.shape, slice.values.shape()),
        ([192, 192], &[1, 32][..])
    );
    let unpacked: Vec<f32> = row.groups.iter().flat_map(|g| g.weights.clone()).collect();
    assert_eq!(slice.values.values(), &unpacked[..32]);
    let histogram = Question::WeightHistogram {
        model: model(),
        path,
        n_bins: 8,
    };
    assert_eq!(told!(client, Histogram, histogram).n, 192 * 192);
    let tokens = Question::Tokens {
        model: model(),
        text: "The capital of France".to_owned(),
        with_begin: false,
    };
    let tokens = told!(client, Tokens, tokens);
    assert_eq!(tokens.pieces.len(), 4);
    assert_eq!(
        (
            tokens.pieces[3].text.as_str(),
            tokens.pieces[3].covers.clone()
        ),
        (" France", 14..21)
    );
    assert_eq!(tokens.words.len(), 4);
    let ids: Vec<u32> = tokens.pieces.iter().map(|piece| piece.id).collect();
    let plane = Question::Plane {
        model: model(),
        space: Space::Input,
        ids: ids.clone(),
    };
    assert_eq!(told!(client, Plane, plane).plane.points.len(), 4);
    let similarity = Question::Similarity {
        model: model(),
        space: Space::Input,
        ids: ids.clone(),
    };
    let cosines = told!(client, Similarities, similarity).cosines;
    assert!((cosines[2][2] - 1.0).abs() < 1e-6 && cosines[1][3] == cosines[3][1]);
    let axes = Question::Axes {
        model: model(),
        space: Space::Input,
        axes: vec![vec![(ids[3], ids[0])]],
        ids: ids.clone(),
    };
    let placed = told!(client, Axes, axes);
    assert!(placed[0][3].place > 0.0 && placed[0][0].place < 0.0);
    let sum = Question::Arithmetic {
        model: model(),
        space: Space::Input,
        plus: vec![ids[3]],
        minus: vec![],
        k: 2,
    };
    assert_eq!(told!(client, Neighbours, sum).len(), 2);
}

#[test]
fn texts_templates_and_families_are_told() {
    let client = &mut Client::start().unwrap();
    let model = || Some(choice("classroom"));
    let word = "paris".to_owned();
    let variants = told!(
        client,
        Variants,
        Question::Variants {
            model: model(),
            word
        }
    );
    assert!(
        variants
            .iter()
            .any(|form| form.text == " Paris" && form.pieces.len() == 1)
    );
    let page = Question::Vocabulary {
        model: model(),
        page: 100..110,
    };
    let page = told!(client, Vocabulary, page);
    assert_eq!((page.entries.len(), page.n_found), (10, 4096));
    let search = Question::SearchVocabulary {
        model: model(),
        text: "paris".to_owned(),
        limit: 3,
    };
    assert_eq!(
        told!(client, Vocabulary, search).entries[0]
            .text
            .trim()
            .to_lowercase(),
        "paris"
    );
    let template = Question::Template {
        model: model(),
        messages: vec![Message::new("user", "Hello")],
        args: TemplateArgs::for_answer(),
    };
    let template = told!(client, Template, template);
    let joined: usize = template
        .rendered
        .segments
        .iter()
        .map(|s| s.bytes.len())
        .sum();
    assert!(template.is_own && joined == template.rendered.text.len());
    let inspection = Question::Inspect {
        model: "classroom".to_owned(),
    };
    assert_eq!(
        told!(client, Inspection, inspection).architecture.n_layers,
        6
    );
    let family = told!(client, Family, Question::Family { model: model() });
    let pattern = family
        .hooks
        .iter()
        .find(|hook| hook.hook == "blocks.0.attn.hook_q")
        .unwrap();
    assert_eq!(pattern.shape(), "[pos, head 6, head_dim 32]");
    assert_eq!(
        pattern.hugging_face.as_deref(),
        Some("model.layers.0.self_attn.q_proj")
    );
    let probe = Question::ProbeHeads {
        model: model(),
        text: ProbeText {
            n_texts: 2,
            ..ProbeText::default()
        },
    };
    assert_eq!(told!(client, Heads, probe).heads.len(), 36);
}

#[test]
fn what_is_shown_is_what_is_computed() {
    let client = &mut with_run();
    let parity = told!(client, Parity, Question::Parity);
    assert!(parity.is_good(), "{parity}");
    assert_eq!((parity.pass, parity.n_positions, parity.n_rows), (1, 6, 1));
    assert_eq!(parity.recording.max, 0.0, "recording changes no bit");
    assert!(parity.fused.unwrap().max < 1e-4 && parity.float64.unwrap().max < 1e-4);
    assert!(parity.kernels.unwrap().relative < 1e-4, "{parity:?}");
    assert!(parity.farthest_kernel.is_some() && parity.seconds > 0.0);
}

#[test]
fn parity_waits_for_everything_else_and_can_be_cancelled() {
    let client = &mut with_run();
    let cancel = CancelToken::default();
    let ask = |question| Action::Ask(Box::new(question));
    let mut parity = client.ask(SESSION, ask(Question::Parity), &cancel).unwrap();
    for _ in 0..5 {
        told!(client, Cost, Question::Cost { pass: 0 });
    }
    assert!(matches!(parity.next(), Some(Event::Told(_))));
    let parity = client.ask(SESSION, ask(Question::Parity), &cancel).unwrap();
    cancel.cancel();
    assert!(matches!(
        parity.last(),
        Some(Event::Cancelled | Event::Told(_))
    ));
    told!(client, Parity, Question::Parity);
}

#[test]
fn a_sweep_over_heads_equals_each_edit_by_itself() {
    let client = &mut with_run();
    let logits = Question::Logits {
        at: LAST,
        k: 2,
        tokens: Vec::new(),
    };
    let logits = told!(client, Logits, logits);
    let paris = logits.top[0].token.id;
    let plan = SweepPlan {
        pass: 0,
        over: Over::Heads,
        change: Change::Zero,
        other: None,
        outcome: Outcome::Logit(paris),
    };
    let action = Action::Ask(Box::new(Question::Sweep(plan)));
    let events = client
        .ask(SESSION, action, &CancelToken::default())
        .unwrap();
    let events: Vec<Event> = events.collect();
    let n_told = events
        .iter()
        .filter(|event| matches!(event, Event::Progress { total: 36, .. }));
    assert_eq!(n_told.count(), 36);
    let Some(Event::Told(told)) = events.into_iter().last() else {
        panic!("no table");
    };
    let Told::Sweep(table) = *told else {
        panic!("no table");
    };
    assert_eq!((table.rows.len(), table.columns.len()), (6, 6));
    assert!((table.before - f64::from(logits.row[paris as usize])).abs() < 1e-9);
    let cell = table.strongest(1)[0];
    let edit = format!("blocks.{}.attn.hook_z[:, {}]=zero", cell.row, cell.column);
    let open = OpenRequest {
        edits: vec![edit.parse().unwrap()],
        ..OpenRequest::new(
            choice("classroom"),
            Prompt::Raw("The capital of France is".to_owned()),
        )
    };
    end_of(client, Action::Open(Box::new(open)));
    end_of(client, Action::Debug(DebugCommand::Tokens(1)));
    let alone = Question::Logits {
        at: LAST,
        k: 1,
        tokens: Vec::new(),
    };
    let alone = told!(client, Logits, alone);
    assert!((f64::from(alone.row[paris as usize]) - cell.value).abs() < 1e-4);
}

#[test]
fn patching_every_position_of_a_layer_from_another_prompt_moves_the_answer() {
    let client = &mut with_run();
    let token = |text: &str| Question::SearchVocabulary {
        model: None,
        text: text.to_owned(),
        limit: 1,
    };
    let rome = told!(client, Vocabulary, token(" Rome")).entries[0].id;
    let paris = told!(client, Vocabulary, token(" Paris")).entries[0].id;
    let plan = |other: &str| SweepPlan {
        pass: 0,
        over: Over::LayersXPositions,
        change: Change::PatchRun("other".to_owned()),
        other: Some(SourcePrompt::Raw(other.to_owned())),
        outcome: Outcome::Difference(rome, paris),
    };
    let table = told!(
        client,
        Sweep,
        Question::Sweep(plan("The capital of Italy is"))
    );
    assert_eq!(table.columns, ["The", " capital", " of", " France", " is"]);
    assert!(table.before < 0.0);
    // Before the first block, only the country differs; patching it is typing it.
    assert!(table.values[0][3] > 0.0, "{table:?}");
    assert_eq!(table.values[0][0], table.before);
    // Tokens before the country are the same in both prompts, in every layer.
    assert!(table.values.iter().all(|row| row[1] == table.before));
    let why = refused(client, Question::Sweep(plan("Too short")));
    assert!(why.contains("as many"), "{why}");
}

#[test]
fn two_sessions_are_compared_by_position_and_layer() {
    let client = &mut with_run();
    let other = SessionId(2);
    let open = OpenRequest::new(
        choice("classroom"),
        Prompt::Raw("The capital of Italy is".to_owned()),
    );
    for action in [
        Action::Open(Box::new(open)),
        Action::Debug(DebugCommand::Tokens(1)),
    ] {
        client
            .ask(other, action, &CancelToken::default())
            .unwrap()
            .last()
            .unwrap();
    }
    let compare = |with| Question::Compare {
        with,
        tolerance: 0.0,
    };
    let comparison = told!(client, Compare, compare(other));
    assert_eq!(
        (comparison.n_aligned, comparison.first_other_token),
        (5, Some(3))
    );
    let first = comparison.first_layer().unwrap();
    assert_eq!((first.position, first.gap.point), (3, Point::Embed));
    assert_eq!(comparison.states.len(), 13);
    assert_eq!(comparison.states[0].1.len(), 5);
    assert!(comparison.kl_bits.unwrap() > 0.1);
    assert_eq!(comparison.b.next[0].token.text, " Rome");
    let why = refused(client, compare(SessionId(9)));
    assert!(why.contains("no run to compare with"), "{why}");
}

#[test]
fn a_token_without_a_cache_costs_the_whole_text() {
    let client = &mut with_run();
    let cost = told!(client, CacheCost, Question::CacheCost);
    assert_eq!(cost.positions, 6);
    assert!(cost.with_cache_s > 0.0 && cost.without_cache_s > 0.0);
}

#[test]
fn what_cannot_be_answered_is_said_in_a_sentence() {
    let client = &mut Client::start().unwrap();
    let why = refused(client, Question::Heads { pass: 0 });
    assert!(why.contains("open one first"), "{why}");
    let client = &mut with_run();
    let why = refused(client, Question::Cost { pass: 9 });
    assert!(why.contains("no such pass"), "{why}");
    let slice = Question::Slice {
        model: None,
        path: "model.layers.0.self_attn.q_proj".to_owned(),
        rows: Some(190..200),
        columns: None,
    };
    let why = refused(client, slice);
    assert!(why.contains("has 192 rows"), "{why}");
    let told = ask(client, Question::Cost { pass: 0 });
    assert!(
        serde_json::to_string(&told)
            .unwrap()
            .contains("\"blocks.5\"")
    );
}
