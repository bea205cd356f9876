// The configurations that vrrpd keeps in its state directory. Only what root wrote is believed: root writes what is in it to /etc, and the other
// daemons are users of their own that hear the network.
import ArgumentParser
import Configuration
import Glibc
import Net
import Platform

/// Where configurations are kept.
struct KeptOptions: ParsableArguments {
    /// How long vrrpd's disk is given for what it has loaded a moment ago.
    private static let patience = Duration.seconds(2)

    @Option(
        help: ArgumentHelp(
            "vrrpd's state directory (default: /var/lib/evenkeel/vrrpd).", valueName: "directory"),
        completion: .directory)
    var stateDir: String?

    private func directory(of instance: String?) -> String {
        stateDir ?? Instance.stateDirectory(of: instance) + "/vrrpd"
    }

    /// Does `body` while nobody else rolls a director back.
    func locked<Result>(_ instance: String?, _ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        let directory = directory(of: instance)
        let number = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // Where there is none nothing is kept, and that is what is said.
        guard number >= 0 else {
            if errno == ENOENT { return try body() }
            throw .hostRefused("\(directory) cannot be locked: \(Errno(errno, "open"))", remedy: "root may")
        }
        let lock = FileDescriptor(owning: number)
        guard flock(lock.number, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else {
                throw .hostRefused("\(directory) cannot be locked: \(Errno(errno, "flock"))", remedy: nil)
            }
            throw .notDone("another 'lbctl reload --rollback' is at work: nothing was touched; wait until it has ended")
        }
        return try body()
    }

    /// Those of a director. What the daemons have `loaded` a moment ago is waited for: vrrpd writes it when it has answered.
    func pair(of instance: String?, _ loaded: LoadedDigests? = nil) -> KeptPair {
        let end = SystemClock.now + Self.patience
        while true {
            let pair = KeptPair(directory(of: instance))
            guard let loaded, let inForce = pair.whole(.inForce), !loaded.have(inForce.loadedDigest),
                SystemClock.now < end
            else { return pair }
            usleep(50_000)
        }
    }
}

/// The configuration in force and the one before it, as they are kept.
struct KeptPair {
    private let directory: String
    private let inForce: Result<ConfigurationBundle?, KeptProblem>
    private let before: Result<ConfigurationBundle?, KeptProblem>

    fileprivate init(_ directory: String) {
        let kept = KeptConfigurations(directory: directory)
        self.directory = directory
        inForce = Result { () throws(KeptProblem) in try kept.inForce() }
        before = Result { () throws(KeptProblem) in try kept.before() }
    }

    private func found(_ destination: Rollback.Destination) -> Result<ConfigurationBundle?, KeptProblem> {
        switch destination {
        case .inForce: inForce
        case .before: before
        }
    }

    /// One of them; nil where it is not there, or cannot be used.
    func whole(_ destination: Rollback.Destination) -> ConfigurationBundle? {
        (try? found(destination).get()) ?? nil
    }

    /// One of them.
    func get(_ destination: Rollback.Destination) throws(Failure) -> ConfigurationBundle {
        do throws(KeptProblem) {
            if let bundle = try found(destination).get() { return bundle }
        } catch {
            if case .unreadable = error {
                throw .hostRefused("\(error)", remedy: "root may; --state-dir names another directory")
            }
            throw .hostRefused("\(error)", remedy: remedy(destination))
        }
        switch destination {
        case .inForce:
            throw .hostRefused(
                "no configuration is kept in \(directory) yet", remedy: "vrrpd keeps one when it starts with it" + other
            )
        case .before:
            throw .notDone("none is kept from before the configuration in force: nothing to go back to")
        }
    }

    private func remedy(_ destination: Rollback.Destination) -> String {
        switch destination {
        case .inForce: "'lbctl reload' has it kept anew where the files are good" + other
        case .before: "restore the files by hand, then 'lbctl reload'"
        }
    }

    /// That there is another one, where the one in force cannot be had.
    private var other: String {
        whole(.before).map {
            "; 'lbctl reload --rollback --before' goes to the one before it (\($0.loadedDigest.prefix(8))), which is whole"
        } ?? ""
    }

    /// Refuses to take what is kept for what is in force where no daemon has it `loaded`: it could not be kept, or vrrpd has not run since.
    /// - Parameter isBegun: a rollback is on its way from one of the two to the other.
    func check(_ loaded: LoadedDigests?, isBegun: Bool) throws(Failure) {
        guard let loaded, let inForce = whole(.inForce), !loaded.have(inForce.loadedDigest) else { return }
        if isBegun, let before = whole(.before), loaded.have(before.loadedDigest) { return }
        let byHand = "; or mend the files by hand, then 'lbctl reload'"
        let remedy: String
        if loaded.digests[.vrrpd] != nil {
            remedy = "'lbctl status' says why it cannot be kept; it is as soon as that is over" + byHand
        } else if let other = loaded.digests.keys.map(\.rawValue).min() {
            let others = "\(FileSystem.directory(of: directory))/\(other)"
            remedy =
                "vrrpd has not run with that; look through \(others)/configuration.good, which 'install -m 600 "
                + "\(others)/configuration.* \(directory)/' makes root's" + byHand
        } else {
            remedy = "try again when they have started" + byHand
        }
        throw .hostRefused(
            "what vrrpd keeps in \(directory) as the configuration in force (\(inForce.loadedDigest.prefix(8))) is not what "
                + "the daemons run (\(loaded.text)): nothing was touched", remedy: remedy)
    }
}

extension ConfigurationBundle {
    /// The digest that the daemons give it.
    var loadedDigest: String { digest ?? values(machine: ThisMachine(isExamined: false)).digest }
}
