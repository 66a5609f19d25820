//! Child processes: isolated from the terminal's ctrl-c, and ended together with the processes that they started.

use std::process::{Child, Command};

/// Puts the command in a separate process group, so that ctrl-c reaches this program only.
#[cfg(unix)]
pub(crate) fn in_a_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
pub(crate) fn in_a_group(_: &mut Command) {}

/// Kills a child started with [`in_a_group`], along with the processes in its group, and waits for it.
pub(crate) fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // The group may have ended already.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}
