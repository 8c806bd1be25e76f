// SPDX-License-Identifier: MIT

//! The scheduler work of belay-bench on tokio's current_thread runtime; the
//! caller pins the process.
//!
//!     tokio-bench NAME...    prints "NAME VALUE UNIT" for each
//!     tokio-bench --list     prints the names
//!
//! The figures of one sleepers-N group come from one pass over N tasks that is
//! the first in the process ("cold") only if no other figure was named before.
//!
//! All work runs in a spawned task, never in block_on's own future. A wake-up of
//! that future costs a turn of the driver, which a program would avoid.

use std::collections::HashMap;
use std::future::{ready, Future};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, Mutex};
use tokio::task::{unconstrained, yield_now};
use tokio::time::{sleep, timeout};

const ROUND: Duration = Duration::from_millis(150);
const ROUNDS: usize = 3;
const BATCH: u64 = 1000;
const HOUR: Duration = Duration::from_secs(3600);

async fn yielder(n: u64) {
    for _ in 0..n {
        yield_now().await;
    }
}

async fn yields(n: u64) {
    let a = tokio::spawn(yielder(n / 2));
    let b = tokio::spawn(yielder(n / 2));
    a.await.unwrap();
    b.await.unwrap();
}

// Eight nested async fns without boxes are the usual form. The compiler may
// flatten them into one state machine.
macro_rules! chain {
    ($($name:ident => $next:expr;)*) => {
        $(async fn $name() -> u64 { $next.await; 1 })*
    };
}
chain! {
    deep1 => yield_now();
    deep2 => deep1();
    deep3 => deep2();
    deep4 => deep3();
    deep5 => deep4();
    deep6 => deep5();
    deep7 => deep6();
    deep8 => deep7();
}

async fn deep_yielder(n: u64) {
    for _ in 0..n {
        deep8().await;
    }
}

async fn deep_yields(n: u64) {
    let a = tokio::spawn(deep_yielder(n / 2));
    let b = tokio::spawn(deep_yielder(n / 2));
    a.await.unwrap();
    b.await.unwrap();
}

async fn spawn_await(n: u64) {
    for _ in 0..n {
        tokio::spawn(async {}).await.unwrap();
    }
}

async fn spawn_batch(n: u64) {
    let mut handles = Vec::with_capacity(BATCH as usize);
    for _ in 0..n / BATCH {
        handles.extend((0..BATCH).map(|_| tokio::spawn(async {})));
        for handle in handles.drain(..) {
            handle.await.unwrap();
        }
    }
}

// tokio's mutex is fair: the task that unlocks queues after the task that waits.
async fn lock_handover(n: u64) {
    async fn turns(mutex: Arc<Mutex<()>>, n: u64) {
        for _ in 0..n {
            let _held = mutex.lock().await;
            yield_now().await;
        }
    }
    let mutex = Arc::new(Mutex::new(()));
    let a = tokio::spawn(turns(mutex.clone(), n / 2));
    let b = tokio::spawn(turns(mutex, n / 2));
    a.await.unwrap();
    b.await.unwrap();
}

async fn queue(capacity: usize, n: u64) {
    let (put, mut get) = mpsc::channel(capacity);
    let putter = tokio::spawn(async move {
        for i in 0..n {
            put.send(i).await.unwrap();
        }
    });
    for _ in 0..n {
        get.recv().await.unwrap();
    }
    putter.await.unwrap();
}

/// Ready at its second poll.
struct ReadyAfterOne(bool);

impl Future for ReadyAfterOne {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Polls a future that is ready at its second poll twice at once.
struct Twice<F>(F);

impl<F: Future + Unpin> Future for Twice<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context) -> Poll<F::Output> {
        assert!(Pin::new(&mut self.0).poll(cx).is_pending());
        Pin::new(&mut self.0).poll(cx)
    }
}

// A timeout enters its timer in the wheel when its future is first pending. Here
// the future's second poll comes at once, so the figure has only arming and
// leaving. The task is unconstrained, because tokio arms no timer once the task
// has used up its budget of polls.
async fn timeout_armed(n: u64) {
    unconstrained(async {
        for _ in 0..n {
            let limited = timeout(HOUR, ReadyAfterOne(false));
            tokio::pin!(limited);
            Twice(limited).await.unwrap();
        }
    })
    .await
}

async fn timeout_ready(n: u64) {
    for _ in 0..n {
        timeout(HOUR, ready(())).await.unwrap();
    }
}

static ASLEEP: AtomicUsize = AtomicUsize::new(0);
static ENDED: AtomicUsize = AtomicUsize::new(0);

/// Counts a sleeper's end, because a cancelled task drops its variables.
struct Ends;

impl Drop for Ends {
    fn drop(&mut self) {
        ENDED.fetch_add(1, Relaxed);
    }
}

async fn sleeper() {
    let _ends = Ends;
    // No other task runs between this line and the timer's first poll.
    ASLEEP.fetch_add(1, Relaxed);
    sleep(HOUR).await;
}

