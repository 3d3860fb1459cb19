//! Group commit: each writer waits until its line is synced; one `fdatasync` covers all waiting lines.

use std::fs::File;
use std::io::Write;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::Result;

/// Length of a typical delivery's line, in bytes.
const LINE: usize = 880;

#[derive(Default)]
struct Queue {
    waiting: Vec<u8>,
    /// Groups begun; `done` counts the synced groups.
    begun: u64,
    done: u64,
    /// Whether a writer is writing and syncing.
    is_busy: bool,
    lines: u64,
}

/// Prints the number of synced lines, and the rate per second.
pub fn run(path: &str, writers: usize, seconds: f64) -> Result {
    let file = File::options().append(true).create(true).open(path)?;
    let (queue, turn) = (Mutex::new(Queue::default()), Condvar::new());
    let started = Instant::now();
    let end = started + Duration::from_secs_f64(seconds);
    let write = || {
        let mut line = vec![b'x'; LINE - 1];
        line.push(b'\n');
        while Instant::now() < end {
            let mut state = queue.lock().expect("no writer panics");
            state.waiting.extend_from_slice(&line);
            state.lines += 1;
            let group = state.begun + 1;
            while state.done < group {
                if state.is_busy {
                    state = turn.wait(state).expect("no writer panics");
                    continue;
                }
                state.is_busy = true;
                state.begun += 1;
                let lines = std::mem::take(&mut state.waiting);
                drop(state);
                (&file).write_all(&lines).and_then(|()| file.sync_data()).expect("the disk takes lines");
                state = queue.lock().expect("no writer panics");
                state.is_busy = false;
                state.done += 1;
                turn.notify_all();
            }
        }
    };
    std::thread::scope(|scope| (0..writers).for_each(|_| drop(scope.spawn(write))));
    let lines = queue.into_inner()?.lines;
    println!("lines {lines}\nrate {:.0}", lines as f64 / started.elapsed().as_secs_f64());
    Ok(())
}
