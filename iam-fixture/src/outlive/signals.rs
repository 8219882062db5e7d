use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{drain, ledger, state, tell, tell_left};

/// nextest sends SIGKILL ten seconds after SIGTERM.
const LIMIT: Duration = Duration::from_secs(8);

/// Waits for the user's or the runner's word to stop, removes the roles, and lets the signal do what it does.
pub(super) async fn listen() {
    let streams = [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::terminate()]
        .map(|kind| signal(kind).map(|stream| (kind, stream)));
    let mut streams: Vec<_> = streams.into_iter().flatten().collect();
    let kind = next(&mut streams).await;
    let roles = state().live.len();
    if roles > 0 {
        tell(format_args!("removing {roles} roles; press Ctrl-C again to leave them to the next run"));
    }
    tokio::select! {
        ended = tokio::time::timeout(LIMIT, drain()) => match ended {
            Ok(()) => ledger::close_file(),
            Err(_) => tell_left(),
        },
        _ = next(&mut streams) => tell_left(),
    }
    raise(kind);
}

/// The next of these signals.
async fn next(streams: &mut [(SignalKind, Signal)]) -> SignalKind {
    std::future::poll_fn(|context| {
        let ready = streams
            .iter_mut()
            .find_map(|(kind, stream)| stream.poll_recv(context).is_ready().then_some(*kind));
        ready.map_or(std::task::Poll::Pending, std::task::Poll::Ready)
    })
    .await
}

/// Ends the process by the signal itself, so that whoever started it sees what ended it.
fn raise(kind: SignalKind) {
    let number = kind.as_raw_value();
    #[expect(unsafe_code, reason = "the standard library does not handle signals")]
    // SAFETY: both are async-signal-safe C functions on a valid signal number; the handler replaced is tokio's, which
    // nothing needs any more.
    unsafe {
        libc::signal(number, libc::SIG_DFL);
        libc::raise(number);
    }
}