async fn reach(counter: &AtomicUsize, n: usize) {
    while counter.load(Relaxed) < n {
        yield_now().await;
    }
}

/// Creates n sleeping tasks, cancels them and takes their outcomes.
async fn pass(n: usize) -> HashMap<&'static str, f64> {
    let mut figures = HashMap::new();
    let memory = resident_bytes();
    ASLEEP.store(0, Relaxed);
    ENDED.store(0, Relaxed);
    let per_task = |start: Instant| start.elapsed().as_nanos() as f64 / n as f64;

    let start = Instant::now();
    let handles: Vec<_> = (0..n).map(|_| tokio::spawn(sleeper())).collect();
    reach(&ASLEEP, n).await;
    figures.insert("create", per_task(start));

    figures.insert("bytes", (resident_bytes() - memory) / n as f64);

    let start = Instant::now();
    for handle in &handles {
        handle.abort();
    }
    let request = per_task(start);
    let start = Instant::now();
    reach(&ENDED, n).await;
    let run = per_task(start);
    let start = Instant::now();
    for handle in handles {
        assert!(handle.await.unwrap_err().is_cancelled());
    }
    let reap = per_task(start);

    figures.insert("request", request);
    figures.insert("run", run);
    figures.insert("reap", reap);
    figures.insert("cancel", request + run + reap);
    figures
}

const SLEEPER_FIGURES: [&str; 7] = [
    "create", "request", "run", "reap", "cancel", "create-warm", "bytes",
];

/// Takes every figure of n sleepers. All but create-warm come from the first
/// pass, which is the cold one.
async fn sleepers(n: usize, warm_passes: usize) -> HashMap<&'static str, f64> {
    let mut figures = pass(n).await;
    let mut warm = Vec::new();
    for _ in 0..warm_passes {
        warm.push(pass(n).await["create"]);
    }
    figures.insert("create-warm", median(warm));
    figures
}

/// The process's memory with its page tables.
fn resident_bytes() -> f64 {
    std::fs::read_to_string("/proc/self/status")
        .unwrap()
        .lines()
        .filter(|line| line.starts_with("VmRSS:") || line.starts_with("VmPTE:"))
        .map(|line| line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 1024.0)
        .sum()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

type Op = fn(u64) -> Pin<Box<dyn Future<Output = ()> + Send>>;

const FIGURES: [(&str, Op); 9] = [
    ("yield", |n| Box::pin(yields(n))),
    ("yield-deep", |n| Box::pin(deep_yields(n))),
    ("spawn-await", |n| Box::pin(spawn_await(n))),
    ("spawn-batch", |n| Box::pin(spawn_batch(n))),
    ("lock-handover", |n| Box::pin(lock_handover(n))),
    ("queue-1", |n| Box::pin(queue(1, n))),
    ("queue", |n| Box::pin(queue(64, n))),
    ("timeout", |n| Box::pin(timeout_armed(n))),
    ("timeout-ready", |n| Box::pin(timeout_ready(n))),
];

const GROUPS: [(usize, usize); 2] = [(100_000, 3), (1_000_000, 1)];

/// Finds how many operations fill a round, which also warms up, and returns the
/// nanoseconds of one.
fn measure(runtime: &Runtime, op: Op) -> f64 {
    let timed = |n| {
        let start = Instant::now();
        runtime.block_on(async { tokio::spawn(op(n)).await.unwrap() });
        start.elapsed()
    };
    let mut n = BATCH;
    let mut took = timed(n);
    while took < ROUND / 4 {
        n *= 2;
        took = timed(n);
    }
    n = (n as f64 * ROUND.as_secs_f64() / took.as_secs_f64()) as u64 / BATCH * BATCH + BATCH;
    median((0..ROUNDS).map(|_| timed(n).as_nanos() as f64 / n as f64).collect())
}

fn main() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let mut groups = HashMap::new();
    'args: for arg in std::env::args().skip(1) {
        if arg == "--plain" {
            continue; // the only output there is
        }
        let list = arg == "--list";
        for (name, op) in FIGURES {
            if list {
                println!("{name}");
            } else if arg == name {
                println!("{name} {:.1} ns", measure(&runtime, op));
                continue 'args;
            }
        }
        for (n, warm_passes) in GROUPS {
            for figure in SLEEPER_FIGURES {
                let name = format!("sleepers-{n}-{figure}");
                if list {
                    println!("{name}");
                } else if arg == name {
                    let got = groups.entry(n).or_insert_with(|| {
                        runtime.block_on(async {
                            tokio::spawn(sleepers(n, warm_passes)).await.unwrap()
                        })
                    });
                    let unit = if figure == "bytes" { "B" } else { "ns" };
                    println!("{name} {:.1} {unit}", got[figure]);
                    continue 'args;
                }
            }
        }
        if !list {
            eprintln!("tokio-bench: no figure named {arg}");
            std::process::exit(2);
        }
    }
}
