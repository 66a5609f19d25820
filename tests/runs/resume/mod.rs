//! Runs that end before their job is complete. Whatever happens, the next run resumes the job, and the result has the
//! same bytes as an undisturbed run.

mod damage;
pub mod harness;
mod killed;
mod other;
mod shots;
mod stopped;
