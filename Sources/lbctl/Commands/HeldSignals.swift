// Signals that end a program, held off while it does what must not be left half done.
import Glibc

/// From its making until `release`, Ctrl-C, a terminal that closes and kill wait.
struct HeldSignals {
    private var held = sigset_t()
    private var before = sigset_t()

    init() {
        sigemptyset(&held)
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] { sigaddset(&held, signal) }
        pthread_sigmask(SIG_BLOCK, &held, &before)
    }

    /// Ends that. Those that came are forgotten: what they would have hindered is done, and its outcome is to be said. Returns whether one came.
    mutating func release() -> Bool {
        var atOnce = timespec()
        var came = false
        while sigtimedwait(&held, nil, &atOnce) > 0 { came = true }
        pthread_sigmask(SIG_SETMASK, &before, nil)
        return came
    }
}
