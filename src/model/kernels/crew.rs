//! The threads of the kernels: awake while work keeps coming, asleep soon after.
//!
//! A decode step makes about a hundred products of 30 to 300 microseconds each, with short pauses between them. Waking a sleeping
//! thread can take as long as such a product, so a worker that runs out of work looks for more for [`SPIN`] before it sleeps.
//!
//! Which thread does which task is up to chance; so a task must write only to its own part of the output, and compute it in an
//! order of its own. Then the result is the same, bit for bit, on every run and with any number of threads.

use std::any::Any;
use std::cell::UnsafeCell;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a worker without work stays awake. The pauses between the products of a decode step are shorter.
const SPIN: Duration = Duration::from_micros(400);

/// More threads than this add nothing: the products wait for memory.
const MAX_THREADS: usize = 32;

/// What is to be done: task numbers from 0, any order, any thread.
type Work<'a> = &'a (dyn Fn(usize) + Sync);

/// A job as the workers see it; its lifetime is erased, and [`run`] returns only when no worker holds it any more.
#[derive(Clone, Copy)]
struct Job {
    work: Work<'static>,
    n_tasks: usize,
}

/// A value with cache lines of its own, so that threads that use its neighbours do not slow it down.
#[repr(align(128))]
struct Line<T>(T);

impl<T> Deref for Line<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// What the caller and the workers share. One per program.
struct Crew {
    /// Held by the thread whose job is under way.
    caller: Mutex<u64>,
    job: UnsafeCell<Option<Job>>,
    /// Number of the job that workers may join; 0 when there is none.
    open: Line<AtomicU64>,
    /// Workers that may be looking at `job`.
    inside: Line<AtomicUsize>,
    next_task: Line<AtomicUsize>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    asleep: AtomicUsize,
    bed: Mutex<()>,
    bell: Condvar,
}

// SAFETY: `job` is written only by the holder of `caller`, while `open` is 0 and `inside` is 0; it is read only by a worker that has
// added itself to `inside` and then found its job's number in `open`. All of these are sequentially consistent.
unsafe impl Sync for Crew {}

static CREW: Crew = Crew {
    caller: Mutex::new(0),
    job: UnsafeCell::new(None),
    open: Line(AtomicU64::new(0)),
    inside: Line(AtomicUsize::new(0)),
    next_task: Line(AtomicUsize::new(0)),
    panic: Mutex::new(None),
    asleep: AtomicUsize::new(0),
    bed: Mutex::new(()),
    bell: Condvar::new(),
};

/// Threads that work on a job, the caller's included.
pub(super) fn n_threads() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    *THREADS.get_or_init(|| {
        let wanted = thread::available_parallelism()
            .map_or(1, usize::from)
            .min(MAX_THREADS);
        let hired = (1..wanted).take_while(|i| {
            let name = format!("vitrine-kernel-{i}");
            // A worker less is slower, but not wrong.
            thread::Builder::new()
                .name(name)
                .spawn(|| CREW.serve())
                .is_ok()
        });
        1 + hired.count()
    })
}

/// Does tasks `0..n_tasks`, on all cores, and returns when all are done.
///
/// Where another thread's job is under way, or there is one task only, the caller does everything itself.
pub(super) fn run(n_tasks: usize, work: Work<'_>) {
    let all_alone = || (0..n_tasks).for_each(work);
    if n_tasks < 2 || n_threads() == 1 {
        return all_alone();
    }
    let Ok(mut number) = CREW.caller.try_lock() else {
        return all_alone();
    };
    *number += 1;
    // SAFETY: only the lifetime changes, and `close` below waits until no worker can see the reference.
    let work_forever = unsafe { std::mem::transmute::<Work<'_>, Work<'static>>(work) };
    // SAFETY: we hold `caller`, and the job before has been closed.
    unsafe {
        *CREW.job.get() = Some(Job {
            work: work_forever,
            n_tasks,
        })
    };
    CREW.next_task.store(0, SeqCst);
    CREW.open.store(*number, SeqCst);
    CREW.ring();

    let outcome = catch_unwind(AssertUnwindSafe(|| CREW.do_tasks(work, n_tasks)));
    CREW.close();
    let elsewhere = CREW
        .panic
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    drop(number);
    if let Some(panic) = outcome.err().or(elsewhere) {
        resume_unwind(panic);
    }
}

