//! Programs that this one starts: kept apart from the terminal's ctrl-c, and ended with all that they started.

use std::process::{Child, Command};

/// Gives the command a separate process group, so that ctrl-c reaches this program alone.
#[cfg(unix)]
pub(crate) fn in_a_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
pub(crate) fn in_a_group(_: &mut Command) {}

/// Ends a child that [`in_a_group`] was called for, and what it has started.
pub(crate) fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // It may be gone by now.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}
