// What the kernel made of a batch of IPVS commands. Two kinds of answer are told apart, because what has to follow differs: a refusal is
// about what was asked (no such scheduler, thresholds that contradict, no memory) and comes again when it is asked again; a surprise is
// about the table (EEXIST, ESRCH, ENOENT): it is not what the commands assumed, so the service is read again and compared.

public import Configuration
internal import Glibc
public import IPVS

/// A command that the kernel did not execute.
public struct CommandFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was asked.
    public let command: Command
    /// `.refused` with the kernel's errno.
    public let error: NetlinkError

    /// A command and the kernel's answer to it.
    public init(_ command: Command, _ error: NetlinkError) {
        self.command = command
        self.error = error
    }

    /// Says what to do where the errno has one known meaning.
    public var description: String {
        switch (command, error.code) {
        case (.addService(_, let attributes), ENOENT), (.editService(_, let attributes), ENOENT):
            let modules =
                ["ip_vs_\(attributes.scheduler)"] + (attributes.persistence?.engine.map { ["ip_vs_pe_\($0)"] } ?? [])
            return
                "\(command): the kernel has no such scheduler or persistence engine; modprobe \(modules.joined(separator: " "))"
        case (_, ESRCH): return "\(command): the kernel does not have the service"
        case (.addService, EEXIST), (.addDestination, EEXIST): return "\(command): the kernel has it already"
        case (.editDestination, ENOENT), (.deleteDestination, ENOENT):
            return "\(command): the kernel does not have the server"
        case (.addDestination(_, _, let attributes), ERANGE), (.editDestination(_, _, let attributes), ERANGE):
            guard attributes.lowerThreshold > attributes.upperThreshold else { return "\(command): \(error)" }
            return
                "\(command): the lower threshold, \(attributes.lowerThreshold), is above the upper one, "
                + "\(attributes.upperThreshold): lower it, or raise the upper one"
        case (_, _): return "\(command): \(error)"
        }
    }
}

/// How a batch ended. Commands that are in neither list were executed.
public struct BatchOutcome: Equatable, Sendable {
    /// Commands that the kernel refused for what they ask. A server's command that found no service (ESRCH) is here when the addition
    /// of that service was refused in the same batch: it is that refusal's consequence.
    public private(set) var refusals: [CommandFailure] = []
    /// Commands to which the kernel's answer shows that its table was not what they assumed: an addition of what exists (EEXIST), an edit
    /// or a deletion of what does not (ESRCH, ENOENT). Nothing was changed by them: read these services again (`IPVSClient.service`) and
    /// send what then differs. A deletion is here too: what shall be gone is gone, but somebody else did it.
    public private(set) var surprises: [CommandFailure] = []

    /// Everything was executed.
    public var isClean: Bool { refusals.isEmpty && surprises.isEmpty }

    /// The services whose table is not what the commands assumed.
    public var surprisingServices: Set<VirtualServerIdentity> { Set(surprises.map(\.command.service)) }

    /// Sorts `failures`, which are in the order of their batch.
    public init(_ failures: [CommandFailure] = []) {
        var refusedServices: Set<VirtualServerIdentity> = []
        for failure in failures {
            if failure.isSurprise(afterRefusalOf: refusedServices) {
                surprises.append(failure)
            } else {
                refusals.append(failure)
                if case .addService(let service, _) = failure.command { refusedServices.insert(service) }
            }
        }
    }
}

extension CommandFailure {
    /// The errnos of ip_vs_genl_set_cmd (net/netfilter/ipvs/ip_vs_ctl.c) that speak of the table.
    fileprivate func isSurprise(afterRefusalOf refused: Set<VirtualServerIdentity>) -> Bool {
        switch command {
        // ENOENT speaks of the scheduler there.
        case .addService: error.code == EEXIST
        case .editService, .deleteService: error.code == ESRCH
        case .addDestination(let service, _, _):
            error.code == EEXIST || error.code == ESRCH && !refused.contains(service)
        case .editDestination(let service, _, _), .deleteDestination(let service, _):
            error.code == ENOENT || error.code == ESRCH && !refused.contains(service)
        }
    }
}
