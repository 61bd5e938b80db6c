//! The debugger through messages: into stages, back, edits, branches, stored answers, turns.

mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::vitrine::run_with_stdin;
use vitrine::engine::client::Client;
use vitrine::engine::message::{
    Action, CancelToken, Event, GenerateRequest, ModelChoice, OpenRequest, Prompt, SamplingChoice,
    SessionId,
};
use vitrine::engine::sampler::top_logprobs;
use vitrine::engine::watch::Watch;
use vitrine::model::cache::CacheOptions;
use vitrine::model::linear::Kernels;
use vitrine::tokenizer::{Message, TemplateArgs};
use vitrine::trace::answer::Answer;
use vitrine::trace::debug::{
    DebugCommand, DrawKind, EditChange, Next, RunState, SourcePrompt, Way,
};
use vitrine::trace::{Hook, HostTensor, Stage};

const FRANCE: &str = "The capital of France is";

fn classroom() -> ModelChoice {
    ModelChoice {
        name: "classroom".to_owned(),
        kernels: Kernels::Auto,
    }
}

/// A run and someone who steps through it.
struct Desk {
    client: Client,
    session: SessionId,
    state: RunState,
}

impl Desk {
    fn open(request: OpenRequest) -> Self {
        Self::join(Client::start().unwrap(), request)
    }

    fn join(mut client: Client, request: OpenRequest) -> Self {
        let session = SessionId(7);
        let open = Action::Open(Box::new(request));
        let state = match end_of(&mut client, session, open) {
            Event::Run(state) => *state,
            other => panic!("{other:?}"),
        };
        Self {
            client,
            session,
            state,
        }
    }

    fn on(text: &str) -> Self {
        Self::open(OpenRequest::new(classroom(), Prompt::Raw(text.to_owned())))
    }

    fn tell(&mut self, command: DebugCommand) -> &RunState {
        match end_of(
            &mut self.client,
            self.session,
            Action::Debug(command.clone()),
        ) {
            Event::Run(state) => self.state = *state,
            other => panic!("{command:?} ended in {other:?}"),
        }
        &self.state
    }

    fn refused(&mut self, command: DebugCommand) -> String {
        match end_of(
            &mut self.client,
            self.session,
            Action::Debug(command.clone()),
        ) {
            Event::Failed(why) => why,
            other => panic!("{command:?} ended in {other:?}"),
        }
    }

    fn look(&mut self, address: &str) -> HostTensor {
        let command = DebugCommand::Look(address.parse().unwrap());
        match end_of(&mut self.client, self.session, Action::Debug(command)) {
            Event::Looked(value) => *value,
            other => panic!("{address} ended in {other:?}"),
        }
    }

    /// Logits of the last position of pass `pass`.
    fn logits(&mut self, pass: usize) -> Vec<f32> {
        let row = self.state.passes[pass].n_pos - 1;
        let address = format!("pass.{pass}.unembed.hook_out[{row}]");
        self.look(&address).values().to_vec()
    }

    fn edit(&mut self, change: EditChange) -> &RunState {
        self.tell(DebugCommand::Edit {
            change,
            catch_up: true,
        })
    }

    fn add(&mut self, edit: &str) -> &RunState {
        self.edit(EditChange::Add(edit.parse().unwrap()))
    }

    fn id(&mut self, text: &str) -> u32 {
        let other = Desk::on(text);
        *other.state.ids.last().unwrap()
    }

    fn answer(&self) -> String {
        self.state.texts[self.state.prompt_len..].concat()
    }
}

fn end_of(client: &mut Client, session: SessionId, action: Action) -> Event {
    let events = client.ask(session, action, &CancelToken::default());
    events.unwrap().last().unwrap()
}

fn to(address: &str) -> DebugCommand {
    DebugCommand::To(address.parse().unwrap())
}

fn rewind(address: &str) -> DebugCommand {
    DebugCommand::Rewind(address.parse().unwrap())
}

fn hook(text: &str) -> Hook {
    text.parse().unwrap()
}