impl Crew {
    /// Takes tasks until none is left.
    fn do_tasks(&self, work: Work<'_>, n_tasks: usize) {
        loop {
            let task = self.next_task.fetch_add(1, SeqCst);
            if task >= n_tasks {
                return;
            }
            work(task);
        }
    }

    /// Lets no more workers in and waits for those inside: each is at its last task.
    fn close(&self) {
        self.open.store(0, SeqCst);
        let mut turns = 0_u32;
        while self.inside.load(SeqCst) != 0 {
            pause(&mut turns);
        }
    }

    /// Wakes the workers that sleep.
    fn ring(&self) {
        if self.asleep.load(SeqCst) > 0 {
            let _bed = self.bed.lock().unwrap_or_else(PoisonError::into_inner);
            self.bell.notify_all();
        }
    }

    /// A worker's life.
    fn serve(&self) {
        let mut last = 0;
        loop {
            let number = self.wait_for_job(last);
            self.inside.fetch_add(1, SeqCst);
            if self.open.load(SeqCst) == number {
                // SAFETY: we are counted in `inside` and the job is still open, so its caller is waiting for us.
                if let Some(Job { work, n_tasks }) = unsafe { *self.job.get() } {
                    let outcome = catch_unwind(AssertUnwindSafe(|| self.do_tasks(work, n_tasks)));
                    if let Err(panic) = outcome {
                        *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
                    }
                }
            }
            self.inside.fetch_sub(1, SeqCst);
            last = number;
        }
    }

    /// The number of a job other than `last`: looked for, then slept for.
    fn wait_for_job(&self, last: u64) -> u64 {
        let news = || Some(self.open.load(SeqCst)).filter(|&number| number != 0 && number != last);
        let start = Instant::now();
        let mut turns = 0_u32;
        loop {
            if let Some(number) = news() {
                return number;
            }
            pause(&mut turns);
            if turns.is_multiple_of(64) && start.elapsed() > SPIN {
                break;
            }
        }
        let mut bed = self.bed.lock().unwrap_or_else(PoisonError::into_inner);
        self.asleep.fetch_add(1, SeqCst);
        let number = loop {
            if let Some(number) = news() {
                break number;
            }
            bed = self.bell.wait(bed).unwrap_or_else(PoisonError::into_inner);
        };
        self.asleep.fetch_sub(1, SeqCst);
        number
    }
}

/// A moment of waiting; now and then the core is offered to whoever needs it more.
fn pause(turns: &mut u32) {
    *turns = turns.wrapping_add(1);
    if turns.is_multiple_of(256) {
        thread::yield_now();
    } else {
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_done_once_whatever_the_threads() {
        for n_tasks in [0, 1, 2, 3, 100, 1000] {
            let counts: Vec<_> = (0..n_tasks).map(|_| AtomicUsize::new(0)).collect();
            run(n_tasks, &|task| {
                counts[task].fetch_add(1, SeqCst);
            });
            assert!(counts.iter().all(|count| count.load(SeqCst) == 1));
        }
    }

    #[test]
    fn jobs_from_several_threads_do_not_mix() {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..500 {
                        let sum = AtomicUsize::new(0);
                        run(20, &|task| {
                            sum.fetch_add(task + round, SeqCst);
                        });
                        assert_eq!(sum.load(SeqCst), 190 + 20 * round);
                    }
                });
            }
        });
    }

    #[test]
    fn a_sleeping_worker_wakes_for_the_next_job() {
        for _ in 0..5 {
            thread::sleep(SPIN * 4);
            let count = AtomicUsize::new(0);
            run(50, &|_| {
                count.fetch_add(1, SeqCst);
            });
            assert_eq!(count.load(SeqCst), 50);
        }
    }

    #[test]
    fn a_panic_in_a_task_reaches_the_caller_and_the_crew_goes_on() {
        let outcome = catch_unwind(|| run(50, &|task| assert_ne!(task, 30, "on purpose")));
        assert!(outcome.is_err());
        every_task_is_done_once_whatever_the_threads();
    }
}
