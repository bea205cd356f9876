// What became of each virtual address that was to be started or stopped. One that the host refuses does not keep the others from it; the
// exit status says how far it went.
import Net
import Platform

/// What became of a virtual address.
enum RealServerOutcome: Equatable {
    /// It is as it was asked for; in words.
    case done(String)
    /// Everything was done, and something else on this host keeps it from being served rightly.
    case faulty(RealServerState)
    /// Not done: the address, or the setting, and why with a remedy.
    case refused(String)

    /// Not done, for an address.
    init(refused address: IPAddress, _ why: Failure) {
        self = .refused("\(address): \(why)")
    }

    /// What was done goes to standard output, what was not to standard error.
    func say() {
        switch self {
        case .done(let text): StandardOutput.line(text)
        case .faulty(let state): StandardError.say(state.text)
        case .refused(let text): StandardError.say(text)
        }
    }
}

extension [RealServerOutcome] {
    /// `failed` when nothing was done.
    var status: ExitStatus {
        var (done, refused) = (0, 0)
        for outcome in self {
            switch outcome {
            case .done: done += 1
            case .refused: refused += 1
            case .faulty: continue
            }
        }
        return done == count ? .done : refused == count ? .failed : .inPart
    }
}