#[test]
fn a_step_into_a_block_computes_one_hook_and_shows_nothing_beyond_it() {
    let mut whole = Desk::on(FRANCE);
    whole.tell(DebugCommand::Tokens(1));
    let expected = whole.logits(0);
    let mut desk = Desk::on(FRANCE);
    desk.tell(DebugCommand::Layer);
    assert_eq!(desk.state.next, Next::Stage(Stage::Block(1)));
    let mut seen = Vec::new();
    while let Some(next) = desk
        .state
        .next_hook
        .filter(|hook| hook.stage() == Stage::Block(1))
    {
        let address = next.to_string();
        let look = DebugCommand::Look(address.parse().unwrap());
        let refused = desk.refused(look);
        assert!(refused.contains("has not been computed yet"), "{refused}");
        desk.tell(DebugCommand::Into(1));
        assert_eq!(desk.look(&address), whole.look(&address), "{address}");
        if desk.state.next == Next::Stage(Stage::Block(1)) {
            assert_eq!(desk.state.cursor.unwrap().hook, next);
            assert!(desk.state.has(0, next) && !desk.state.has_stage(0, Stage::Block(1)));
            // Nothing of the block has reached its cache, nor a later block's.
            let taken_in: Vec<usize> = desk
                .state
                .layers
                .iter()
                .map(|layer| layer.taken_in)
                .collect();
            assert_eq!(taken_in, [5, 0, 0, 0, 0, 0]);
        }
        seen.push(next);
    }
    assert_eq!(seen.len(), 19);
    assert_eq!(desk.state.next, Next::Stage(Stage::Block(2)));
    desk.tell(DebugCommand::Into(4));
    desk.tell(DebugCommand::Tokens(1));
    assert_eq!(desk.logits(0), expected);
}

#[test]
fn a_run_goes_to_a_hook_inside_a_block_and_back_hook_by_hook() {
    let mut desk = Desk::on(FRANCE);
    desk.tell(to("blocks.2.attn.hook_pattern"));
    assert_eq!(
        desk.state.cursor.unwrap().hook,
        hook("blocks.2.attn.hook_pattern")
    );
    assert_eq!(desk.state.next_hook, Some(hook("blocks.2.attn.hook_z")));
    desk.tell(DebugCommand::Back);
    assert_eq!(
        desk.state.cursor.unwrap().hook,
        hook("blocks.2.attn.hook_attn_scores")
    );
    desk.tell(rewind("blocks.2.hook_resid_pre"));
    assert_eq!(
        (desk.state.cursor, desk.state.next),
        (None, Next::Stage(Stage::Block(2)))
    );
    desk.tell(DebugCommand::BackInto);
    assert_eq!(desk.state.next, Next::Stage(Stage::Block(1)));
    assert_eq!(
        desk.state.cursor.unwrap().hook,
        hook("blocks.1.hook_mlp_out")
    );
    desk.tell(DebugCommand::Layer);
    assert_eq!(
        (desk.state.cursor, desk.state.next),
        (None, Next::Stage(Stage::Block(2)))
    );
    desk.tell(DebugCommand::Back);
    assert_eq!(
        (desk.state.cursor, desk.state.next),
        (None, Next::Stage(Stage::Block(1)))
    );
    // The last hook of a stage is the end of the stage.
    desk.tell(to("blocks.1.hook_resid_post"));
    assert_eq!(
        (desk.state.cursor, desk.state.next),
        (None, Next::Stage(Stage::Block(2)))
    );
    let refused = desk.refused(rewind("pass.3.blocks.1"));
    assert!(
        refused.contains("has not come to blocks.1 of pass 3"),
        "{refused}"
    );
    let refused = desk.refused(to("blocks.9.attn.hook_z"));
    assert!(refused.contains("never reached"), "{refused}");
}

