//! Cog runs: from what a model does, and when, to the deliveries that Cog makes of it.
//!
//! Pure: no clock, no socket, no sleep. The caller passes the time, and a [`Simulation`] returns the next delivery.
//!
//! A run is a synchronous model's. For an async model coglet words the error differently (`Async prediction failed`), and
//! holds the items of an async generator back until it ends.
//!
//! Measured on cog 0.16.12 (`python/cog/server/{runner,webhook,response_throttler,worker,helpers}.py`) and coglet 0.23.1,
//! with a model that does what a run file says (`tests/interop/cog/`).
//!
//! ```text
//! while let Some(due) = simulation.due() {
//!     sleep until `due`, or until the in-line POST before it has returned
//!     simulation.returned(at)                     for each POST that has returned since
//!     if let Some(planned) = simulation.advance(now) {
//!         if planned.in_line { post, with its retries, and wait for it } else { post in a task of its own }
//!         if the terminal one was never acknowledged { simulation.give_up(…) and post that too }
//!     }
//! }
//! ```

pub(crate) mod coglet;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod prediction;
pub(crate) mod python;
pub(crate) mod run;
pub(crate) mod simulation;
#[cfg(test)]
mod tests;

pub use crate::payload::provider::cog::Flavor;
pub(crate) use error::RunError;
pub use event::CogEvent;
pub(crate) use prediction::LastFailure;
pub use run::Run;
pub use simulation::{Planned, Settings, Simulation, provider};