#[test]
fn breakpoints_stop_at_hooks_stages_and_draws() {
    let mut desk = Desk::on(FRANCE);
    let stops = [
        "blocks.3.attn.hook_z",
        "pass.1.blocks.0",
        "sample if token= Paris",
    ];
    let stops = stops.map(|stop| stop.parse().unwrap());
    desk.tell(DebugCommand::Breakpoints(stops.to_vec()));
    let go_on = DebugCommand::End { max_tokens: 2 };
    desk.tell(go_on.clone());
    assert_eq!(
        desk.state.cursor.unwrap().hook,
        hook("blocks.3.attn.hook_z")
    );
    assert_eq!(
        desk.state.stopped_by.as_deref(),
        Some("blocks.3.attn.hook_z")
    );
    desk.tell(go_on.clone());
    assert_eq!(
        desk.state.stopped_by.as_deref(),
        Some("sample if token= Paris")
    );
    desk.tell(go_on.clone());
    assert_eq!(desk.state.next, Next::Stage(Stage::Block(1)));
    desk.tell(go_on);
    assert_eq!(
        desk.state.stopped_by.as_deref(),
        Some("blocks.3.attn.hook_z")
    );
    assert_eq!(desk.state.passes.len(), 2);
}

#[test]
fn edits_are_a_list_that_is_switched_undone_and_judged() {
    let mut desk = Desk::on(FRANCE);
    desk.tell(DebugCommand::Tokens(1));
    let plain = desk.logits(0);
    let version = desk.state.version;
    desk.add("blocks.5.hook_mlp_out=zero");
    assert!(desk.state.version > version);
    assert_eq!(desk.state.next, Next::Sample);
    let verdict = desk.state.verdict.clone().unwrap();
    assert_eq!(verdict.verdict.before.token.text, " Paris");
    assert!(verdict.verdict.changed);
    let edited = desk.logits(0);
    assert_ne!(edited, plain);

    let version = desk.state.version;
    desk.edit(EditChange::Switch {
        at: 0,
        is_on: false,
    });
    assert_eq!(
        (desk.logits(0), desk.state.verdict.is_none()),
        (plain.clone(), true)
    );
    assert!(desk.state.version > version);
    desk.edit(EditChange::Undo);
    assert_eq!(desk.logits(0), edited);
    assert!(desk.state.verdict.is_some());
    desk.edit(EditChange::Rename {
        at: 0,
        name: "no last MLP".to_owned(),
    });
    assert_eq!(desk.state.edits.edits()[0].name, "no last MLP");
    assert_eq!(desk.logits(0), edited);

    // Two edits at one place: the later acts on what the earlier left.
    desk.edit(EditChange::Clear);
    desk.add("blocks.5.hook_mlp_out=scale(0.5)");
    desk.add("blocks.5.hook_mlp_out=add(0.25)");
    let one_way = desk.logits(0);
    desk.edit(EditChange::Move { from: 0, to: 1 });
    assert_ne!(desk.logits(0), one_way);
    let refused = desk.refused(DebugCommand::Edit {
        change: EditChange::Remove(7),
        catch_up: true,
    });
    assert_eq!(refused, "there is no edit 8: the list has 2");
    assert_eq!(desk.state.edits.edits().len(), 2);
}

#[test]
fn an_edit_sends_the_run_back_no_further_than_it_must() {
    let mut desk = Desk::on(FRANCE);
    desk.tell(DebugCommand::Tokens(3));
    let before = desk.state.clone();
    let stay = |edit: &str| DebugCommand::Edit {
        change: EditChange::Add(edit.parse().unwrap()),
        catch_up: false,
    };
    // Position 6 is the second generated token's: pass 2.
    desk.tell(stay("blocks.4.hook_resid_pre[6]=scale(2)"));
    assert_eq!(
        (desk.state.passes.len(), desk.state.next),
        (3, Next::Stage(Stage::Block(4)))
    );
    desk.tell(stay("pass.1.sample=force(17)"));
    assert_eq!(
        (desk.state.passes.len(), desk.state.next),
        (2, Next::Sample)
    );
    desk.tell(stay("blocks.4.hook_resid_pre[20]=zero"));
    assert_eq!(
        (desk.state.passes.len(), desk.state.next),
        (2, Next::Sample)
    );
    desk.tell(stay("hook_embed=mean"));
    assert_eq!(
        (desk.state.passes.len(), desk.state.next),
        (1, Next::Stage(Stage::Embed))
    );
    desk.edit(EditChange::Clear);
    desk.tell(DebugCommand::Tokens(3));
    assert_eq!(desk.state.ids, before.ids);
}

#[test]
fn a_banned_token_is_not_drawn_and_a_raised_one_is() {
    let mut desk = Desk::on(FRANCE);
    desk.tell(DebugCommand::Tokens(1));
    let paris = desk.state.likeliest[0].id;
    let second = desk.state.likeliest[1].id;
    desk.add(&format!("logit({paris})=ban"));
    assert_eq!(desk.state.likeliest[0].id, second);
    assert_eq!(desk.logits(0)[paris as usize], f32::NEG_INFINITY);
    let verdict = &desk.state.verdict.as_ref().unwrap().verdict;
    assert_eq!((verdict.kept.probability, verdict.kl_bits), (0.0, None));
    desk.tell(DebugCommand::Steps(1));
    assert_eq!(desk.state.passes[0].draw.as_ref().unwrap().token, second);
    desk.edit(EditChange::Clear);
    desk.add("pass.0.logit(17)=add(40)");
    desk.tell(DebugCommand::Steps(2));
    assert_eq!(*desk.state.ids.last().unwrap(), 17);
    let refused = desk.refused(DebugCommand::Edit {
        change: EditChange::Add("logit(999999)=ban".parse().unwrap()),
        catch_up: true,
    });
    assert!(refused.contains("there is no token 999999"), "{refused}");
}

#[test]
fn an_edit_that_leaves_no_numbers_is_refused_or_said_so() {
    let mut desk = Desk::on(FRANCE);
    desk.tell(DebugCommand::Tokens(1));
    let mut refused = |edit: &str| {
        desk.refused(DebugCommand::Edit {
            change: EditChange::Add(edit.parse().unwrap()),
            catch_up: true,
        })
    };
    let why = refused("blocks.1.hook_resid_pre[2]=block");
    assert!(why.contains("hook_attn_scores"), "{why}");
    for edit in [
        "blocks.1.attn.hook_attn_scores=block",
        "blocks.1.attn.hook_attn_scores[:, :, 0]=block",
        "blocks.1.attn.hook_attn_scores[2, 3, 0..4]=block",
    ] {
        let why = refused(edit);
        assert!(why.contains("would read nothing"), "{edit}: {why}");
    }
    let why = refused("blocks.1.hook_resid_pre[4]=patch_pos(77)");
    assert!(why.contains("there is no position 77"), "{why}");
    let state = desk.add("blocks.1.attn.hook_pattern[:, 4, 0]=block");
    let verdict = &state.verdict.as_ref().unwrap().verdict;
    assert!(verdict.changed && !verdict.is_broken, "{verdict}");
    // Each is allowed alone; together they leave a query nothing to read: no result, and no draw.
    desk.add("blocks.1.attn.hook_attn_scores[:, 4, 0..3]=block");
    let state = desk.add("blocks.1.attn.hook_attn_scores[:, 4, 3..5]=block");
    let verdict = &state.verdict.as_ref().unwrap().verdict;
    assert!(verdict.is_broken, "{verdict}");
    let why = desk.refused(DebugCommand::Steps(1));
    assert!(why.contains("the edits left logits"), "{why}");
    desk.edit(EditChange::Undo);
    desk.tell(DebugCommand::Steps(1));
}

#[test]
fn a_prompt_can_be_added_to_copy_from() {
    let mut desk = Desk::on(FRANCE);
    desk.tell(DebugCommand::Tokens(1));
    let patch = "blocks.3.hook_resid_pre=patch(italy)";
    let refused = desk.refused(DebugCommand::Edit {
        change: EditChange::Add(patch.parse().unwrap()),
        catch_up: true,
    });
    assert!(refused.contains("nothing called 'italy'"), "{refused}");
    let source = |text: &str| DebugCommand::Source {
        name: "italy".to_owned(),
        prompt: SourcePrompt::Raw(text.to_owned()),
    };
    desk.tell(source("The capital of Italy is"));
    desk.add(patch);
    let mut italy = Desk::on("The capital of Italy is");
    italy.tell(DebugCommand::Tokens(1));
    assert_eq!(desk.logits(0), italy.logits(0));
    assert_eq!(
        desk.state
            .verdict
            .as_ref()
            .unwrap()
            .verdict
            .after
            .token
            .text,
        " Rome"
    );
    // Tokens that the other prompt does not have stay what they are.
    desk.tell(DebugCommand::Tokens(1));
    // Another prompt under the same name: what copies from it runs again.
    desk.tell(rewind("sample"));
    desk.tell(source("The capital of Spain is"));
    assert_eq!(desk.state.next, Next::Sample);
    assert_eq!(desk.state.likeliest[0].text, " Madrid");
}

#[test]
fn a_branch_goes_another_way_and_the_first_way_stays() {
    let mut desk = Desk::on(FRANCE);
    desk.tell(DebugCommand::Tokens(4));
    let trunk = desk.state.clone();
    let (first, last) = (desk.logits(0), desk.logits(3));
    let rome = desk.id("Rome is in Rome");
    desk.tell(DebugCommand::Branch {
        position: Some(trunk.prompt_len),
        way: Way::Token(rome),
    });
    assert_eq!(desk.state.branch, 1);
    assert_eq!(desk.state.branches[1].parent, Some(0));
    assert_eq!(desk.state.branches[1].parts_at, trunk.prompt_len);
    assert_eq!(
        desk.state.passes[0].draw.as_ref().unwrap().kind,
        DrawKind::Forced
    );
    desk.tell(DebugCommand::Tokens(3));
    assert_eq!(desk.logits(0), first);
    assert!(desk.answer().starts_with(" Rome"), "{}", desk.answer());
    let (branch, on_branch) = (desk.state.clone(), desk.logits(2));

    // As if it had been typed.
    let mut typed = OpenRequest::new(classroom(), Prompt::Ids(branch.ids.clone()));
    typed.chunks = vec![branch.prompt_len, 1, 1];
    typed
        .chunks
        .resize(1 + branch.ids.len() - branch.prompt_len, 1);
    let mut typed = Desk::open(typed);
    typed.tell(DebugCommand::Tokens(1));
    assert_eq!(typed.logits(0), desk.logits(branch.passes.len() - 1));

    desk.tell(DebugCommand::Switch(0));
    assert_eq!((&desk.state.ids, desk.state.branch), (&trunk.ids, 0));
    assert_eq!(desk.logits(3), last);
    desk.tell(DebugCommand::Switch(1));
    assert_eq!(desk.logits(2), on_branch);
    // Going back over the parting and on again keeps to the branch.
    desk.tell(rewind("sample"));
    desk.tell(DebugCommand::Tokens(2));
    assert_eq!(desk.logits(2), on_branch);
    let refused = desk.refused(DebugCommand::Drop(0));
    assert!(
        refused.contains("other branches part from branch 0"),
        "{refused}"
    );
}

#[test]
fn branches_that_were_left_long_ago_come_back_bit_for_bit() {
    let mut desk = Desk::on(FRANCE);
    desk.tell(DebugCommand::Tokens(3));
    let (ids, last) = (desk.state.ids.clone(), desk.logits(2));
    for seed in 0..7 {
        let sampling: SamplingChoice = "temperature=1.5".parse().unwrap();
        desk.tell(DebugCommand::Branch {
            position: Some(6),
            way: Way::Sampling {
                sampling: Box::new(sampling),
                seed: Some(seed),
            },
        });
        desk.tell(DebugCommand::Tokens(3));
        assert_eq!(desk.state.sampling.temperature, Some(1.5));
    }
    let sixth = (desk.state.ids.clone(), desk.logits(2));
    let kept = desk.state.branches.iter().filter(|branch| branch.is_kept);
    assert_eq!((kept.count(), desk.state.branches.len()), (5, 8));
    desk.tell(DebugCommand::Switch(0));
    assert_eq!((&desk.state.ids, desk.state.next), (&ids, Next::Sample));
    assert_eq!(desk.logits(2), last);
    for branch in [1, 2, 3, 7] {
        desk.tell(DebugCommand::Switch(branch));
    }
    assert_eq!((desk.state.ids.clone(), desk.logits(2)), sixth);
}

#[test]
fn values_can_be_copied_from_another_branch() {
    let mut desk = Desk::on(FRANCE);
    desk.tell(DebugCommand::Tokens(3));
    let last = desk.logits(2);
    let rome = desk.id("Rome is in Rome");
    desk.tell(DebugCommand::Branch {
        position: Some(desk.state.prompt_len),
        way: Way::Token(rome),
    });
    desk.tell(DebugCommand::Tokens(2));
    assert_ne!(desk.logits(2), last);
    // Every state of the last position, and with it the logits, are the other branch's.
    desk.add("blocks.5.hook_resid_post=patch(branch.0)");
    assert_eq!(desk.logits(2), last);
    let refused = desk.refused(DebugCommand::Edit {
        change: EditChange::Add("hook_embed=patch(branch.9)".parse().unwrap()),
        catch_up: true,
    });
    assert!(refused.contains("there is no branch 9"), "{refused}");
}

#[test]
fn what_is_watched_can_change_on_the_way() {
    let mut desk = Desk::on(FRANCE);
    desk.tell(DebugCommand::Layer);
    desk.tell(DebugCommand::Watch {
        hooks: vec![hook("blocks.1.attn.hook_z"), hook("blocks.2.attn.hook_z")],
        budget_bytes: Some(4_000),
    });
    desk.tell(DebugCommand::Tokens(1));
    // 5 positions of 192 numbers are 3,840 bytes: one of the two fits.
    assert_eq!(
        desk.state.passes[0].recorded,
        [hook("blocks.1.attn.hook_z")]
    );
    assert_eq!(desk.state.memory.recorded_bytes, 3840);
    assert_eq!(desk.state.memory.n_left_out, 1);
    assert_eq!(desk.look("blocks.2.attn.hook_z").shape(), [5, 6, 32]);
}

#[test]
fn one_can_stand_at_any_position_of_the_text() {
    let mut desk = Desk::on(FRANCE);
    desk.tell(DebugCommand::Tokens(4));
    let trunk = desk.state.clone();
    let second = desk.logits(2);
    desk.tell(DebugCommand::Stand(trunk.prompt_len + 1));
    assert_eq!(
        (desk.state.passes.len(), desk.state.next),
        (3, Next::Sample)
    );
    assert_eq!(desk.logits(2), second);
    desk.tell(DebugCommand::Stand(trunk.prompt_len - 1));
    assert_eq!(
        (desk.state.passes.len(), desk.state.next),
        (1, Next::Sample)
    );
    desk.tell(DebugCommand::Stand(2));
    assert_eq!((desk.state.ids.len(), desk.state.next), (3, Next::Sample));
    assert_eq!(desk.state.branches[1].label, "the prompt ends here");
    let mut shorter = Desk::open(OpenRequest::new(
        classroom(),
        Prompt::Ids(trunk.ids[..3].to_vec()),
    ));
    shorter.tell(DebugCommand::Tokens(1));
    assert_eq!(desk.logits(0), shorter.logits(0));
    desk.tell(DebugCommand::Switch(0));
    assert_eq!(desk.state.prompt_len, trunk.prompt_len);
    let refused = desk.refused(DebugCommand::Stand(99));
    assert!(refused.contains("there is no position 99"), "{refused}");
}

fn chat(messages: &[(&str, &str)]) -> Prompt {
    let messages = messages
        .iter()
        .map(|(role, text)| Message::new(*role, *text));
    Prompt::Chat {
        messages: messages.collect(),
        prefill_response: None,
        args: TemplateArgs::for_answer(),
    }
}

fn answer(client: &mut Client, prompt: Prompt, cache: CacheOptions) -> Answer {
    let request = GenerateRequest {
        model: classroom(),
        prompt,
        sampling: "temperature=1.2 top_p=0.98 xtc_probability=0.3"
            .parse()
            .unwrap(),
        known: Vec::new(),
        max_tokens: Some(24),
        stop: Vec::new(),
        extra_eos: Vec::new(),
        seed: Some(11),
        cache,
        prompt_cache: None,
        top_logprobs: 4096,
        begun: Vec::new(),
    };
    match end_of(client, SessionId(1), Action::Generate(Box::new(request))) {
        Event::Answered(answer) => *answer,
        other => panic!("{other:?}"),
    }
}

/// Steps through a stored answer and compares every logit with what the chat had. Returns the
/// largest difference.
fn replayed(client: Client, request: OpenRequest, answer: &Answer) -> (Client, f32) {
    let mut desk = Desk::join(client, request);
    let n = answer.tokens.len();
    let mut worst = 0.0_f32;
    for (pass, token) in answer.tokens.iter().enumerate() {
        desk.tell(DebugCommand::Tokens(1));
        desk.tell(DebugCommand::Steps(1));
        let draw = desk.state.passes[pass].draw.clone().unwrap();
        assert_eq!(draw.token, token.id, "token {pass} of {n}");
        let logits = desk.logits(pass);
        // The chat told the log-probability of every token.
        let ours: BTreeMap<u32, f32> = top_logprobs(&logits, logits.len())
            .unwrap()
            .iter()
            .map(|top| (top.token, top.logprob))
            .collect();
        assert_eq!(token.top_logprobs.len(), logits.len());
        for theirs in &token.top_logprobs {
            worst = worst.max((ours[&theirs.id] - theirs.logprob).abs());
        }
        assert_eq!(draw.random, token.random);
        desk.tell(DebugCommand::Steps(1));
    }
    assert_eq!(desk.answer().is_empty(), answer.tokens.is_empty());
    (desk.client, worst)
}

#[test]
fn a_stored_answer_is_made_again_bit_for_bit() {
    let plain = CacheOptions::default();
    let rotating = CacheOptions {
        max_size: Some(24),
        ..plain
    };
    let quantized = CacheOptions {
        bits: Some(8),
        ..plain
    };
    for cache in [plain, rotating, quantized] {
        let mut client = Client::start().unwrap();
        let question = "What is the capital of Italy?";
        let first = answer(&mut client, chat(&[("user", question)]), cache);
        let more = [
            ("user", question),
            ("assistant", first.text.as_str()),
            ("user", "And of France?"),
        ];
        let second = answer(&mut client, chat(&more), cache);
        if cache == plain {
            assert!(
                second.reused > 0 && second.boundaries.len() > 2,
                "{second:?}"
            );
        }
        // Asked once more: the cache holds all of the prompt, and its last token runs alone.
        let third = answer(&mut client, chat(&more), cache);
        for answer in [&first, &second, &third] {
            let request = OpenRequest::of_answer(classroom(), cache, answer);
            let (back, worst) = replayed(client, request, answer);
            client = back;
            assert_eq!(worst, 0.0, "{cache:?}: the same bits");
        }
        // Another cut: one row and many rows add in another order.
        let mut request = OpenRequest::of_answer(classroom(), cache, &second);
        request.chunks = vec![second.prompt_tokens.len()];
        let (_, worst) = replayed(client, request, &second);
        // Rounding to 8 bits can turn a tiny difference into a step.
        assert!(worst < 1e-3 || cache.bits.is_some(), "off by {worst}");
    }
}

#[test]
fn sessions_take_turns_and_a_cancel_is_quick() {
    let mut client = Client::start().unwrap();
    let long = Prompt::Ids((0..500).map(|at| 100 + at * 7919 % 3900).collect());
    let mut request = OpenRequest::new(classroom(), long);
    request.watch = Watch::Everything;
    let cancel = CancelToken::default();
    let (slow, quick) = (SessionId(1), SessionId(2));
    let open = Action::Open(Box::new(request));
    client.ask(slow, open, &cancel).unwrap().last().unwrap();
    let short = Prompt::Raw(FRANCE.to_owned());
    let open = Action::Open(Box::new(OpenRequest::new(classroom(), short)));
    client.ask(quick, open, &cancel).unwrap().last().unwrap();

    let long_way = Action::Debug(DebugCommand::Tokens(400));
    let slow_events = client.ask(slow, long_way, &cancel).unwrap();
    let go = CancelToken::default();
    let started = Instant::now();
    let step = Action::Debug(DebugCommand::Steps(1));
    let stepped = client.ask(quick, step, &go).unwrap().last().unwrap();
    assert!(matches!(stepped, Event::Run(state) if state.passes[0].executed.len() == 1));
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "the other waits for a stage only"
    );

    let cancelled_at = Instant::now();
    cancel.cancel();
    let end = slow_events.last().unwrap();
    assert!(matches!(end, Event::Cancelled), "{end:?}");
    let took = cancelled_at.elapsed();
    assert!(took < Duration::from_millis(300), "a cancel took {took:?}");
    // The run stands between two stages and goes on.
    let step = Action::Debug(DebugCommand::Steps(1));
    let end = client.ask(slow, step, &go).unwrap().last().unwrap();
    assert!(matches!(end, Event::Run(_)), "{end:?}");
}

#[test]
fn the_stepper_obeys_line_by_line() {
    let orders = [
        "l",
        "i 9",
        "break blocks.4.attn.hook_z",
        "t",
        "unbreak 1",
        "t",
        "edit blocks.3.hook_resid_pre=patch(italy)",
        "source italy The capital of Italy is",
        "edit blocks.3.hook_resid_pre=patch(italy)",
        "name 1 think of Italy",
        "edits",
        "off 1",
        "branch Rome",
        "branches",
        "t",
        "switch 0",
        "memory",
        "r blocks.2.attn.hook_z",
        "/blocks.2.attn.hook_z",
        "/blocks.2.attn.hook_pattern[0, 4]",
        "t 2",
        "g blocks.0.attn.hook_q",
        "g pass.0.embed",
        "/blocks.0.attn.hook_q[3, 1]",
        "edit logit( Paris)=ban",
        "undo",
        "r sample",
        "r pass.0.sample",
        "break blocks.1 if token=Xyzzy",
        "break tokens",
        "break blocks.1 if token=Paris",
        "e 9",
        "fly",
        "q",
    ];
    let args = ["step", "--raw", "The capital of France is", "--temp", "0"];
    let ran = run_with_stdin(&args, &orders.join("\n"));
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    let mut rest = ran.out.as_str();
    // In this order.
    for told in [
        "next: embed (i: hook_embed)",
        "blocks.0, ",
        "next: blocks.1.attn.hook_z (n: to the end of blocks.1)",
        "  1  blocks.4.attn.hook_z",
        "stopped at blocks.4.attn.hook_z",
        "length of each head's vector",
        "no breakpoints",
        "' Paris'     98 %",
        "there is nothing called 'italy' to copy from",
        "' Rome'     9",
        "top is now ' Rome'",
        "This is one prompt.",
        "  1  on   blocks.3.hook_resid_pre=patch(italy)  'think of Italy'",
        "' Paris'     98 %",
        "The capital of France is▸ Rome",
        "▸   1  from position 5, token ' Rome':  Rome",
        "next: sample",
        "' Paris'     98 %",
        "KV cache",
        "next: blocks.2.attn.hook_z",
        "blocks.2.attn.hook_z of pass 0 has not been computed yet",
        "pass.0.blocks.2.attn.hook_pattern[0, 4]  [5]",
        "next: sample",
        "blocks.0.attn.hook_q, ",
        "pass.0.embed is already computed; r pass.0.embed",
        "lies outside the value, which is [1 pos, ",
        "The capital of France is▸ Paris\nunembed",
        "'Xyzzy' is not one token",
        "a breakpoint at tokens never stops",
        "stopped at blocks.1 if token=Paris",
        "'fly' is no order; ? lists them",
    ] {
        let at = rest.find(told);
        let at = at.unwrap_or_else(|| {
            panic!(
                "{told:?} comes after {}:\n{}",
                ran.out.len() - rest.len(),
                ran.out
            )
        });
        rest = &rest[at + told.len()..];
    }
}
